# --root and --virtiofs by virtio-fs: a guest that runs in a directory of the host and writes there, what becomes of the
# run when virtiofsd ends, and what is done where it does not even start.
# arch: riscv64 arm64 x86_64 powernv
# needs: lkvm virtiofsd
# timeout: 900
. "${CASES:-/cases}/lib.sh"

modules_dir m || fail "no modules for the guest"
# What these kernels have built in is not in modules.dep.
grep -q '^virtiofs' m/modules.dep || echo kernel/fs/fuse/virtiofs.ko >m/modules.builtin

mkdir -p /etc root/bin root/etc root/sub root/many root/more
cp /bin/busybox root/bin/
for name in sh cat ls wc md5sum rm mkdir id readlink chmod touch cp mv ln mknod grep tail; do
	ln -s busybox root/bin/$name
done
echo outside >secret
echo "of the root" >root/etc/file
ln -s ../../secret root/sub/out
dd if=/dev/urandom of=root/large bs=1M count=24 2>/dev/null
i=0
while [ $i -lt 1200 ]; do
	: >root/many/a-name-in-a-large-directory-$i
	i=$((i + 1))
done
lkvm=lkvm
# More than may be open here, unless virtiofsd sees to it.
i=$(ulimit -Hn)
while [ $i -ge -100 ]; do
	: >root/more/$i
	i=$((i - 1))
done
run() { $lkvm run -k /guest/kernel -m 512 --modules m --timeout 250 --console-log log "$@"; }

cat >root/sub/look <<'LOOK'
#!/bin/sh
echo "file: $(cat /etc/file)"
echo "out: $(readlink out) $(cat out 2>&1)"
echo "many: $(ls /many | wc -l)"
echo "large: $(md5sum </large)"
echo "dir: $(pwd) $(id -u)"
echo "type: $(while read -r dev path type rest; do case $path in / | /.lkvm/lower) echo $type ;; esac; done </proc/mounts)"
LOOK
chmod 755 root/sub/look
check_root() {
	expect_grep '^file: of the root' out
	expect_grep '^out: ../../secret cat: .*No such file' out
	expect_grep '^many: 1200' out
	expect_grep "^large: $(md5sum <root/large)" out
	expect_grep '^dir: /sub 0' out
}

# Nothing that the guest does gets to the host. The balloon gives memory back meanwhile, which virtiofsd has as well.
find root | sort >before
expect_status 3 run --loglevel info --root root --balloon --workdir /sub -- sh -c '
	echo new >/new && rm /bin/touch && echo more >>look && mkdir /made && chmod 700 /many && cat /large >/copy &&
	md5sum </copy && sh ./look; echo "more: $(ls -l /more | tail -n +2 | wc -l)" "mte: $(grep -c " mte" /proc/cpuinfo)"; exit 3'
expect_grep '^lkvm: --root: root is given to the guest by virtio-fs$' err
check_root
expect_grep "^$(md5sum <root/large)" out
expect_grep '^type: overlay' out
expect_grep "^more: $(ls root/more | wc -l) " out
[ $BED != arm64-mte ] || expect_no_grep 'mte: 0' out
[ "$(find root | sort)" = "$(cat before)" ] || fail "something was made or removed on the host"
tail -n 1 root/sub/look | grep -q '^echo "type' || fail "look was changed on the host"

# Hosts that differ in their interrupts or counters only have nothing new to show.
case $BED in *-*) exit ;; esac

# All of it does, of an ordinary user's guest as well.
for user in 0 1234; do
	if [ $user != 0 ]; then
		chown -R $user:$user root
		chmod 666 /dev/kvm
		chmod 1777 .
		echo "user:x:$user:$user::/tmp:/bin/sh" >/etc/passwd
		lkvm="start-stop-daemon -S -c $user:$user -x /usr/bin/lkvm --"
		rm -rf log root/new root/made
		echo "of the root" >root/etc/file
	fi
	expect_status 7 run --root root,type=virtiofs --root-rw --workdir /sub -- sh -c '
		./look; cat /large >/copy && echo new >/new && echo more >>/new && mkdir /made && mv /copy /made/moved &&
		ln /made/moved /made/hard && chmod 640 /made/hard && rm /etc/file && ! mknod /made/null c 1 3 2>/dev/null && exit 7'
	check_root
	expect_grep '^type: virtiofs' out
	[ "$(tr '\n' ' ' <root/new)" = "new more " ] || fail "new: $(cat root/new)"
	expect_same root/large root/made/moved
	[ "$(stat -c '%a %h %u:%g' root/made/hard)" = "640 2 $user:$user" ] || fail "hard: $(stat -c '%a %h %u:%g' root/made/hard)"
	[ ! -e root/made/null ] || fail "a device was made on the host"
	[ ! -e root/etc/file ] || fail "etc/file was not removed on the host"
done
lkvm=lkvm
rm /etc/passwd
echo "of the root" >root/etc/file

# Any guest can have it, by either transport, and once more after a reset.
mkdir share ro
echo "read only" >ro/file
echo old >ro/late
cp root/large share
guest_initrd initrd modules <<'CASE'
mkdir -p /mnt /ro
mount -t virtiofs virtiofs /mnt && mount -t virtiofs second-tag /ro || exit 1
echo >>/mnt/lives
echo "life $(wc -l </mnt/lives): $(md5sum </mnt/large)"
echo "ro: $(cat /ro/file) $(echo x 2>&1 >/ro/new) $(rm /ro/file 2>&1)"
echo "late: $(cat /ro/late)" && : >/mnt/ready
i=0
until grep -q new /ro/late || [ $i = 30 ]; do
	sleep 1
	i=$((i + 1))
done
echo "later: $(cat /ro/late)"
umount /ro && cp /mnt/large /mnt/copy && sync && [ "$(wc -l </mnt/lives)" != 1 ] || reboot -f
CASE
# What the host changes is seen, where the guest may not write as well.
(
	until [ -e share/ready ] || [ ! -e ro ]; do
		sleep 1
	done
	echo new >ro/late
) &
transport=
case $TRANSPORTS in *mmio*) transport="--virtio-transport mmio" ;; esac
expect_status 0 lkvm run -k /guest/kernel -i initrd -m 512 -p quiet $transport --on-reboot=restart --timeout 250 \
	--virtiofs share --virtiofs ro,second-tag,ro
expect_grep "life 1: $(md5sum <share/large)" out
expect_grep "life 2: $(md5sum <share/large)" out
expect_grep 'ro: read only .*Read-only file system.*Read-only file system' out
expect_grep 'late: old' out
expect_grep 'later: new' out
expect_same share/large share/copy
[ "$(echo $(cat ro/*))" = "read only new" ] || fail "ro was changed: $(ls ro)"

# When virtiofsd ends, the run does; and the other way round.
begin() {
	rm -f root/began
	run --root root,type=virtiofs --root-rw -- sh -c '>/began; while :; do cat /large >/copy; done' >out 2>err </dev/null &
	pid=$!
	for _ in $(seq 120); do
		[ ! -e root/began ] || return 0
		sleep 1
	done
	fail "the guest did not come up: $(cat err)"
}
is_left() { # not counting one that only waits to be reaped
	for p in $(pidof virtiofsd); do
		[ ! -e "/proc/$p/exe" ] || return 0
	done
	return 1
}
begin
kill -9 $(pidof virtiofsd)
status=0
wait $pid || status=$?
[ $status = 123 ] || fail "status $status when virtiofsd was killed"
expect_grep '^lkvm: guest lost: virtiofsd, which serves root to it, was ended by signal 9 \(Killed\) \(exit status 123\)' err
begin
is_left || fail "no virtiofsd to be seen"
kill -9 $(pidof lkvm)
wait $pid 2>/dev/null
for _ in $(seq 20); do
	is_left || break
	sleep 1
done
! is_left || fail "virtiofsd outlived lkvm"

# The guest waits for one that hangs when it lets the device go; lkvm does not when it is to end.
guest_initrd initrd modules <<'CASE'
echo "it is there"
sleep 10
for dev in /sys/bus/virtio/drivers/virtiofs/virtio*; do
	echo "it lets go"
	echo "${dev##*/}" >/sys/bus/virtio/drivers/virtiofs/unbind
done
echo "it has let go"
CASE
lkvm run -k /guest/kernel -i initrd -m 512 -p quiet --timeout 250 --name fs --virtiofs share >out 2>err </dev/null &
pid=$!
until_said() {
	for _ in $(seq 120); do
		! grep -q "$1" out || return 0
		sleep 1
	done
	fail "no '$1': $(tail -n 5 out err)"
}
until_said "it is there"
kill -STOP $(pidof virtiofsd)
until_said "it lets go"
lkvm stop fs >/dev/null &
elapsed wait $pid || fail "status $? of the guest that was stopped: $(cat err)"
[ "$TENTHS" -lt 200 ] || fail "$TENTHS tenths of a second until lkvm ended"
expect_no_grep "it has let go" out

# One that does not work: told, or, where nobody asked for it, done without. The guest's memory is too little then.
mkdir fake
auto() { PATH=$PWD/fake:$PATH lkvm run -k /guest/kernel -m $TOO_SMALL --loglevel info --root root -- true; }
with() { PATH=$PWD/fake:$PATH lkvm run -k /guest/kernel --root root,type=virtiofs -- true; }
printf '#!/bin/sh\necho "error: unexpected argument" >&2\necho "and more" >&2\nexit 2\n' >fake/virtiofsd
chmod 755 fake/virtiofsd
expect_status 125 with
expect_grep "^lkvm: --root: .*/fake/virtiofsd, which is to serve root, ended with status 2: error: unexpected argument$" err
expect_status 125 auto
expect_grep '^lkvm: --root: root is given to the guest by virtio-fs, and by 9P in case' err
expect_grep '^lkvm: --root: root is given to the guest by 9P, as virtiofsd cannot$' err
echo "no program" >fake/virtiofsd
expect_status 125 with
expect_grep '^lkvm: cannot run .*/fake/virtiofsd: Exec format error' err
rm -r fake
expect_status 125 lkvm run -k /guest/kernel --virtiofs /no/such/dir,x
expect_grep '^lkvm: --virtiofs: /usr/libexec/virtiofsd, which is to serve /no/such/dir, ended with status 1: .*/no/such/dir' err
mv /usr/libexec/virtiofsd /usr/libexec/away
with >out 2>err
status=$?
auto >out2 2>err2
mv /usr/libexec/away /usr/libexec/virtiofsd
[ $status = 125 ] || fail "status $status without virtiofsd"
expect_grep '^lkvm: --root: there is no virtiofsd here to serve root' err
expect_grep '^lkvm: --root: root is given to the guest by 9P, as there is no virtiofsd$' err2
