# lkvm exec: further commands in a running guest, several at a time, with streams and statuses of their own; large output, broken
# pipes; what is left when lkvm is killed does not break the next run.
# arch: riscv64 arm64 ppc64le x86_64 ppc
# timeout: 900
. "${CASES:-/cases}/lib.sh"
unset HOME
export XDG_RUNTIME_DIR="$TMP/run"
mkdir -m 700 "$XDG_RUNTIME_DIR"

# What commands find in the guest: busybox under its names.
mkdir bin
cp /bin/busybox bin/
for name in sh cat dd sleep true id ps grep; do ln -s busybox bin/$name; done

echo "tester:x:1234:567::/:/bin/sh" >passwd
command_options
start() {
	# shellcheck disable=SC2086 # options
	lkvm run $for_command -k /guest/kernel -m 512 --name box --console-log log --timeout 600 --add bin:/bin --add passwd:/etc/passwd \
		-- /bin/sleep 10000 \
		>box.out 2>box.err </dev/null &
	pid=$!
	tries=200
	until lkvm exec box -- true 2>/dev/null; do
		tries=$((tries - 1))
		kill -0 $pid 2>/dev/null && [ $tries -gt 0 ] || fail "the guest does not come up: $(cat box.err)"
		sleep 1
	done
}

in_box() { # STATUS CMD
	local want=$1
	shift
	expect_status "$want" lkvm exec box -- "$@"
}

start
in_box 7 sh -c 'echo out; echo err >&2; exit 7'
[ "$(cat out)" = out ] && [ "$(cat err)" = err ] || fail "streams: $(cat out) / $(cat err)"
in_box 143 sh -c 'kill -15 $$'
in_box 127 not-there
expect_grep "cannot run not-there in the guest" err
expect_status 0 lkvm exec box --env A=b --workdir /tmp --user 5 -- sh -c 'echo "$A $(pwd) $(id -u)"'
[ "$(cat out)" = "b /tmp 5" ] || fail "environment: $(cat out)"
expect_status 0 lkvm exec box --user tester -- sh -c 'echo "$(id -u):$(id -g)"'
[ "$(cat out)" = "1234:567" ] || fail "user by name: $(cat out)"
expect_status 126 lkvm exec box --user nobody -- true
expect_grep "^lkvm: cannot run true in the guest: its /etc/passwd has no such user" err
expect_status 125 lkvm exec box
expect_status 125 lkvm exec nobox -- true

dd if=/dev/urandom of=random bs=64k count=48 2>/dev/null
lkvm exec box -- cat <random >copy || fail "status $?"
expect_same random copy
size=$(lkvm exec box -- dd if=/dev/zero bs=64k count=320 2>/dev/null | wc -c)
[ "$size" = $((320 * 65536)) ] || fail "large output: $size bytes"
# A reader that goes away is a broken pipe in the guest.
size=$(lkvm exec box -- dd if=/dev/zero bs=64k 2>/dev/null | head -c 5 | wc -c)
[ "$size" = 5 ] || fail "broken pipe: $size bytes"

for i in 1 2 3 4; do
	lkvm exec box -- sh -c "dd if=/dev/zero bs=1k count=1000 2>/dev/null; exit $i" >out.$i &
	eval "pid$i=\$!"
done
for i in 1 2 3 4; do
	status=0
	eval "wait \$pid$i" || status=$?
	[ $status = $i ] || fail "parallel command $i: status $status"
	[ "$(wc -c <out.$i)" = 1024000 ] || fail "parallel command $i: $(wc -c <out.$i) bytes"
done

# A killed client takes its command along; the end of the guest ends a client.
lkvm exec box -- sleep 4711 &
client=$!
sleep 2
kill $client
sleep 2
in_box 1 sh -c 'ps | grep -q "[s]leep 4711"'
lkvm exec box -- sleep 4711 2>client.err &
client=$!
sleep 2
kill -9 $pid
status=0
wait $client || status=$?
[ $status = 123 ] || fail "client of a killed lkvm: status $status"

# The same name at once, as if nothing had been.
start
in_box 0 true
lkvm stop box || fail "stop: status $?"
status=0
wait $pid || status=$?
[ $status = 143 ] || fail "stopped before its command's status: $status"
