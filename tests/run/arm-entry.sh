# What a guest finds when it is entered: registers, exception level, a device tree.
# arch: arm64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"

expect_status 0 lkvm run --firmware "${GUEST_TESTS:-/guest-tests}/entry.bin" -m 16 --timeout 20
expect_grep "^all well$" out
# Entered far from the start of a large RAM's end, with a device tree of many CPUs.
expect_status 0 lkvm run --firmware "${GUEST_TESTS:-/guest-tests}/entry.bin" -m 100G --timeout 20
expect_grep "^all well$" out
