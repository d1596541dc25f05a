# `lkvm pmu list`: what it finds is what the guest's Linux finds; off is off; the host's own mistakes are named.
# arch: riscv64 arm64 ppc64le ppc
# needs: lkvm
# timeout: 300
. "${CASES:-/cases}/lib.sh"

list() { # STATUS OPTIONS...
	local want=$1
	shift
	expect_status "$want" lkvm pmu list -- "$@"
	[ ! -s err ] || fail "pmu list has something to complain about: $(cat err)"
}

if [ "$ARCH" = ppc64le ]; then
	expect_status 125 lkvm pmu list -- --pmu=off
	expect_grep "KVM-HV gives every pseries guest performance counters" err
else
	list 0 --pmu=off
	expect_grep "^no PMU for guests: it is switched off$" out
fi
case $BED in
e500)
	list 0
	expect_grep "^no PMU for guests: KVM gives e500 guests none$" out
	exit 0 ;;
riscv64-nopmu)
	list 0
	expect_grep "^no PMU for guests: its CPUs lack Sscofpmf" out
	exit 0 ;;
arm64-nopmu)
	list 0
	expect_grep "^no PMU for guests: its own kernel has none" out
	exit 0 ;;
esac

guest_initrd initrd <<'SCRIPT'
dmesg | grep -iE 'pmu|performance monitor' | sed 's/^/kernel: /'
SCRIPT
lkvm run -k /guest/kernel -i initrd -m 512 --timeout 200 >linux 2>err </dev/null || fail "no Linux guest: $(cat err)"

status=0
lkvm pmu list >out 2>err </dev/null || status=$?
[ ! -s err ] || fail "pmu list has something to complain about: $(cat err)"
case $ARCH in
riscv64)
	expect_grep "^SBI PMU \(SBI [23]\.[0-9]+\)$" out
	expect_grep "^ +0  hardware  cycle +0xc00 +64  1$" out
	expect_grep "^ +1  time +- +- +-  INVALID_PARAM$" out
	expect_grep "^ +2  hardware  instret +0xc02 +64  1$" out
	expect_grep "^ +3  hardware  hpmcounter3 +0xc03 " out
	expect_grep "^ +0xf0005 SET_TIMER +counters" out
	expect_grep "SET_TIMER counted 3 of 3 calls" out
	expect_grep "^ +snapshot +yes, [1-9]" out
	case $BED in # since Linux 6.18
	riscv64-next) expect_grep "^ +event info +yes, [1-9][0-9]* of [0-9]+ events$" out ;;
	*) expect_grep "^ +event info +NOT_SUPPORTED$" out ;;
	esac
	# KVM of Linux 6.12 takes index 64 and snapshot memory that is not aligned, and ignores the mask for the two
	# fixed events; nothing else is wrong.
	grep '^HOST BUG' out >all
	grep -vE 'counter 0x40 answers SUCCESS|not aligned answers SUCCESS|was asked for on one counter alone' all >bugs &&
		fail "host bugs: $(cat bugs)"
	case $status in
	0) expect_no_grep "^HOST BUG" out ;;
	1) expect_grep "^HOST BUG" out ;;
	*) fail "exit status $status" ;;
	esac
	hw=$(grep -c '^ *[0-9]*  hardware ' out)
	total=$(sed -n 's/^  counters *//p' out)
	# One number is not a counter: the time.
	expect_grep "riscv-pmu-sbi: $((total - hw - 1)) firmware and $hw hardware counters" linux
	lkvm pmu list --json >json 2>err </dev/null
	expect_grep '"register": "instret"' json
	expect_grep '"present": true' json
	# The extension is gone for the probe as well.
	list 0 --sbi pmu=off
	expect_grep "^no PMU for guests: it is switched off$" out ;;
arm64)
	[ $status = 0 ] || fail "exit status $status: $(cat out)"
	expect_grep "^PMUv3" out
	expect_grep "^ +0x00011 CPU_CYCLES +yes$" out
	expect_grep "^ +31  cycle +PMCCNTR_EL0 +0xdce8 +64 " out
	n=$(grep -c '  event     PMEVCNTR' out)
	expect_grep "PMU driver, $((n + 1)) .*counters available" linux
	# A filter hides events from what the guest is told it has.
	list 0 --pmu=deny=0x23
	expect_no_grep "STALL_FRONTEND" out
	expect_grep "STALL_BACKEND" out ;;
ppc64le)
	[ $status = 0 ] || fail "exit status $status: $(cat out)"
	expect_grep "^POWER[0-9]+ PMU$" out
	expect_grep "^ +6  fixed +PMC6 +0x318 +32  1$" out
	expect_grep "^ +0x00002 PM_INST_CMPL +counters 1-4$" out
	expect_grep "^  overflow +makes an exception, which freezes the counters$" out
	# A loop of 200000 instructions.
	expect_grep "^  PM_RUN_INST_CMPL +2000[0-9][0-9] by PMC5$" out
	expect_grep "performance monitor hardware support registered" linux ;;
esac
