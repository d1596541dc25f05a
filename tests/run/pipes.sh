# An image from a pipe, which can be read once, serves every life of a guest that begins anew.
# arch: riscv64 arm64 ppc64le x86_64 ppc
# native: yes
# timeout: 60
# needs: lkvm guest-tests
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

status=0
cat "$guests/reboot.bin" | lkvm run --nodefaults --firmware /dev/stdin --on-reboot=restart --timeout 2 \
	--report report.json >out 2>err || status=$?
[ $status = 124 ] || { cat err; fail "status $status"; }
expect_no_grep 'empty|cannot read' err
# Whatever the guest is at when the time is over, its end is said as it is, and in the report, too.
expect_grep '^lkvm: --timeout of 2.000 s ran out \(exit status 124\)$' err
expect_grep '"outcome": "timeout"' report.json
lives=$(sed -nE 's/.*"lives": ([0-9]+).*/\1/p' report.json)
[ "$lives" -gt 1 ] || fail "lives: $lives"
