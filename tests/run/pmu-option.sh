# --pmu: on fails where the host has no PMU for guests and says which layer lacks it; auto goes on without a word.
# arch: riscv64 arm64 ppc64le ppc
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

fw="--firmware /guest-tests/poweroff.bin -m 64 --timeout 20"

# shellcheck disable=SC2086
case $ARCH in
ppc64le) quiet="auto on" ;; # KVM-HV has no way to take it from a guest
*) quiet="auto off" ;;
esac
for value in $quiet; do
	expect_status 0 lkvm run $fw --pmu=$value
	[ ! -s err ] || fail "--pmu=$value: $(cat err)"
done
case $BED in
*-nopmu | e500)
	# shellcheck disable=SC2086
	expect_status 125 lkvm run $fw --pmu
	expect_grep "^lkvm: --pmu: this host has no PMU for guests: " err
	[ "$(wc -l <err)" = 1 ] || fail "more than one line: $(cat err)"
	case $BED in
	riscv64-nopmu) expect_grep "its CPUs lack Sscofpmf" err ;;
	arm64-nopmu) expect_grep "PMUv3" err ;;
	e500) expect_grep "KVM gives e500 guests none" err ;;
	esac ;;
ppc64le* | powernv*)
	# shellcheck disable=SC2086
	expect_status 125 lkvm run $fw --pmu=off
	expect_grep "^lkvm: --pmu=off: KVM-HV gives every pseries guest performance counters$" err ;;
*)
	# shellcheck disable=SC2086
	expect_status 0 lkvm run $fw --pmu
	[ "$ARCH" = arm64 ] || exit 0
	# shellcheck disable=SC2086
	{
		expect_status 0 lkvm run $fw --pmu=device=armv8_pmuv3,deny=0x11
		expect_status 125 lkvm run $fw --pmu=device=nothing
		expect_grep "^lkvm: --pmu: device=nothing: there is no such CPU's PMU" err
		expect_status 0 lkvm run $fw --pmu=auto,device=nothing
		[ ! -s err ] || fail "auto is not quiet: $(cat err)"
		# Two event counters beside that of the cycles, or why not.
		if lkvm pmu list -- --pmu=counters=2 >out 2>err </dev/null; then
			[ "$(grep -c "  event     PMEVCNTR" out)" = 2 ] || fail "not two counters: $(cat out)"
		else
			expect_grep "^lkvm: --pmu: counters=2: this host's kernel is too old to give guests fewer" err
			# What auto can't have as it is wanted it does without, though the vCPUs are there by then.
			expect_status 0 lkvm run $fw -c 2 --pmu=auto,counters=2
			[ ! -s err ] || fail "auto is not quiet: $(cat err)"
			expect_status 0 lkvm run $fw -c 2 --irqchip gicv3-its --loglevel info --pmu=auto,counters=2
			[ "$(grep -c "^lkvm: no PMU in the guest: " err)" = 1 ] || fail "not said once: $(cat err)"
			expect_status 0 lkvm pmu list -- --pmu=auto,counters=2
			expect_no_grep PMCCNTR out
		fi
	} ;;
esac
