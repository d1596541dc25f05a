# --isa and --sbi: what is switched off is gone from the device tree and from the guest's /proc/cpuinfo; what the host
# lacks, or will not change, is said in one line.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 400
. "${CASES:-/cases}/lib.sh"

fw="--firmware /guest-tests/poweroff.bin -m 16 --timeout 20"

isa() { # DTB: the list of extensions, one a line
	tr '\0' '\n' <"$1" | grep -ao 'rv64[a-z]*_[a-z0-9_]*' | head -n 1 | tr _ '\n'
}

# shellcheck disable=SC2086
refused() { # PATTERN OPTIONS...
	local pattern=$1
	shift
	expect_status 125 lkvm run $fw "$@"
	expect_grep "$pattern" err
	[ "$(wc -l <err)" = 1 ] || fail "more than one line: $(cat err)"
}

# The device tree says what was read back.
# shellcheck disable=SC2086
expect_status 0 lkvm run $fw --dump-dtb all.dtb
isa all.dtb >all
expect_grep "^zbb$" all
off=
kept=
first=
# The first line is rv64 with the single letters. SVPBMT and the like go through henvcfg, so KVM can take them away;
# instructions that no register controls stay.
for ext in $(sed 1d all); do
	# shellcheck disable=SC2086
	if lkvm run $fw --isa $ext=off --dump-dtb one.dtb >out 2>err </dev/null; then
		off="$off $ext"
		first=${first:-$ext}
		isa one.dtb >one
		grep -vx "$ext" all >want
		expect_same one want
	else
		kept="$kept $ext"
		expect_grep "^lkvm: --isa $ext=off: vCPU 0: KVM can't take it away from guests$" err
	fi
done
echo "can be turned off:$off; can't:$kept"
[ -n "$first" ] || fail "nothing could be turned off"
[ -n "$kept" ] || fail "KVM lets everything be turned off: no refusal was seen"

refused "^lkvm: --isa h=on: vCPU 0: (this host has it, but KVM does not let guests use it|.*)$" --isa h=on
refused "^lkvm: --isa isa-250=on: this host has none" --isa isa-250=on
refused "^lkvm: --sbi sbi-60=on: this host has none" --sbi sbi-60=on
refused "^lkvm: --isa satp_mode=0x2: vCPU 0: KVM has this host's value" --isa satp_mode=2
refused "^lkvm: --isa zicboz_block_size=0x7: vCPU 0: KVM has this host's value" --isa zicboz_block_size=7
refused "did you mean 'zbb'" --disable-zbbb
# What is not there need not be turned off.
# shellcheck disable=SC2086
expect_status 0 lkvm run $fw --disable-isa-250 --disable-sbi-sbi-60

# DBCN off: the guest finds none. SUSP off likewise.
expect_status 0 lkvm run --firmware /guest-tests/dbcn-hello.bin -m 16 --timeout 20 --disable-sbi-dbcn
expect_grep "^no DBCN$" out
expect_status 0 lkvm run --firmware /guest-tests/suspend.bin -m 16 --timeout 20 --sbi susp=off
expect_grep "^no SUSP$" out

# Linux: what user space sees. SBI PMU is on unless turned off.
guest_initrd initrd <<'SCRIPT'
grep -m 1 '^isa' /proc/cpuinfo
grep -m 1 '^mvendorid' /proc/cpuinfo
grep -m 1 '^marchid' /proc/cpuinfo
dmesg | grep -iE 'sbi.*(pmu|PMU)|pmu' | sed 's/^/kernel: /'
ls /sys/bus/event_source/devices
SCRIPT
expect_status 0 lkvm run -k /guest/kernel -i initrd -m 512 --timeout 200
expect_grep "^isa.*_zicboz.*_svpbmt" out
if [ "$BED" = riscv64-nopmu ]; then
	expect_no_grep "^kernel: .*riscv-pmu-sbi.*counters" out
else
	expect_grep "^kernel: .*riscv-pmu-sbi.*counters" out
fi
expect_status 0 lkvm run -k /guest/kernel -i initrd -m 512 --timeout 200 --isa svpbmt=off --disable-zicboz \
	--isa mvendorid=0x489,marchid=7 --sbi pmu=off
expect_grep "^isa" out
expect_no_grep "^isa.*(_zicboz|_svpbmt)" out
expect_grep "^mvendorid.*0x489" out
expect_grep "^marchid.*0x7" out
expect_no_grep "^kernel: .*riscv-pmu-sbi.*counters" out
