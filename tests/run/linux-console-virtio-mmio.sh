# The console on virtio-console over virtio-mmio, with what is typed arriving in the guest; and virtio-rng.
# arch: riscv64 arm64 x86_64 ppc
# timeout: 900
. "${CASES:-/cases}/lib.sh"

# Debian's virtio_mmio is a module, so hvc0 may come after init has been started without a console.
guest_initrd con.cpio modules <<'GUEST'
tries=50
while [ ! -c /dev/hvc0 ] && [ $tries -gt 0 ]; do
	sleep 0.1
	tries=$((tries - 1))
done
exec </dev/hvc0 >/dev/hvc0 2>&1
echo "active: $(cat /sys/class/tty/console/active)"
echo "rng: $(cat /sys/class/misc/hw_random/rng_current 2>/dev/null)"
read -r line
echo "guest read: $line"
GUEST

for transport in mmio; do
	status=0
	# The text waits until the guest listens, and its end is not the guest's.
	echo "typed by a script" | lkvm run -k /guest/kernel -i con.cpio -m 512 --rng \
		--console virtio --virtio-transport $transport --timeout 300 >out 2>err || status=$?
	[ $status = 0 ] || { tail -n 30 out err; fail "$transport: status $status"; }
	expect_grep "active:.*hvc0" out
	expect_grep "rng: virtio_rng" out
	expect_grep "guest read: typed by a script" out
done
