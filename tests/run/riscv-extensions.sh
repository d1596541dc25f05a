# --isa and --sbi: what is switched off, one by one and all at once, is gone from the device tree and from the guest's
# /proc/cpuinfo; what the host lacks, or will not change, is said in one line. The names that Linux does not print,
# and SBI extensions that it says nothing of, are listed.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 500
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

# The vector registers' length is the host's, and not there without V.
if grep -q '^rv64[a-u]*v' all; then
	vlenb=$(($(lkvm doctor --registers | sed -n 's/.* vector\.vlenb  *8  *//p')))
	# shellcheck disable=SC2086
	expect_status 0 lkvm run $fw --isa vlenb=$vlenb
	refused "^lkvm: --isa vlenb=0x8000: vCPU 0: KVM has this host's value" --isa vlenb=0x8000
	refused "^lkvm: --isa vlenb=0x10: vCPU 0: this host has none" --isa v=off,vlenb=16
else
	refused "^lkvm: --isa vlenb=0x10: vCPU 0: this host has none" --isa vlenb=16
fi

# ---- Linux ----

# Single letters can be turned off, too, if KVM has a switch for them. User space can't do without F and D: below.
letters=
for ext in $(grep -o '^rv64[a-z]*' all | sed 's/^rv64//; s/./& /g'); do
	# shellcheck disable=SC2086
	if lkvm run $fw --isa $ext=off >one 2>err </dev/null; then
		letters="$letters $ext"
	else
		expect_grep "^lkvm: --isa $ext=off: vCPU 0: KVM can't take it away from guests$" err
	fi
done
# SBI extensions: the base extension denies the one that is off, and it alone. The experimental and the vendor ones are
# in riscv-sbi.sh; a kernel has to be built for those of v0.1. Without SRST the guest can't end.
probe="--firmware /guest-tests/sbi-probe.bin -m 16"
# shellcheck disable=SC2086
expect_status 0 lkvm run $probe --timeout 20
mv out probe.on
expect_grep "^all asked$" probe.on
expect_grep "^pmu $([ "$BED" = riscv64-nopmu ] && echo no || echo yes)$" probe.on
sbi=
for ext in $(lkvm doctor --registers | sed -n 's/^0x[0-9a-f]* sbi\.\([^ ]*\) .*/\1/p'); do
	status=0
	want=0
	limit=20
	[ "$ext" != srst ] || want=124 limit=3
	# shellcheck disable=SC2086
	lkvm run $probe --timeout $limit --sbi $ext=off >out 2>err </dev/null || status=$?
	if [ $status = $want ]; then
		sbi="$sbi $ext"
		sed "s/^$ext .*/$ext no/" probe.on >want
		expect_same out want
	else
		expect_grep "^lkvm: --sbi $ext=off: vCPU 0: KVM can't take it away from guests$" err
	fi
done
echo "also:$letters; SBI:$sbi"

guest_initrd initrd <<'SCRIPT'
grep -m 1 '^isa' /proc/cpuinfo
grep -m 1 '^mvendorid' /proc/cpuinfo
grep -m 1 '^marchid' /proc/cpuinfo
for name in $(tr '\0' ' ' </proc/device-tree/cpus/cpu@0/riscv,isa-extensions); do echo "tree: $name"; done
dmesg | grep -iE 'sbi|pmu|steal' | sed 's/^/kernel: /'
SCRIPT
linux() { # STATUS OPTIONS...
	local status=$1
	shift
	expect_status "$status" lkvm run -k /guest/kernel -i initrd -m 512 --timeout 200 "$@"
	# A name a line; of the single letters each is one.
	sed -n 's/^isa[^a-z]*rv64\([a-z]*\).*/\1/p' out | sed 's/./&\n/g' | grep . >cpuinfo
	sed -n 's/^isa[^a-z]*rv64[a-z]*_//p' out | tr -d '\r' | tr _ '\n' >>cpuinfo
	sed -n 's/^tree: //p' out | tr -d '\r' >tree
	[ -s cpuinfo ] && [ -s tree ] || fail "no extensions in: $(cat out)"
}
has() { # NAME FILE
	grep -qx "$1" "$2"
}
sbi_pattern() { # EXT: what Linux says of it at boot
	case $1 in
	pmu) echo "^kernel: .*riscv-pmu-sbi.*counters" ;;
	sta) echo "^kernel: .*paravirt steal-time" ;;
	*) echo "^kernel: .* SBI $(echo "$1" | tr a-z A-Z) extension detected" ;;
	esac
}

# All on, said explicitly.
linux 0 --isa "$(sed 1d all | sed 's/$/=on/' | tr '\n' , | sed 's/,$//')"
{
	grep -o '^rv64[a-z]*' all | sed 's/^rv64//; s/./&\n/g' | grep .
	sed 1d all
} >want
expect_same tree want
mv tree tree.on
mv cpuinfo cpuinfo.on
mv out out.on
expect_grep "^zicboz$" cpuinfo.on
expect_grep "^svpbmt$" cpuinfo.on
[ "$BED" = riscv64-nopmu ] && expect_no_grep "^kernel: .*riscv-pmu-sbi.*counters" out.on
[ "$BED" = riscv64-nopmu ] || expect_grep "^kernel: .*riscv-pmu-sbi.*counters" out.on

# All off at once but F and D; then a panic, as the guest has no SRST to power off with.
gone=
for ext in $off $letters; do
	case $ext in f | d) ;; *) gone="$gone $ext" ;; esac
done
options=$(for ext in $gone; do printf '%s=off,' "$ext"; done)
quiet=
for ext in $sbi; do
	# A kernel waits for IPIs that it sends to itself, some since Linux 7 at boot.
	[ "$ext" != ipi ] || continue
	# One of the two ways to the timer stays.
	if [ "$ext" = time ]; then
		has sstc tree.on || continue
		case "$gone " in *" sstc "*) continue ;; esac
	fi
	quiet="$quiet$ext=off,"
done
linux 120 --isa "${options}mvendorid=0x489,marchid=7" --sbi "${quiet%,}" -p lkvm.test=panic
expect_grep "^mvendorid.*0x489" out
expect_grep "^marchid.*0x7" out
for ext in $gone; do
	has "$ext" tree && fail "$ext is off, and in the device tree"
	has "$ext" cpuinfo && fail "$ext is off, and in /proc/cpuinfo"
done
unnamed=
while read -r ext; do
	case " $gone " in *" $ext "*) ;; *) has "$ext" tree || fail "$ext is not off, but not in the device tree" ;; esac
	if ! has "$ext" cpuinfo.on; then
		unnamed="$unnamed $ext"
	else
		case " $gone " in
		*" $ext "*) ;;
		*" v "*) # newer kernels leave out what is nothing without V
			case $ext in zv*) ;; *) has "$ext" cpuinfo || fail "$ext is not off, but not in /proc/cpuinfo" ;; esac ;;
		*) has "$ext" cpuinfo || fail "$ext is not off, but not in /proc/cpuinfo" ;;
		esac
	fi
done <tree.on
echo "off in Linux:$gone; what its /proc/cpuinfo has no name for:${unnamed:- nothing}"
unnamed=
for ext in $sbi; do
	pattern=$(sbi_pattern "$ext")
	case ",$quiet" in *",$ext=off,"*) ;; *) continue ;; esac
	grep -qE "$pattern" out.on || unnamed="$unnamed $ext"
	expect_no_grep "$pattern" out
done
echo "off: ${quiet%,}; what Linux does not speak of:${unnamed:- nothing}"

# F and D: the kernel comes up and says what it has, before its init dies.
case " $letters " in *" f "*" d "* | *" d "*" f "*)
	expect_status 120 lkvm run -k /guest/kernel -i initrd -m 512 --timeout 200 --isa f=off,d=off
	expect_grep "riscv: base ISA extensions [ac-z]*$" out
	expect_no_grep "riscv: base ISA extensions [a-z]*[df]" out ;;
esac
