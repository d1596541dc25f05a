# `lkvm doctor --registers`: every register of a new vCPU with its name; what was read can be set.
# arch: riscv64 arm64 x86_64 ppc64le ppc
# needs: lkvm
# timeout: 60
. "${CASES:-/cases}/lib.sh"

expect_status 0 lkvm doctor --registers
[ ! -s err ] || fail "something to complain about: $(cat err)"
case $ARCH in
riscv64)
	expect_grep "^0x8030000001000000 config.isa +8  0x[0-9a-f]{16}$" out
	expect_grep "^0x8030000002000000 core.pc +8  0x0000000080000000$" out
	expect_grep "^0x8030000004000001 timer.time +8  0x[0-9a-f]{16}  moves$" out
	expect_grep "^0x8030000007000005 isa.i +8  0x0000000000000001$" out
	expect_grep "^0x8030000008000000 sbi.v01 +8  " out
	[ "$BED" = riscv64-nopmu ] || expect_grep "^0x8030000008000006 sbi.pmu +8  0x0000000000000001$" out ;;
arm64)
	expect_grep "^0x6030000000100040 core.pc +8  0x0000000040000000$" out
	expect_grep "^0x603000000013c080 SCTLR_EL1 +8  0x[0-9a-f]{16}$" out
	expect_grep "^0x6030000000140000 fw.psci_version +8  0x000000000001000[0-9]$" out
	expect_no_grep "^0x60[0-9a-f]{14} - " out ;;
x86_64)
	expect_grep "^0x00000000c0000081 STAR +8  " out
	expect_grep "IA32_TSC .*moves$" out ;;
ppc64le)
	expect_grep "^0x1030000000000010 MMCR0 +8  0x[0-9a-f]{16}$" out
	expect_grep "^0x1020000000000018 PMC1 +4  0x[0-9a-f]{8}$" out
	expect_grep "^0x104000000000007f VSR31 +16  0x[0-9a-f]{32}$" out
	expect_no_grep " (MAS0|TCR) " out ;;
ppc)
	expect_grep "^0x102000000000008c MAS0 +4  0x[0-9a-f]{8}$" out
	expect_grep "^0x1020000000000094 TLB1CFG +4  0x[0-9a-f]{8}$" out
	expect_no_grep " (MMCR0|LPCR) " out ;;
esac
expect_grep "^[0-9]+ registers, " out
# Nothing is taken and then lost, but for arm64's registers that clear what is written to them.
expect_grep "; 0 can't be read$" out
grep "  differs$" out | grep -v "CLR" && fail "what was set reads differently"
total=$(sed -n 's/ registers, .*//p' out)
expect_status 0 lkvm doctor --registers --json
[ "$(grep -c '"id": "0x' out)" = "$total" ] || fail "JSON has another number of registers than $total"
