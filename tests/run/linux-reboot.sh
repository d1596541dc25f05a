# A guest that reboots ends the run with status 0; with --on-reboot=restart it comes up again.
# timeout: 900
. "${CASES:-/cases}/lib.sh"

expect_status 0 lkvm run -k /guest/kernel -i /guest/initrd -m 512 -p lkvm.test=reboot --timeout 300
expect_grep "hello from user space" out
[ "$(grep -c 'hello from user space' out)" = 1 ] || fail "the guest came up more than once"

# The second life is cut short by the timeout: that it began is what counts.
status=0
lkvm run -k /guest/kernel -i /guest/initrd -m 512 -p lkvm.test=reboot --on-reboot=restart --timeout 300 \
	>out 2>err </dev/null &
pid=$!
tries=0
while [ "$(grep -c 'Linux version' out)" -lt 2 ]; do
	tries=$((tries + 1))
	[ $tries -lt 300 ] || break
	sleep 1
done
kill -TERM $pid
wait $pid || status=$?
[ "$(grep -c 'Linux version' out)" -ge 2 ] || fail "the guest did not come up again"
[ $status = 143 ] || fail "SIGTERM gives status $status, not 143"
