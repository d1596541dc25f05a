# --irqchip: what the host lacks, or nobody knows, is an error of one line that says what there is.
# arch: arm64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"
guest=${GUEST_TESTS:-/guest-tests}/poweroff.bin

refuse() { # PATTERN OPTIONS...
	local pattern=$1
	shift
	expect_status 125 lkvm run --firmware "$guest" -m 16 "$@"
	expect_grep "$pattern" err
	[ "$(wc -l <err)" = 1 ] || fail "more than one line: $(cat err)"
}

refuse "plic.*gicv3" --irqchip plic
case $BED in
*gicv2)
	refuse "gicv3-its: this host's KVM has no GICv3" --irqchip gicv3-its
	refuse "no more than 8 CPUs" --cpus 9
	expect_status 0 lkvm run --firmware "$guest" -m 16 --irqchip gicv2m -c 8 --timeout 20
	;;
*)
	refuse "gicv2: this host's KVM has no GICv2" --irqchip gicv2
	expect_status 0 lkvm run --firmware "$guest" -m 16 --irqchip gicv3-its -c 9 --timeout 20
	;;
esac
