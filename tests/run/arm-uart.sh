# The UART's output is lkvm's output, byte for byte, on every interrupt controller.
# arch: arm64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

case $BED in
*gicv2) chips="gicv2m gicv2" ;;
*) chips="gicv3-its gicv3" ;;
esac
echo "hello from the UART" >want
for chip in $chips; do
	expect_status 0 lkvm run --firmware "${GUEST_TESTS:-/guest-tests}/uart-hello.bin" -m 16 --irqchip "$chip" \
		--timeout 20
	expect_same want out
	[ ! -s err ] || fail "messages: $(cat err)"
done
