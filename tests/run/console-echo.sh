# lkvm console with a guest that echoes: typing from two sides, one that is stuck, one that leaves, the guest's end.
# arch: x86_64
# native: yes
# timeout: 60
# needs: lkvm guest-tests
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}
export XDG_RUNTIME_DIR="$TMP/run"
mkdir -m 700 "$XDG_RUNTIME_DIR"

until_in() { # PATTERN FILE
	tries=100
	until grep -qE -- "$1" "$2"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "$2 does not get: $1: $(tail -c 300 "$2"; cat guest.err)"
		sleep 0.1
	done
}

lkvm run --name echo --nodefaults --firmware "$guests/uart-echo.bin" --timeout 50 >guest.out 2>guest.err </dev/null &
guest=$!
until_in ready guest.out
mkfifo one.in two.in
exec 3<>one.in 4<>two.in
# The end of its input is not the end of what it shows.
lkvm console echo </dev/null >quiet 2>quiet.err &
quiet=$!
lkvm console echo <one.in >one 2>one.err &
one=$!
lkvm console echo <two.in >two 2>two.err &
two=$!
mkfifo stuck.out
exec 5<>stuck.out
lkvm console echo </dev/null >stuck.out 2>stuck.err &
stuck=$!
until_in ready quiet
until_in ready one
until_in ready two

echo 'from the first' >&3
until_in 'from the first' two
echo 'from the second' >&4
until_in 'from the second' one
until_in 'from the second' quiet
# One leaves; more than all buffers hold goes to the others.
kill -TERM $two
status=0
wait $two || status=$?
[ $status = 143 ] || fail "status $status after SIGTERM: $(cat two.err)"
printf '!' >&3
until_in flooded one
until_in flooded guest.out
[ "$(tail -n 20 one)" = "$(tail -n 20 quiet)" ] || fail "two see different things"
[ "$(grep -c '^0123' one)" = 4096 ] || grep -q 'bytes were not read in time' one || fail "lines: $(grep -c '^0123' one)"
# One whose own reader is stuck leaves all the same.
kill -TERM $stuck
status=0
wait $stuck || status=$?
[ $status = 143 ] || fail "status $status after SIGTERM of the one that is stuck: $(cat stuck.err)"
expect_status 0 lkvm list
expect_grep '^echo .*running' out

printf 'q' >&3
status=0
wait $guest || status=$?
[ $status = 0 ] || fail "status $status of the guest: $(cat guest.err)"
for viewer in $one $quiet; do
	status=0
	wait "$viewer" || status=$?
	[ $status = 0 ] || fail "status $status: $(cat one.err quiet.err)"
done
[ ! -s one.err ] && [ ! -s quiet.err ] || fail "said: $(cat one.err quiet.err)"
