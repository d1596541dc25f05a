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
	# Its registers by their own names, the link register that of the mode. mov lr, #0x40000000; b .
	printf '\001\341\240\343\376\377\377\352' >spin.bin
	lkvm run --aarch32 --firmware spin.bin -m 16 --name "spin-$$" --timeout 60 >/dev/null 2>&1 </dev/null &
	pid=$!
	tries=100
	until lkvm debug "spin-$$" >report 2>&1 && grep -q "lr_svc  *0*40000000" report; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "lkvm debug: $(cat report)"
		sleep 0.1
	done
	kill $pid
	wait $pid || true
	expect_grep "^  r0 " report
	expect_grep "AArch32 0x13" report
	expect_no_grep "last exception|^  fault" report
else
	expect_status 125 lkvm run --aarch32 --firmware "$guest" -m 16
	expect_grep "CPUs run no 32-bit kernels" err
fi
# Its instructions mean something else to a 64-bit guest.
expect_status 121 lkvm run --firmware "$guest" -m 16 --timeout 20
