# Linux boots to user space with 1, 2 and 4 vCPUs, as far as the platform has them, and powers off.
# timeout: 900
. "${CASES:-/cases}/lib.sh"

for cpus in $CPUS; do
	expect_status 0 lkvm run -k /guest/kernel -i /guest/initrd -c $cpus -m 512 --timeout 300
	expect_grep "hello from user space on .*, $cpus cpus" out
	expect_grep "Linux version" out
done
