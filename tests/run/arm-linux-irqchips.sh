# Linux on each interrupt controller and virtio transport: the disk's interrupts arrive as they should.
# arch: arm64
# needs: lkvm
# timeout: 900
. "${CASES:-/cases}/lib.sh"

cat <<'SCRIPT' | guest_initrd initrd modules
head -c 12 /dev/vda
grep -E 'virtio|arch_timer' /proc/interrupts
SCRIPT
echo "disk content" >disk
truncate -s 1M disk

boot() { # PATTERN OPTIONS...: the interrupts of the disk must match
	local pattern=$1
	shift
	expect_status 0 lkvm run -k /guest/kernel -i initrd -c 2 -m 512 -d disk --timeout 300 "$@"
	expect_grep "hello from user space on aarch64, 2 cpus" out
	expect_grep "^disk content" out
	expect_grep "$pattern" out
}

case $BED in
*gicv2)
	boot "MSI.*virtio0-req" --irqchip gicv2m --virtio-transport pci
	boot "GIC-0 .*Level .*virtio0" --irqchip gicv2 --virtio-transport pci
	boot "GIC-0 .*Level .*virtio0" --irqchip gicv2 --virtio-transport mmio
	;;
*)
	boot "ITS-PCI-MSIX.*virtio0-req" --irqchip gicv3-its --virtio-transport pci
	boot "GICv3 .*Level .*virtio0" --irqchip gicv3 --virtio-transport pci
	boot "GICv3 .*Level .*virtio0" --irqchip gicv3 --virtio-transport mmio
	;;
esac
