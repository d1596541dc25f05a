# RTAS: power-off and reboot end the run with status 0, a panic (ibm,os-term) with 120, an idle guest with --timeout.
# arch: ppc64le
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

for cpus in 1 4; do
	expect_status 0 lkvm run --firmware "$guests/poweroff.bin" -c $cpus -m 16 --timeout 20
done
expect_status 0 lkvm run --firmware "$guests/reboot.bin" -m 16 --timeout 20
expect_status 120 lkvm run --firmware "$guests/os-term.bin" -m 16 --timeout 20
expect_grep "panicked .*: out of cheese" err
expect_status 124 lkvm run --firmware "$guests/cede-forever.bin" -m 16 --timeout 2
expect_grep "timeout" err
