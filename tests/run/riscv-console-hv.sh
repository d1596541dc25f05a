# --console hv: what is typed reaches the guest through the SBI debug console.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

status=0
{ sleep 2; echo "typed"; sleep 5; } | lkvm run --firmware /guest-tests/dbcn-echo.bin -m 16 --console hv --timeout 20 \
	>out 2>err || status=$?
[ $status = 0 ] || fail "exit status $status: $(cat err)"
expect_grep "^ready$" out
expect_grep "^typed$" out
