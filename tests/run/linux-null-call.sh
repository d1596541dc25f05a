# A Linux guest that calls a null pointer: lkvm names the function that did it, and who called that, with and without a
# panic. virtio_rng without its probe function is the guest's bug.
# arch: riscv64 arm64 x86_64 powernv powernv8 powernv10
# timeout: 600
. "${CASES:-/cases}/lib.sh"

mkdir m
(cd m && cpio -idm </guest/modules.cpio 2>/dev/null) || fail "cannot unpack /guest/modules.cpio"
# struct virtio_driver: probe is at 0xc0, scan, remove, freeze and restore follow. The relocation (offset, type and
# symbol, addend) gets no symbol and no addend. Something behind the signature makes the module an unsigned one.
z=00000000000000
xxd -p m/modules/virtio_rng.ko | tr -d '\n' >hex
sed -E "s/(c0$z.{8}).{24}(c8$z.{32}d0$z.{32}e0$z.{32}e8$z)/\1000000000000000000000000\2/" hex >broken
! cmp -s hex broken || fail "virtio_rng.ko has no such relocations"
xxd -r -p broken >m/modules/virtio_rng.ko
echo >>m/modules/virtio_rng.ko
(cd m && echo modules/virtio_rng.ko | cpio -o -H newc 2>/dev/null) >module.cpio
# The device stays locked, so that the guest could not shut down.
echo 'echo b >/proc/sysrq-trigger' | guest_initrd base modules
cat base module.cpio >initrd

culprit='virtio_dev_probe\+0x[0-9a-f]+/0x[0-9a-f]+'
check() { # what holds for both ways to end
	expect_grep "^lkvm: where the guest's kernel went wrong: $culprit( \[virtio\])?, which called 0x0$" err
	expect_grep "^  task      insmod, PID [0-9]+, CPU 0$" err
	expect_grep "\"where\": \"$culprit" report.json
	expect_grep "\"task\": \"insmod, PID " report.json
}

expect_status 120 lkvm run -k /guest/kernel -i initrd -m 512 --rng -p oops=panic --timeout 300 --report report.json
check
expect_grep "^lkvm: guest panic: Kernel panic - not syncing: .*Fatal exception \(exit status 120\)$" err
expect_grep "\"outcome\": \"panic\"" report.json
# The callers, by the guest or, where it does not print them, by lkvm.
expect_grep "^ .* really_probe\+0x" err
expect_grep "^ .* do_one_initcall\+0x" err
# lkvm's own backtrace, with names from the guest's memory: from panic() to where it began. It is right if it finds in
# a function what the guest has found.
expect_grep '"symbol": "panic"' report.json
expect_grep '"symbol": "do_init_module"' report.json
# its function what the guest has found. riscv64's kernel prints no trace where pc leads nowhere, but the link register.
case $ARCH in
riscv64) function=virtio_dev_probe said=' ra : virtio_dev_probe' ;;
*) function=really_probe said=' really_probe' ;;
esac
printed=$(sed -nE "s,^\[.*$said\+(0x[0-9a-f]+)/.*,\1,p" out | head -n 1)
found=$(sed -n "/\"symbol\": \"$function\"/{n;s/.*\"offset\": \([0-9]*\).*/\1/p;}" report.json | head -n 1)
[ -n "$printed" ] || fail "the guest does not say where it was in $function"
[ -n "$found" ] || fail "the report does not name $function"
[ "$found" = $((printed)) ] || fail "$function+$found instead of $function+$printed"

expect_status 120 lkvm run -k /guest/kernel -i initrd -m 512 --rng --timeout 300 --fail-on=bug --report report.json
check
expect_grep "hello from user space" out
expect_grep "^lkvm: the guest's kernel complained: 2 bug: .* \(exit status 120\)$" err
expect_grep "\"outcome\": \"splat\"" report.json
