# The bed itself: a guest's kernel, initrd and modules are where cases expect them.
# timeout: 20
. /cases/lib.sh

for file in kernel initrd modules.cpio; do
	test -s "/guest/$file" || fail "/guest/$file is missing"
done
echo 'echo hello' | guest_initrd initrd
cpio -t <initrd 2>/dev/null | grep -q '^init$' || fail "/guest/initrd has no /init"
test -n "$ARCH" || fail "no \$ARCH"
test "$(pwd)" = "$TMP" || fail "not started in \$TMP"
