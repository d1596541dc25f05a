# --balloon: a guest that is made smaller gives its memory to the host, takes it back, and says how it is.
# arch: riscv64 arm64 x86_64 ppc64le
# timeout: 600
. "${CASES:-/cases}/lib.sh"
modules=
if modules_dir m && grep -q '^virtio_balloon' m/modules.dep; then
	modules="--modules m"
fi
export XDG_RUNTIME_DIR="$TMP"

# The command's own output is in out and err.
expect_status() {
	local want=$1 got=0
	shift
	"$@" >out.balloon 2>err.balloon </dev/null || got=$?
	[ "$got" = "$want" ] || { cat out.balloon err.balloon; fail "exit status $got instead of $want: $*"; }
}

number() { # KEY: of the last `lkvm balloon --json`
	sed -nE "s/.*\"$1\": ([0-9]+).*/\\1/p" balloon.json
}

resident() { # MiB of the guest's process
	awk '/^VmRSS:/ { print int($2 / 1024) }' "/proc/$guest/status"
}

# until_size MIB: waits for the guest to have that much.
until_size() {
	tries=300
	until lkvm balloon small --json >balloon.json && [ "$(number current_bytes)" = $(($1 << 20)) ]; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "the guest does not come to $1 MiB: $(cat balloon.json)"
		sleep 0.2
	done
}

available() { # MiB, as the guest's kernel says
	lkvm exec small -- sh -c 'cat /proc/meminfo' | awk '/^MemAvailable:/ { print int($2 / 1024) }'
}

# Asks for statistics, and gets new ones. A guest on a busy host may take longer than the command waits.
fresh() {
	tries=5
	until expect_status 0 lkvm balloon small && grep -q 'the guest says: .* MiB free' out.balloon &&
		! grep -q ' ago)' out.balloon; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "statistics are not fresh: $(cat out.balloon)"
	done
	lkvm balloon small --json >balloon.json
}

less() { # A BY B: A is less than B by BY MiB or more
	[ $(($3 - $1)) -ge "$2" ] || fail "$4: $1 MiB, before $3 MiB"
}

# What a guest has touched and left is the host's only when it is given back.
mkfifo in
exec 3<>in
# shellcheck disable=SC2086
lkvm run --name small -k /guest/kernel -m 256 --balloon $modules --console-log log --timeout 300 \
	-- sh -c 'free=$(($(sed -n "s/^MemAvailable: *\([0-9]*\).*/\1/p" /proc/meminfo) / 1024)); mkdir /f
		mount -t tmpfs -o size=100% f /f; dd if=/dev/zero of=/f/filled bs=1M count=$((free - 32)) 2>/dev/null
		umount /f; echo filled; read -r line' \
	<in >out 2>err &
guest=$!
tries=600
until grep -q filled out; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || { tail log err; fail "the command does not run"; }
	kill -0 $guest || { tail log err; fail "the guest ended"; }
	sleep 0.2
done
until_size 256
[ "$(number memory_bytes)" = $((256 << 20)) ] || fail "memory: $(cat balloon.json)"
[ "$(number free_bytes)" -gt $((64 << 20)) ] || fail "statistics: $(cat balloon.json)"
resident_full=$(resident)
available_full=$(available)

expect_status 0 lkvm balloon small 128M
expect_grep '^small: .* MiB of memory now, 128 MiB wanted, of 256 MiB' out.balloon
until_size 128
[ "$(number target_bytes)" = $((128 << 20)) ] || fail "target: $(cat balloon.json)"
# Of the pages that Linux gives it may never have touched some, but hardly more than what was left unfilled.
less "$(resident)" 40 "$resident_full" "resident memory of the small guest"
available_small=$(available)
less "$available_small" 100 "$available_full" "available memory in the small guest"
echo "256 MiB: $resident_full resident, $available_full available; 128 MiB: $(resident), $available_small"
# New ones each time, however late it is asked.
fresh
sleep 2
fresh
sleep 2
fresh

expect_status 0 lkvm balloon small 256
until_size 256
# Not to the last page: Linux keeps what was just freed in lists of its CPUs, which do not count.
less "$available_small" 80 "$(available)" "available memory in the guest that was small"
# What came back is memory like any other, and that it is used now is in the statistics.
fresh
free_before=$(number free_bytes)
expect_status 0 lkvm exec small -- sh -c 'mount -t tmpfs -o size=100% f /f
	dd if=/dev/zero of=/f/filled bs=1M count=64 2>/dev/null; wc -c </f/filled'
expect_grep "^$((64 << 20))$" out.balloon
fresh
less "$(($(number free_bytes) >> 20))" 48 "$((free_before >> 20))" "free memory in the statistics"

expect_status 125 lkvm balloon small 257
expect_grep "the guest's memory can be 4 KiB to 256 MiB" err.balloon
expect_status 125 lkvm balloon small 3x
expect_grep "bad size '3x'" err.balloon
# While it stands still there is nothing new.
expect_status 0 lkvm pause small
expect_status 0 lkvm balloon small
expect_grep 'of 256 MiB' out.balloon
expect_status 0 lkvm resume small
echo >&3
status=0
wait $guest || status=$?
[ $status = 0 ] || { tail log err; fail "status $status"; }

lkvm run --name large --nodefaults -k /guest/kernel --timeout 60 >out 2>err </dev/null &
guest=$!
tries=100
until lkvm list | grep -q '^large .*running'; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || fail "the second guest does not run: $(cat err)"
	sleep 0.1
done
expect_status 125 lkvm balloon large
expect_grep 'it was started without --balloon' err.balloon
lkvm stop large
wait $guest || true
