# RAM on both sides of the hole below 4 GiB, more than the host has: the guest finds all of it and uses the upper part.
# arch: x86_64
# timeout: 900
. "${CASES:-/cases}/lib.sh"

guest_initrd mem.cpio <<'GUEST'
awk '/MemTotal/ { print "total: " int($2 / 1024 / 1024) " GiB" }' /proc/meminfo
GUEST
expect_status 0 lkvm run -k /guest/kernel -i mem.cpio -m 6G --timeout 300
expect_grep "BIOS-e820: \[mem 0x0000000000100000-0x00000000bfffffff\] usable" out
expect_grep "BIOS-e820: \[mem 0x0000000100000000-0x00000001bfffffff\] usable" out
expect_grep "RAMDISK: \[mem 0x1b" out
expect_grep "^total: 5 GiB" out
