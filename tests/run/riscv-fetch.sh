# A failed instruction fetch stops the vCPU with status 121 and a report: what, where, registers.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

expect_status 121 lkvm run --firmware /guest-tests/fetch-hole.bin -m 16 --timeout 20
expect_grep "instruction fetch failed at pc 0x70000000" err
expect_grep "EOPNOTSUPP" err
expect_grep "^  pc  0000000070000000  ra  [0-9a-f]{16}  sp  [0-9a-f]{16}  gp  [0-9a-f]{16}$" err
expect_grep "mode S" err
dmesg | grep -q "VCPU exit error -95" || fail "the host's kernel log does not have what the advice points to"

expect_status 121 lkvm run --firmware /guest-tests/trap-hole.bin -m 16 --timeout 20
expect_grep "instruction fetch failed" err
