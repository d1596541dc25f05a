/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SBI calls that KVM hands to user space: the debug console (DBCN), the legacy console (v0.1), system
 * suspend (SUSP), and whatever KVM has no use for (MPXY, experimental and vendor extensions). All others
 * are served in the kernel or answered there; disabling one does not bring it here. Pure: what a call
 * does to the outside goes through struct riscv_sbi_ops.
 * (RISC-V SBI specification 3.0)
 */
#ifndef RISCV_SBI_H
#define RISCV_SBI_H

#include "lkvm/memory.h"
#include "lkvm/types.h"

/* Extension ids. */
#define SBI_EXT_LEGACY_PUTCHAR 0x1
#define SBI_EXT_LEGACY_GETCHAR 0x2
#define SBI_EXT_BASE           0x10
#define SBI_EXT_DBCN           0x4442434e
#define SBI_EXT_SUSP           0x53555350

/* Function ids. */
#define SBI_BASE_PROBE_EXTENSION   3
#define SBI_DBCN_WRITE             0
#define SBI_DBCN_READ              1
#define SBI_DBCN_WRITE_BYTE        2
#define SBI_SUSP_SYSTEM_SUSPEND    0

/* Error codes, chapter "Binary Encoding". */
#define SBI_SUCCESS            0
#define SBI_ERR_FAILED        (-1)
#define SBI_ERR_NOT_SUPPORTED (-2)
#define SBI_ERR_INVALID_PARAM (-3)
#define SBI_ERR_DENIED        (-4)

/* One call, as registers a7, a6, a0..a5 in and a0, a1 out. */
struct riscv_sbi_call {
	uint64_t extension;
	uint64_t function;
	uint64_t args[6];
	int64_t  error; /* a0; the result itself for the legacy extensions */
	uint64_t value; /* a1 */
};

/* Where calls take effect. All on the calling vCPU's thread. */
struct riscv_sbi_ops {
	/* Guest output. May block until the host has taken it. */
	void (*console_write)(void *ctx, const void *buf, size_t len);
	/* Takes what was typed, at most @len bytes; 0 if there is nothing. Never waits. */
	size_t (*console_read)(void *ctx, void *buf, size_t len);
	/*
	 * Suspends the system: the vCPU must not run on before a wake-up event. Its registers have been set
	 * for the resumption by KVM, so this can't fail any more.
	 */
	void (*suspend)(void *ctx);
};

struct riscv_sbi {
	const struct riscv_sbi_ops *ops;
	void                       *ctx;
	const struct memory        *memory;
};

/* Serves @call on any vCPU thread; several at once are legal. Always fills the results. */
void riscv_sbi_handle(struct riscv_sbi *sbi, struct riscv_sbi_call *call);

#endif
