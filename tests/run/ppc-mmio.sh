# Accesses where no device is do no harm, by instructions and by hypervisor calls.
# arch: ppc64le
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

expect_status 0 lkvm run --firmware "$guests/ci-hole.bin" -m 16 --timeout 20
expect_grep "^went on$" out
# Behind a hash MMU an instruction needs translation for it, as in Linux: linux-disk.sh.
[ "$BED" != powernv8 ] || exit 0
expect_status 0 lkvm run --firmware "$guests/mmio-hole.bin" -m 16 --timeout 20
expect_grep "^went on$" out
expect_status 0 lkvm run --firmware "$guests/mmio-hole.bin" -m 16 --debug-mmio --timeout 20
expect_grep "0x70000000: no device" err
