// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/disasm.h"

#include <stdio.h>
#include <string.h>

bool disasm_find_cpu(const char *arch, unsigned int bits, bool big_endian, enum disasm_cpu *cpu)
{
	if (!strcmp(arch, "x86_64"))
		*cpu = bits == 64 ? DISASM_X86_64 : bits == 32 ? DISASM_X86_32 : DISASM_X86_16;
	else if (!strcmp(arch, "riscv64"))
		*cpu = DISASM_RISCV64;
	else if (!strcmp(arch, "arm64") && bits == 64)
		*cpu = DISASM_ARM64;
	else if (!strcmp(arch, "ppc64le"))
		*cpu = big_endian ? DISASM_PPC64 : DISASM_PPC64LE;
	else if (!strcmp(arch, "ppc"))
		*cpu = DISASM_PPC32;
	else
		return false;
	return true;
}

unsigned int disasm_length(enum disasm_cpu cpu, const uint8_t *code, size_t len)
{
	unsigned int length = 4;

	if (cpu == DISASM_X86_16 || cpu == DISASM_X86_32 || cpu == DISASM_X86_64)
		return 0;
	/* RISC-V unprivileged ISA §1.5: the two lowest bits tell 16-bit instructions. */
	if (cpu == DISASM_RISCV64 && len && (code[0] & 3) != 3)
		length = 2;
	return length <= len ? length : 0;
}

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>

static const struct {
	cs_arch arch;
	int     mode; /* cs_mode bits, whose last is the sign of an int in capstone 4 */
} cpus[] = {
#if CS_API_MAJOR >= 5
	[DISASM_RISCV64] = { CS_ARCH_RISCV, CS_MODE_RISCV64 | CS_MODE_RISCVC },
#else
	[DISASM_RISCV64] = { CS_ARCH_MAX, 0 },
#endif
	[DISASM_ARM64] = { CS_ARCH_ARM64, CS_MODE_ARM },
	[DISASM_PPC32] = { CS_ARCH_PPC, CS_MODE_32 | (int)CS_MODE_BIG_ENDIAN },
	[DISASM_PPC64] = { CS_ARCH_PPC, CS_MODE_64 | (int)CS_MODE_BIG_ENDIAN },
	[DISASM_PPC64LE] = { CS_ARCH_PPC, CS_MODE_64 },
	[DISASM_X86_16] = { CS_ARCH_X86, CS_MODE_16 },
	[DISASM_X86_32] = { CS_ARCH_X86, CS_MODE_32 },
	[DISASM_X86_64] = { CS_ARCH_X86, CS_MODE_64 },
};

unsigned int disasm_one(enum disasm_cpu cpu, uint64_t addr, const uint8_t *code, size_t len, char *text,
			size_t size)
{
	unsigned int used = 0;
	cs_insn *insn;
	csh handle;

	text[0] = '\0';
	if ((unsigned int)cpu >= ARRAY_SIZE(cpus) || !cs_support((int)cpus[cpu].arch) ||
	    cs_open(cpus[cpu].arch, (cs_mode)cpus[cpu].mode, &handle) != CS_ERR_OK)
		return 0;
	if (cs_disasm(handle, code, len, addr, 1, &insn) == 1) {
		used = insn->size;
		snprintf(text, size, "%s%s%s", insn->mnemonic, insn->op_str[0] ? " " : "", insn->op_str);
		cs_free(insn, 1);
	}
	cs_close(&handle);
	return used;
}
#else
unsigned int disasm_one(enum disasm_cpu cpu LKVM_UNUSED, uint64_t addr LKVM_UNUSED, const uint8_t *code LKVM_UNUSED,
			size_t len LKVM_UNUSED, char *text, size_t size LKVM_UNUSED)
{
	text[0] = '\0';
	return 0;
}
#endif
