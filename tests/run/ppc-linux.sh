# What a Linux guest makes of the platform: MSI-X or wired interrupts, its clock, RAM on both sides of the PCI window;
# and no splat.
# arch: ppc64le
# timeout: 300
. "${CASES:-/cases}/lib.sh"

guest_initrd initrd modules <<'GUEST'
dd if=/dev/vda of=/dev/null bs=64k 2>/dev/null
grep -i virtio /proc/interrupts
echo "clock: $(($(date +%s) / 100000))"
echo "memory: $(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo)"
echo "platform devices: $(ls /sys/bus/platform/devices | tr '\n' ' ')"
cat /proc/iomem
GUEST
dd if=/dev/zero of=disk bs=64k count=16 2>/dev/null
expect_status 0 lkvm run -k /guest/kernel -i initrd -c 2 -m 512 -d disk --timeout 200
expect_grep "^ *[0-9]+: .*[1-9][0-9]* .*MSI.*virtio0-req" out
expect_grep "^clock: $(($(date +%s) / 100000))" out
expect_no_grep "WARNING:|Oops|BUG:|Call Trace" out

# The devices' wired interrupts: levels, of the sources that interrupt-map names.
expect_status 0 lkvm run -k /guest/kernel -i initrd -m 512 -d disk -p pci=nomsi --timeout 200
expect_grep "^ *[0-9]+: .*[1-9][0-9]* .*(XICS|XIVE).* Level .*virtio0" out
expect_no_grep "nobody cared|WARNING:|Oops|BUG:|Call Trace" out

# More than fits below the window. The host need not have it: nobody touches it.
expect_status 0 lkvm run -k /guest/kernel -i initrd -m 2304 -d disk --timeout 200
expect_grep "^memory: 2[23]" out
expect_grep "case.sh: status 0" out
