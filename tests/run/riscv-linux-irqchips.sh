# Linux on the interrupt controllers that are not the default, with virtio on both transports: a disk's interrupts arrive.
# arch: riscv64
# needs: lkvm
# timeout: 900
. "${CASES:-/cases}/lib.sh"

cat <<'SCRIPT' | guest_initrd initrd modules
head -c 12 /dev/vda
grep virtio /proc/interrupts
SCRIPT
echo "disk content" >disk
truncate -s 1M disk

boot() { # PATTERN OPTIONS...: the interrupts of the disk must match
	local pattern=$1
	shift
	expect_status 0 lkvm run -k /guest/kernel -i initrd -c 2 -m 512 -d disk --timeout 300 "$@"
	expect_grep "hello from user space on riscv64, 2 cpus" out
	expect_grep "^disk content" out
	expect_grep "$pattern" out
}

case $BED in
riscv64-aia)
	boot "PCI-MSIX.*virtio0-req" --irqchip aia-emul ;;
*)
	boot "SiFive PLIC.*virtio0" --irqchip plic --virtio-transport pci
	boot "SiFive PLIC.*virtio0" --irqchip plic --virtio-transport mmio ;;
esac
