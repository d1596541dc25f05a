// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/hcall.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"
#include "powerpc/hcall-names.h"
#include "powerpc/xive-hcall.h"

/* What a vterm call moves: two registers full (LoPAR, "Vterm Support"). */
#define TERM_BYTES 16

/* H_SET_MODE resources (LoPAR, H_SET_MODE). KVM serves breakpoints itself. */
#define MODE_RESOURCE_AIL 3 /* address translation mode on interrupt */
#define MODE_RESOURCE_ILE 4 /* byte order of interrupts */

#define PROC_TBL_MAX_SIZE     24 /* 2^(12 + 24) bytes */

/*
 * A device register or memory by its real address, for guests that have translation off (LoPAR, "Processor Cache
 * and I/O Load/Store hcall()s"). The
 * value is a big-endian one, whatever the guest.
 */
static int64_t ci_load(struct ppc_hcalls *h, struct ppc_hcall *call)
{
	uint64_t len = call->args[0];
	gpa_t addr = call->args[1];
	uint8_t bytes[8];

	if (len != 1 && len != 2 && len != 4 && len != 8)
		return H_PARAMETER;
	if (memory_read(h->memory, addr, bytes, len))
		(void)bus_access(h->mmio, addr, bytes, (unsigned int)len, false);
	call->args[0] = get_be(bytes, (unsigned int)len);
	return H_SUCCESS;
}

static int64_t ci_store(struct ppc_hcalls *h, const struct ppc_hcall *call)
{
	uint64_t len = call->args[0];
	gpa_t addr = call->args[1];
	uint8_t bytes[8];

	if (len != 1 && len != 2 && len != 4 && len != 8)
		return H_PARAMETER;
	put_be(bytes, (unsigned int)len, call->args[2]);
	if (memory_write(h->memory, addr, bytes, len))
		(void)bus_access(h->mmio, addr, bytes, (unsigned int)len, true);
	return H_SUCCESS;
}

/* H_PUT_TCE_INDIRECT takes a list that fits a page (LoPAR). */
#define TCE_LIST_ENTRIES 512

/* The entry for bus address @ioba and the @nr - 1 that follow it; NULL if there are no such ones. */
static _Atomic uint64_t *find_tces(struct ppc_hcalls *h, uint64_t liobn, uint64_t ioba, uint64_t nr)
{
	if (!h->liobn || liobn != h->liobn || !range_within(ioba >> PPC_TCE_SHIFT, nr, 0, ARRAY_SIZE(h->tces)))
		return NULL;
	return &h->tces[ioba >> PPC_TCE_SHIFT];
}

static int64_t get_tce(struct ppc_hcalls *h, struct ppc_hcall *call)
{
	_Atomic uint64_t *tce = find_tces(h, call->args[0], call->args[1], 1);

	if (!tce)
		return H_PARAMETER;
	call->args[0] = *tce;
	return H_SUCCESS;
}

/* The same value into @nr entries. */
static int64_t put_tces(struct ppc_hcalls *h, const struct ppc_hcall *call, uint64_t nr)
{
	_Atomic uint64_t *tce = find_tces(h, call->args[0], call->args[1], nr);

	if (!tce)
		return H_PARAMETER;
	for (uint64_t i = 0; i < nr; i++)
		tce[i] = call->args[2];
	return H_SUCCESS;
}

static int64_t put_tce_indirect(struct ppc_hcalls *h, const struct ppc_hcall *call)
{
	uint64_t nr = call->args[3];
	_Atomic uint64_t *tce = find_tces(h, call->args[0], call->args[1], nr);
	const uint8_t *list = memory_ptr(h->memory, call->args[2], nr * 8);

	if (!tce || nr > TCE_LIST_ENTRIES || !list)
		return H_PARAMETER;
	for (uint64_t i = 0; i < nr; i++)
		tce[i] = get_be64(list + i * 8);
	return H_SUCCESS;
}

/* The index of the terminal at @unit, PPC_MAX_VTYS if there is none. */
static unsigned int find_vty(const struct ppc_hcalls *h, uint64_t unit)
{
	unsigned int i;

	for (i = 0; i < PPC_MAX_VTYS; i++)
		if (unit && unit == h->vtys[i])
			break;
	return i;
}

/* The characters are the bytes of two registers, the first one the most significant. */
static int64_t put_term_char(struct ppc_hcalls *h, const struct ppc_hcall *call)
{
	unsigned int vty = find_vty(h, call->args[0]);
	uint8_t bytes[TERM_BYTES];

	if (vty == PPC_MAX_VTYS || call->args[1] > TERM_BYTES)
		return H_PARAMETER;
	put_be64(bytes, call->args[2]);
	put_be64(bytes + 8, call->args[3]);
	h->ops->vty_write(h->ctx, vty, bytes, (size_t)call->args[1]);
	return H_SUCCESS;
}

/*
 * A reply ends with a carriage return: Linux takes a NUL behind one for a mistake of the hypervisor, and drops it
 * (drivers/tty/hvc/hvc_vio.c, hvterm_raw_get_chars()).
 */
static int64_t get_term_char(struct ppc_hcalls *h, struct ppc_hcall *call)
{
	unsigned int vty = find_vty(h, call->args[0]);
	uint8_t bytes[TERM_BYTES] = { 0 };

	if (vty == PPC_MAX_VTYS)
		return H_PARAMETER;
	call->args[0] = 0;
	while (call->args[0] < sizeof(bytes) && h->ops->vty_read(h->ctx, vty, bytes + call->args[0], 1))
		if (bytes[call->args[0]++] == '\r')
			break;
	call->args[1] = get_be64(bytes);
	call->args[2] = get_be64(bytes + 8);
	return H_SUCCESS;
}

static int64_t set_mode(struct ppc_hcalls *h, const struct ppc_hcall *call)
{
	uint64_t flags = call->args[0];

	switch (call->args[1]) {
	case MODE_RESOURCE_ILE:
	case MODE_RESOURCE_AIL:
		break;
	default:
		return H_P2;
	}
	if (call->args[2])
		return H_P3;
	if (call->args[3])
		return H_P4;
	if (call->args[1] == MODE_RESOURCE_ILE)
		return flags > 1 ? H_UNSUPPORTED_FLAG_0 :
		       h->ops->set_lpcr(h->ctx, flags ? PPC_LPCR_ILE : 0, PPC_LPCR_ILE);
	/* 0: off, 3: at the guest's 0xc000_0000_0000_4000; 2 is 0x18000, which KVM does not have. */
	if (flags != 0 && flags != 3)
		return H_UNSUPPORTED_FLAG_0;
	return h->ops->set_lpcr(h->ctx, flags << PPC_LPCR_AIL_SHIFT, PPC_LPCR_AIL);
}

/*
 * Not in LoPAR's public edition; as Linux calls it (arch/powerpc/platforms/pseries/lpar.c). What the guest's MMU
 * is was settled when it was made, so it can't change from radix to hash or back.
 */
static int64_t register_proc_tbl(struct ppc_hcalls *h, const struct ppc_hcall *call)
{
	uint64_t flags = call->args[0];
	uint64_t base = call->args[1], page_size = call->args[2], size = call->args[3];
	uint64_t table = h->process_table;
	int64_t ret;

	if (flags & ~(uint64_t)(PPC_PROC_TBL_MODIFY | PPC_PROC_TBL_REGISTER | PPC_PROC_TBL_RADIX |
				PPC_PROC_TBL_SEGMENTS | PPC_PROC_TBL_GTSE))
		return H_PARAMETER;
	if (!(flags & PPC_PROC_TBL_MODIFY) || (flags & PPC_PROC_TBL_REGISTER))
		if (!(flags & PPC_PROC_TBL_RADIX) != !h->radix)
			return H_PARAMETER;
	if (flags & PPC_PROC_TBL_MODIFY) {
		table = h->radix ? PPC_PATE1_RADIX : 0;
		if (flags & PPC_PROC_TBL_REGISTER) {
			if (!h->radix) /* the kernels of hash guests have segment lookaside buffers, no tables */
				return H_PARAMETER;
			if (base & 0xfff || base >> 60)
				return H_P2;
			if (page_size)
				return H_P3;
			if (size > PROC_TBL_MAX_SIZE)
				return H_P4;
			table |= base | size;
		}
	}
	ret = h->ops->set_process_table(h->ctx, (h->radix ? PPC_PROC_TBL_RADIX : 0) |
					(uint32_t)(flags & PPC_PROC_TBL_GTSE), table);
	if (!ret)
		h->process_table = table;
	return ret;
}

static int64_t get_cpu_characteristics(struct ppc_hcalls *h, struct ppc_hcall *call)
{
	return h->ops->cpu_characteristics(h->ctx, &call->args[0], &call->args[1]) ? H_SUCCESS : H_FUNCTION;
}

/* The code of RTAS in the guest (ppc_rtas_code()) tries again for as long as it is told H_BUSY. */
static int64_t rtas_call(struct ppc_hcalls *h, const struct ppc_hcall *call)
{
	int ret = ppc_rtas_call(h->rtas, call->args[0]);

	return ret == -EAGAIN ? H_BUSY : ret ? H_PARAMETER : H_SUCCESS;
}

void ppc_hcall_serve(struct ppc_hcalls *h, struct ppc_hcall *call)
{
	const char *name;

	switch (call->nr) {
	case H_GET_TCE:
		call->ret = get_tce(h, call);
		break;
	case H_PUT_TCE:
		call->ret = put_tces(h, call, 1);
		break;
	case H_STUFF_TCE:
		call->ret = put_tces(h, call, call->args[3]);
		break;
	case H_PUT_TCE_INDIRECT:
		call->ret = put_tce_indirect(h, call);
		break;
	case H_LOGICAL_CI_LOAD:
		call->ret = ci_load(h, call);
		break;
	case H_LOGICAL_CI_STORE:
		call->ret = ci_store(h, call);
		break;
	case H_GET_TERM_CHAR:
		call->ret = get_term_char(h, call);
		break;
	case H_PUT_TERM_CHAR:
		call->ret = put_term_char(h, call);
		break;
	case H_SET_MODE:
		call->ret = set_mode(h, call);
		break;
	case H_REGISTER_PROC_TBL:
		call->ret = register_proc_tbl(h, call);
		break;
	case H_GET_CPU_CHARACTERISTICS:
		call->ret = get_cpu_characteristics(h, call);
		break;
	case KVMPPC_H_RTAS:
		call->ret = rtas_call(h, call);
		break;
	default:
		if (h->xive && ppc_xive_serve(h->xive, call))
			break;
		/* Guests find out in this way what a hypervisor has. */
		name = ppc_hcall_name(call->nr);
		log_debug("hypervisor call 0x%" PRIx64 " (%s): H_FUNCTION", call->nr, name ? name : "no name");
		call->ret = H_FUNCTION;
		break;
	}
}
