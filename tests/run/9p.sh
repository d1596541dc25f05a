# --9p: a directory of the host in the guest: read, written, listed, and no way out of it; two at a time, one read-only.
# arch: riscv64 arm64 ppc64le ppc
# timeout: 240
. "${CASES:-/cases}/lib.sh"

mkdir -p share/sub ro many
echo outside >secret
echo "from the host" >share/file
ln -s ../secret share/link
ln -s /proc/self/root share/sub/root
dd if=/dev/urandom of=share/large bs=1k count=3000 2>/dev/null
i=0
while [ $i -lt 1500 ]; do
	: >"many/a-file-in-a-large-directory-$i"
	i=$((i + 1))
done
echo "read only" >ro/file

guest_initrd initrd modules <<'CASE'
check() { echo "check $1: $2"; }
mkdir -p /mnt /ro /many
mount -t 9p -o trans=virtio,version=9p2000.L,msize=131072 kvm_9p /mnt || exit 1
mount -t 9p -o trans=virtio,version=9p2000.L second-tag /ro || exit 1
mount -t 9p -o trans=virtio,version=9p2000.L many /many || exit 1
check read "$(cat /mnt/file)"
check list "$(ls /mnt | tr '\n' ' ')"
check many "$(ls /many | wc -l) $(ls /many | sort -u | wc -l)"
check link "$(readlink /mnt/link), $(cat /mnt/link 2>&1)"
check sum "$(md5sum </mnt/large)"
cp /mnt/large /mnt/copy && mkdir /mnt/dir && mv /mnt/copy /mnt/dir/moved
ln -s target /mnt/dir/symlink && ln /mnt/dir/moved /mnt/dir/hard && chmod 640 /mnt/dir/hard
mkfifo /mnt/dir/pipe && (echo through >/mnt/dir/pipe & cat /mnt/dir/pipe) && mknod /mnt/dir/null c 1 3
echo written >/mnt/dir/new && echo more >>/mnt/dir/new && rm /mnt/file && rmdir /mnt/dir 2>/dev/null
truncate -s 100 /mnt/dir/hard && sync
check new "$(tr '\n' ' ' </mnt/dir/new)"
check unlinked "$(exec 3<>/mnt/dir/gone; echo still >&3; rm /mnt/dir/gone; cat /proc/self/fd/3 2>&1)"
check ro "$(cat /ro/file) $(echo x 2>&1 >/ro/new) $(rm /ro/file 2>&1)"
check space "$(df /mnt | tail -n 1 | grep -c /mnt)"
umount /mnt /ro /many && check umount done
CASE
expect_status 0 lkvm run -k /guest/kernel -i initrd -m 512 -p quiet --9p share --9p ro,second-tag,ro --9p many,many --timeout 200
expect_grep 'check read: from the host' out
expect_grep 'check list: file large link sub ' out
expect_grep 'check many: 1500 1500' out
expect_grep 'check link: ../secret, cat: .*No such file' out
expect_grep "check sum: $(md5sum <share/large)" out
expect_grep 'check new: written more' out
expect_grep 'check ro: read only .*Read-only file system.*Read-only file system' out
expect_grep 'check space: 1' out
expect_grep 'check umount: done' out
expect_grep '^through' out

[ "$(head -c 100 share/large | md5sum)" = "$(md5sum <share/dir/moved)" ] || fail "moved has other contents"
[ "$(readlink share/dir/symlink)" = target ] || fail "symlink"
[ "$(stat -c '%a %h' share/dir/hard)" = "640 2" ] || fail "hard: $(stat -c '%a %h' share/dir/hard)"
[ -p share/dir/pipe ] || fail "no pipe"
[ ! -e share/dir/null ] || fail "a device was made on the host"
[ ! -e share/file ] || fail "file was not removed"
[ "$(cat secret)$(cat ro/file)" = "outsideread only" ] || fail "something outside was changed"

expect_status 125 lkvm run -k /guest/kernel --9p /no/such/dir,x
expect_grep '^lkvm: --9p: cannot share /no/such/dir: No such file' err
