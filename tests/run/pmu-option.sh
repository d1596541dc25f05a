# --pmu: on fails where the host has no PMU for guests and says which layer lacks it; auto goes on without a word.
# arch: riscv64 arm64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

fw="--firmware /guest-tests/poweroff.bin -m 64 --timeout 20"

# shellcheck disable=SC2086
for value in auto off; do
	expect_status 0 lkvm run $fw --pmu=$value
	[ ! -s err ] || fail "--pmu=$value: $(cat err)"
done
case $BED in
*-nopmu)
	# shellcheck disable=SC2086
	expect_status 125 lkvm run $fw --pmu
	expect_grep "^lkvm: --pmu: this host has no PMU for guests: " err
	[ "$(wc -l <err)" = 1 ] || fail "more than one line: $(cat err)"
	case $BED in
	riscv64-nopmu) expect_grep "its CPUs lack Sscofpmf" err ;;
	arm64-nopmu) expect_grep "PMUv3" err ;;
	esac ;;
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
	} ;;
esac
