/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Constants of KVM that the oldest kernel headers lkvm is built with (Linux 6.1) do not have, each once.
 * Include it in place of <linux/kvm.h> where one of them is used.
 */
#ifndef LKVM_KVM_COMPAT_H
#define LKVM_KVM_COMPAT_H

#include <linux/kvm.h>

#ifndef KVM_CAP_VM_GPA_BITS
#define KVM_CAP_VM_GPA_BITS 207
#endif

#ifdef __aarch64__
/* Linux 6.16 */
#ifndef KVM_CAP_ARM_EL2
#define KVM_CAP_ARM_EL2      240
#define KVM_CAP_ARM_EL2_E2H0 241
#endif
#ifndef KVM_ARM_VCPU_HAS_EL2
#define KVM_ARM_VCPU_HAS_EL2 7
#endif
#ifndef KVM_ARM_VCPU_HAS_EL2_E2H0
#define KVM_ARM_VCPU_HAS_EL2_E2H0 8
#endif
#ifndef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
#define KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS 4
#endif
#endif /* __aarch64__ */

#ifdef __riscv
/* arch/riscv/include/uapi/asm/kvm.h */
#define LKVM_REG_RISCV(size, type, subtype, reg) \
	(KVM_REG_RISCV | (size) | (uint64_t)(type) << 24 | (uint64_t)(subtype) << 16 | (reg))

#ifndef KVM_EXIT_RISCV_CSR
#define KVM_EXIT_RISCV_CSR 36
#endif
#ifndef KVM_DEV_TYPE_RISCV_AIA
#define KVM_DEV_TYPE_RISCV_AIA 11
#endif
#ifndef KVM_DEV_RISCV_AIA_GRP_CONFIG
#define KVM_DEV_RISCV_AIA_GRP_CONFIG       0
#define KVM_DEV_RISCV_AIA_CONFIG_MODE      0
#define KVM_DEV_RISCV_AIA_CONFIG_IDS       1
#define KVM_DEV_RISCV_AIA_CONFIG_SRCS      2
#define KVM_DEV_RISCV_AIA_CONFIG_HART_BITS 5
#define KVM_DEV_RISCV_AIA_MODE_EMUL        0
#define KVM_DEV_RISCV_AIA_MODE_HWACCEL     1
#define KVM_DEV_RISCV_AIA_MODE_AUTO        2
#define KVM_DEV_RISCV_AIA_GRP_ADDR         1
#define KVM_DEV_RISCV_AIA_ADDR_APLIC       0
#define KVM_DEV_RISCV_AIA_ADDR_IMSIC(vcpu) (1 + (vcpu))
#define KVM_DEV_RISCV_AIA_GRP_CTRL         2
#define KVM_DEV_RISCV_AIA_CTRL_INIT        0
#endif
#endif /* __riscv */

#endif
