# The virtual timer's interrupt arrives through the GIC and ends WFI.
# arch: arm64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

case $BED in *gicv2) skip "the guest knows a GICv3" ;; esac
for chip in gicv3-its gicv3; do
	expect_status 0 lkvm run --firmware "${GUEST_TESTS:-/guest-tests}/timer.bin" -m 16 --irqchip $chip --timeout 20
	expect_grep "^the timer's interrupt$" out
done
