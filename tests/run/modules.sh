# --modules: a command's channel over a driver that is a module, packed ones included, in the order that modules.dep says.
# arch: riscv64 arm64 x86_64 ppc64le
# timeout: 600
. "${CASES:-/cases}/lib.sh"

modules_dir m || skip "virtio is no module of this kernel"
# Where PCI needs no module, MMIO does.
transport=mmio
[ "$ARCH" != ppc64le ] || transport=pci
grep -q "^virtio_$transport" m/modules.dep || skip "virtio_$transport is no module of this kernel"

expect_status 5 lkvm run -k /guest/kernel -m 512 --virtio-transport $transport --modules m --console-log log \
	--timeout $((100 * SCALE)) -- sh -c "echo from the guest; exit 5"
[ "$(cat out)" = "from the guest" ] || fail "output: $(cat out)"

if [ "$ARCH" = ppc64le ]; then
	# It has no second serial port, so without modules there is no way to the command, and init says so.
	expect_status 123 lkvm run -k /guest/kernel -m 512 --console-log log --timeout $((100 * SCALE)) -- true
	expect_grep "lkvm-init: .*--modules" log
else
	# Without them the second serial port is the channel: not less exact, but each byte that comes back costs three exits,
	# a millisecond or two of a busy emulated host. More than a window of the channel (64 KiB) will do.
	dd if=/dev/urandom of=random bs=1k count=68 2>/dev/null
	status=0
	lkvm run -k /guest/kernel -m 512 --virtio-transport $transport --console-log log --timeout $((400 * SCALE)) \
		-- sh -c 'cat; echo done >&2; exit 6' <random >out 2>err || status=$?
	[ $status = 6 ] || { tail log err; fail "status $status over the serial port"; }
	expect_same random out
	[ "$(cat err)" = "done" ] || fail "stderr: $(cat err)"
fi
expect_status 125 lkvm run -k /guest/kernel --modules /no/such/dir -- true
expect_grep "^lkvm: --modules: cannot read /no/such/dir/modules.dep" err
