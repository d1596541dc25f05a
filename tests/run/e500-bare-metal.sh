# Bare-metal guests: entry, UART, power-off and reset, accesses where no device is, virtio-mmio, interrupts of the guest.
# arch: ppc
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

for mem in 16 64 256; do
	expect_status 0 lkvm run --firmware "$guests/poweroff.bin" -m $mem --timeout 20
done
expect_status 0 lkvm run --firmware "$guests/reboot.bin" -m 16 --timeout 20
expect_status 0 lkvm run --firmware "$guests/uart-hello.bin" -m 16 --timeout 20
expect_grep "^hello from the UART$" out
expect_status 0 lkvm run --firmware "$guests/entry.bin" -m 16 --timeout 20
expect_grep "^entered as ePAPR says$" out
expect_status 0 lkvm run --firmware "$guests/mmio-hole.bin" -m 16 --debug-mmio --timeout 20
expect_grep "^went on$" out
expect_grep "read of 4 bytes at MMIO 0xd0000000: no device" err
expect_grep "write of 4 bytes at MMIO 0xd0000000: no device" err
expect_status 0 lkvm run --firmware "$guests/virtio-probe.bin" -m 16 --rng --timeout 20
expect_grep "^virtio device$" out

# What the platform can't be.
expect_status 125 lkvm run --firmware "$guests/poweroff.bin" -m 16 -c 2
expect_grep "^lkvm: --cpus 2: the e500 platform has one CPU" err
expect_status 125 lkvm run --firmware "$guests/poweroff.bin" -m 16 --pmu
expect_grep "^lkvm: --pmu: " err
expect_status 125 lkvm run --firmware "$guests/poweroff.bin" -m 16 --rng --virtio-transport pci
expect_grep "no PCI" err
