# --irqchip: what the host lacks, or nobody knows, is an error that says what there is.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

expect_status 125 lkvm run --firmware /guest-tests/poweroff.bin -m 16 --irqchip gicv3
expect_grep "gicv3.*plic" err
case $BED in
riscv64-aia)
	expect_status 0 lkvm run --firmware /guest-tests/poweroff.bin -m 16 --irqchip aia-hwaccel --timeout 20 ;;
riscv64)
	# IMSICs without guest interrupt files.
	expect_status 125 lkvm run --firmware /guest-tests/poweroff.bin -m 16 --irqchip aia-hwaccel
	expect_grep "no guest interrupt files.*plic" err
	[ "$(wc -l <err)" = 1 ] || fail "more than one line: $(cat err)" ;;
esac
