# --max-cpu-compat: the guest finds an earlier CPU, with the MMU that this one had; a later one than the host's is refused.
# arch: ppc64le
# timeout: 200
. "${CASES:-/cases}/lib.sh"

guest_initrd initrd <<'GUEST'
sed -n 's/^cpu.*: /cpu: /p' /proc/cpuinfo
GUEST
boot() { # STATUS NAME
	expect_status "$1" lkvm run -k /guest/kernel -i initrd -m 512 --max-cpu-compat "$2" --timeout 100
}

if [ "$BED" = powernv8 ]; then
	boot 125 power9
	expect_grep "^lkvm: --max-cpu-compat: this host has no power9 guests" err
else
	boot 0 power9
	expect_grep "^cpu: POWER9 \(architected\)" out
	expect_grep "lpar: Using radix MMU" out
	boot 125 power11
	expect_grep "^lkvm: --max-cpu-compat: this host has no power11 guests" err
fi
[ "$(wc -l <err)" = 1 ] || fail "not one line: $(cat err)"
case $BED in
ppc64le*) # nested KVM runs radix guests only
	boot 125 power8
	expect_grep "hash" err ;;
*)
	boot 0 power8
	expect_grep "^cpu: POWER8 \(architected\)" out
	expect_grep "hash-mmu: Initializing hash mmu" out ;;
esac
