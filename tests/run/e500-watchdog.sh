# A guest that starts its watchdog timer and hangs ends the run with the status of a hang; one that goes on resetting the
# timer does not.
# arch: ppc
# needs: lkvm guest-tests
# timeout: 120
. "${CASES:-/cases}/lib.sh"

expect_status 122 lkvm run --firmware "${GUEST_TESTS:-/guest-tests}/watchdog.bin" -m 16 --timeout 30
expect_grep "^watchdog on$" out
expect_grep "watchdog timer .*exit status 122" err

guest_initrd hang.cpio <<'GUEST'
watchdog -F -T 6 -t 1 /dev/watchdog0 &
sleep 12
echo "still alive"
kill -STOP $!
exec sleep 1000
GUEST
expect_status 122 lkvm run -k /guest/kernel -i hang.cpio -m 96 --timeout 90
expect_grep "^still alive" out
expect_grep "watchdog timer .*exit status 122" err
