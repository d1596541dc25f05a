# Guests that do not come to the command, or not to its end: their outcome, exit status and report.
# arch: riscv64 arm64 powernv x86_64 ppc
# timeout: 300
. "${CASES:-/cases}/lib.sh"

command_options
run() { # STATUS OPTIONS... -- CMD
	local want=$1
	shift
	# shellcheck disable=SC2086 # options
	expect_status "$want" lkvm run -k /guest/kernel -m 512 --console-log log --timeout $((100 * SCALE)) $for_command "$@"
}

# An initrd that the kernel cannot unpack is its end: init is in what follows.
yes "no archive" | head -c 4096 >broken
elapsed run 120 -i broken -p panic=-1 -- true
expect_grep "^lkvm: guest panic: .*(root fs|init)" err
# Twice the time that it takes to get there, and some.
limit=$((TENTHS / 5 + 5))

# With this it waits for a root for ever instead: asleep, and silent.
run 122 -i broken -p "root=/dev/none rootwait" --boot-timeout ${limit}s -- true
expect_grep "^lkvm: guest hung: the command has not been started \(--boot-timeout of" err
expect_grep "^lkvm: \| .*Waiting for root device" err
expect_grep "^  pc " err

# A command that hangs without a word, and one that runs out of time while it talks.
run 122 --silence-timeout ${limit}s -- sh -c 'echo before; exec sleep 10000'
expect_grep "^lkvm: guest hung: it says nothing any more \(--silence-timeout of" err
[ "$(cat out)" = before ] || fail "output before the silence: $(cat out)"
run 124 --timeout ${limit}s -- sh -c 'while :; do echo tick; sleep 1; done'
expect_grep "^lkvm: .*--timeout of" err
[ "$(sort -u out)" = tick ] || fail "output before the time ran out: $(cat out)"
