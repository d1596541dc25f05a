# A compressed kernel, several initrds, and images that can't be booted: each says why in one line.
# timeout: 900
. "${CASES:-/cases}/lib.sh"

case $ARCH in
riscv64 | arm64)
	gzip -1 <"/guest/kernel" >kernel.gz
	expect_status 0 lkvm run -k kernel.gz -i /guest/initrd -m 512 --timeout 300
	expect_grep "hello from user space" out
	;;
esac

mkdir add && echo 'echo "from the second initrd"' >add/case.sh
(cd add && echo case.sh | cpio -o -H newc 2>/dev/null) >add.cpio
expect_status 0 lkvm run -k /guest/kernel -i /guest/initrd -i add.cpio -m 512 --timeout 300
expect_grep "from the second initrd" out

one_line() {
	[ "$(wc -l <err)" = 1 ] || { cat err; fail "not one line"; }
}
expect_status 125 lkvm run -k /no/such/kernel
expect_grep "^Fatal: Unable to open kernel /no/such/kernel" err
one_line
: >empty
expect_status 125 lkvm run -k empty
expect_grep "empty" err
one_line
head -c 100000 /dev/urandom >noise
expect_status 125 lkvm run -k noise
expect_grep "noise" err
one_line
expect_status 125 lkvm run -k /guest/kernel -i /no/such/initrd
expect_grep "/no/such/initrd" err
one_line
expect_status 125 lkvm run -k /guest/kernel -i /guest/initrd -m "$TOO_SMALL"
one_line
expect_status 125 lkvm run -k /guest/kernel --no-such-option
expect_grep "lkvm help run" err
