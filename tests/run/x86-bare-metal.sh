# Bare-metal guests, one behaviour each: ends, console, holes, failures, a second CPU.
# arch: x86_64
# native: yes
# timeout: 120
# needs: lkvm guest-tests
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

bare() { # STATUS GUEST OPTIONS...
	want=$1 guest=$2
	shift 2
	expect_status "$want" lkvm run --nodefaults --firmware "$guests/$guest.bin" --timeout 30 "$@"
}

for irqchip in kernel split; do
	bare 0 poweroff --irqchip $irqchip
	bare 0 reboot --irqchip $irqchip
	bare 0 reboot-cf9 --irqchip $irqchip
	bare 0 uart-hello --irqchip $irqchip
	expect_grep "^hello from bare metal on x86_64$" out
	bare 0 smp --irqchip $irqchip --cpus 2
	expect_grep "^two CPUs run$" out
	bare 0 smp --irqchip $irqchip --cpus 4
done

bare 0 mmio-hole
expect_grep "^holes read as ones$" out

# Each report names the reason and shows the guest's registers.
bare 121 triple-fault
expect_grep "KVM_EXIT_SHUTDOWN" err
expect_grep "rbx 000000007219e0fa|SVM loses the guest's in a triple fault" err
expect_grep "=> [0-9a-f]+  0f 0b|SVM loses" err
bare 121 bad-fetch
expect_grep "instruction fetch failed|triple fault" err

bare 124 hlt-forever --timeout 1
