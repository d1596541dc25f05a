# Instruction fetches that fail. Where the guest can be told it is; else KVM enters it again and again without an exit, and
# the no-progress watchdog finds out.
# arch: ppc
# needs: lkvm guest-tests
# timeout: 90
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

expect_status 0 lkvm run --firmware "$guests/fetch-hole-caught.bin" -m 16 --timeout 20
expect_grep "^machine check$" out
expect_status 0 lkvm run --firmware "$guests/fetch-unmapped.bin" -m 16 --timeout 20
expect_grep "^instruction TLB miss$" out

expect_status 121 lkvm run --firmware "$guests/fetch-hole.bin" -m 16 --timeout 40
expect_grep "^jumping$" out
expect_grep "instruction fetch fails at 0xd0000000: no memory behind this address" err
expect_status 121 lkvm run --firmware "$guests/vector-unmapped.bin" -m 16 --timeout 40
expect_grep "^trapping$" out
expect_grep "instruction fetch fails at 0xd000[0-9a-f]+: " err
