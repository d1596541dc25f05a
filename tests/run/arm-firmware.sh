# U-Boot and edk2 as Debian builds them boot to their prompts and take commands; what they keep in the flash outlives
# the guest.
# arch: arm64
# needs: lkvm firmware
# timeout: 400
. "${CASES:-/cases}/lib.sh"

start() { # OPTIONS...: the guest, with its console in out and what is typed through descriptor 4
	rm -f in out
	mkfifo in
	lkvm run --flash flash.img -m 512 --timeout 180 "$@" <in >out 2>err &
	pid=$!
	exec 4>in
}

expect() { # PATTERN: waits until the guest prints it
	tries=1500
	until grep -qE "$1" out; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] && kill -0 $pid 2>/dev/null || break
		sleep 0.1
	done
	expect_grep "$1" out
}

ends() { # STATUS
	status=0
	exec 4>&-
	wait $pid || status=$?
	[ $status = "$1" ] || { tail -n 20 out err; fail "status $status"; }
}

truncate -s 1M flash.img
start --firmware /firmware/u-boot.bin -c 2
expect "Hit any key to stop autoboot"
echo >&4
expect "^=> "
echo "flinfo; setenv lkvmtest kept; saveenv" >&4
expect "Intel Extended command set"
expect "^OK"
echo poweroff >&4
ends 0

# From a pipe, which can be read once.
mkfifo pipe
cat /firmware/u-boot.bin >pipe &
start --firmware pipe
expect "Loading Environment from Flash... OK"
expect "Hit any key to stop autoboot"
echo >&4
echo "printenv lkvmtest" >&4
expect "^lkvmtest=kept"
echo reset >&4
ends 0
expect_no_grep "^lkvm:" err

truncate -s 0 flash.img && truncate -s 1M flash.img
start --firmware /firmware/edk2.fd
expect "any other key to continue"
printf '\r' >&4
expect "Shell> "
printf 'set lkvmtest stays\rreset -s\r' >&4
ends 0

start --firmware /firmware/edk2.fd -c 2
expect "any other key to continue"
printf '\r' >&4
expect "Shell> "
printf 'set lkvmtest\rreset\r' >&4
expect "lkvmtest .*= .*stays"
ends 0

# Two guests can't share a flash; one of a size that no flash has is refused.
start --firmware /firmware/u-boot.bin
expect "U-Boot"
expect_status 125 lkvm run --firmware /firmware/u-boot.bin --flash flash.img
expect_grep "in use by another guest" err
kill $pid
ends 143
truncate -s 1000 flash.img
expect_status 125 lkvm run --firmware /firmware/u-boot.bin --flash flash.img
expect_grep "flash.img is no flash" err
