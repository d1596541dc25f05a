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

#define DISASM_TEXT_BYTES 80

/* Which of them runs code of @bits on @arch (arch_name). False: none. */
bool disasm_find_cpu(const char *arch, unsigned int bits, bool big_endian, enum disasm_cpu *cpu);

/* Length of the instruction at @code as far as its encoding tells without capstone; 0: it does not, or is cut. */
unsigned int disasm_length(enum disasm_cpu cpu, const uint8_t *code, size_t len);

/*
 * Writes the instruction at @code, which the guest has at @addr, to @text: "mfspr 3, 0x3f8". Returns its length
 * in bytes; 0 if these bytes are no instruction, or no disassembler for @cpu is built in: then @text is empty.
 */
unsigned int disasm_one(enum disasm_cpu cpu, uint64_t addr, const uint8_t *code, size_t len, char *text,
			size_t size);

#endif
