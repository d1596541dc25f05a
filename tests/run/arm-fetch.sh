# A fetch from where no RAM is: a guest with vectors in RAM gets its abort. Without, KVM gives it aborts for ever and says
# nothing: the run lasts until --timeout.
# arch: arm64
# needs: lkvm guest-tests
# timeout: 60
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

expect_status 0 lkvm run --firmware "$guests/fetch-hole-caught.bin" -m 16 --timeout 20
expect_grep "^caught$" out
expect_status 124 lkvm run --firmware "$guests/fetch-hole.bin" -m 16 --timeout 3
