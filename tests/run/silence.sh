# A guest that says nothing for too long has hung; one that is paused meanwhile has not.
# arch: riscv64 arm64 ppc64le x86_64 ppc
# native: yes
# timeout: 60
# needs: lkvm guest-tests
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}
case $ARCH in x86_64) sleeper=hlt-forever ;; ppc64le) sleeper=cede-forever ;; *) sleeper=wfi-forever ;; esac
export XDG_RUNTIME_DIR="$TMP/run"
mkdir -m 700 "$XDG_RUNTIME_DIR"

expect_status 122 lkvm run --nodefaults --firmware "$guests/$sleeper.bin" --silence-timeout 500ms --timeout 30
expect_grep "^lkvm: guest hung: it says nothing any more \(--silence-timeout of 0.500 s\)" err
expect_status 1 lkvm run --nodefaults --firmware "$guests/$sleeper.bin" --silence-timeout 500ms --exit-code hung=1

lkvm run --name p --nodefaults --firmware "$guests/$sleeper.bin" --silence-timeout 2s --timeout 30 2>err &
pid=$!
tries=100
until lkvm pause p 2>/dev/null; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || fail "the guest does not appear"
	sleep 0.1
done
sleep 3
lkvm stop p || fail "it did not outlive its pause: $(cat err)"
wait $pid || fail "status $?"
