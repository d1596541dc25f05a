# What KVM leaves to lkvm: SBI calls of the debug console, the legacy console and unknown extensions; CSRs.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 90
. "${CASES:-/cases}/lib.sh"

expect_status 0 lkvm run --firmware /guest-tests/dbcn-hello.bin -m 16 --timeout 20
expect_grep "^hello from DBCN!$" out
expect_grep "^all well$" out
expect_status 0 lkvm run --firmware /guest-tests/sbi-unknown.bin -m 16 --timeout 20 --report json
expect_grep "^all well$" out
# Of an experimental and a vendor extension; KVM answers the others, and these if they are off.
expect_grep '"unserved_calls": 2' json
for off in experimental vendor; do
	expect_status 0 lkvm run --firmware /guest-tests/sbi-unknown.bin -m 16 --timeout 20 --report json --sbi $off=off
	expect_grep "^all well$" out
	expect_grep '"unserved_calls": 1' json
done
# So are CSRs counted.
expect_grep '"unserved_csrs": 0' json
expect_status 0 lkvm run --firmware /guest-tests/csr-unserved.bin -m 16 --timeout 20 --irqchip plic --report json
if grep -q "^all well$" out; then
	expect_grep '"unserved_csrs": 2' json
else
	expect_grep "^no AIA here$" out
fi
# Debian's kernel is built without the legacy calls.
expect_status 0 lkvm run --firmware /guest-tests/legacy-hello.bin -m 16 --timeout 20
expect_grep "^(all well|no legacy console)$" out
# With a virtio console DBCN is off, for Linux would take it for hvc0.
expect_status 0 lkvm run --firmware /guest-tests/dbcn-hello.bin -m 16 --console virtio --timeout 20
expect_grep "^no DBCN$" out
