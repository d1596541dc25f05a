# --modules: a command's channel over a driver that is a module, packed ones included, in the order that modules.dep says.
# arch: riscv64 arm64 x86_64
# timeout: 600
. "${CASES:-/cases}/lib.sh"

# As depmod would leave it: each module needs all that are loaded before it.
mkdir m
(cd m && cpio -idm </guest/modules.cpio 2>/dev/null)
[ -e m/modules/virtio_mmio.ko ] || skip "virtio_mmio is no module of this kernel"
before=
while read -r name; do
	gzip m/modules/"$name".ko
	echo "$name.ko.gz:$before"
	before=" $name.ko.gz$before"
done <m/modules/order >m/modules/modules.dep

expect_status 5 lkvm run -k /guest/kernel -m 512 --virtio-transport mmio --modules m/modules --console-log log \
	--timeout 300 -- sh -c "echo from the guest; exit 5"
[ "$(cat out)" = "from the guest" ] || fail "output: $(cat out)"

# Without them the second serial port is the channel: slower, not less exact.
dd if=/dev/urandom of=random bs=1k count=100 2>/dev/null
status=0
lkvm run -k /guest/kernel -m 512 --virtio-transport mmio --console-log log --timeout 300 \
	-- sh -c 'cat; echo done >&2; exit 6' <random >out 2>err || status=$?
[ $status = 6 ] || { tail log err; fail "status $status over the serial port"; }
expect_same random out
[ "$(cat err)" = "done" ] || fail "stderr: $(cat err)"
expect_status 125 lkvm run -k /guest/kernel --modules /no/such/dir -- true
expect_grep "^lkvm: --modules: cannot read /no/such/dir/modules.dep" err
