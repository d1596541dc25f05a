# Guests by name: list, pause, resume, stat, stop and wait; names are taken once; what a killed lkvm leaves is cleaned up.
# arch: riscv64 arm64 ppc64le x86_64 ppc
# native: yes
# timeout: 120
# needs: lkvm guest-tests
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}
case $ARCH in x86_64) sleeper=hlt-forever ;; ppc64le) sleeper=cede-forever ;; *) sleeper=wfi-forever ;; esac
unset HOME
export XDG_RUNTIME_DIR="$TMP/run"
mkdir -m 700 "$XDG_RUNTIME_DIR"

start() { # NAME: its process in $pid, once it is there
	lkvm run --name "$1" --nodefaults --firmware "$guests/$sleeper.bin" --timeout 60 >"$1.out" 2>"$1.err" </dev/null &
	pid=$!
	tries=100
	until lkvm list | grep -q "^$1 .*running"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "guest $1 does not appear in the list: $(cat "$1.err"; lkvm list)"
		sleep 0.1
	done
}

# As a login session has it: the same directory as the one that is looked at next.
own=/run/user/$(id -u)
made=
[ -d "$own" ] || made=$own
if mkdir -p -m 700 "$own" 2>/dev/null; then
	expect_status 125 env XDG_RUNTIME_DIR="$own" lkvm run --name session --firmware /dev/null --timeout 20
	expect_grep 'is empty' err
	[ -z "$made" ] || rmdir "$own/lkvm" "$own" 2>/dev/null # unless others have come
fi

start one
one=$pid
start two
two=$pid
expect_status 125 lkvm run --name one --firmware "$guests/$sleeper.bin"
expect_grep "'one' is running already" err
expect_status 0 lkvm pause one
expect_status 0 lkvm list
expect_grep '^one .*paused' out
expect_grep '^two .*running' out
expect_status 0 lkvm resume --name one
expect_status 0 lkvm list --json
expect_grep '"name": "one"' out
expect_no_grep paused out
expect_status 0 lkvm stat one
expect_grep 'vCPU 0: running' out
expect_status 0 lkvm debug one
expect_grep '^lkvm: vCPU 0' out
# JSON can't carry it, and it must not be left out.
expect_status 125 lkvm exec one -- rm "$(printf '\377')" /
expect_grep "the command and its environment must be UTF-8" err
expect_status 125 lkvm pause tow
expect_grep 'did you mean two' err
expect_status 125 lkvm stop
expect_status 124 lkvm wait two --timeout 300ms

# Who waits hears how it ended.
lkvm wait one >wait.out 2>&1 &
waiter=$!
sleep 0.3
expect_status 0 lkvm stop one
status=0
wait $one || status=$?
[ $status = 0 ] || fail "stopped guest: status $status"
wait $waiter || fail "lkvm wait: status $?"
expect_grep '^stopped: stopped by lkvm stop' wait.out

# A killed lkvm is lost to who waits, and its name is free.
lkvm wait two >wait.out 2>&1 &
waiter=$!
sleep 0.3
kill -9 $two
status=0
wait $waiter || status=$?
[ $status = 123 ] || fail "lkvm wait for a killed guest: status $status"
start two
expect_status 0 lkvm stop --all
wait $pid || fail "status $?"
expect_status 0 lkvm list
[ ! -s out ] || fail "guests are left: $(cat out)"
[ -z "$(ls "$XDG_RUNTIME_DIR/lkvm")" ] || fail "sockets are left"

# A guest does not outlive its script.
sh -c "lkvm run --name child --pdeathsig --firmware '$guests/$sleeper.bin' --timeout 60 2>/dev/null & sleep 1; lkvm list" >out
expect_grep '^child ' out
tries=50
while lkvm list | grep -q child; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || fail "the guest outlives its script"
	sleep 0.1
done
