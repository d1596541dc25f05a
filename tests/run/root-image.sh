# --root for a kernel that has no 9P: an image is made of the directory.
# arch: x86_64
# timeout: 240
# needs: mke2fs
. "${CASES:-/cases}/lib.sh"

# busybox's mke2fs is too simple, and passed over.
ln -s /bin/busybox mke2fs
PATH=$PWD:$PATH
modules_dir m || skip "this kernel has no modules"
! grep -q '^9p' m/modules.dep || skip "this kernel has 9P"
mkdir -p root/bin root/sub
cp /bin/busybox root/bin/
for name in sh cat md5sum readlink; do ln -s busybox root/bin/$name; done
dd if=/dev/urandom of=root/large bs=1k count=4000 2>/dev/null
ln -s /large root/sub/link
chmod 4711 root/bin/busybox

# It is chosen because --modules has no 9P.
expect_status 5 lkvm run -k /guest/kernel -m 512 --modules m --root root --loglevel info --timeout 200 --console-log log \
	-- sh -c 'md5sum </sub/link; echo x >/large && cat /large; >/new; exit 5'
expect_grep '^lkvm: --root: root is given to the guest as an image' err
[ "$(cat out)" = "$(md5sum <root/large)
x" ] || fail "output: $(cat out)"
[ ! -e root/new ] || fail "new was made on the host"

expect_status 125 lkvm run -k /guest/kernel --root /,type=image -- true
expect_grep "^lkvm: --root /: no image is made of this host's own root" err
mv /usr/sbin/mke2fs /usr/sbin/mke2fs.away
status=0
lkvm run -k /guest/kernel --root root,type=image -- true >out 2>err || status=$?
mv /usr/sbin/mke2fs.away /usr/sbin/mke2fs
[ $status = 125 ] || fail "status $status without mke2fs"
expect_grep '^lkvm: --root: type=image needs the mke2fs of e2fsprogs, not that of busybox' err
[ "$(wc -l <err)" = 1 ] || fail "more than one line: $(cat err)"
expect_status 125 lkvm run -k /guest/kernel --root root,type=image --root-rw -- true
expect_grep '^lkvm: --root-rw and type=image exclude each other' err
