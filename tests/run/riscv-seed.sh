# The seed CSR gives entropy where the guest has Zkr.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 30
. "${CASES:-/cases}/lib.sh"

expect_status 0 lkvm run --firmware /guest-tests/seed.bin -m 16 --timeout 20
expect_grep "^(entropy|no seed)$" out
