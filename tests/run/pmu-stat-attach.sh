# `lkvm pmu stat --name` and --all count a guest that runs already, and stop with it.
# arch: riscv64 arm64 x86_64 ppc64le
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

export XDG_RUNTIME_DIR="$TMP"
case $ARCH in
x86_64) idle=hlt-forever ;;
ppc64le) idle=cede-forever ;;
*) idle=wfi-forever ;;
esac
lkvm run --firmware /guest-tests/$idle.bin -m 64 --name idle --timeout 40 >/dev/null 2>&1 </dev/null &
for _ in 1 2 3 4 5 6 7 8 9 10; do
	! lkvm list | grep -q "^idle .*running" || break
	sleep 1
done

expect_status 0 lkvm pmu stat --name idle -I 300 -n 2 -e kvm,time,task-clock -x ';' -o stat
[ "$(grep -cE ";kvm/(sum_)?exits;" stat)" = 2 ] || fail "not two intervals: $(cat stat)"
[ "$(grep -c ';task-clock;' stat)" = 2 ] || fail "not two intervals: $(cat stat)"
# Asleep: that is where its time goes.
expect_grep ';time/halted or waiting;0;100.00;(9[0-9]|100)\.' stat
expect_status 0 lkvm pmu stat --all -I 200 -n 1 --per-vcpu -e time -j
expect_grep '"vcpu" : 0, "source" : "time", "event" : "time/guest"' err

# All of two say which is which, and one by its name has perf's columns.
lkvm run --firmware /guest-tests/$idle.bin -m 64 --name other --timeout 40 >/dev/null 2>&1 </dev/null &
for _ in 1 2 3 4 5 6 7 8 9 10; do
	! lkvm list | grep -q "^other .*running" || break
	sleep 1
done
expect_status 0 lkvm pmu stat --all -I 100 -n 2 -e time -x ';' -o csv
expect_status 0 lkvm pmu stat --all -I 100 -n 1 -e time -j -o json
expect_status 0 lkvm pmu stat --all -I 100 -n 1 -e time -o text
for guest in idle other; do
	[ "$(grep -cE "^[0-9.]+;$guest;[^;]+;ns;time/halted or waiting;" csv)" = 2 ] || fail "no $guest: $(cat csv)"
	expect_grep "\"guest\" : \"$guest\", \"source\" : \"time\"" json
	expect_grep "^ +[0-9.]+ $guest +[0-9<].* time/halted or waiting " text
done
expect_status 0 lkvm pmu stat --name other -I 100 -n 1 -e time -x ';' -o csv
expect_grep "^[0-9.]+;[^;]+;ns;time/halted or waiting;" csv
expect_status 0 lkvm stop other

# Without intervals: until the guest ends.
(sleep 2; lkvm stop idle) >/dev/null 2>&1 &
expect_status 0 lkvm pmu stat --name idle -e kvm
expect_grep "Performance counter stats for guest 'idle', 1 vCPU:" err
expect_grep "seconds time elapsed" err

expect_status 125 lkvm pmu stat --name nobody
expect_status 125 lkvm pmu stat --all
expect_grep "no guest is running" err
expect_status 125 lkvm pmu stat --all --name idle
expect_grep "exclude each other" err
