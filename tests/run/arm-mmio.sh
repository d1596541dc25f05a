# Accesses where no device is do no harm; those that KVM can't emulate give the guest an external abort.
# arch: arm64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

expect_status 0 lkvm run --firmware "$guests/mmio-hole.bin" -m 16 --timeout 20
expect_grep "^went on$" out
expect_status 0 lkvm run --firmware "$guests/mmio-hole.bin" -m 16 --debug-mmio --timeout 20
expect_grep "0xb000000: no device" err

expect_status 0 lkvm run --firmware "$guests/mmio-pair.bin" -m 16 --timeout 20
expect_grep "^3 aborts$" out
expect_grep "access at 0xb000000 by an instruction that KVM cannot emulate, pc 0x400000" err

expect_status 0 lkvm run --firmware "$guests/big-endian.bin" -m 16 --rng --virtio-transport mmio --timeout 20
expect_grep "^(registers are little-endian|CPU without big-endian data)$" out
