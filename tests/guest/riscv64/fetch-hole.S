/* SPDX-License-Identifier: GPL-2.0-only */
/* Jumps to a place where no RAM is: KVM_RUN fails with EOPNOTSUPP there. */
#include "tests/guest/riscv64/guest.inc"

	li t0, 0x70000000
	jr t0
