# lkvm console: what the guest's console has said and says, to several at once; what is typed arrives; a reader that is
# stuck slows nobody.
# arch: riscv64 arm64 x86_64 ppc64le
# timeout: 600
. "${CASES:-/cases}/lib.sh"
command_options
export XDG_RUNTIME_DIR="$TMP"

until_in() { # PATTERN FILE
	tries=600
	until grep -qE -- "$1" "$2"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { tail -n 20 "$2" log err; fail "$2 does not get: $1"; }
		kill -0 "$guest" || { tail log err; fail "the guest ended"; }
		sleep 0.2
	done
}

mkfifo in keys
exec 3<>in 4<>keys
# shellcheck disable=SC2086
lkvm run --name box -k /guest/kernel -m 256 $for_command --console-log log --timeout 400 \
	-- sh -c 'echo ready; read -r line' <in >out 2>err &
guest=$!
until_in ready out

lkvm console box </dev/null 2>stuck.err | sleep 600 &
stuck=$!
lkvm console box </dev/null >one 2>one.err &
one=$!
lkvm console --name box <keys >two 2>two.err &
two=$!
until_in 'Linux version' one
until_in 'Linux version' two
lkvm exec box -- sh -c 'echo live marker >/dev/console'
until_in 'live marker' one
until_in 'live marker' two

lkvm exec box -- sh -c 'read -r line </dev/console; echo "got <$line>"' >typed &
echo 'words that are typed' >&4
until_in '^got <words that are typed>$' typed

# More than all the buffers on the way to the one that is stuck.
expect=$(lkvm exec box -- sh -c 'i=0
	while [ $i -lt 1500 ]; do
		echo "line $i: 0123456789012345678901234567890123456789012345678901234567890123456789"
		i=$((i + 1))
	done >/dev/console
	echo $i')
[ "$expect" = 1500 ] || fail "the guest wrote $expect lines"
until_in 'line 1499: ' one
kill $stuck 2>/dev/null || true

expect_status 125 lkvm console bix
expect_grep 'did you mean box' err
echo >&3
status=0
wait $guest || status=$?
[ $status = 0 ] || { tail log err; fail "status $status"; }
# Those who look at it end with it.
for viewer in $one $two; do
	status=0
	wait "$viewer" || status=$?
	[ $status = 0 ] || fail "lkvm console: status $status: $(cat one.err two.err)"
done
[ ! -s one.err ] || fail "said: $(cat one.err)"
