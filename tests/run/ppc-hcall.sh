# What a guest finds at its entry, the vterm's calls and RTAS; a call that nobody serves gets H_FUNCTION.
# arch: ppc64le
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

expect_status 0 lkvm run --firmware "$guests/hcall-hello.bin" -m 16 --timeout 20
echo "hello from vterm! all well" >want
expect_same want out
[ ! -s err ] || fail "messages: $(cat err)"
# RAM on both sides of the PCI window.
expect_status 0 lkvm run --firmware "$guests/hcall-hello.bin" -m 5G --timeout 20
expect_same want out

# What KVM can't go on from is reported, with the place.
expect_status 121 lkvm run --firmware "$guests/rtas-hostile.bin" -m 16 --timeout 20
expect_grep "^before$" out
expect_grep "vCPU 0 stopped: .*EINVAL" err
expect_no_grep "after" out
# From ISA 3.1 on "sc" leaves its level behind.
expect_grep "msr 8000000000[01]01001" err

# Input that is there before the guest asks for it, longer than a call takes.
printf 'a line of more than sixteen characters\n' >typed
{ sleep 1; cat typed; sleep 2; } | lkvm run --firmware "$guests/echo.bin" -m 16 --timeout 20 >out 2>err ||
	fail "status $?: $(cat err)"
{ echo ready; cat typed; } >want
expect_same want out
