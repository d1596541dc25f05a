# Linux on the IOAPIC in lkvm (level-triggered lines of virtio-mmio, the UART's edges), and on PIC and PIT without ACPI.
# arch: x86_64
# timeout: 900
. "${CASES:-/cases}/lib.sh"

guest_initrd disk.cpio modules <<'GUEST'
set -e
test -b /dev/vda
dd if=/dev/vda of=/dev/null bs=64k 2>/dev/null
cmp /dev/vda /dev/vdb
grep -E 'virtio|ttyS0' /proc/interrupts
echo "disks read"
GUEST
dd if=/dev/urandom of=a.img bs=1M count=2 2>/dev/null
cp a.img b.img
for irqchip in split kernel; do
	expect_status 0 lkvm run -k /guest/kernel -i disk.cpio -m 512 -c 2 --irqchip $irqchip \
		--virtio-transport mmio -d a.img -d b.img,ro --timeout 300
	expect_grep "^disks read" out
	expect_grep "IO-APIC +9-fasteoi +virtio" out
done

# Without ACPI: interrupts through the PIC, time from the PIT, reset by the keyboard controller.
expect_status 0 lkvm run -k /guest/kernel -i /guest/initrd -m 512 --timeout 300 \
	-p "acpi=off no-kvmclock tsc=unstable lapic=notscdeadline lkvm.test=reboot"
expect_grep "hello from user space" out
