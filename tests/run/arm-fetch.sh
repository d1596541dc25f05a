# A fetch that fails: a guest with vectors in RAM gets its abort. Without, KVM gives it aborts for ever and says nothing;
# lkvm's watchdog finds the vCPU where its vectors can't be fetched.
# arch: arm64
# needs: lkvm guest-tests
# timeout: 90
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

expect_status 0 lkvm run --firmware "$guests/fetch-hole-caught.bin" -m 16 --timeout 20
expect_grep "^caught$" out

expect_status 121 lkvm run --firmware "$guests/fetch-hole.bin" -m 16 --timeout 60
expect_grep "instruction fetch fails at 0x200: no memory behind this address" err
expect_status 121 lkvm run --firmware "$guests/fetch-device.bin" -m 16 --timeout 60
expect_grep "instruction fetch fails at 0x3f000200: device memory \(.+\)" err
expect_status 121 lkvm run --firmware "$guests/fetch-noexec.bin" -m 16 --timeout 60
expect_grep "instruction fetch fails at 0x80000200: mapped but not executable \(rw- in kernel mode\)" err

# Switched off, nobody looks.
expect_status 124 lkvm run --firmware "$guests/fetch-hole.bin" -m 16 --no-progress-watchdog --timeout 5
