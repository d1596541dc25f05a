# Debian's kernel brings up eight vCPUs.
# arch: riscv64 arm64 ppc64le x86_64
# timeout: 600
. "${CASES:-/cases}/lib.sh"

expect_status 0 lkvm run -k /guest/kernel -i /guest/initrd -c 8 -m 512 --timeout 300
expect_grep "hello from user space on .*, 8 cpus" out
