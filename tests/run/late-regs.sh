# What KVM answers when registers are set that it can't change, or no more: the errnos by which lkvm knows why, and which
# the unit tests' fakes give. lkvm itself sets everything before the first run.
# arch: riscv64 arm64
# needs: guest-tests/late-regs
# timeout: 20
. "${CASES:-/cases}/lib.sh"

case $BED in
arm64-gicv2) skip "the program makes a GICv3" ;;
arm64-nopmu) skip "the program makes a PMU" ;;
esac
expect_status 0 "${GUEST_TESTS:-/guest-tests}/late-regs"

# reg NAME BEFORE-SAME BEFORE-OTHER AFTER-SAME AFTER-OTHER: lines of the program's output, and no others.
: >known
reg() {
	local name=$1 when what
	shift
	for when in before after; do
		what=same
		[ "$1" != ENOENT ] || what="read"
		for what in $what other; do
			echo "$name $when $what: $1" >>known
			shift
		done
	done
}
# attr NAME BEFORE AFTER
attr() {
	echo "pmu.$1 before other: $2" >>known
	echo "pmu.$1 after other: $3" >>known
}

case $ARCH in
riscv64)
	reg isa.svpbmt ok ok ok EBUSY
	reg isa.zbb ok EINVAL ok EBUSY
	reg isa.h ok EINVAL ok EBUSY
	reg isa.250 ENOENT ENOENT ENOENT ENOENT
	reg sbi.sta ok ok EBUSY EBUSY
	reg sbi.60 ENOENT ENOENT ENOENT EBUSY
	reg config.isa ok ok ok EBUSY
	reg config.mvendorid ok ok ok EBUSY
	reg config.zicboz_block_size ok EINVAL ok EINVAL
	reg config.satp_mode ok EINVAL ok EINVAL
	reg timer.frequency ok EINVAL ok EINVAL ;;
arm64)
	reg ID_AA64ISAR0_EL1 ok ok ok EBUSY
	reg ID_AA64MMFR2_EL1 ok EINVAL ok EBUSY
	reg unknown ENOENT ENOENT ENOENT ENOENT
	reg fw_feat.std_bmap ok ok ok EBUSY
	reg fw_feat.std_hyp_bmap ok EINVAL ok EINVAL
	attr init-early ENODEV EBUSY # without its interrupt controller
	attr irq ok EBUSY
	attr irq-again EBUSY EBUSY
	if [ "$BED" = arm64-next ]; then
		attr counters-64 EINVAL EBUSY
		attr counters-1 ok EBUSY
	else # older kernels do not know it
		attr counters-64 ENXIO EBUSY
		attr counters-1 ENXIO EBUSY
	fi
	attr filter ok EBUSY
	attr init ok EBUSY
	attr init-again EBUSY EBUSY ;;
esac
sort known >want
sort out >have
diff want have || fail "KVM answers otherwise than lkvm knows"
