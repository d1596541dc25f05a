# A guest that starts at EL2, with VHE and without: what it finds there, and that it runs guests of its own.
# arch: arm64-next
# needs: lkvm guest-tests
# timeout: 300
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

expect_status 0 lkvm doctor
expect_grep "nested guests +yes$" out
expect_status 0 lkvm run --firmware "$guests/el2.bin" -m 16 --timeout 20
expect_grep "^at EL1$" out
for how in "with:" "without:--e2h0"; do
	# shellcheck disable=SC2086
	expect_status 0 lkvm run --firmware "$guests/el2.bin" -m 16 --timeout 20 --nested ${how#*:}
	expect_grep "^at EL2 ${how%:*} VHE$" out
	expect_grep "^called from EL1$" out
done

# The PMU of a guest at EL2.
expect_status 0 lkvm pmu list -- --nested
expect_grep "^PMUv3" out

# lkvm and a guest for it, in the guest.
mkdir -p in/bin
cp "$(command -v lkvm)" in/bin/lkvm
cp "$guests/uart-hello.bin" in/inner.bin
(cd in && find . | cpio -o -H newc 2>/dev/null) >in.cpio
guest_initrd initrd <<'SCRIPT'
dmesg | grep -E 'kvm \[|started at EL2|HYP mode' | sed 's/^/kernel: /'
ls -l /dev/kvm
/bin/lkvm run --firmware /inner.bin -m 16 --timeout 60
echo "inner: $?"
SCRIPT
cat initrd in.cpio >both
linux() { # OPTIONS...
	expect_status 0 lkvm run -k /guest/kernel -i both -m 256 --timeout 120 --nested "$@"
	expect_grep "^kernel: .*CPU: All CPU\(s\) started at EL2" out
	expect_grep "^kernel: .*kvm \[1\]: vgic interrupt IRQ" out
	expect_grep " /dev/kvm" out
	expect_grep "^inner: 0" out
}
linux
expect_grep "^kernel: .*kvm \[1\]: VHE mode initialized successfully" out
expect_grep "^hello from the UART" out
linux --e2h0
expect_grep "^kernel: .*kvm \[1\]: (Hyp )?nVHE mode initialized successfully" out

# A report is of the registers and tables of EL2.
export XDG_RUNTIME_DIR="$TMP"
lkvm run -k /guest/kernel -i /guest/initrd -m 256 --timeout 120 --nested -p lkvm.test=wait --name deep >out 2>err </dev/null &
tries=600
until grep -q "^hello from user space" out; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || fail "no user space: $(tail out err)"
	sleep 0.2
done
sleep 1
lkvm debug deep >debug || fail "lkvm debug"
expect_grep "EL2h$" debug
expect_grep "sctlr_el2" debug
expect_no_grep "sctlr_el1|MMU off" debug
expect_grep "4K granule, 48 bits, TTBR1" debug
expect_grep " (default_idle_call|do_idle|cpu_startup_entry)\\+0x" debug
lkvm stop deep
wait
