# Illegal instructions in supervisor mode: KVM hands them to user space as KVM_EXIT_UNKNOWN; lkvm says so once for each
# place and goes on, and the guest takes its program interrupt. One that never gets anywhere is stopped.
# arch: ppc
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

expect_status 0 lkvm run --firmware "$guests/illegal.bin" -m 16 --timeout 20
expect_grep "^one$" out
expect_grep "^two$" out
expect_grep "^a hundred more$" out
expect_grep "instruction 0x7c0006ff at pc 0x[0-9a-f]+; going on" err
expect_grep "instruction 0x7ea7faa6 at pc" err
expect_grep "instruction 0x7ec7fba6 at pc" err
expect_grep "102 exits that nobody served .* at 3 places" err
[ "$(grep -c . err)" = 4 ] || fail "not one line for each place and a sum: $(cat err)"
dmesg | grep -q "emulation at .* failed (7c0006ff)" || fail "the host's kernel log lacks KVM's own line"

expect_status 121 lkvm run --firmware "$guests/illegal.bin" -m 16 --on-unknown-exit=stop --timeout 20
expect_grep "vCPU 0 stopped: .*instruction 0x7c0006ff" err
expect_grep "^  tlb1\[0\] 0x00000000 -> 0x000000000, 16384 KiB, kernel rwx" err

expect_status 121 lkvm run --firmware "$guests/illegal-unhandled.bin" -m 16 --timeout 20
expect_grep "instruction 0x7c0006ff at pc 0x[0-9a-f]+, again and again" err
expect_grep "^  pc +[0-9a-f]{8}  msr" err
