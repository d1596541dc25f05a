# A panic is status 120, however the guest goes on after it.
# timeout: 900
. "${CASES:-/cases}/lib.sh"

for params in "lkvm.test=panic" "lkvm.test=panic panic=-1" "lkvm.test=exit panic=1"; do
	expect_status 120 lkvm run -k /guest/kernel -i /guest/initrd -m 512 -p "$params" --timeout 300
	expect_grep "Kernel panic - not syncing" out
	expect_grep "^lkvm: .*Kernel panic - not syncing" err
done
