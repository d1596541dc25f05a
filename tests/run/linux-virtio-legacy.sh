# Devices with the interface that was before virtio 1.0, over each transport: numbers in the guest's byte order arrive
# as they were.
# timeout: 900
. "${CASES:-/cases}/lib.sh"
export XDG_RUNTIME_DIR="$TMP"

guest_initrd initrd modules <<'GUEST'
tries=50
while [ ! -c /dev/hvc0 ] && [ $tries -gt 0 ]; do
	sleep 0.1
	tries=$((tries - 1))
done
exec </dev/hvc0 >/dev/hvc0 2>&1
set -e
for dev in /sys/bus/virtio/devices/*; do
	# Bits from 0 on: VERSION_1 is 32.
	echo "type $(cat $dev/device): version 1 $(cut -c 33 $dev/features)"
done
echo "vda: $(cat /sys/block/vda/size) sectors, serial $(cat /sys/block/vda/serial), ro $(cat /sys/block/vda/ro)"
echo "vdb: $(cat /sys/block/vdb/size) sectors, ro $(cat /sys/block/vdb/ro), cache $(cat /sys/block/vdb/queue/write_cache)"
echo "sum of vdb: $(md5sum </dev/vdb)"
dd if=/dev/vdb of=/dev/vda bs=64k conv=fsync 2>/dev/null
# A sector whose number has two bytes.
dd if=/dev/vdb of=/dev/vda bs=512 count=1 seek=4660 conv=fsync 2>/dev/null
echo "beyond the end: $(dd if=/dev/vda of=/dev/null bs=512 skip=6000 count=1 2>&1 | head -n 1)"
echo "rng: $(cat /sys/class/misc/hw_random/rng_current) $(head -c 64 /dev/hwrng | wc -c)"
if grep -q 9 /sys/bus/virtio/devices/*/device; then
	mkdir -p /mnt
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=65536 a-tag /mnt
	echo "sum of large: $(md5sum </mnt/large)"
	cp /mnt/large /mnt/copy
	umount /mnt
fi
read -r line
echo "guest read: $line"
GUEST

dd if=/dev/urandom of=b.img bs=512 count=4500 2>/dev/null
mkdir share
dd if=/dev/urandom of=share/large bs=1k count=700 2>/dev/null
# The x86_64 beds' kernel knows no 9P.
p9="--9p share,a-tag"
[ "$ARCH" != x86_64 ] || p9=
for transport in $TRANSPORTS; do
	dd if=/dev/zero of=a.img bs=512 count=6000 2>/dev/null
	rm -f share/copy
	status=0
	# shellcheck disable=SC2086
	echo "typed by a script" | lkvm run -k /guest/kernel -i initrd -m 512 -d a.img,serial=LKVMTEST -d b.img,ro --rng \
		$p9 --console virtio --virtio-transport $transport-legacy --timeout 240 >out 2>err || status=$?
	[ $status = 0 ] || { tail -n 40 out err; fail "$transport: status $status"; }
	for type in 2 3 4 ${p9:+9}; do
		expect_grep "^type 0x000$type: version 1 0" out
	done
	expect_grep "vda: 6000 sectors, serial LKVMTEST, ro 0" out
	expect_grep "vdb: 4500 sectors, ro 1, cache write back" out
	expect_grep "sum of vdb: $(md5sum <b.img)" out
	expect_grep "beyond the end: 0\+0 records in" out
	expect_grep "rng: virtio_rng.0 64" out
	expect_grep "guest read: typed by a script" out
	expect_grep "case.sh: status 0" out
	expect_no_grep "virtio-" err
	cmp -n $((4500 * 512)) a.img b.img || fail "$transport: what the guest wrote did not arrive"
	dd if=a.img bs=512 skip=4660 count=1 2>/dev/null | cmp -n 512 - b.img || fail "$transport: sector 4660 did not arrive"
	dd if=a.img bs=512 skip=4661 2>/dev/null | tr -d '\0' | wc -c | grep -qx 0 || fail "$transport: something arrived elsewhere"
	if [ "$p9" ]; then
		expect_grep "sum of large: $(md5sum <share/large)" out
		expect_same share/copy share/large
	fi
done

# The ports and the control messages of the console, the balloon and its statistics.
modules=
if modules_dir m && grep -q '^virtio_balloon' m/modules.dep; then
	modules="--modules m"
fi
mkfifo in
exec 3<>in
# shellcheck disable=SC2086
lkvm run --name old -k /guest/kernel -m 256 --balloon $modules --virtio-legacy --console-log log --timeout 240 \
	-- sh -c 'echo running; read -r line; echo "got $line"; exit 7' <in >out 2>err &
guest=$!
tries=600
until grep -q running out; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || { tail log err; fail "the command does not run"; }
	kill -0 $guest || { tail log err; fail "the guest ended"; }
	sleep 0.2
done
lkvm balloon old 240M >/dev/null
tries=100
until lkvm balloon old >balloon 2>&1 && grep -q '^old: 240 MiB of memory now, 240 MiB wanted, of 256 MiB' balloon &&
	grep -q 'the guest says: .* MiB free' balloon; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || fail "the guest does not come to 240 MiB: $(cat balloon)"
	sleep 0.2
done
cat balloon
lkvm balloon old --json >balloon
bytes=$(sed -nE 's/.*"free_bytes": ([0-9]+).*/\1/p' balloon)
[ "$bytes" -gt $((1 << 20)) ] && [ "$bytes" -lt $((240 << 20)) ] || fail "statistics: $(cat balloon)"
echo "a line" >&3
status=0
wait $guest || status=$?
[ $status = 7 ] || { tail log err; fail "status $status"; }
expect_grep '^got a line$' out
expect_no_grep "virtio-" err

expect_status 125 lkvm run -k /guest/kernel --virtio-legacy --virtiofs share --timeout 60
expect_grep '^lkvm: virtio-fs does not exist on legacy virtio \(--virtio-legacy\): use 9P' err
