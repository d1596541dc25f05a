# Harts that sleep in wfi and wake each other thousands of times, through SBI and through the IMSICs, lose nothing.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 120
. "${CASES:-/cases}/lib.sh"

for chip in aia plic; do
	expect_status 0 lkvm run --firmware /guest-tests/ipi-pingpong.bin -c 2 -m 16 --irqchip $chip --timeout 60
	expect_grep "^all well$" out
done
for chip in aia aia-emul; do
	expect_status 0 lkvm run --firmware /guest-tests/imsic-pingpong.bin -c 2 -m 16 --irqchip $chip --timeout 60
	expect_grep "^all well$" out
done
