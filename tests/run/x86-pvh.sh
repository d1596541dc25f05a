# The ELF vmlinux in Debian's bzImage, entered by PVH, with an initrd and two CPUs.
# arch: x86_64
# timeout: 900
. "${CASES:-/cases}/lib.sh"

field() { # OFFSET BYTES: a little-endian number of the setup header
	od -An -tu"$2" -j "$1" -N "$2" /guest/kernel | tr -d ' '
}

# Documentation/arch/x86/boot.rst: payload_offset counts from the protected-mode code; the last four bytes are not
# part of the compressed data.
start=$((($(field 497 1) + 1) * 512 + $(field 584 4)))
length=$(($(field 588 4) - 4))
tail -c +$((start + 1)) /guest/kernel | head -c $length >vmlinux.packed

expect_status 0 lkvm run -k vmlinux.packed -i /guest/initrd -m 512 -c 2 --timeout 300
expect_grep "hello from user space on .*, 2 cpus" out
expect_grep "random: crng init done|Booting paravirtualized kernel on KVM" out
