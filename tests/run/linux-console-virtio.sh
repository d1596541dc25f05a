# The console on virtio-console, over both transports, with what is typed arriving in the guest; and virtio-rng.
# timeout: 200
. "${CASES:-/cases}/lib.sh"

guest_initrd con.cpio modules <<'GUEST'
echo "active: $(cat /sys/class/tty/console/active)"
echo "rng: $(cat /sys/class/misc/hw_random/rng_current 2>/dev/null)"
read -r line </dev/console
echo "guest read: $line"
GUEST

for transport in pci mmio; do
	status=0
	(sleep 1; echo "typed by a script"; sleep 90) | lkvm run -k /guest/kernel -i con.cpio -m 512 --rng \
		--console virtio --virtio-transport $transport --timeout 80 >out 2>err || status=$?
	[ $status = 0 ] || { tail -n 30 out err; fail "status $status"; }
	expect_grep "active:.*hvc0" out
	expect_grep "rng: virtio_rng" out
	expect_grep "guest read: typed by a script" out
	expect_grep "hello from user space" out
done
