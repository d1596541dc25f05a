# Memory tagging: in the guest where the host has it, unless --disable-mte; the kernel is then read, not mapped.
# arch: arm64
# needs: lkvm
# timeout: 300
. "${CASES:-/cases}/lib.sh"

lkvm doctor >doctor 2>&1 || true
grep -q "memory tagging *yes" doctor || skip "the host has no memory tagging"

guest_initrd initrd <<'SCRIPT'
echo "features: $(sed -n 's/^Features.*: //p' /proc/cpuinfo | head -n 1) "
SCRIPT
for options in "" "--disable-mte"; do
	# shellcheck disable=SC2086 # words
	expect_status 0 lkvm run -k /guest/kernel -i initrd -m 512 --timeout 120 $options
	expect_grep "hello from user space" out
	case $options in
	"") expect_grep "^features: .* mte " out ;;
	*) expect_no_grep "^features: .* mte " out ;;
	esac
done
