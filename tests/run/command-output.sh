# Output of `-- CMD` is whole whatever its size, also for a reader that is slow to start; the command waits for it.
# arch: riscv64 arm64 powernv x86_64
# timeout: 900
. "${CASES:-/cases}/lib.sh"

command_options
run() { # [OPTIONS] -- CMD
	# shellcheck disable=SC2086 # options
	lkvm run -k /guest/kernel -m 512 --console-log log --timeout $((600 * SCALE)) $for_command "$@" </dev/null
}

run -- printf x >out || fail "status $?"
[ "$(cat out)" = x ] || fail "output of 1 byte: $(od -c out | head)"

# 100 MB, in blocks that begin anywhere in the frames. Random: no piece of it can stand for another.
MB=100
dd if=/dev/urandom of=block bs=100003 count=10 2>/dev/null
cat >blocks <<'GUEST'
#!/bin/sh
i=0
while [ $i -lt "$2" ]; do cat "$1"; i=$((i + 1)); done
GUEST
chmod 755 blocks
want=$(./blocks block $MB | md5sum)
{
	run --add block:/block -- ./blocks /block $MB
	echo $? >status
} | { sleep 20; md5sum; } >sum
[ "$(cat status)" = 0 ] || fail "status $(cat status)"
[ "$(cat sum)" = "$want" ] || fail "100 MB of output were not what was sent: $(cat sum), not $want"
