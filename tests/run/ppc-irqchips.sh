# Linux on each of KVM's interrupt controllers: messages, wired levels and interrupts between CPUs arrive, with either
# kind of MMU, and CPUs go and come. Where KVM has no XIVE for guests, lkvm says why.
# arch: ppc64le
# needs: lkvm guest-tests
# timeout: 900
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

cat <<'SCRIPT' | guest_initrd initrd modules
dd if=/dev/vda bs=64k of=/dev/null 2>/dev/null && head -c 12 /dev/vda; echo
echo "random bytes: $(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"
for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
	[ ! -e "$cpu" ] || { echo 0 >"$cpu" && echo 1 >"$cpu" && echo "CPU came back"; }
done
cat /proc/interrupts
SCRIPT
echo "disk content" >disk
truncate -s 1M disk

boot() { # CHIP LINE CPUS OPTIONS...: in /proc/interrupts, the disk's line is to match
	local chip=$1 line=$2 cpus=$3
	shift 3
	expect_status 0 lkvm run -k /guest/kernel -i initrd -c "$cpus" -m 512 -d disk --rng --timeout 300 "$@"
	expect_grep "hello from user space on ppc64le, $cpus cpus" out
	expect_grep "^disk content" out
	expect_grep "^random bytes: 64" out
	[ "$(grep -c "CPU came back" out)" = $((cpus - 1)) ] || fail "not all CPUs came back"
	expect_grep "^ *[0-9]+: .*[1-9][0-9]* .*$line" out
	expect_grep "$chip.* [A-Z].*IPI" out
	expect_no_grep "nobody cared|WARNING:|Oops|BUG:|Call Trace|xive:.*(failed|rror)" out
}

case $BED in
powernv | powernv10)
	boot XIVE "MSI.*virtio0-req" 2
	boot XIVE "XIVE-IRQ .*Level .*virtio0" 1 --irqchip xive -p pci=nomsi
	boot XIVE "MSI.*virtio0-req" 4 --irqchip xive -p disable_radix
	boot XICS "MSI.*virtio0-req" 2 --irqchip xics
	boot XICS "MSI.*virtio0-req" 1 -p xive=off
	expect_status 0 lkvm doctor
	expect_grep "interrupt controller +xive, xics" out
	for cpus in 1 4; do
		expect_status 0 lkvm run --firmware "$guests/xive.bin" --irqchip xive -c $cpus -m 16 --timeout 60
		echo "all well" >want
		expect_same want out
	done
	# Without being asked for, it is an XICS that such a guest has.
	expect_status 0 lkvm run --firmware "$guests/xive.bin" -m 16 --timeout 60
	expect_grep "bad: a route to no queue" out
	;;
*)
	why="this host is itself a guest"
	[ "$BED" != powernv8 ] || why="this host's CPUs are older than POWER9"
	boot XICS "MSI.*virtio0-req" 2
	boot XICS "Level .*virtio0" 1 -p pci=nomsi
	expect_status 125 lkvm run -k /guest/kernel -m 512 --irqchip xive
	expect_grep "^lkvm: --irqchip xive: $why.*; use xics$" err
	expect_status 0 lkvm doctor
	expect_grep "interrupt controller +xics .no xive: $why" out
	;;
esac
