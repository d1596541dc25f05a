/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks for a reboot through SBI SRST. */
#include "tests/guest/riscv64/guest.inc"

	reset 1
