# A second hart is stopped until the guest starts it, then runs with the hart id and argument that were asked for.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

for chip in aia plic; do
	expect_status 0 lkvm run --firmware /guest-tests/hsm.bin -c 2 -m 16 --irqchip $chip --timeout 20
	expect_grep "^hello from hart 1$" out
done
