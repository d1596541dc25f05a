# `-- CMD`: its exit status, or why there is none; its streams, byte for byte; no root file system is needed.
# arch: riscv64 arm64 ppc64le x86_64 ppc
# timeout: 1800
. "${CASES:-/cases}/lib.sh"

command_options
run() { # STATUS [OPTIONS] -- CMD
	local want=$1
	shift
	# shellcheck disable=SC2086 # options
	expect_status "$want" lkvm run -k /guest/kernel -m 512 --console-log log --timeout $((100 * SCALE)) $for_command "$@"
}

run 1 --junit r.xml --report r.json -- sh -c 'echo because; exit 1'
expect_grep 'message="the command ended with status 1">because$' r.xml
expect_grep '"command_tail": "because\\n"' r.json
expect_grep '"init": [1-9]' r.json
run 77 -- sh -c 'exit 77'
[ ! -s out ] || fail "output came from nowhere"
[ ! -s err ] || fail "lkvm has something to say: $(cat err)"
run 137 -- sh -c 'kill -9 $$'
run 255 -- sh -c 'exit 255'
# Also one that lkvm has a meaning for: it says nothing then.
run 124 -- sh -c 'exit 124'
[ ! -s err ] || fail "lkvm has something to say: $(cat err)"
# What it leaves behind may go on writing: that is not waited for.
run 3 -- sh -c 'yes & exit 3'

# Not found, not executable: also before any shell, and said.
run 127 -- /no/such/program
expect_grep "^lkvm: cannot run /no/such/program in the guest: No such file or directory" err
echo "no program" >text
chmod 644 text
run 126 --add text -- /text
expect_grep "^lkvm: cannot run /text in the guest: Permission denied" err

# Standard input, output and error are kept apart, and exact, in both directions.
dd if=/dev/urandom of=random bs=64k count=5 2>/dev/null
cat >streams <<'GUEST'
#!/bin/sh
printf x >&2
cat
printf y >&2
[ "$1" = "two words" ] && [ "$COLOUR" = "deep red" ] && [ "$(pwd)" = /tmp/x ] && [ "$(id -u):$(id -g)" = 1000:100 ] &&
	[ "$(cat data/link)" = inside ] && [ -x data/prog ]
GUEST
chmod 755 streams
mkdir data
echo inside >data/file
ln -s file data/link
cp streams data/prog
status=0
# shellcheck disable=SC2086 # options
lkvm run -k /guest/kernel -m 512 --console-log log --timeout $((100 * SCALE)) $for_command --add data --workdir /tmp/x --user 1000:100 \
	--env "COLOUR=deep red" -- ./streams "two words" <random >out 2>err || status=$?
[ $status = 0 ] || { tail log err; fail "status $status"; }
expect_same random out
[ "$(cat err)" = xy ] || fail "stderr: $(cat err)"

# Also for a user by name, whom the guest's /etc/passwd has or has not.
run 126 --user nobody --add text:/etc/passwd -- true
expect_grep "^lkvm: cannot run true in the guest: its /etc/passwd has no such user" err

run 126 --add text:/dir/text --workdir /dir/text -- true
expect_grep "^lkvm: cannot run true in the guest: it has no such directory to run it in \(--workdir\)$" err

# Several at once do not know of each other.
for i in 1 2 3; do
	# shellcheck disable=SC2086 # options
	lkvm run -k /guest/kernel -m 256 --console-log log.$i --timeout $((100 * SCALE)) $for_command -- sh -c "echo $i; exit $i" \
		>out.$i 2>err.$i </dev/null &
	eval "pid$i=\$!"
done
for i in 1 2 3; do
	status=0
	eval "wait \$pid$i" || status=$?
	[ $status = $i ] && [ "$(cat out.$i)" = $i ] || fail "parallel run $i: status $status, $(cat out.$i err.$i)"
done

# The user's initrd is the root; a command comes from there.
run 1 -i /guest/initrd -- busybox false

# A guest that goes without the status is lost, one that panics is a panic.
run 123 -- sh -c 'echo before; poweroff -f; sleep 100'
# Some kernels close all devices first.
expect_grep "^lkvm: guest lost: (it powered off before the command's status came|.* the guest is shutting down)" err
[ "$(cat out)" = before ] || fail "output before the end: $(cat out)"
run 120 -p panic=-1 -- sh -c 'echo c >/proc/sysrq-trigger; sleep 100'
expect_grep "sysrq triggered crash" err
