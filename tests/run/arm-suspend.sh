# System suspend: an interrupt that is there already ends it at once, a later one wakes the guest.
# arch: arm64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

case $BED in *gicv2) skip "the guest knows a GICv3" ;; esac
expect_status 0 lkvm run --firmware "$guests/suspend.bin" -m 16 --timeout 20
! grep -q "^no suspend$" out || skip "the host's KVM has no SYSTEM_SUSPEND"
expect_grep "^resumed$" out

status=0
{ sleep 3; echo; sleep 10; } | lkvm run --firmware "$guests/suspend-input.bin" -m 16 --timeout 20 \
	>out 2>err || status=$?
[ $status = 0 ] || fail "exit status $status: $(cat err)"
expect_grep "^asleep$" out
expect_grep "^resumed$" out
# Asleep, but still subject to the timeout.
expect_status 124 lkvm run --firmware "$guests/suspend-input.bin" -m 16 --timeout 2
