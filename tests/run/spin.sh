# An endless loop in the guest's kernel is told, and ends the run only if that is asked for. A guest that sleeps is not
# looked at.
# arch: riscv64 arm64 powernv powernv8 powernv10 x86_64 ppc
# native: yes
# needs: lkvm guest-tests
# timeout: 120
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}
case $ARCH in
x86_64) idle=hlt-forever ;;
ppc64le) idle=cede-forever ;;
ppc) idle= ;; # its guests know no way to sleep
*) idle=wfi-forever ;;
esac

expect_status 124 lkvm run --firmware "$guests/spin.bin" -m 16 --timeout 14
expect_grep "warning: vCPU 0 is spinning at pc 0x[0-9a-f]+:" err
[ "$(grep -c spinning err)" = 1 ] || fail "told more than once"
expect_status 122 lkvm run --firmware "$guests/spin.bin" -m 16 --stop-on-spin --timeout 60
expect_grep "guest hung: vCPU 0 is spinning at pc 0x[0-9a-f]+" err

[ -n "$idle" ] || exit 0
expect_status 124 lkvm run --firmware "$guests/$idle.bin" -m 16 --stop-on-spin --timeout 14
expect_no_grep spinning err
