# Loads and stores where no device is do no harm; a misaligned one that KVM gives up on is explained.
# arch: riscv64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

expect_status 0 lkvm run --firmware /guest-tests/mmio-hole.bin -m 16 --timeout 20
expect_grep "^went on$" out
expect_status 0 lkvm run --firmware /guest-tests/mmio-hole.bin -m 16 --debug-mmio --timeout 20
expect_grep "0x18000000: no device" err

status=0
lkvm run --firmware /guest-tests/mmio-misaligned.bin -m 16 --timeout 20 >out 2>err </dev/null || status=$?
case $status in
121) expect_grep "not a multiple of the access's size at pc 0x8000" err ;;
0) expect_grep "^(trapped|loaded)$" out ;; # a host that passes it on to the guest
*) fail "exit status $status: $(cat err)" ;;
esac
