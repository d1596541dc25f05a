# --root: a directory of the host is the guest's root. What is written there stays in the guest unless --root-rw says
# otherwise; commands, links and modules are found where they should be.
# arch: riscv64 arm64 ppc64le ppc
# timeout: 600
. "${CASES:-/cases}/lib.sh"

modules=
! modules_dir m || modules="--modules m"

mkdir -p top/root/bin top/root/etc top/root/sub top/root/many
cp /bin/busybox top/root/bin/
for name in sh cat ls wc md5sum rm mkdir id readlink chmod touch; do
	ln -s busybox top/root/bin/$name
done
cd top || exit
echo outside >secret
echo "of the root" >root/etc/file
echo 'echo "a script of the root: $*"; exit 7' >root/sub/script
chmod 755 root/sub/script
ln -s ../../secret root/sub/out
ln -s /etc/file root/sub/absolute
dd if=/dev/urandom of=root/large bs=1k count=4000 2>/dev/null
i=0
while [ $i -lt 1200 ]; do
	: >root/many/a-name-in-a-large-directory-$i
	i=$((i + 1))
done
echo "brought along" >added
run() { lkvm run -k /guest/kernel -m 512 ${modules:+--modules ../m} --timeout 250 --console-log log "$@"; }

check_root() { # WHO
	expect_grep '^file: of the root' out
	expect_grep '^absolute: of the root' out
	expect_grep '^out: ../../secret cat: .*No such file' out
	expect_grep '^many: 1200' out
	expect_grep "^large: $(md5sum <root/large)" out
	expect_grep "^dir: /sub X is 1 $1" out
	expect_grep '^mounts: proc sysfs tmpfs' out
	expect_grep '^said on stderr' err
}
cat >root/sub/look <<'LOOK'
#!/bin/sh
echo "file: $(cat /etc/file)"
echo "absolute: $(cat absolute)"
echo "out: $(readlink out) $(cat out 2>&1)"
echo "many: $(ls /many | wc -l)"
echo "large: $(md5sum </large)"
echo "dir: $(pwd) X is $X $(id)"
echo mounts: $(while read -r dev path type rest; do case $path in /proc | /sys | /run) echo $type ;; esac; done </proc/mounts)
echo "said on stderr" >&2
exit 3
LOOK
chmod 755 root/sub/look
find root | sort >../before

if [ "$ARCH" != ppc ]; then # whose kernel has no overlayfs
	# All kinds of changes, of which none gets to the host.
	expect_status 3 run --root root --add added:/sub/dir/added --workdir /sub --env X=1 -- sh -c '
		cat dir/added; echo new >/new && rm /bin/touch && echo more >>script && mkdir /made && chmod 700 /many &&
		>/tmp/x >/run/x && ! ls /bin/touch 2>/dev/null && cat /new; exec ./look'
	check_root "uid=0"
	[ "$(head -n 2 out | tr '\n' ' ')" = "brought along new " ] || fail "output: $(cat out)"
	[ "$(find root | sort)" = "$(cat ../before)" ] || fail "something was made or removed on the host"
	[ "$(cat root/sub/script)" = 'echo "a script of the root: $*"; exit 7' ] || fail "script was changed on the host"
	# Of this host itself, whose /proc is not the guest's.
	expect_status 127 run --root / -- no-such-program
	expect_grep 'cannot run no-such-program in the guest: No such file or directory \(it must be in the directory of --root' err
else
	expect_status 123 run --root root -- /sub/look
	expect_grep 'lkvm-init: cannot mount memory over the directory of --root: this kernel needs CONFIG_OVERLAY_FS' log
fi

expect_status 7 run --root root,type=9p --root-rw --workdir /sub --env X=1 -- sh -c '
	./look; echo new >/new; rm /bin/touch; cat /large >/copy; echo "$(cat /new)" more >>/new; exec sh script a b'
check_root "uid=0"
expect_grep '^a script of the root: a b' out
[ "$(tr '\n' ' ' <root/new)" = "new new more " ] || fail "new: $(cat root/new)"
[ ! -e root/bin/touch ] || fail "touch was not removed on the host"
for dir in proc sys dev run tmp; do
	[ -d root/$dir ] && [ -z "$(ls -A root/$dir)" ] || fail "root/$dir is no empty directory: $(ls -lA root)"
done
expect_same root/large root/copy
[ "$(cat secret)" = outside ] || fail "secret was changed"

# A module that is missing is named.
if [ -n "$modules" ]; then
	mkdir no9p
	grep -v 9p ../m/modules.dep >no9p/modules.dep
	cp ../m/*.gz no9p
	expect_status 123 lkvm run -k /guest/kernel -m 512 --modules no9p --root root,type=9p --timeout 250 --console-log log -- true
	expect_grep 'lkvm-init: cannot mount the directory of --root: .*9pnet_virtio' log
	expect_status 125 lkvm run -k /guest/kernel --modules no9p --root root,type=image -- true
	expect_grep '^lkvm: --root: type=image needs the mke2fs of e2fsprogs, not that of busybox' err
	[ "$(wc -l <err)" = 1 ] || fail "more than one line: $(cat err)"
fi
expect_status 125 lkvm run -k /guest/kernel --root /no/such/dir -- true
expect_grep '^lkvm: --root: cannot share /no/such/dir: No such file' err
