# --aarch32: a 32-bit guest runs where the host's CPUs can, and is refused where not.
# arch: arm64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"
guest=${GUEST_TESTS:-/guest-tests}/aarch32.bin

lkvm doctor >doctor 2>&1 || true
if grep -q "32-bit guests *yes" doctor; then
	expect_status 0 lkvm run --aarch32 --firmware "$guest" -m 16 --timeout 20
	expect_grep "^hello in 32 bits$" out
else
	expect_status 125 lkvm run --aarch32 --firmware "$guest" -m 16
	expect_grep "CPUs run no 32-bit kernels" err
fi
# Its instructions mean something else to a 64-bit guest.
expect_status 121 lkvm run --firmware "$guest" -m 16 --timeout 20
