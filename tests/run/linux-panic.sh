# A panic is status 120, however the guest goes on after it.
# timeout: 900
. "${CASES:-/cases}/lib.sh"

for params in "lkvm.test=panic" "lkvm.test=panic panic=-1" "lkvm.test=exit panic=1"; do
	expect_status 120 lkvm run -k /guest/kernel -i /guest/initrd -m 512 -p "$params" --timeout 300
	expect_grep "Kernel panic - not syncing" out
	expect_grep "^lkvm: .*Kernel panic - not syncing" err
done
# The last of them: init went away. --on-panic=report has the CPU's own backtrace.
[ "$ARCH" = ppc ] || # a kernel that prints no trace
	expect_grep "^lkvm: where the guest's kernel went wrong: do_exit[.a-z]*\+0x" err
expect_status 120 lkvm run -k /guest/kernel -i /guest/initrd -m 512 -p "lkvm.test=exit panic=1" --timeout 300 \
	--on-panic=report
expect_grep "^lkvm: vCPU 0: kernel mode(, halted)?, pc 0x[0-9a-f]+ .*, in panic\(\)$" err
expect_grep "^  backtrace of the caller of panic\(\); [0-9]+ frames? of panic\(\) itself left out$" err
expect_grep "^ .* do_exit[.a-z]*\+0x" err
