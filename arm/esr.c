// SPDX-License-Identifier: GPL-2.0-only
/* Arm DDI0487 D19.2.37 "ESR_EL1" and C5.2.18 "SPSR_EL1". */
#include "arm/esr.h"

#include <inttypes.h>
#include <stdio.h>

/* Exception classes. */
#define EC_IABT_LOW 0x20
#define EC_IABT_CUR 0x21
#define EC_DABT_LOW 0x24
#define EC_DABT_CUR 0x25

#define ESR_IL (1u << 25) /* a 32-bit instruction, or an abort of which that is not known */

/* ISS of aborts. */
#define ISS_FSC(esr) ((unsigned int)(esr) & 0x3f)
#define ISS_WNR      (1u << 6)
#define ISS_CM       (1u << 8) /* a cache maintenance instruction, for which WnR tells nothing */

/* PSTATE as in SPSR_ELx. */
#define PSTATE_M_MASK 0xf
#define PSTATE_M_SPSEL (1u << 0)
#define PSTATE_AARCH32 (1u << 4)

static const char *class_name(unsigned int ec)
{
	switch (ec) {
	case 0x00: return "undefined instruction, or none";
	case 0x01: return "trapped WFI or WFE";
	case 0x07: return "access to SVE, SIMD or floating point";
	case 0x09: return "trapped pointer authentication";
	case 0x0a: return "trapped 64-byte load or store";
	case 0x0d: return "branch target exception";
	case 0x0e: return "illegal execution state";
	case 0x11: return "SVC in AArch32";
	case 0x12: return "HVC in AArch32";
	case 0x13: return "SMC in AArch32";
	case 0x15: return "SVC";
	case 0x16: return "HVC";
	case 0x17: return "SMC";
	case 0x18: return "trapped system register access";
	case 0x19: return "access to SVE";
	case 0x1c: return "pointer authentication failure";
	case 0x1d: return "access to SME";
	case EC_IABT_LOW: return "instruction abort from a lower EL";
	case EC_IABT_CUR: return "instruction abort from the same EL";
	case 0x22: return "misaligned pc";
	case EC_DABT_LOW: return "data abort from a lower EL";
	case EC_DABT_CUR: return "data abort from the same EL";
	case 0x26: return "misaligned sp";
	case 0x27: return "memory copy or set exception";
	case 0x2c: return "floating-point exception";
	case 0x2d: return "guarded control stack exception";
	case 0x2f: return "SError";
	case 0x30: return "breakpoint from a lower EL";
	case 0x31: return "breakpoint from the same EL";
	case 0x32: return "single step from a lower EL";
	case 0x33: return "single step from the same EL";
	case 0x34: return "watchpoint from a lower EL";
	case 0x35: return "watchpoint from the same EL";
	case 0x38: return "BKPT in AArch32";
	case 0x3c: return "BRK";
	default: return NULL;
	}
}

/* Fault status code; those of kinds that come per level of the page tables leave out the level. */
static const char *fault_name(unsigned int fsc, bool *leveled)
{
	*leveled = false;
	switch (fsc) {
	case 0x10: return "external abort";
	case 0x11: return "tag check fault";
	case 0x18: return "parity or ECC error";
	case 0x21: return "alignment fault";
	case 0x30: return "TLB conflict";
	case 0x31: return "unsupported atomic update";
	case 0x34: return "implementation defined (lockdown)";
	case 0x35: return "unsupported exclusive or atomic access";
	default: break;
	}
	*leveled = true;
	switch (fsc & ~3u) {
	case 0x00: return "address size fault";
	case 0x04: return "translation fault";
	case 0x08: return "access flag fault";
	case 0x0c: return "permission fault";
	case 0x14: return "external abort on a page table walk";
	case 0x1c: return "parity or ECC error on a page table walk";
	default: return NULL;
	}
}

const char *arm_esr_text(uint64_t esr, char *buf, size_t size)
{
	unsigned int ec = ARM_ESR_EC(esr);
	bool data = ec == EC_DABT_LOW || ec == EC_DABT_CUR;
	const char *name = class_name(ec);
	const char *fault;
	char level[16] = "";
	bool leveled;

	if (!name) {
		snprintf(buf, size, "exception class 0x%02x", ec);
		return buf;
	}
	if (!data && ec != EC_IABT_LOW && ec != EC_IABT_CUR) {
		snprintf(buf, size, "%s", name);
		return buf;
	}
	fault = fault_name(ISS_FSC(esr), &leveled);
	if (fault && leveled)
		snprintf(level, sizeof(level), ", level %u", ISS_FSC(esr) & 3);
	snprintf(buf, size, "%s, %s%s%s", name, fault ? fault : "unknown fault", level,
		 !data ? "" : esr & ISS_CM ? ", cache maintenance" : esr & ISS_WNR ? ", write" : ", read");
	return buf;
}

bool arm_esr_plausible(uint64_t esr)
{
	return esr <= UINT32_MAX && (esr & ESR_IL) && ARM_ESR_EC(esr) && class_name(ARM_ESR_EC(esr));
}

bool arm_pstate_is_user(uint64_t pstate)
{
	/* AArch32's modes are numbers of their own: 0 is usr. */
	return pstate & PSTATE_AARCH32 ? !(pstate & PSTATE_M_MASK) : !((pstate & PSTATE_M_MASK) >> 2);
}

bool arm_pstate_is_el2(uint64_t pstate)
{
	return !(pstate & PSTATE_AARCH32) && (pstate & PSTATE_M_MASK) >> 2 == 2;
}

bool arm_pstate_own_sp(uint64_t pstate)
{
	return !(pstate & PSTATE_AARCH32) && pstate & PSTATE_M_SPSEL;
}

const char *arm_pstate_text(uint64_t pstate, char *buf, size_t size)
{
	/* From bit 31 down, and from bit 9 down: set or clear. */
	char flags[] = "nzcv", masks[] = "daif";
	char mode[16];

	for (unsigned int i = 0; i < 4; i++) {
		if (pstate >> (31 - i) & 1)
			flags[i] = (char)(flags[i] - 'a' + 'A');
		if (pstate >> (9 - i) & 1)
			masks[i] = (char)(masks[i] - 'a' + 'A');
	}
	if (pstate & PSTATE_AARCH32)
		snprintf(mode, sizeof(mode), "AArch32 0x%02x", (unsigned int)pstate & 0x1f);
	else if ((pstate & PSTATE_M_MASK) >> 2)
		snprintf(mode, sizeof(mode), "EL%u%c", (unsigned int)(pstate & PSTATE_M_MASK) >> 2,
			 pstate & PSTATE_M_SPSEL ? 'h' : 't');
	else
		snprintf(mode, sizeof(mode), "EL0");
	snprintf(buf, size, "%s %s %s", flags, masks, mode);
	return buf;
}

bool arm_pstate_is_32bit(uint64_t pstate)
{
	return pstate & PSTATE_AARCH32;
}

/* Where AArch64 sees the registers of AArch32's modes (Arm DDI0487 D1.7.1). */
static const char *const aarch32_regs[31] = {
	"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp_usr", "lr_usr", "sp_hyp",
	"lr_irq", "sp_irq", "lr_svc", "sp_svc", "lr_abt", "sp_abt", "lr_und", "sp_und", "r8_fiq", "r9_fiq", "r10_fiq",
	"r11_fiq", "r12_fiq", "sp_fiq", "lr_fiq",
};

const char *arm_aarch32_reg_name(unsigned int n)
{
	return aarch32_regs[n];
}

void arm_aarch32_bank(uint64_t pstate, unsigned int *sp, unsigned int *lr)
{
	switch (pstate & PSTATE_M_MASK) {
	case 0x1: /* FIQ */
		*sp = 29, *lr = 30;
		return;
	case 0x2: /* IRQ */
		*sp = 17, *lr = 16;
		return;
	case 0x3: /* supervisor */
		*sp = 19, *lr = 18;
		return;
	case 0x7: /* abort */
		*sp = 21, *lr = 20;
		return;
	case 0xb: /* undefined */
		*sp = 23, *lr = 22;
		return;
	default: /* user and system */
		*sp = 13, *lr = 14;
		return;
	}
}
