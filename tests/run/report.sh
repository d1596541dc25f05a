# What a guest does is told while it runs (SIGQUIT), when --timeout ends it, and as JSON.
# arch: riscv64 arm64 x86_64 ppc64le ppc
# needs: lkvm
# timeout: 180
. "${CASES:-/cases}/lib.sh"

# wait_for PATTERN FILE: until the line is there.
wait_for() {
	local n=0
	while ! grep -q "$1" "$2"; do
		n=$((n + 1))
		[ $n -lt 100 ] || fail "no line in $2 matches: $1"
		sleep 1
	done
}

export XDG_RUNTIME_DIR=$PWD
lkvm run --name reported -k /guest/kernel -i /guest/initrd -p lkvm.test=wait --report json >out 2>err </dev/null &
pid=$!
wait_for "hello from user space" out
kill -QUIT $pid
wait_for "in its kernel log" err
kill -0 $pid || fail "the guest did not go on"
lkvm debug reported >debug || fail "lkvm debug"
expect_grep "^lkvm: vCPU 0: " debug
expect_grep "symbols +[0-9]+ from kallsyms" debug
kill -TERM $pid
status=0
wait $pid || status=$?
[ $status = 143 ] || fail "exit status $status"
# It sleeps: in the kernel, in the idle loop, called from where Linux starts.
expect_grep "^lkvm: vCPU 0: kernel mode.*, pc 0x[0-9a-f]+ \\(.*\\+0x[0-9a-f]+/0x[0-9a-f]+\\)" err
expect_grep "^ +backtrace   [0-9a-f]{16}  " err
expect_grep " (default_idle_call|do_idle|cpu_startup_entry)\\+0x" err
expect_grep " start_kernel\\+0x| cpu_startup_entry\\+0x" err
expect_grep "symbols +[0-9]+ from kallsyms" err
expect_grep "console   \\| " err
expect_grep '"outcome": "stopped"' json

expect_status 124 lkvm run -k /guest/kernel -i /guest/initrd -p lkvm.test=wait --timeout 30 --report json
expect_grep "^lkvm: vCPU 0: (kernel|user) mode" err
expect_grep '"schema": "lkvm-report/1"' json
expect_grep '"outcome": "timeout"' json
expect_grep '"from": "kallsyms"' json

expect_status 125 lkvm run -k /guest/kernel --report /nonexistent/json
expect_grep "report: cannot write /nonexistent/json" err

# Names from an ELF file with symbols, which is what this host's kernel is.
[ "$ARCH" = ppc ] || exit 0
expect_status 124 lkvm run -k /guest/kernel -i /guest/initrd -p lkvm.test=wait --timeout 30 --report json \
	--vmlinux /guest/kernel
expect_grep "^lkvm: vCPU 0: (kernel|user) mode" err
expect_grep '"from": "vmlinux"' json
expect_grep '"symbol": "(arch_cpu_idle|default_idle_call|do_idle|cpu_startup_entry)"' json
