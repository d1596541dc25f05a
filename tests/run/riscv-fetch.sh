# A failed instruction fetch stops the vCPU with status 121 and a report: what, where, registers. Newer kernels give the
# guest an instruction access fault instead.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

status=0
lkvm run --firmware /guest-tests/fetch-hole.bin -m 16 --timeout 20 >out 2>err </dev/null || status=$?
case $status in
121)
	expect_grep "instruction fetch failed at pc 0x70000000" err
	expect_grep "EOPNOTSUPP" err
	expect_grep "^  pc  0000000070000000  ra  [0-9a-f]{16}  sp  [0-9a-f]{16}  gp  [0-9a-f]{16}$" err
	expect_grep "mode S" err
	dmesg | grep -q "VCPU exit error -95" || fail "the host's kernel log lacks what the advice points to"
	expect_status 121 lkvm run --firmware /guest-tests/trap-hole.bin -m 16 --timeout 20
	expect_grep "instruction fetch failed" err ;;
0)
	expect_grep "^instruction access fault$" out
	# Without a handler that is a guest that faults for ever.
	expect_status 124 lkvm run --firmware /guest-tests/trap-hole.bin -m 16 --timeout 3 ;;
*)
	fail "exit status $status: $(cat err)" ;;
esac
