# System suspend: an interrupt that is there already ends it at once, a later one wakes the guest.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

for chip in aia plic; do
	expect_status 0 lkvm run --firmware /guest-tests/suspend.bin -m 16 --irqchip $chip --timeout 20
	! grep -q "^no SUSP$" out || skip "the host's KVM has no SBI SUSP"
	expect_grep "^resumed$" out

	status=0
	{ sleep 3; echo; sleep 10; } | lkvm run --firmware /guest-tests/suspend-input.bin -m 16 --irqchip $chip \
		--timeout 20 >out 2>err || status=$?
	[ $status = 0 ] || fail "exit status $status: $(cat err)"
	expect_grep "^asleep$" out
	expect_grep "^resumed$" out
done
# Asleep, but still subject to the timeout.
expect_status 124 lkvm run --firmware /guest-tests/suspend-input.bin -m 16 --timeout 2
