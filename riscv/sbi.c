// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/sbi.h"

#include <inttypes.h>
#include <string.h>

#include "lkvm/log.h"
#include "riscv/isa.h"

/*
 * The most that one DBCN call moves. The guest is told how much it was and calls again for the rest
 * (SBI 3.0 §12.1), so a huge buffer can't hold the vCPU, and with it a pause or stop, for long.
 */
#define DBCN_MAX_BYTES 4096

/*
 * The guest memory of a DBCN buffer: @bytes at physical address @hi:@lo. NULL unless all of it is
 * guest RAM. With 64-bit registers the address has 128 bits, of which the upper half must be zero.
 */
static void *dbcn_buffer(struct riscv_sbi *sbi, uint64_t bytes, uint64_t lo, uint64_t hi)
{
	return hi ? NULL : memory_ptr(sbi->memory, lo, bytes);
}

static void dbcn(struct riscv_sbi *sbi, struct riscv_sbi_call *call)
{
	uint64_t bytes = call->args[0];
	uint8_t byte;
	void *buf;

	switch (call->function) {
	case SBI_DBCN_WRITE:
	case SBI_DBCN_READ:
		/* The whole buffer counts, even if less of it is used. */
		buf = dbcn_buffer(sbi, bytes, call->args[1], call->args[2]);
		if (!bytes)
			break;
		if (!buf) {
			call->error = SBI_ERR_INVALID_PARAM;
			break;
		}
		bytes = MIN(bytes, DBCN_MAX_BYTES);
		if (call->function == SBI_DBCN_WRITE) {
			sbi->ops->console_write(sbi->ctx, buf, (size_t)bytes);
			call->value = bytes;
		} else {
			call->value = sbi->ops->console_read(sbi->ctx, buf, (size_t)bytes);
		}
		break;
	case SBI_DBCN_WRITE_BYTE:
		byte = (uint8_t)call->args[0];
		sbi->ops->console_write(sbi->ctx, &byte, 1);
		break;
	default:
		call->error = SBI_ERR_NOT_SUPPORTED;
		break;
	}
}

/* Legacy calls return in a0 alone: a1 keeps what it was (SBI 3.0 chapter 5). */
static void legacy_putchar(struct riscv_sbi *sbi, struct riscv_sbi_call *call)
{
	uint8_t byte = (uint8_t)call->args[0];

	sbi->ops->console_write(sbi->ctx, &byte, 1);
	call->value = call->args[1];
}

static void legacy_getchar(struct riscv_sbi *sbi, struct riscv_sbi_call *call)
{
	uint8_t byte;

	call->error = sbi->ops->console_read(sbi->ctx, &byte, 1) ? byte : -1;
	call->value = call->args[1];
}

/*
 * KVM asks user space whether the experimental and vendor extensions exist. None does here. (Value 0 with
 * success: probing never fails.)
 */
static void base(struct riscv_sbi_call *call)
{
	if (call->function != SBI_BASE_PROBE_EXTENSION)
		call->error = SBI_ERR_NOT_SUPPORTED;
}

void riscv_sbi_handle(struct riscv_sbi *sbi, struct riscv_sbi_call *call)
{
	const struct riscv_sbi_ext *ext;

	call->error = SBI_SUCCESS;
	call->value = 0;
	switch (call->extension) {
	case SBI_EXT_LEGACY_PUTCHAR:
		legacy_putchar(sbi, call);
		return;
	case SBI_EXT_LEGACY_GETCHAR:
		legacy_getchar(sbi, call);
		return;
	case SBI_EXT_BASE:
		base(call);
		break;
	case SBI_EXT_DBCN:
		dbcn(sbi, call);
		break;
	case SBI_EXT_SUSP:
		/* KVM has checked the sleep type and that all other harts are stopped. */
		if (call->function == SBI_SUSP_SYSTEM_SUSPEND)
			sbi->ops->suspend(sbi->ctx);
		else
			call->error = SBI_ERR_NOT_SUPPORTED;
		break;
	default:
		call->error = SBI_ERR_NOT_SUPPORTED;
		break;
	}
	if (call->error == SBI_ERR_NOT_SUPPORTED) {
		ext = riscv_sbi_by_eid(call->extension);
		log_debug("SBI call 0x%" PRIx64 " (%s) function %" PRIu64 " is not supported",
			  call->extension, ext ? ext->name : "unknown", call->function);
	}
}
