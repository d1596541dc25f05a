/* SPDX-License-Identifier: GPL-2.0-only */
	.section .rodata.guest_init, "a"
	.balign 16
	.globl guest_init_start
guest_init_start:
	.incbin "guest-init"
	.globl guest_init_end
guest_init_end:
	.section .note.GNU-stack, "", %progbits
