/* SPDX-License-Identifier: GPL-2.0-only */
/* A 32-bit guest (--aarch32), in A32 instructions: says hello, and powers off by PSCI. */
	.section .text.start, "ax"
	.globl _start
_start:
	.word 0xe3a01409 /*    mov    r1, #0x09000000   the UART */
	.word 0xe28f201c /*    add    r2, pc, #28       the text */
	.word 0xe4d20001 /* 1: ldrb   r0, [r2], #1 */
	.word 0xe3500000 /*    cmp    r0, #0 */
	.word 0x15c10000 /*    strbne r0, [r1] */
	.word 0x1afffffb /*    bne    1b */
	.word 0xe3a00484 /*    mov    r0, #0x84000000   SYSTEM_OFF (Arm DEN0022 §5.10) */
	.word 0xe3800008 /*    orr    r0, r0, #8 */
	.word 0xe1400070 /*    hvc    #0 */
	.word 0xeafffffe /* 2: b      2b */
	.asciz "hello in 32 bits\n"
	.balign 4
