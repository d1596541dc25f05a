# A guest of 50 million instructions is counted as that by `lkvm pmu stat`, the guest's apart from the host's.
# arch: riscv64 arm64
# needs: lkvm guest-tests/count-loop.bin icount
# timeout: 90
. "${CASES:-/cases}/lib.sh"

stat() { # EVENTS: into the file stat
	# One processor: QEMU's counters of riscv64 also have what another one executes meanwhile (docs/testing.md).
	expect_status 0 taskset 2 lkvm pmu stat -e "$1" -x ' ' -o stat -- \
		run --firmware /guest-tests/count-loop.bin -m 64 --timeout 40
	expect_grep "^done$" out
}
count() { # EVENT
	sed -n "s/^\([0-9][0-9]*\)  $1 .*/\1/p" stat
}

stat instructions:G
case $BED in
arm64-nopmu | riscv64-nopmu)
	expect_grep '^<not supported>  instructions:G ' stat
	exit 0 ;;
esac
# Also QEMU has them only where its clock counts instructions.
! grep -q '^<not supported>.* instructions:G ' stat || skip "this host's PMU can't count a guest's instructions"

# Three times: the other processor only ever adds. One event at a time: riscv64's QEMU has one counter that counts them.
guest=$(count instructions:G)
for _ in 1 2; do
	stat instructions:G
	again=$(count instructions:G)
	[ "$again" -ge "$guest" ] || guest=$again
done
stat instructions:H
host=$(count instructions:H)
stat instructions:GH
both=$(count instructions:GH)
echo "guest $guest, host $host, both $both"
if [ "${guest:-0}" -lt 47500000 ] || [ "$guest" -gt 52500000 ]; then
	fail "more than 5 % off 50000000: $guest"
fi
if [ "${host:-0}" -eq 0 ] || [ "${both:-0}" -lt "$guest" ]; then
	fail "guest, host and both do not fit: $guest, $host, $both"
fi
