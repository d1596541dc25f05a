/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the bare-metal x86 guests share. They are entered at 1 MiB in 64-bit mode, memory mapped one to one up to
 * 4 GiB, interrupts off, registers 0: no stack. Ports and addresses are those of x86/layout.h.
 */
#ifndef TESTS_GUEST_X86_64_LIB_H
#define TESTS_GUEST_X86_64_LIB_H

#define COM1           0x3f8
#define COM1_LSR       (COM1 + 5)
#define LSR_THRE       0x20
#define I8042_COMMAND  0x64
#define I8042_RESET    0xfe
#define SLEEP_CONTROL  0x600
#define SLEEP_S5       0x34
#define LAPIC          0xfee00000
#define LAPIC_SVR      0x0f0
#define LAPIC_ESR      0x280
#define LAPIC_ICR_LOW  0x300
#define LAPIC_ICR_HIGH 0x310
/* Between the PCI window and virtio-mmio: nothing is there. */
#define MMIO_HOLE      0xe4000000
#define STACK_TOP      0x90000

/* Ends the VM with status 0. Clobbers rax, rdx. */
.macro POWEROFF
	mov	$SLEEP_CONTROL, %dx
	mov	$SLEEP_S5, %al
	out	%al, %dx
9997:	hlt
	jmp	9997b
.endm

/* Prints the NUL-terminated text at \label. Clobbers rax, rdx, rsi. */
.macro PRINT label
	lea	\label(%rip), %rsi
9990:	mov	$COM1_LSR, %dx
9991:	in	%dx, %al
	test	$LSR_THRE, %al
	jz	9991b
	lodsb
	test	%al, %al
	jz	9992f
	mov	$COM1, %dx
	out	%al, %dx
	jmp	9990b
9992:
.endm

/* Says what went wrong and stays: the test ends by --timeout, not with status 0. */
.macro FAIL label
	PRINT	\label
9998:	hlt
	jmp	9998b
.endm

#endif
