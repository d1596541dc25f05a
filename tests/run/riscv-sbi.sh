# SBI calls that KVM leaves to lkvm: debug console, legacy console, unknown extensions.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

expect_status 0 lkvm run --firmware /guest-tests/dbcn-hello.bin -m 16 --timeout 20
expect_grep "^hello from DBCN!$" out
expect_grep "^all well$" out
expect_status 0 lkvm run --firmware /guest-tests/sbi-unknown.bin -m 16 --timeout 20 --report json
expect_grep "^all well$" out
# Of an experimental and a vendor extension; KVM answers the others.
expect_grep '"unserved_calls": 2' json
# Debian's kernel is built without the legacy calls.
expect_status 0 lkvm run --firmware /guest-tests/legacy-hello.bin -m 16 --timeout 20
expect_grep "^(all well|no legacy console)$" out
# With a virtio console DBCN is off, for Linux would take it for hvc0.
expect_status 0 lkvm run --firmware /guest-tests/dbcn-hello.bin -m 16 --console virtio --timeout 20
expect_grep "^no DBCN$" out
