// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/rtas.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"

/* The argument block: token, number of arguments, number of results, then these (LoPAR, "RTAS Argument Call Buffer"). */
#define ARGS_HEADER_BYTES 12
#define MAX_ARGS          16
#define MAX_RESULTS       16

/* A panic message, of whatever length, and how much of it is looked at. */
#define OS_TERM_BYTES     160

/* ibm,change-msi functions (LoPAR, "MSI Support"): all but "query" mean MSI-X here, as no device has plain MSI. */
#define CHANGE_MSI_QUERY  0
#define CHANGE_MSI_DEFAULT 1
#define CHANGE_MSI_MSI    3
#define CHANGE_MSI_MSIX   4
#define INTERRUPT_TYPE_MSIX 2
#define INTERRUPT_EDGE    1

struct call {
	struct ppc_rtas *rtas;
	uint32_t nr_args, nr_results;
	uint32_t args[MAX_ARGS];
	uint32_t results[MAX_RESULTS]; /* beyond the status */
};

/* ---- power and console -------------------------------------------------------------------------- */

static int display_character(struct call *c)
{
	char byte = (char)c->args[0];

	c->rtas->ops->console_write(c->rtas->ctx, &byte, 1);
	return RTAS_SUCCESS;
}

/* LoPAR, get-time-of-day: year, month, day, hour, minute, second, nanoseconds; UTC. */
static int get_time_of_day(struct call *c)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!gmtime_r(&now.tv_sec, &tm))
		return RTAS_HARDWARE_ERROR;
	c->results[0] = (uint32_t)tm.tm_year + 1900;
	c->results[1] = (uint32_t)tm.tm_mon + 1;
	c->results[2] = (uint32_t)tm.tm_mday;
	c->results[3] = (uint32_t)tm.tm_hour;
	c->results[4] = (uint32_t)tm.tm_min;
	c->results[5] = (uint32_t)tm.tm_sec;
	c->results[6] = (uint32_t)now.tv_nsec;
	return RTAS_SUCCESS;
}

static int power_off(struct call *c)
{
	c->rtas->ops->power_off(c->rtas->ctx);
	return RTAS_SUCCESS;
}

static int system_reboot(struct call *c)
{
	c->rtas->ops->reboot(c->rtas->ctx);
	return RTAS_SUCCESS;
}

/* LoPAR, ibm,os-term: the address of a string. "ibm,extended-os-term" in the tree says that the call returns. */
static int os_term(struct call *c)
{
	char text[OS_TERM_BYTES] = "";

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char byte;

		if (memory_read(c->rtas->memory, (gpa_t)c->args[0] + i, &byte, 1) || byte < ' ' || byte > '~')
			break;
		text[i] = byte;
	}
	c->rtas->ops->os_term(c->rtas->ctx, text);
	return RTAS_SUCCESS;
}

/* ---- CPUs --------------------------------------------------------------------------------------- */

static int start_cpu(struct call *c)
{
	return c->rtas->ops->start_cpu(c->rtas->ctx, c->args[0], c->args[1], c->args[2]);
}

static int stop_self(struct call *c)
{
	c->rtas->ops->stop_self(c->rtas->ctx);
	return RTAS_SUCCESS;
}

static int query_cpu_stopped_state(struct call *c)
{
	int state = c->rtas->ops->cpu_state(c->rtas->ctx, c->args[0]);

	if (state < 0)
		return RTAS_PARAMETER_ERROR;
	c->results[0] = (uint32_t)state;
	return RTAS_SUCCESS;
}

/* ---- PCI ---------------------------------------------------------------------------------------- */

/*
 * Config_addr (LoPAR, "PCI Configuration Space"): bus in bits 23:16, device and function in 15:8, register in 7:0 and its upper four
 * bits in 31:28.
 */
static unsigned int config_bdf(uint32_t addr)
{
	return addr >> 8 & 0xffff;
}

static unsigned int config_offset(uint32_t addr)
{
	return (addr & 0xff) | (addr >> 20 & 0xf00);
}

static bool is_bridge(const struct call *c, uint32_t buid_hi, uint32_t buid_lo)
{
	return c->rtas->pci && ((uint64_t)buid_hi << 32 | buid_lo) == c->rtas->buid;
}

static int config_read(struct call *c, uint32_t addr, uint32_t size)
{
	if (size != 1 && size != 2 && size != 4)
		return RTAS_PARAMETER_ERROR;
	c->results[0] = pci_config_read(c->rtas->pci, config_bdf(addr), config_offset(addr), size);
	return RTAS_SUCCESS;
}

static int config_write(struct call *c, uint32_t addr, uint32_t size, uint32_t value)
{
	if (size != 1 && size != 2 && size != 4)
		return RTAS_PARAMETER_ERROR;
	pci_config_write(c->rtas->pci, config_bdf(addr), config_offset(addr), size, value);
	return RTAS_SUCCESS;
}

static int read_pci_config(struct call *c)
{
	return c->rtas->pci ? config_read(c, c->args[0], c->args[1]) : RTAS_HARDWARE_ERROR;
}

static int write_pci_config(struct call *c)
{
	return c->rtas->pci ? config_write(c, c->args[0], c->args[1], c->args[2]) : RTAS_HARDWARE_ERROR;
}

static int ibm_read_pci_config(struct call *c)
{
	if (!is_bridge(c, c->args[1], c->args[2]))
		return RTAS_PARAMETER_ERROR;
	return config_read(c, c->args[0], c->args[3]);
}

static int ibm_write_pci_config(struct call *c)
{
	if (!is_bridge(c, c->args[1], c->args[2]))
		return RTAS_PARAMETER_ERROR;
	return config_write(c, c->args[0], c->args[3], c->args[4]);
}

/*
 * The guest never writes messages into MSI-X tables itself: it asks for a number of interrupts, and reads back what
 * has been programmed.
 */
static int ibm_change_msi(struct call *c)
{
	uint32_t bdf = config_bdf(c->args[0]);
	uint32_t function = c->args[3];
	uint32_t wanted = c->args[4];
	unsigned int vectors;

	if (!is_bridge(c, c->args[1], c->args[2]))
		return RTAS_PARAMETER_ERROR;
	vectors = pci_msix_vectors(c->rtas->pci, bdf);
	if (!vectors)
		return RTAS_PARAMETER_ERROR;
	if (function == CHANGE_MSI_MSI && wanted)
		return RTAS_PARAMETER_ERROR;
	if (function != CHANGE_MSI_QUERY && function != CHANGE_MSI_DEFAULT && function != CHANGE_MSI_MSI &&
	    function != CHANGE_MSI_MSIX)
		return RTAS_PARAMETER_ERROR;
	if (function == CHANGE_MSI_QUERY || wanted > vectors)
		wanted = vectors;
	for (uint32_t i = 0; function != CHANGE_MSI_QUERY && i < wanted; i++)
		if (pci_msix_program(c->rtas->pci, bdf, i, c->rtas->msi_address,
				     c->rtas->msi_source[bdf >> 3] + i))
			return RTAS_HARDWARE_ERROR;
	c->results[0] = wanted;
	c->results[1] = c->args[5] + 1; /* sequence number; one call is always enough */
	c->results[2] = INTERRUPT_TYPE_MSIX;
	return RTAS_SUCCESS;
}

static int ibm_query_interrupt_source_number(struct call *c)
{
	uint32_t bdf = config_bdf(c->args[0]);

	if (!is_bridge(c, c->args[1], c->args[2]) || c->args[3] >= pci_msix_vectors(c->rtas->pci, bdf))
		return RTAS_PARAMETER_ERROR;
	c->results[0] = c->rtas->msi_source[bdf >> 3] + c->args[3];
	c->results[1] = INTERRUPT_EDGE;
	return RTAS_SUCCESS;
}

int ppc_rtas_assign_msis(struct ppc_rtas *rtas, uint32_t first, uint32_t nr)
{
	uint32_t used = 0;

	for (unsigned int slot = 0; rtas->pci && slot < PCI_MAX_DEVICES; slot++) {
		unsigned int vectors = pci_msix_vectors(rtas->pci, slot << 3);

		rtas->msi_source[slot] = first + used;
		if (vectors > nr - used) {
			log_error("too many interrupts: the PCI devices of this guest want more than %u MSIs", nr);
			return -ENOSPC;
		}
		used += vectors;
	}
	return (int)used;
}

/* ---- calls -------------------------------------------------------------------------------------- */

/* "ibm,extended-os-term" only says that ibm,os-term returns. */
static int nothing(struct call *c)
{
	(void)c;
	return RTAS_SUCCESS;
}

/* A call's token is PPC_RTAS_TOKEN_FIRST plus its position here. */
static const struct {
	const char *name;
	int (*serve)(struct call *c); /* NULL: KVM serves it */
	uint32_t    nr_args;
	uint32_t    nr_results; /* without the status */
} services[] = {
	{ "display-character", display_character, 1, 0 },
	{ "get-time-of-day", get_time_of_day, 0, 7 },
	{ "power-off", power_off, 2, 0 },
	{ "system-reboot", system_reboot, 0, 0 },
	{ "ibm,os-term", os_term, 1, 0 },
	{ "ibm,extended-os-term", nothing, 0, 0 },
	{ "start-cpu", start_cpu, 3, 0 },
	{ "stop-self", stop_self, 0, 0 },
	{ "query-cpu-stopped-state", query_cpu_stopped_state, 1, 1 },
	{ "read-pci-config", read_pci_config, 2, 1 },
	{ "write-pci-config", write_pci_config, 3, 0 },
	{ "ibm,read-pci-config", ibm_read_pci_config, 4, 1 },
	{ "ibm,write-pci-config", ibm_write_pci_config, 5, 0 },
	{ "ibm,change-msi", ibm_change_msi, 6, 3 },
	{ "ibm,query-interrupt-source-number", ibm_query_interrupt_source_number, 4, 2 },
	{ "ibm,set-xive", NULL, 3, 0 },
	{ "ibm,get-xive", NULL, 1, 2 },
	{ "ibm,int-on", NULL, 1, 0 },
	{ "ibm,int-off", NULL, 1, 0 },
};

const char *ppc_rtas_name(unsigned int i)
{
	return i < ARRAY_SIZE(services) ? services[i].name : NULL;
}

bool ppc_rtas_in_kernel(unsigned int i)
{
	return i < ARRAY_SIZE(services) && !services[i].serve;
}

uint32_t ppc_rtas_token(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(services); i++)
		if (!strcmp(services[i].name, name))
			return PPC_RTAS_TOKEN_FIRST + i;
	return 0;
}

/* Status and results of a call; a guest that gave less room for results gets fewer. */
static void store_results(const struct call *c, uint8_t *block, int status)
{
	uint8_t *out = block + ARGS_HEADER_BYTES + (size_t)c->nr_args * 4;

	if (c->nr_results)
		put_be32(out, (uint32_t)status);
	for (uint32_t i = 1; i < c->nr_results; i++)
		put_be32(out + (size_t)i * 4, c->results[i - 1]);
}

int ppc_rtas_call(struct ppc_rtas *rtas, gpa_t args)
{
	struct call c = { .rtas = rtas };
	uint8_t *block = memory_ptr(rtas->memory, args, ARGS_HEADER_BYTES);
	uint32_t service;
	int status = RTAS_PARAMETER_ERROR;

	if (!block)
		return -EFAULT;
	service = get_be32(block) - PPC_RTAS_TOKEN_FIRST;
	c.nr_args = get_be32(block + 4);
	c.nr_results = get_be32(block + 8);
	if (c.nr_args > MAX_ARGS || c.nr_results > MAX_RESULTS)
		return -EFAULT;
	block = memory_ptr(rtas->memory, args, ARGS_HEADER_BYTES + ((size_t)c.nr_args + c.nr_results) * 4);
	if (!block)
		return -EFAULT;
	for (uint32_t i = 0; i < c.nr_args; i++)
		c.args[i] = get_be32(block + ARGS_HEADER_BYTES + (size_t)i * 4);

	if (service >= ARRAY_SIZE(services))
		log_debug("RTAS call 0x%x: there is no such service", get_be32(block));
	else if (!services[service].serve)
		status = rtas->ops->start_interrupts(rtas->ctx);
	else if (c.nr_args >= services[service].nr_args)
		status = services[service].serve(&c);
	if (status == RTAS_SUCCESS && ppc_rtas_in_kernel(service)) {
		store_results(&c, block, RTAS_BUSY);
		return -EAGAIN;
	}
	store_results(&c, block, status);
	return 0;
}

const void *ppc_rtas_code(size_t *size_bytes)
{
	static const uint8_t code[] = {
		0x7c, 0x64, 0x1b, 0x78, /* mr  r4, r3        the argument block */
		0x3c, 0x60, 0x00, 0x00, /* lis r3, 0 */
		0x60, 0x63, 0xf0, 0x00, /* ori r3, r3, 0xf000 KVMPPC_H_RTAS */
		0x44, 0x00, 0x00, 0x22, /* sc  1             which leaves r4 as it is */
		0x2c, 0x03, 0x00, 0x01, /* cmpwi r3, 1       H_BUSY: from now on it is KVM's */
		0x41, 0x82, 0xff, 0xf0, /* beq .-16 */
		0x4e, 0x80, 0x00, 0x20, /* blr */
	};

	*size_bytes = sizeof(code);
	return code;
}
