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
	# Without a handler it faults for ever, and the watchdog finds it.
	expect_status 121 lkvm run --firmware /guest-tests/trap-hole.bin -m 16 --timeout 60
	expect_grep "instruction fetch fails at 0x0: no memory behind this address" err ;;
*)
	fail "exit status $status: $(cat err)" ;;
esac

# Into a device; KVM may say so, or fault for ever.
expect_status 121 lkvm run --firmware /guest-tests/fetch-device.bin -m 16 --timeout 60
expect_grep "instruction fetch fail(s|ed) at (pc )?0x10000000" err
# Page faults are the guest's own business, of which KVM sees nothing.
expect_status 121 lkvm run --firmware /guest-tests/fetch-noexec.bin -m 16 --timeout 60
expect_grep "instruction fetch fails at 0xc0000000: mapped but not executable \(rw- in kernel mode\)" err
