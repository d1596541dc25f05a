/* SPDX-License-Identifier: GPL-2.0-only */
/* What arm64's syndrome register and PSTATE say, in words. Pure. */
#ifndef ARM_ESR_H
#define ARM_ESR_H

#include "lkvm/types.h"

#define ARM_ESR_TEXT_BYTES    128
#define ARM_PSTATE_TEXT_BYTES 48

/* Exception class: ESR_ELx.EC. */
#define ARM_ESR_EC(esr) ((unsigned int)((esr) >> 26) & 0x3f)

/* "data abort from the same EL, translation fault, level 2, write" into @buf, which is returned. */
const char *arm_esr_text(uint64_t esr, char *buf, size_t size);

/* True if @esr can be the syndrome of an instruction or an abort: a known class, a 32-bit instruction. */
bool arm_esr_plausible(uint64_t esr);

/* "nZCv DAIF EL1h" into @buf, which is returned: what is set is in capitals. As kept in SPSR_ELx. */
const char *arm_pstate_text(uint64_t pstate, char *buf, size_t size);

/* True if @pstate is that of user mode: EL0, or AArch32's usr. */
bool arm_pstate_is_user(uint64_t pstate);

/* True if @pstate is that of EL2. */
bool arm_pstate_is_el2(uint64_t pstate);

/* True if @pstate uses the exception level's own stack pointer, not SP_EL0. */
bool arm_pstate_own_sp(uint64_t pstate);

/* True if @pstate is one of AArch32. */
bool arm_pstate_is_32bit(uint64_t pstate);
/* AArch32's name of general register X@n, n <= 30: "r0", "lr_svc". Static. */
const char *arm_aarch32_reg_name(unsigned int n);
/* Which of them are sp and lr in the mode that @pstate, of AArch32, is in. */
void arm_aarch32_bank(uint64_t pstate, unsigned int *sp, unsigned int *lr);

#endif
