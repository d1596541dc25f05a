/* SPDX-License-Identifier: GPL-2.0-only */
/* Starts CPU 1 through PSCI; that one powers off. */
#include "tests/guest/arm64/guest.inc"

	/* A CPU that does not exist. */
	mov x1, #0xff00
	adr x2, second
	mov x3, #0
	psci PSCI_CPU_ON
	expect x0, -2, "CPU_ON of a CPU that is not there"
	mov x1, #1
	adr x2, second
	ldr x3, =0x5a5a
	psci PSCI_CPU_ON
	expect x0, 0, "CPU_ON"
1:	wfi
	b 1b

second:
	mov x20, x0
	expect x20, 0x5a5a, "context"
	mrs x15, mpidr_el1
	and x15, x15, #0xffffff
	expect x15, 1, "affinity"
	/* It is on already. */
	mov x1, #1
	adr x2, second
	psci PSCI_CPU_ON
	expect x0, -4, "CPU_ON of a CPU that is on"
	say "hello from CPU 1\n"
	poweroff

	uart_functions
