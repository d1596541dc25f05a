# virtio-blk over each transport: what the guest reads is what is in the file, and what it writes arrives there.
# timeout: 900
. "${CASES:-/cases}/lib.sh"

guest_initrd disk.cpio modules <<'GUEST'
set -e
test -b /dev/vda
test -b /dev/vdb
echo "vda: $(cat /sys/block/vda/size) sectors, serial $(cat /sys/block/vda/serial), ro $(cat /sys/block/vda/ro)"
echo "vdb: $(cat /sys/block/vdb/size) sectors, ro $(cat /sys/block/vdb/ro)"
dd if=/dev/vdb of=/dev/vda bs=64k conv=fsync 2>/dev/null
cmp /dev/vda /dev/vdb
# The last sectors, and nothing beyond them.
dd if=/dev/vda of=/dev/null bs=512 skip=4095 count=1
dd if=/dev/vda of=/dev/null bs=512 skip=4096 count=1 2>&1 | grep -q '0+0 records in'
if echo x | dd of=/dev/vdb conv=fsync 2>/dev/null; then echo "a read-only disk was written"; exit 1; fi
echo "disks agree"
GUEST

for transport in $TRANSPORTS; do
	dd if=/dev/zero of=a.img bs=64k count=32 2>/dev/null
	dd if=/dev/urandom of=b.img bs=64k count=32 2>/dev/null
	cp b.img b.orig
	expect_status 0 lkvm run -k /guest/kernel -i disk.cpio -m 512 -d a.img,serial=LKVMTEST -d b.img,ro \
		--virtio-transport $transport --timeout 300
	expect_grep "vda: 4096 sectors, serial LKVMTEST, ro 0" out
	expect_grep "vdb: 4096 sectors, ro 1" out
	expect_grep "disks agree" out
	expect_grep "case.sh: status 0" out
	expect_same a.img b.orig
	expect_same b.img b.orig
done
