/* SPDX-License-Identifier: GPL-2.0-only */
/* Jumps into the UART's registers; the trap handler is there, too. */
#include "tests/guest/riscv64/guest.inc"

	li t0, UART_BASE
	csrw stvec, t0
	jalr t0
