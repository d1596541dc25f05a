// SPDX-License-Identifier: GPL-2.0-only
#include "arm/reg-names.h"

#include <stdio.h>
#include <strings.h>

/* arch/arm64/include/uapi/asm/kvm.h */
#define ARCH_ARM64      0x60
#define ID_ARCH(id)     ((unsigned int)((id) >> 56))
#define ID_COPROC(id)   ((unsigned int)((id) >> 16) & 0xfff)
#define ID_LOW(id)      ((unsigned int)(id) & 0xffff)
#define COPROC_CORE     0x10
#define COPROC_DEMUX    0x11
#define COPROC_SYSREG   0x13
#define COPROC_FW       0x14
#define COPROC_SVE      0x15
#define COPROC_FW_FEAT  0x16
#define SIZE_U64        UINT64_C(0x0030000000000000)

#define SYS(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

/* Arm DDI0487, chapter D24; those that KVM lists for a vCPU. */
static const struct {
	uint16_t    encoding;
	const char *name;
} sysregs[] = {
	{ SYS(3, 0, 0, 0, 0), "MIDR_EL1" }, { SYS(3, 0, 0, 0, 5), "MPIDR_EL1" }, { SYS(3, 0, 0, 0, 6), "REVIDR_EL1" },
	{ SYS(3, 0, 0, 1, 0), "ID_PFR0_EL1" }, { SYS(3, 0, 0, 1, 1), "ID_PFR1_EL1" },
	{ SYS(3, 0, 0, 1, 2), "ID_DFR0_EL1" }, { SYS(3, 0, 0, 1, 3), "ID_AFR0_EL1" },
	{ SYS(3, 0, 0, 1, 4), "ID_MMFR0_EL1" }, { SYS(3, 0, 0, 1, 5), "ID_MMFR1_EL1" },
	{ SYS(3, 0, 0, 1, 6), "ID_MMFR2_EL1" }, { SYS(3, 0, 0, 1, 7), "ID_MMFR3_EL1" },
	{ SYS(3, 0, 0, 2, 0), "ID_ISAR0_EL1" }, { SYS(3, 0, 0, 2, 1), "ID_ISAR1_EL1" },
	{ SYS(3, 0, 0, 2, 2), "ID_ISAR2_EL1" }, { SYS(3, 0, 0, 2, 3), "ID_ISAR3_EL1" },
	{ SYS(3, 0, 0, 2, 4), "ID_ISAR4_EL1" }, { SYS(3, 0, 0, 2, 5), "ID_ISAR5_EL1" },
	{ SYS(3, 0, 0, 2, 6), "ID_MMFR4_EL1" }, { SYS(3, 0, 0, 2, 7), "ID_ISAR6_EL1" },
	{ SYS(3, 0, 0, 3, 0), "MVFR0_EL1" }, { SYS(3, 0, 0, 3, 1), "MVFR1_EL1" }, { SYS(3, 0, 0, 3, 2), "MVFR2_EL1" },
	{ SYS(3, 0, 0, 3, 4), "ID_PFR2_EL1" }, { SYS(3, 0, 0, 3, 5), "ID_DFR1_EL1" },
	{ SYS(3, 0, 0, 3, 6), "ID_MMFR5_EL1" },
	{ SYS(3, 0, 0, 4, 0), "ID_AA64PFR0_EL1" }, { SYS(3, 0, 0, 4, 1), "ID_AA64PFR1_EL1" },
	{ SYS(3, 0, 0, 4, 2), "ID_AA64PFR2_EL1" }, { SYS(3, 0, 0, 4, 4), "ID_AA64ZFR0_EL1" },
	{ SYS(3, 0, 0, 4, 5), "ID_AA64SMFR0_EL1" }, { SYS(3, 0, 0, 4, 7), "ID_AA64FPFR0_EL1" },
	{ SYS(3, 0, 0, 5, 0), "ID_AA64DFR0_EL1" }, { SYS(3, 0, 0, 5, 1), "ID_AA64DFR1_EL1" },
	{ SYS(3, 0, 0, 5, 2), "ID_AA64DFR2_EL1" },
	{ SYS(3, 0, 0, 5, 4), "ID_AA64AFR0_EL1" }, { SYS(3, 0, 0, 5, 5), "ID_AA64AFR1_EL1" },
	{ SYS(3, 0, 0, 6, 0), "ID_AA64ISAR0_EL1" }, { SYS(3, 0, 0, 6, 1), "ID_AA64ISAR1_EL1" },
	{ SYS(3, 0, 0, 6, 2), "ID_AA64ISAR2_EL1" }, { SYS(3, 0, 0, 6, 3), "ID_AA64ISAR3_EL1" },
	{ SYS(3, 0, 0, 7, 0), "ID_AA64MMFR0_EL1" }, { SYS(3, 0, 0, 7, 1), "ID_AA64MMFR1_EL1" },
	{ SYS(3, 0, 0, 7, 2), "ID_AA64MMFR2_EL1" }, { SYS(3, 0, 0, 7, 3), "ID_AA64MMFR3_EL1" },
	{ SYS(3, 0, 0, 7, 4), "ID_AA64MMFR4_EL1" },
	{ SYS(3, 0, 1, 0, 0), "SCTLR_EL1" }, { SYS(3, 0, 1, 0, 1), "ACTLR_EL1" }, { SYS(3, 0, 1, 0, 2), "CPACR_EL1" },
	{ SYS(3, 0, 1, 0, 3), "SCTLR2_EL1" }, { SYS(3, 0, 1, 0, 5), "RGSR_EL1" }, { SYS(3, 0, 1, 0, 6), "GCR_EL1" },
	{ SYS(3, 0, 1, 2, 0), "ZCR_EL1" }, { SYS(3, 0, 2, 0, 0), "TTBR0_EL1" }, { SYS(3, 0, 2, 0, 1), "TTBR1_EL1" },
	{ SYS(3, 0, 2, 0, 2), "TCR_EL1" }, { SYS(3, 0, 2, 0, 3), "TCR2_EL1" },
	{ SYS(3, 0, 2, 1, 0), "APIAKEYLO_EL1" }, { SYS(3, 0, 2, 1, 1), "APIAKEYHI_EL1" },
	{ SYS(3, 0, 2, 1, 2), "APIBKEYLO_EL1" }, { SYS(3, 0, 2, 1, 3), "APIBKEYHI_EL1" },
	{ SYS(3, 0, 2, 2, 0), "APDAKEYLO_EL1" }, { SYS(3, 0, 2, 2, 1), "APDAKEYHI_EL1" },
	{ SYS(3, 0, 2, 2, 2), "APDBKEYLO_EL1" }, { SYS(3, 0, 2, 2, 3), "APDBKEYHI_EL1" },
	{ SYS(3, 0, 2, 3, 0), "APGAKEYLO_EL1" }, { SYS(3, 0, 2, 3, 1), "APGAKEYHI_EL1" },
	{ SYS(3, 0, 5, 1, 0), "AFSR0_EL1" }, { SYS(3, 0, 5, 1, 1), "AFSR1_EL1" }, { SYS(3, 0, 5, 2, 0), "ESR_EL1" },
	{ SYS(3, 0, 5, 6, 0), "TFSR_EL1" }, { SYS(3, 0, 5, 6, 1), "TFSRE0_EL1" }, { SYS(3, 0, 6, 0, 0), "FAR_EL1" },
	{ SYS(3, 0, 7, 4, 0), "PAR_EL1" }, { SYS(3, 0, 9, 14, 1), "PMINTENSET_EL1" },
	{ SYS(3, 0, 9, 14, 2), "PMINTENCLR_EL1" }, { SYS(3, 0, 9, 14, 6), "PMMIR_EL1" },
	{ SYS(3, 0, 10, 2, 0), "MAIR_EL1" }, { SYS(3, 0, 10, 2, 2), "PIRE0_EL1" }, { SYS(3, 0, 10, 2, 3), "PIR_EL1" },
	{ SYS(3, 0, 10, 2, 4), "POR_EL1" }, { SYS(3, 0, 10, 3, 0), "AMAIR_EL1" }, { SYS(3, 0, 12, 0, 0), "VBAR_EL1" },
	{ SYS(3, 0, 12, 1, 1), "DISR_EL1" }, { SYS(3, 0, 13, 0, 1), "CONTEXTIDR_EL1" },
	{ SYS(3, 0, 13, 0, 4), "TPIDR_EL1" }, { SYS(3, 0, 14, 1, 0), "CNTKCTL_EL1" },
	{ SYS(3, 1, 0, 0, 1), "CLIDR_EL1" }, { SYS(3, 1, 0, 0, 6), "SMIDR_EL1" }, { SYS(3, 1, 0, 0, 7), "AIDR_EL1" },
	{ SYS(3, 2, 0, 0, 0), "CSSELR_EL1" }, { SYS(3, 3, 0, 0, 1), "CTR_EL0" }, { SYS(3, 3, 4, 2, 2), "SVCR" },
	{ SYS(3, 3, 4, 4, 2), "FPMR" },
	{ SYS(3, 3, 9, 12, 0), "PMCR_EL0" }, { SYS(3, 3, 9, 12, 1), "PMCNTENSET_EL0" },
	{ SYS(3, 3, 9, 12, 2), "PMCNTENCLR_EL0" }, { SYS(3, 3, 9, 12, 3), "PMOVSCLR_EL0" },
	{ SYS(3, 3, 9, 12, 4), "PMSWINC_EL0" }, { SYS(3, 3, 9, 12, 5), "PMSELR_EL0" },
	{ SYS(3, 3, 9, 13, 0), "PMCCNTR_EL0" }, { SYS(3, 3, 9, 14, 0), "PMUSERENR_EL0" },
	{ SYS(3, 3, 9, 14, 3), "PMOVSSET_EL0" }, { SYS(3, 3, 14, 15, 7), "PMCCFILTR_EL0" },
	{ SYS(3, 3, 10, 2, 4), "POR_EL0" }, { SYS(3, 3, 13, 0, 2), "TPIDR_EL0" }, { SYS(3, 3, 13, 0, 3), "TPIDRRO_EL0" },
	{ SYS(3, 3, 13, 0, 7), "SCXTNUM_EL0" }, { SYS(3, 0, 13, 0, 7), "SCXTNUM_EL1" },
	/* KVM has the next two the wrong way round, for ever (KVM-API 4.68). */
	{ SYS(3, 3, 14, 3, 2), "KVM_TIMER_CNT" }, { SYS(3, 3, 14, 0, 2), "KVM_TIMER_CVAL" },
	{ SYS(3, 3, 14, 3, 1), "CNTV_CTL_EL0" }, { SYS(3, 3, 14, 0, 1), "CNTPCT_EL0" },
	{ SYS(3, 3, 14, 2, 1), "CNTP_CTL_EL0" }, { SYS(3, 3, 14, 2, 2), "CNTP_CVAL_EL0" },
	{ SYS(2, 0, 0, 2, 0), "MDCCINT_EL1" }, { SYS(2, 0, 0, 2, 2), "MDSCR_EL1" }, { SYS(2, 0, 1, 1, 4), "OSLSR_EL1" },
	{ SYS(2, 4, 0, 7, 0), "DBGVCR32_EL2" },
	{ SYS(3, 4, 3, 0, 0), "DACR32_EL2" }, { SYS(3, 4, 5, 0, 1), "IFSR32_EL2" }, { SYS(3, 4, 5, 3, 0), "FPEXC32_EL2" },
};

static const char *const fw_names[] = {
	"psci_version", "smccc_arch_workaround_1", "smccc_arch_workaround_2", "smccc_arch_workaround_3",
};
static const char *const fw_feat_names[] = { "std_bmap", "std_hyp_bmap", "vendor_hyp_bmap", "vendor_hyp_bmap_2" };

static void sysreg_name(unsigned int e, char *buf, size_t size)
{
	unsigned int op0 = e >> 14, op1 = e >> 11 & 7, crn = e >> 7 & 15, crm = e >> 3 & 15, op2 = e & 7;
	unsigned int n = (crm & 3) << 3 | op2;

	for (size_t i = 0; i < ARRAY_SIZE(sysregs); i++)
		if (sysregs[i].encoding == e) {
			snprintf(buf, size, "%s", sysregs[i].name);
			return;
		}
	if (op0 == 3 && op1 == 3 && crn == 14 && crm >= 8 && n < 31)
		snprintf(buf, size, crm < 12 ? "PMEVCNTR%u_EL0" : "PMEVTYPER%u_EL0", n);
	else if (op0 == 2 && op1 == 0 && crn == 0 && op2 >= 4)
		snprintf(buf, size, op2 == 4 ? "DBGBVR%u_EL1" : op2 == 5 ? "DBGBCR%u_EL1" :
			 op2 == 6 ? "DBGWVR%u_EL1" : "DBGWCR%u_EL1", crm);
	else
		snprintf(buf, size, "S%u_%u_C%u_C%u_%u", op0, op1, crn, crm, op2);
}

/* Offsets in struct kvm_regs, in words of 32 bits. */
static void core_name(unsigned int offset, char *buf, size_t size)
{
	static const struct {
		unsigned int offset;
		const char  *name;
	} others[] = {
		{ 62, "sp" }, { 64, "pc" }, { 66, "pstate" }, { 68, "sp_el1" }, { 70, "elr_el1" }, { 72, "spsr_el1" },
		{ 74, "spsr_abt" }, { 76, "spsr_und" }, { 78, "spsr_irq" }, { 80, "spsr_fiq" }, { 212, "fpsr" },
		{ 213, "fpcr" },
	};

	if (offset < 62 && offset % 2 == 0)
		snprintf(buf, size, "core.x%u", offset / 2);
	else if (offset >= 84 && offset < 212 && offset % 4 == 0)
		snprintf(buf, size, "core.v%u", (offset - 84) / 4);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (others[i].offset == offset)
			snprintf(buf, size, "core.%s", others[i].name);
}

/* Registers of 2048 bits (Z) and 256 bits (P, FFR) in slices of that; KVM_REG_ARM64_SVE_VLS. */
static void sve_name(unsigned int low, char *buf, size_t size)
{
	unsigned int n = low >> 5;

	if (low == 0xffff)
		snprintf(buf, size, "sve.vls");
	else if (n < 32)
		snprintf(buf, size, "sve.z%u.%u", n, low & 31);
	else if (n < 48)
		snprintf(buf, size, "sve.p%u.%u", n - 32, low & 31);
	else if (n == 48)
		snprintf(buf, size, "sve.ffr.%u", low & 31);
}

void arm_reg_name(uint64_t id, char *buf, size_t size)
{
	unsigned int low = ID_LOW(id);

	buf[0] = '\0';
	if (ID_ARCH(id) != ARCH_ARM64)
		return;
	switch (ID_COPROC(id)) {
	case COPROC_CORE:
		core_name(low, buf, size);
		break;
	case COPROC_DEMUX:
		snprintf(buf, size, "demux.ccsidr%u", low & 0xff);
		break;
	case COPROC_SYSREG:
		sysreg_name(low, buf, size);
		break;
	case COPROC_FW:
		if (low < ARRAY_SIZE(fw_names))
			snprintf(buf, size, "fw.%s", fw_names[low]);
		break;
	case COPROC_SVE:
		sve_name(low, buf, size);
		break;
	case COPROC_FW_FEAT:
		if (low < ARRAY_SIZE(fw_feat_names))
			snprintf(buf, size, "fw_feat.%s", fw_feat_names[low]);
		break;
	default:
		break;
	}
}

static uint64_t sysreg_of(unsigned int encoding)
{
	return (uint64_t)ARCH_ARM64 << 56 | SIZE_U64 | (uint64_t)COPROC_SYSREG << 16 | encoding;
}

uint64_t arm_sysreg_id(const char *name)
{
	unsigned int op0, op1, crn, crm, op2;
	char end;

	for (size_t i = 0; i < ARRAY_SIZE(sysregs); i++)
		if (!strcasecmp(sysregs[i].name, name))
			return sysreg_of(sysregs[i].encoding);
	if (sscanf(name, "S%1u_%1u_C%2u_C%2u_%1u%c", &op0, &op1, &crn, &crm, &op2, &end) == 5 && op0 < 4 && op1 < 8 &&
	    crn < 16 && crm < 16 && op2 < 8)
		return sysreg_of(SYS(op0, op1, crn, crm, op2));
	return 0;
}
