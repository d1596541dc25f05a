# Outcomes that a script asks for: complaints of the kernel, time limits, exit statuses of its own.
# arch: riscv64 arm64 ppc64le x86_64 ppc
# timeout: 900
# needs: lkvm
. "${CASES:-/cases}/lib.sh"

complain='echo "<4>WARNING: CPU: 0 PID: 1 at lib/test.c:12 f+0x0/0x10" >/dev/kmsg; echo "WARNING: CPU: 0 PID: 2 at no"; sleep 1'

command_options
run() { # STATUS OPTIONS... -- CMD
	local want=$1
	shift
	# shellcheck disable=SC2086 # options
	expect_status "$want" lkvm run -k /guest/kernel -m 512 --console-log log --timeout 300 $for_command "$@"
}
run 120 --fail-on=kasan,warning -- sh -c "$complain"
expect_grep "^lkvm: the guest's kernel complained: 1 warning: WARNING: CPU: 0 PID: 1 at lib/test.c:12" err
expect_grep "^WARNING: CPU: 0 PID: 2 at no" out
run 0 --fail-on=all --allow 'lib/test\.c:[0-9]+' -- sh -c "$complain"
run 3 --fail-on=kasan -- sh -c "$complain; exit 3"
expect_grep "^lkvm: warning: the guest's kernel complained \(1 warning\)" err
run 122 --boot-timeout 1s -- true
expect_grep "^lkvm: guest hung: the command has not been started \(--boot-timeout" err

expect_status 9 lkvm run -k /guest/kernel -i /guest/initrd -m 512 -p lkvm.test=wait --console-log log \
	--timeout 1s --exit-code timeout=9
expect_grep "exit status 9" err
expect_status 125 lkvm run -k /guest/kernel --boot-timeout 1s
expect_grep "boot-timeout needs a command" err
