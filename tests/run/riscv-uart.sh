# The UART's output is lkvm's output, byte for byte, on every interrupt controller.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

echo "hello from the UART" >want
for chip in aia aia-emul plic; do
	expect_status 0 lkvm run --firmware /guest-tests/uart-hello.bin -m 16 --irqchip $chip --timeout 20
	expect_same want out
	[ ! -s err ] || fail "messages: $(cat err)"
done
