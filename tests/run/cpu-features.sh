# --cpu-feature (arm64) and --cpuid (x86_64): what is taken away is gone from the guest's /proc/cpuinfo; what can't be had is
# said in one line.
# arch: arm64 x86_64
# needs: lkvm guest-tests
# timeout: 300
. "${CASES:-/cases}/lib.sh"

guest_initrd initrd <<'SCRIPT'
grep -m 1 -E '^(Features|flags)' /proc/cpuinfo
SCRIPT

boot() {
	expect_status 0 lkvm run -k /guest/kernel -i initrd -m 512 --timeout 200 "$@"
}

refused() { # PATTERN OPTIONS...
	local pattern=$1
	shift
	expect_status 125 lkvm run --firmware /guest-tests/poweroff.bin -m 64 "$@"
	expect_grep "$pattern" err
	[ "$(wc -l <err)" = 1 ] || fail "more than one line: $(cat err)"
}

case $ARCH in
arm64)
	boot
	expect_grep "^Features.* aes .*crc32" out
	boot -c 2 --cpu-feature 'ID_AA64ISAR0_EL1[7:4]=0'
	expect_grep "^Features.*crc32" out
	expect_no_grep "^Features.* aes " out
	refused "^lkvm: --cpu-feature ID_AA64ISAR0_EL1\[7:4\]=0xf: vCPU 0: KVM does not let guests have that" \
		--cpu-feature 'ID_AA64ISAR0_EL1[7:4]=15'
	refused "^lkvm: --cpu-feature S3_0_C11_C11_0=0x1: vCPU 0: KVM has no such register" --cpu-feature S3_0_C11_C11_0=1
	;;
x86_64)
	boot
	expect_grep "^flags.* rdrand .* smap" out
	boot --cpuid rdrand=off,smap=off,0x7.ebx.9=off,sse4_2=on
	expect_grep "^flags.* sse4_2" out
	expect_no_grep "^flags.* (rdrand|smap|erms)( |$)" out
	refused "^lkvm: --cpuid vmx=on: this host's KVM does not have it for guests" --cpuid vmx=on ;;
esac
