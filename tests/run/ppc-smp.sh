# CPUs after the first are stopped until the guest starts them by RTAS; one that stopped itself can be started again.
# arch: ppc64le
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

for cpus in 2 4; do
	expect_status 0 lkvm run --firmware "${GUEST_TESTS:-/guest-tests}/smp.bin" -c $cpus -m 16 --timeout 20
	expect_grep "^hello from CPU 1$" out
done
