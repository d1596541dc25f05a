# What the guest is given by default, and what options take away: SVE, pointer authentication, PMU, stolen time, KASLR.
# arch: arm64
# needs: lkvm
# timeout: 400
. "${CASES:-/cases}/lib.sh"

guest_initrd initrd <<'SCRIPT'
echo "features: $(sed -n 's/^Features.*: //p' /proc/cpuinfo | head -n 1) "
echo "sve: $(cat /proc/sys/abi/sve_default_vector_length 2>/dev/null)"
echo "pmu: $(ls -d /sys/bus/event_source/devices/armv8_pmuv3* 2>/dev/null)"
echo "text: $(grep -w _text /proc/kallsyms)"
dmesg | grep -i 'stolen time'
SCRIPT

boot() {
	expect_status 0 lkvm run -k /guest/kernel -i initrd -m 512 --timeout 120 "$@"
	expect_grep "case.sh: status" out
}

boot --vcpu-affinity 0
expect_grep "^features: .* sve " out
expect_grep "^features: .* paca pacg " out
expect_grep "^pmu: /sys" out
expect_grep "using stolen time PV" out
grep "^text:" out >text0

boot --disable-sve --no-pmu --no-pvtime --kaslr-seed 0x123456789abcdef0
expect_no_grep "^features: .* sve " out
expect_no_grep "^pmu: /sys" out
expect_no_grep "using stolen time PV" out
grep "^text:" out >text1

boot --sve-max-vl 128 --pmu --kaslr-seed 0x123456789abcdef0
expect_grep "^sve: 16.?$" out
grep "^text:" out >text2
expect_same text1 text2
! cmp -s text0 text1 || fail "a random seed and a chosen one gave the same addresses"

refuse() { # PATTERN OPTIONS...: one line that matches
	local pattern=$1
	shift
	expect_status 125 lkvm run -k /guest/kernel -m 512 "$@"
	expect_grep "$pattern" err
	[ "$(wc -l <err)" = 1 ] || fail "more than one line: $(cat err)"
}
refuse "e2h0 needs --nested" --e2h0
refuse "exclude each other" --disable-sve --sve-max-vl 128
refuse "--aarch32 wants a 32-bit ARM zImage|no 32-bit kernels" --aarch32
refuse "exclude each other" --aarch32 --nested
refuse "none of these CPUs" --vcpu-affinity 1000
refuse "address in RAM" --firmware-address 0
lkvm doctor >doctor 2>&1 || true
if grep -q "nested guests *no" doctor; then
	refuse "runs no guests at EL2: .*FEAT_NV2.*kvm-arm.mode=nested" --nested
else
	boot --nested
fi
