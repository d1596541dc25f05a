// SPDX-License-Identifier: GPL-2.0-only
#include "tests/unit/vm-fixture.h"

#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/fake-kvm.h"

static int firmware_fd = -1;

void vm_fixture_config(struct config *cfg)
{
	static const uint8_t code[64] = { 0x13 };
	char path[64];

	firmware_fd = memfd_create("firmware", MFD_CLOEXEC);
	if (firmware_fd < 0 || write(firmware_fd, code, sizeof(code)) != (ssize_t)sizeof(code))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", firmware_fd);
	config_init(cfg);
	cfg->firmware = strdup(path);
	cfg->ram_bytes = 64ull << 20;
	cfg->console_log = strdup("/dev/null");
}

void vm_fixture_free(struct config *cfg)
{
	config_free(cfg);
	close(firmware_fd);
	firmware_fd = -1;
}

unsigned int vm_fixture_cpus(unsigned int wanted)
{
#if defined(__powerpc__) && !defined(__powerpc64__)
	return wanted ? 1 : 0;
#else
	return wanted;
#endif
}

void vm_fixture_host(void)
{
#ifdef __riscv
	const uint64_t base = KVM_REG_RISCV | KVM_REG_SIZE_U64;

	fake_kvm_set_reg(base | KVM_REG_RISCV_CONFIG | 0, 0x112d); /* isa: imafdc */
	fake_kvm_set_reg(base | KVM_REG_RISCV_CONFIG | 1, 64);     /* zicbom block size */
	fake_kvm_set_reg(base | KVM_REG_RISCV_CONFIG | 6, 8);      /* satp_mode: Sv39 */
	fake_kvm_set_reg(base | KVM_REG_RISCV_TIMER | 0, 10000000);
	fake_kvm_set_reg(base | KVM_REG_RISCV_SBI_EXT | KVM_RISCV_SBI_EXT_DBCN, 0);
#endif
}

void vm_fixture_pc_in_hole(void)
{
#if defined(__riscv)
	fake_kvm_set_reg(KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_CORE |
			 KVM_REG_RISCV_CORE_REG(regs.pc), 0);
#elif defined(__aarch64__)
	fake_kvm_set_reg(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(regs.pc), 0);
#endif
}
