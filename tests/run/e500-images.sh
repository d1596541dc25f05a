# ELF, flat and uImage kernels boot, packed ones too; the kernel finds the platform that it is told of.
# arch: ppc
# needs: lkvm
# timeout: 120
. "${CASES:-/cases}/lib.sh"

boot() { # ARGS...
	expect_status 0 lkvm run -i /guest/initrd -m 96 --timeout 60 "$@"
	expect_grep "hello from user space on ppc, 1 cpus" out
}

be32() {
	# shellcheck disable=SC2059 # octal escapes
	printf "$(printf '\\%03o\\%03o\\%03o\\%03o' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)))"
}

crc32() { # FILE: gzip knows it
	gzip -c "$1" | tail -c 8 | od -An -tu1 -N4 | {
		read -r a b c d
		echo $((d << 24 | c << 16 | b << 8 | a))
	}
}

header() { # FILE CRC COMPRESSION: U-Boot's, for load address and entry 0
	be32 0x27051956
	be32 "$2"
	be32 0
	be32 "$(stat -c %s "$1")"
	be32 0
	be32 0
	be32 "$(crc32 "$1")"
	# Linux, PowerPC, kernel
	printf '\005\007\002'
	[ "$3" = gzip ] && printf '\001' || printf '\000'
	printf 'lkvm'
	head -c 28 /dev/zero
}

uimage() { # FILE COMPRESSION
	header "$1" 0 "$2" >header0
	{
		header "$1" "$(crc32 header0)" "$2"
		cat "$1"
	}
}

boot -k /guest/kernel --dump-dtb dtb
expect_grep "Hardware name: lkvm e500 .* QEMU e500" out
expect_grep "bootconsole .udbg0." out
expect_no_grep "KVM: Failed|WARNING|BUG:" out
[ "$(od -An -tx1 -N4 dtb | tr -d ' ')" = d00dfeed ] || fail "no device tree was dumped"

gzip -1 </guest/kernel >vmlinux.gz
boot -k vmlinux.gz

# The one segment of the ELF file: p_offset and p_filesz of its first program header, which follows the ELF header.
# shellcheck disable=SC2046 # two words
set -- $(od -An -tu1 -j56 -N4 /guest/kernel) $(od -An -tu1 -j68 -N4 /guest/kernel)
tail -c +$((($1 << 24 | $2 << 16 | $3 << 8 | $4) + 1)) /guest/kernel | head -c $(($5 << 24 | $6 << 16 | $7 << 8 | $8)) >flat
boot -k flat
uimage flat none >uImage
boot -k uImage
gzip -1 <flat >flat.gz
uimage flat.gz gzip >uImage.gz
boot -k uImage.gz
