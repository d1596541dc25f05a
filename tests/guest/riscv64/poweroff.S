/* SPDX-License-Identifier: GPL-2.0-only */
/* Powers off through SBI SRST. */
#include "tests/guest/riscv64/guest.inc"

	reset 0
