# lkvm test: a matrix of cases, several at once; verdicts, reports, shards; what is interrupted leaves nothing running.
# arch: riscv64 arm64 x86_64
# native: yes
# timeout: 120
# needs: lkvm guest-tests
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}
case $ARCH in x86_64) sleeper=hlt-forever ;; *) sleeper=wfi-forever ;; esac
unset HOME
export TMPDIR="$TMP" XDG_RUNTIME_DIR="$TMP/run"
mkdir -m 700 "$XDG_RUNTIME_DIR"

cat >good.toml <<SUITE
args = ["--nodefaults"] # for all
timeout = "60s"
[[case]]
name = "ends"
firmware = ["$guests/poweroff.bin", "$guests/reboot.bin"]
cpus = [1, 2]
[[case]]
name = "hangs"
firmware = "$guests/$sleeper.bin"
timeout = "500ms"
expect = "timeout"
[[case]]
name = "left out"
firmware = "/no/such/file"
skip = true
SUITE
expect_status 0 lkvm test good.toml -j 3 --report r.json --junit r.xml --tap r.tap
expect_grep '^5 passed, 0 failed, 0 flaky, 1 skipped$' out
expect_grep '^ok - ends\[firmware=reboot.bin,cpus=2\]' out
expect_grep '"schema": "lkvm-test/1"' r.json
expect_grep 'name="good.toml" tests="6" failures="0" errors="0" skipped="1"' r.xml
expect_grep '^1\.\.6$' r.tap
expect_grep '^ok 6 - left out # SKIP$' r.tap
[ -z "$(ls -d lkvm-test-* 2>/dev/null)" ] || fail "a passing suite leaves a directory"

[ "$(lkvm test good.toml --list | wc -l)" = 6 ] || fail "--list: $(lkvm test good.toml --list)"
[ "$(lkvm test good.toml --list | tail -n 1)" = "left out # SKIP" ] || fail "--list does not show what is left out"
lkvm test good.toml --list --json >out
[ "$(grep -c '"skip": true' out)" = 1 ] && [ "$(grep -c '"skip": false' out)" = 5 ] || fail "--list --json: $(cat out)"
for i in 1 2 3 4; do lkvm test good.toml --list --shard $i/4; done | sort >shards
lkvm test good.toml --list | sort >all
expect_same shards all

# A failure is one however often it is tried.
cat >bad.toml <<SUITE
[[case]]
name = "wrong"
firmware = "$guests/poweroff.bin"
expect = "panic"
retries = 2
[[case]]
name = "absent"
firmware = "/no/such/file"
SUITE
expect_status 1 lkvm test bad.toml --output kept --junit r.xml --tap r.tap
expect_grep '^not ok - wrong .*: status 0, poweroff, 3 attempts, expected panic: the guest powered off$' out
expect_grep 'Unable to open firmware /no/such/file' out
expect_grep 'failures="2"' r.xml
expect_grep 'message="status 0, poweroff, 3 attempts, expected panic: ' r.xml
expect_grep 'Unable to open firmware /no/such/file' r.xml
expect_grep "^  message: 'status 0, poweroff, 3 attempts, expected panic: the guest powered off'$" r.tap
[ -s kept/wrong/report.json.1 ] && [ -s kept/wrong/report.json.2 ] || fail "attempts are not kept: $(ls -R kept)"
[ -s kept/wrong/report.json ] && [ -e kept/absent/stderr ] || fail "--output: $(ls -R kept)"

# What it left is not the result of a case that does not even start.
cat >stale.toml <<SUITE
[[case]]
name = "wrong"
firmware = "$guests/poweroff.bin"
args = ["--no-such-option"]
expect = "poweroff"
[[case]]
name = "no status of a command"
firmware = "$guests/poweroff.bin"
args = ["--no-such-option"]
expect = 125
[[case]]
name = "not to start"
firmware = "$guests/poweroff.bin"
args = ["--no-such-option"]
expect = "start-failed"
SUITE
expect_status 1 lkvm test stale.toml --output kept
expect_grep '^not ok - wrong .*: status 125, start-failed, expected' out
expect_grep '^not ok - no status of a command .*: status 125, start-failed, expected' out
expect_grep '^ok - not to start' out
[ "$(echo $(ls kept/wrong))" = "stderr stdout" ] || fail "of an earlier run: $(ls kept/wrong)"

for text in 'x' '[[case]]' '[[case]]
name = "a"
kernal = "b"' '[[case]]
name = "a"
firmware = 3'; do
	echo "$text" >wrong.toml
	expect_status 125 lkvm test wrong.toml
	expect_grep '^lkvm: wrong.toml: line [0-9]' err
done
expect_status 125 lkvm test /no/such/suite.toml

# Others may run guests at the same time: only these count.
ours=suite-$$-
: >long.toml
for i in 1 2 3; do
	cat >>long.toml <<SUITE
[[case]]
name = "sleeps $i"
firmware = "$guests/$sleeper.bin"
args = ["--name", "$ours$i"]
SUITE
done
lkvm test long.toml -j 2 --tap r.tap >out 2>err &
pid=$!
tries=100
until [ "$(lkvm list | grep "^$ours" | grep -c running)" = 2 ]; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || fail "the cases do not start: $(cat out err)"
	sleep 0.1
done
kill -TERM $pid # a shell starts background jobs with SIGINT ignored
status=0
wait $pid || status=$?
[ $status = 130 ] || fail "interrupted: status $status"
expect_grep 'interrupted$' out
[ "$(grep -c '^not ok' r.tap)" = 3 ] || fail "TAP of an interrupted suite: $(cat r.tap)"
[ "$(grep -c "^  message: 'the suite was interrupted'$" r.tap)" = 3 ] || fail "TAP does not say why: $(cat r.tap)"
! lkvm list | grep "^$ours" || fail "guests are left"
