# The real-time clock: the guest has the host's date, and its alarm wakes the guest from system suspend.
# arch: arm64
# needs: lkvm
# timeout: 200
. "${CASES:-/cases}/lib.sh"

guest_initrd initrd <<'SCRIPT'
echo "date: $(date +%s)"
echo "rtc: $(cat /sys/class/rtc/rtc0/name)"
echo "states: $(cat /sys/power/state)"
echo +3 >/sys/class/rtc/rtc0/wakealarm
echo mem >/sys/power/state
echo "woke up: $?"
SCRIPT

before=$(date +%s)
expect_status 0 lkvm run -k /guest/kernel -i initrd -c 2 -m 512 --timeout 150
date=$(sed -n 's/^date: \([0-9]*\).*/\1/p' out)
[ "$date" -ge "$before" ] && [ "$date" -le "$(date +%s)" ] || fail "the guest's date is $date"
expect_grep "^rtc: rtc-pl031" out
expect_grep "^woke up: 0" out
expect_grep "PM: suspend entry \(deep\)" out
expect_grep "PM: suspend exit" out
