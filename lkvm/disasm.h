/* SPDX-License-Identifier: GPL-2.0-only */
/* One instruction in words, of any arch on any machine, where capstone is built in. */
#ifndef LKVM_DISASM_H
#define LKVM_DISASM_H

#include "lkvm/types.h"

enum disasm_cpu {
	DISASM_RISCV64, /* needs capstone 5 */
	DISASM_ARM64,
	DISASM_PPC32,   /* big-endian, Book E */
	DISASM_PPC64,   /* big-endian */
	DISASM_PPC64LE,
	DISASM_X86_16,
	DISASM_X86_32,
	DISASM_X86_64,
};

/*
 * Writes the instruction at @code, which the guest has at @addr, to @text: "mfspr 3, 0x3f8". Returns its length
 * in bytes; 0 if these bytes are no instruction, or no disassembler for @cpu is built in: then @text is empty.
 */
unsigned int disasm_one(enum disasm_cpu cpu, uint64_t addr, const uint8_t *code, size_t len, char *text,
			size_t size);

#endif
