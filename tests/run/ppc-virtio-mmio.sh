# Linux looks for virtio devices of a pseries guest on PCI only: what can't be is refused, with the way out.
# arch: ppc64le
# needs: lkvm guest-tests
# timeout: 30
. "${CASES:-/cases}/lib.sh"

expect_status 125 lkvm run --firmware "${GUEST_TESTS:-/guest-tests}/poweroff.bin" -m 16 --rng --virtio-transport mmio
expect_grep "^lkvm: --virtio-transport mmio: .*use pci" err
[ "$(wc -l <err)" = 1 ] || fail "not one line: $(cat err)"
