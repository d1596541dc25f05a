# A guest of 50 million instructions is counted as that by `lkvm pmu stat`, the guest's apart from the host's.
# arch: arm64
# needs: lkvm guest-tests/count-loop.bin icount
# timeout: 60
. "${CASES:-/cases}/lib.sh"

expect_status 0 lkvm pmu stat -e instructions:G,instructions:H,instructions:GH -x ' ' -o stat -- \
	run --firmware /guest-tests/count-loop.bin -m 64 --timeout 40
expect_grep "^done$" out
case $BED in
*-nopmu)
	expect_grep '^<not supported>  instructions:G ' stat
	exit 0 ;;
esac
# Also QEMU has them only where its clock counts instructions.
! grep -q '^<not supported>.* instructions:G ' stat || skip "this host's PMU can't count a guest's instructions"

count() { # EVENT
	sed -n "s/^\([0-9][0-9]*\)  $1 .*/\1/p" stat
}
guest=$(count instructions:G)
host=$(count instructions:H)
both=$(count instructions:GH)
echo "guest $guest, host $host, both $both"
if [ "${guest:-0}" -lt 47500000 ] || [ "$guest" -gt 52500000 ]; then
	fail "more than 5 % off 50000000: $(cat stat)"
fi
if [ "${host:-0}" -eq 0 ] || [ "${both:-0}" -lt "$guest" ]; then
	fail "guest, host and both do not fit: $(cat stat)"
fi
