# Guests that make KVM exit, and those that make it say nothing: what KVM says, what lkvm makes of it, and the status.
# tests/exit-table prints all of it as a table.
# native: yes
# needs: lkvm guest-tests
# timeout: 180
. "${CASES:-/cases}/lib.sh"

case $BED in
native)
	# Its exit reasons are those of a KVM without hardware support.
	exit_row "jump outside RAM" 121 "^lkvm: vCPU 0 stopped: (instruction fetch failed at pc 0xe4000000|the vCPU shut down)" \
		KVM_EXIT_INTERNAL_ERROR bad-fetch --nodefaults
	exit_row "triple fault" 121 "^lkvm: vCPU 0 stopped: .*triple fault" KVM_EXIT_SHUTDOWN triple-fault --nodefaults
	exit_row "MMX on device memory" 121 "^lkvm: vCPU 0 stopped: KVM can't emulate .*, which begins 0f fc 03" \
		KVM_EXIT_INTERNAL_ERROR mmio-mmx --nodefaults
	exit_row "MMIO outside devices" 0 "write of 4 bytes at MMIO 0xe4000004: no device there" nothing mmio-hole \
		--nodefaults --debug-mmio
	;;
x86_64)
	exit_row "jump outside RAM" 121 "^lkvm: vCPU 0 stopped: instruction fetch failed at pc 0xe4000000; exit reason 0x400 \(NPF\)$" \
		KVM_EXIT_INTERNAL_ERROR bad-fetch --nodefaults
	exit_row "triple fault" 121 "^lkvm: vCPU 0 stopped: .*triple fault" KVM_EXIT_SHUTDOWN triple-fault --nodefaults
	exit_row "MMX on device memory" 121 "^lkvm: vCPU 0 stopped: KVM can't emulate .*, which begins 0f fc 03" \
		KVM_EXIT_INTERNAL_ERROR mmio-mmx --nodefaults
	exit_row "exception, IDT outside RAM" 121 "^lkvm: vCPU 0 stopped: KVM could not deliver .*\(exception #(UD|NP|GP|DF)\)" \
		KVM_EXIT_INTERNAL_ERROR idt-hole --nodefaults
	exit_row "MMIO outside devices" 0 "write of 4 bytes at MMIO 0xe4000004: no device there" nothing mmio-hole \
		--nodefaults --debug-mmio
	;;
riscv64 | riscv64-*)
	if [ "$BED" = riscv64-next ]; then
		# Its own exception, of which KVM of newer kernels says nothing.
		expect_status 0 lkvm run --firmware "${GUEST_TESTS:-/guest-tests}/fetch-hole.bin" -m 16 --timeout 60
		expect_grep "^instruction access fault$" out
		[ ! -s err ] || fail "messages: $(cat err)"
		echo "row: $BED | jump outside RAM | nothing | nothing: the guest takes its own exception | 0"
		exit_row "trap without a handler" 121 "^lkvm: vCPU 0 stopped: instruction fetch fails at 0x0: no memory" \
			nothing trap-hole -m 16
		exit_row "jump into a device" 121 "^lkvm: vCPU 0 stopped: instruction fetch fails at 0x10000000: device memory" \
			nothing fetch-device -m 16
	else
		exit_row "jump outside RAM" 121 "^lkvm: vCPU 0 stopped: instruction fetch failed at pc 0x70000000: no guest RAM there" \
			"KVM_EXIT_UNKNOWN, KVM_RUN: EOPNOTSUPP" fetch-hole -m 16
		exit_row "trap without a handler" 121 "^lkvm: vCPU 0 stopped: instruction fetch failed at pc 0x[0-9a-f]+: no guest RAM there" \
			"KVM_EXIT_UNKNOWN, KVM_RUN: EOPNOTSUPP" trap-hole -m 16
		exit_row "jump into a device" 121 "^lkvm: vCPU 0 stopped: instruction fetch failed at pc 0x10000000" \
			"KVM_EXIT_UNKNOWN, KVM_RUN: EOPNOTSUPP" fetch-device -m 16
	fi
	exit_row "page without execute permission" 121 "^lkvm: vCPU 0 stopped: instruction fetch fails at .*not executable" \
		nothing fetch-noexec -m 16
	exit_row "atomic on device memory" 121 "^lkvm: vCPU 0 stopped: KVM cannot emulate the instruction at pc 0x8000[0-9a-f]+ on device" \
		"KVM_EXIT_UNKNOWN, KVM_RUN: EOPNOTSUPP" mmio-atomic -m 16
	exit_row "misaligned device access" 121 "^lkvm: vCPU 0 stopped: .*not a multiple of the access's size at pc 0x8000" \
		"KVM_EXIT_UNKNOWN, KVM_RUN: EIO" mmio-misaligned -m 16
	exit_row "MMIO outside devices" 0 "at MMIO 0x18000000: no device there" nothing mmio-hole -m 16 --debug-mmio
	exit_row "SBI call that nobody serves" 0 "SBI call.*0x8000001.* not supported" nothing sbi-unknown -m 16 \
		--loglevel debug
	;;
arm64 | arm64-*)
	exit_row "jump outside RAM, no vectors" 121 "^lkvm: vCPU 0 stopped: instruction fetch fails at 0x200: no memory" \
		nothing fetch-hole -m 16
	exit_row "jump into a device" 121 "^lkvm: vCPU 0 stopped: instruction fetch fails at .*device memory" \
		nothing fetch-device -m 16
	exit_row "page without execute permission" 121 "^lkvm: vCPU 0 stopped: instruction fetch fails at .*not executable" \
		nothing fetch-noexec -m 16
	exit_row "pair load from a device" 0 "vCPU 0: device access at 0xb000000 by an instruction that KVM cannot emulate" \
		nothing mmio-pair -m 16
	exit_row "MMIO outside devices" 0 "at MMIO 0xb000000: no device there" nothing mmio-hole -m 16 --debug-mmio
	# Its own exception, of which KVM hears nothing.
	expect_status 0 lkvm run --firmware "${GUEST_TESTS:-/guest-tests}/illegal-state.bin" -m 16 --timeout 60
	expect_grep "^illegal state$" out
	[ ! -s err ] || fail "messages: $(cat err)"
	echo "row: $BED | illegal exception state | nothing | nothing: the guest takes its own exception | 0"
	;;
e500)
	exit_row "illegal instruction in supervisor mode" 0 "vCPU 0: KVM_EXIT_UNKNOWN: KVM can't emulate the guest's instruction 0x7c0006ff at pc 0x[0-9a-f]+; going on" \
		KVM_EXIT_UNKNOWN illegal -m 64
	expect_grep "instruction 0x7ea7faa6 at pc" err # mfspr of one that does not exist
	expect_grep "102 exits that nobody served were handed back to the guest, at 3 places" err
	[ "$(grep -c "going on" err)" = 3 ] || fail "more than a line for each place"
	exit_row "the same, --on-unknown-exit=stop" 121 "^lkvm: vCPU 0 stopped: KVM can't emulate the guest's instruction 0x7c0006ff" \
		KVM_EXIT_UNKNOWN illegal -m 64 --on-unknown-exit=stop
	exit_row "the same, handler is illegal too" 121 "^lkvm: vCPU 0 stopped: .* 0x7c0006ff at pc 0x[0-9a-f]+, again and again" \
		KVM_EXIT_UNKNOWN illegal-unhandled -m 64
	exit_row "jump outside RAM" 121 "^lkvm: vCPU 0 stopped: instruction fetch fails at 0xd0000000: no memory" \
		nothing fetch-hole -m 64
	exit_row "jump into a device" 121 "^lkvm: vCPU 0 stopped: instruction fetch fails at 0xe00e00b0: device memory" \
		nothing fetch-device -m 64
	# The guest's own interrupts, of which KVM says nothing either.
	for guest in fetch-noexec fetch-unmapped fetch-hole-caught; do
		expect_status 0 lkvm run --firmware "${GUEST_TESTS:-/guest-tests}/$guest.bin" -m 64 --timeout 60
		expect_grep "^(instruction storage interrupt|instruction TLB miss|machine check)$" out
		[ ! -s err ] || fail "messages: $(cat err)"
		echo "row: $BED | $guest | nothing | nothing: the guest takes its own interrupt | 0"
	done
	exit_row "vectors without a TLB entry" 121 "^lkvm: vCPU 0 stopped: instruction fetch fails at 0x[0-9a-f]+: not mapped" \
		nothing vector-unmapped -m 64
	exit_row "MMIO outside devices" 0 "no device there" nothing mmio-hole -m 64 --debug-mmio
	;;
ppc64le* | powernv | powernv10)
	exit_row "jump outside RAM" 121 "^lkvm: vCPU 0 stopped: instruction fetch fails at 0x70000000: no memory behind" \
		nothing fetch-hole -m 16
	exit_row "hypercall that nobody serves" 0 "hypervisor call 0x104 \(H_VIO_SIGNAL\): H_FUNCTION" nothing hcall-hello \
		-m 16 --loglevel debug
	exit_row "MMIO outside devices" 0 "at MMIO 0x70000000: no device there" nothing mmio-hole -m 16 --debug-mmio
	;;
powernv8)
	# With a hash MMU both are faults of the guest's own, whose vectors hold nothing that can be executed.
	exit_row "jump outside RAM" 122 "^lkvm: guest hung: vCPU 0 is spinning at pc 0x700" nothing fetch-hole -m 16 \
		--stop-on-spin
	exit_row "load outside RAM" 122 "^lkvm: guest hung: vCPU 0 is spinning at pc 0x700" nothing mmio-hole -m 16 \
		--stop-on-spin
	exit_row "hypercall that nobody serves" 0 "hypervisor call 0x104 \(H_VIO_SIGNAL\): H_FUNCTION" nothing hcall-hello \
		-m 16 --loglevel debug
	;;
*)
	skip "no guests for $BED"
	;;
esac
