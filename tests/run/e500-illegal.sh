# Illegal instructions in supervisor mode, beyond what exits.sh looks at: the guest's own handler runs for each, KVM's line
# in the host's log is there, as the advice says, and a report tells what the guest has in its TLB.
# arch: ppc
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

expect_status 0 lkvm run --firmware "$guests/illegal.bin" -m 16 --timeout 20
expect_grep "^one$" out
expect_grep "^two$" out
expect_grep "^a hundred more$" out
dmesg | grep -q "emulation at .* failed (7c0006ff)" || fail "the host's kernel log lacks KVM's own line"

# So do performance monitor registers, as `lkvm pmu list` claims without asking.
expect_status 0 lkvm run --firmware "$guests/pmr.bin" -m 16 --timeout 20
expect_grep "^no performance monitor$" out

expect_status 121 lkvm run --firmware "$guests/illegal.bin" -m 16 --on-unknown-exit=stop --timeout 20
expect_grep "^  tlb1\[0\] 0x00000000 -> 0x000000000, 16384 KiB, kernel rwx" err
expect_grep "^  pc +[0-9a-f]{8}  msr" err
