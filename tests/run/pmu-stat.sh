# `lkvm pmu stat`: what it counts, from which source, in three formats; what the host can't count is said so.
# arch: riscv64 arm64 x86_64 ppc64le
# needs: lkvm guest-tests
# timeout: 120
. "${CASES:-/cases}/lib.sh"

fw() {
	echo "run --firmware /guest-tests/$1.bin -m 64 --timeout ${2:-20}"
}

hello=uart-hello exits=exits
[ "$ARCH" != ppc64le ] || hello=hcall-hello exits=sum_exits # KVM's name of it there
# shellcheck disable=SC2046
expect_status 0 lkvm pmu stat --per-vcpu -- $(fw $hello)
expect_grep "Performance counter stats for guest 'guest-[0-9]+', 1 vCPU:" err
expect_grep "^ host's perf events of the vCPU threads:" err
expect_grep "^ KVM's statistics:" err
expect_grep "^ time of the vCPU threads:" err
expect_grep "vcpu0 +[1-9][0-9,]* +$exits +#" err
expect_grep "seconds time elapsed" err

# The guest's own counters: KVM shows them on arm64 and powerpc, and does not on riscv64.
case $BED in
riscv64*)
	expect_grep "<not supported> +counters +# KVM on riscv64 does not show" err ;;
arm64)
	# shellcheck disable=SC2046
	expect_status 0 lkvm pmu stat -o stat -- $(fw pmu-count)
	expect_grep "^counted$" out
	expect_grep " [1-9][0-9,]+ +PMCCNTR CPU_CYCLES" stat
	expect_grep " [1-9][0-9,]+ +PMEVCNTR0 CPU_CYCLES\(0x11\)" stat
	# KVM's reset values enable others, which count from a pattern what nobody has chosen.
	expect_grep "<not counted> +PMEVCNTR1 +# the guest has not set it" stat
	expect_no_grep "0xc0de|3,685,597,406" stat
	[ ! -s err ] || fail "--output leaves something on standard error: $(cat err)"
	# Where the host counts a guest's cycles, there are some.
	# shellcheck disable=SC2046
	expect_status 0 lkvm pmu stat -e cycles:G -x , -o stat -- $(fw pmu-count)
	expect_grep "^[1-9][0-9]*,,cycles:G,[1-9][0-9]*,[0-9.]+," stat ;;
powernv* | ppc64le*)
	# shellcheck disable=SC2046
	expect_status 0 lkvm pmu stat -o stat -- $(fw pmu-count)
	expect_grep "^counted$" out
	# The loop, the few around it, and at each exit some of KVM's before it stops the counters: busy hosts make more
	# exits. Within 5 %.
	expect_grep " 8,[0-3][0-9]{2},[0-9]+ +PMC1 PM_INST_CMPL\\(0x02\\)" stat
	expect_grep " 8,[0-3][0-9]{2},[0-9]+ +PMC5 PM_RUN_INST_CMPL" stat
	expect_no_grep " PMC2 " stat
	# The host's counters are not there while the guest runs, and its time is the kernel's.
	# shellcheck disable=SC2046
	expect_status 0 lkvm pmu stat -e cycles:G,instructions:GH,cycles:H,time -o stat -- $(fw pmu-count)
	expect_grep "<not supported> +cycles:G +# KVM-HV takes the host's counters away" stat
	expect_grep "<not supported> +instructions:GH +# KVM-HV takes" stat
	expect_grep " ([1-9][0-9,]+|<not supported>) +cycles:H " stat
	expect_grep "<not supported> +guest +# the kernel counts the guest's time as its own" stat
	expect_grep " ([1-9][0-9.]+ msec|<not counted>) +guest and kernel \(KVM\) " stat ;;
*-nopmu | x86_64)
	expect_grep "<not supported> +counters +# the guest has no PMU" err ;;
esac

case $ARCH in
x86_64) idle=hlt-forever ;;
ppc64le) idle=cede-forever ;;
*) idle=wfi-forever ;;
esac

# No number where there is none.
# shellcheck disable=SC2046
expect_status 0 lkvm pmu stat -e stalled-cycles-frontend,bus-cycles,task-clock -j -o stat -- $(fw poweroff)
expect_no_grep '"event" : "bus-cycles:G", "counter-value" : "0' stat
expect_grep '"source" : "perf", "event" : "task-clock", "counter-value" : "[0-9]+\.[0-9]+", "unit" : "ns"' stat

# A guest that ran for less than a tick was not asleep all the time.
# shellcheck disable=SC2046
expect_status 0 lkvm pmu stat -e time -o stat -- $(fw poweroff)
awk '/seconds time elapsed/ { exit !($1 < 0.2) }' stat && expect_no_grep "halted or waiting +# +100\.0" stat

# Three intervals, then no more; the exit status is that of run.
# shellcheck disable=SC2046
expect_status 124 lkvm pmu stat -I 200 -n 3 -e kvm,time -x ';' -o stat -- $(fw $idle 2)
[ "$(grep -c ';time/guest;' stat)" = 3 ] || fail "not three intervals: $(cat stat)"
expect_grep "^0\.2[0-9]*;[0-9]+;;kvm/$exits;" stat

expect_status 125 lkvm pmu stat -e cycle -- run --firmware /guest-tests/poweroff.bin
expect_grep "unknown event 'cycle', did you mean 'cycles'" err
expect_status 125 lkvm pmu stat
expect_grep "what is to be counted" err
expect_status 125 lkvm pmu stat -n 3 -- run --firmware /guest-tests/poweroff.bin
expect_grep "needs --interval-print" err
expect_status 125 lkvm pmu stat --svg x.svg -- run --firmware /guest-tests/poweroff.bin
expect_grep "needs --interval-print" err

# A chart of the intervals.
# shellcheck disable=SC2046
expect_status 124 lkvm pmu stat -I 200 -e kvm -o stat --svg x.svg -- $(fw $idle 2)
expect_grep "^<svg xmlns=" x.svg
# On POWER8 KVM counts none while it lets an idle CPU nap.
[ "$BED" != powernv8 ] || exits=signal_exits
expect_grep ">kvm/$exits<" x.svg
expect_grep "^</svg>$" x.svg
