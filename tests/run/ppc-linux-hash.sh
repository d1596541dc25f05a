# A guest with a hash MMU (disable_radix) boots where KVM has it, and is refused in one line where not.
# arch: ppc64le
# timeout: 300
. "${CASES:-/cases}/lib.sh"

case $BED in
ppc64le*) # nested KVM runs radix guests only
	expect_status 125 lkvm run -k /guest/kernel -i /guest/initrd -m 512 -p disable_radix --timeout 100
	expect_grep "hash" err
	[ "$(wc -l <err)" = 1 ] || fail "not one line: $(cat err)" ;;
*)
	for cpus in 1 4; do
		expect_status 0 lkvm run -k /guest/kernel -i /guest/initrd -m 512 -c $cpus -p disable_radix --timeout 100
		expect_grep "Initializing hash mmu" out
		expect_grep "hello from user space on ppc64le, $cpus cpus" out
	done ;;
esac
