// SPDX-License-Identifier: GPL-2.0-only
#include "x86/acpi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/pci.h"
#include "x86/aml.h"
#include "x86/checksum.h"
#include "x86/cmos.h"
#include "x86/layout.h"
#include "x86/power.h"

/* Sections and tables are those of ACPI 6.5. */
#define RSDP_BYTES   36  /* §5.2.5.3 */
#define RSDP_V1_BYTES 20 /* what its first checksum covers */
#define HEADER_BYTES 36  /* §5.2.6 */
#define FADT_BYTES   276 /* §5.2.9, revision 6 */
#define MADT_BYTES   44  /* §5.2.12, before its entries */
#define MCFG_BYTES   60  /* PCI firmware 3.3 §4.1.2, one segment */
#define TABLE_ALIGN  16
#define MAX_TABLES   3   /* that the XSDT points to */

/* Header fields. */
#define HEADER_LENGTH   4
#define HEADER_CHECKSUM 9

/* FADT fields (table 5.9). */
#define FADT_DSDT           40
#define FADT_CENTURY        108
#define FADT_BOOT_ARCH      109
#define FADT_FLAGS          112
#define FADT_RESET_REG      116
#define FADT_RESET_VALUE    128
#define FADT_MINOR          131
#define FADT_X_DSDT         140
#define FADT_SLEEP_CONTROL  244
#define FADT_SLEEP_STATUS   256

#define BOOT_ARCH_LEGACY    (1u << 0) /* ISA devices: the UART */
#define BOOT_ARCH_NO_VGA    (1u << 2)
#define BOOT_ARCH_NO_ASPM   (1u << 4)

#define FLAG_WBINVD         (1u << 0)
#define FLAG_PROC_C1        (1u << 2)
#define FLAG_NO_PWR_BUTTON  (1u << 4)
#define FLAG_NO_SLP_BUTTON  (1u << 5)
#define FLAG_RESET_REG      (1u << 10)
#define FLAG_HW_REDUCED     (1u << 20)

#define CMOS_CENTURY        0x32 /* cmos.c keeps it there */

/* Generic address structure (§5.2.3.2). */
#define GAS_SYSTEM_IO 1
#define GAS_BYTE      1

/* MADT entries (§5.2.12.2 ff.). */
#define MADT_LAPIC       0
#define MADT_IOAPIC      1
#define MADT_LAPIC_NMI   4
#define MADT_PCAT_COMPAT (1u << 0) /* there are PICs */
#define MADT_ENABLED     (1u << 0)
#define MADT_ALL_CPUS    0xff

struct builder {
	gpa_t    gpa;
	uint8_t *buf;
	size_t   size;
	size_t   len;
	gpa_t    tables[MAX_TABLES]; /* for the XSDT */
	unsigned int nr_tables;
};

/* Takes @len zeroed bytes, or returns NULL when there is no room. */
static uint8_t *take(struct builder *b, size_t len, gpa_t *gpa)
{
	size_t start = (size_t)align_up(b->len, TABLE_ALIGN);

	if (start > b->size || len > b->size - start)
		return NULL;
	memset(b->buf + b->len, 0, start + len - b->len);
	b->len = start + len;
	*gpa = b->gpa + start;
	return b->buf + start;
}

static void finish_table(uint8_t *table, const char *signature, uint8_t revision, size_t len)
{
	memcpy(table, signature, 4);
	put_le32(table + HEADER_LENGTH, (uint32_t)len);
	table[8] = revision;
	memcpy(table + 10, "LKVM  ", 6);
	memcpy(table + 16, "LKVMX86 ", 8);
	put_le32(table + 24, 1);
	memcpy(table + 28, "LKVM", 4);
	put_le32(table + 32, 1);
	x86_set_checksum(table, len, HEADER_CHECKSUM);
}

/* ---- DSDT --------------------------------------------------------------------------------------- */

/* All slots, as devices are not told apart here: pin of slot N is wired to line (pin + N) mod 4. */
static void add_prt(struct aml *aml, const struct machine_pci *pci)
{
	size_t prt, entry;

	aml_name(aml, "_PRT");
	prt = aml_package(aml, PCI_MAX_DEVICES * 4);
	for (unsigned int slot = 0; slot < PCI_MAX_DEVICES; slot++) {
		for (unsigned int pin = 0; pin < 4; pin++) {
			entry = aml_package(aml, 4);
			aml_integer(aml, slot << 16 | 0xffff); /* any function */
			aml_integer(aml, pin);
			aml_integer(aml, 0); /* the next is a GSI */
			aml_integer(aml, pci->intx_irq[(pin + slot) % 4]);
			aml_end(aml, entry);
		}
	}
	aml_end(aml, prt);
}

static void add_pci(struct aml *aml, const struct machine_pci *pci)
{
	size_t dev, res;

	dev = aml_device(aml, "PCI0");
	aml_name(aml, "_HID");
	aml_eisa_id(aml, "PNP0A08"); /* PCI Express: configuration space is the MCFG's */
	aml_name(aml, "_CID");
	aml_eisa_id(aml, "PNP0A03");
	aml_name_integer(aml, "_UID", 0);
	aml_name_integer(aml, "_SEG", 0);
	aml_name_integer(aml, "_BBN", 0);
	aml_name(aml, "_CRS");
	res = aml_resources(aml);
	aml_bridge_bus(aml, 0, (uint16_t)(pci->ecam.size_bytes / MIB(1) - 1));
	aml_io(aml, 0xcf8, 8);
	aml_bridge_io(aml, 0, 0xcf7);
	aml_bridge_io(aml, 0xd00, 0xffff);
	aml_bridge_memory32(aml, (uint32_t)pci->mem32.base,
			    (uint32_t)(pci->mem32.base + pci->mem32.size_bytes - 1));
	if (pci->mem64.size_bytes)
		aml_bridge_memory64(aml, pci->mem64.base,
				    pci->mem64.base + pci->mem64.size_bytes - 1);
	aml_resources_end(aml, res);
	add_prt(aml, pci);
	aml_end(aml, dev);

	/* Linux uses the MCFG only if this or e820 says that the memory is not free for others. */
	dev = aml_device(aml, "ECAM");
	aml_name(aml, "_HID");
	aml_eisa_id(aml, "PNP0C02");
	aml_name_integer(aml, "_UID", 0);
	aml_name(aml, "_CRS");
	res = aml_resources(aml);
	aml_memory32(aml, (uint32_t)pci->ecam.base, (uint32_t)pci->ecam.size_bytes);
	aml_resources_end(aml, res);
	aml_end(aml, dev);
}

/* Linux knows the ports without it, but not their interrupts: there are no ISA ones without the PIC. */
static void add_uart(struct aml *aml, const struct machine_device *d)
{
	bool second = d->base == X86_PORT_COM2;
	size_t dev, res;

	dev = aml_device(aml, second ? "COM2" : "COM1");
	aml_name(aml, "_HID");
	aml_eisa_id(aml, "PNP0501");
	aml_name_integer(aml, "_UID", second ? 2 : 1);
	aml_name(aml, "_CRS");
	res = aml_resources(aml);
	aml_io(aml, (uint16_t)d->base, (uint8_t)d->size_bytes);
	aml_interrupt(aml, d->irq, false, false);
	aml_resources_end(aml, res);
	aml_end(aml, dev);
}

static void add_rtc(struct aml *aml)
{
	size_t dev, res;

	dev = aml_device(aml, "RTC");
	aml_name(aml, "_HID");
	aml_eisa_id(aml, "PNP0B00");
	aml_name(aml, "_CRS");
	res = aml_resources(aml);
	aml_io(aml, X86_PORT_CMOS, X86_CMOS_BYTES); /* no interrupt: it tells the time of day only */
	aml_resources_end(aml, res);
	aml_end(aml, dev);
}

static void add_virtio_mmio(struct aml *aml, const struct machine_device *d, unsigned int nr)
{
	char name[5];
	size_t dev, res;

	snprintf(name, sizeof(name), "VM%02u", nr % 100);
	dev = aml_device(aml, name);
	aml_name_string(aml, "_HID", "LNRO0005"); /* Linux drivers/virtio/virtio_mmio.c */
	aml_name_integer(aml, "_UID", nr);
	aml_name_integer(aml, "_CCA", 1);
	aml_name(aml, "_CRS");
	res = aml_resources(aml);
	aml_memory32(aml, (uint32_t)d->base, (uint32_t)d->size_bytes);
	aml_interrupt(aml, d->irq, true, true);
	aml_resources_end(aml, res);
	aml_end(aml, dev);
}

static void add_pvpanic(struct aml *aml, const struct machine_device *d)
{
	size_t dev, res;

	dev = aml_device(aml, "PEVT");
	aml_name_string(aml, "_HID", "QEMU0001"); /* Linux drivers/misc/pvpanic/pvpanic-mmio.c */
	aml_name(aml, "_CRS");
	res = aml_resources(aml);
	if (d->space == MACHINE_PIO)
		aml_io(aml, (uint16_t)d->base, (uint8_t)d->size_bytes);
	else
		aml_memory32(aml, (uint32_t)d->base, (uint32_t)d->size_bytes);
	aml_resources_end(aml, res);
	aml_end(aml, dev);
}

static void add_devices(struct aml *aml, const struct machine *m)
{
	unsigned int nr_virtio = 0;

	for (unsigned int i = 0; i < m->nr_devices; i++) {
		const struct machine_device *d = &m->devices[i];

		switch (d->kind) {
		case MACHINE_UART8250:
			add_uart(aml, d);
			break;
		case MACHINE_VIRTIO_MMIO:
			add_virtio_mmio(aml, d, nr_virtio++);
			break;
		case MACHINE_PVPANIC:
			add_pvpanic(aml, d);
			break;
		case MACHINE_RTC:
			add_rtc(aml);
			break;
		case MACHINE_UART_ARCH:
		case MACHINE_FLASH:
			break;
		}
	}
}

static void add_sleep_states(struct aml *aml)
{
	size_t package;

	aml_name(aml, "_S5");
	package = aml_package(aml, 4); /* SLP_TYP; the rest is for PM1b and reserved */
	aml_integer(aml, X86_POWER_S5);
	for (unsigned int i = 1; i < 4; i++)
		aml_integer(aml, 0);
	aml_end(aml, package);
}

static int add_dsdt(struct builder *b, const struct machine *m, gpa_t *gpa)
{
	uint8_t *table = take(b, HEADER_BYTES, gpa);
	struct aml aml;
	size_t scope;

	if (!table)
		return -ENOSPC;
	aml_init(&aml, table + HEADER_BYTES, b->size - b->len);
	add_sleep_states(&aml);
	scope = aml_scope(&aml, "\\_SB");
	if (m->pci.ecam.size_bytes)
		add_pci(&aml, &m->pci);
	add_devices(&aml, m);
	aml_end(&aml, scope);
	if (aml.overflow)
		return -ENOSPC;
	b->len += aml.len;
	finish_table(table, "DSDT", 2, HEADER_BYTES + aml.len);
	return 0;
}

/* ---- the others --------------------------------------------------------------------------------- */

static void put_gas(uint8_t *gas, uint16_t port)
{
	gas[0] = GAS_SYSTEM_IO;
	gas[1] = 8; /* bits */
	gas[2] = 0;
	gas[3] = GAS_BYTE;
	put_le64(gas + 4, port);
}

static int add_fadt(struct builder *b, gpa_t dsdt)
{
	gpa_t gpa;
	uint8_t *t = take(b, FADT_BYTES, &gpa);

	if (!t)
		return -ENOSPC;
	put_le32(t + FADT_DSDT, (uint32_t)dsdt);
	put_le64(t + FADT_X_DSDT, dsdt);
	t[FADT_CENTURY] = CMOS_CENTURY;
	/* No 8042 flag: the controller is there for resets, and Linux need not look for a keyboard. */
	put_le16(t + FADT_BOOT_ARCH, BOOT_ARCH_LEGACY | BOOT_ARCH_NO_VGA | BOOT_ARCH_NO_ASPM);
	put_le32(t + FADT_FLAGS, FLAG_WBINVD | FLAG_PROC_C1 | FLAG_NO_PWR_BUTTON |
					 FLAG_NO_SLP_BUTTON | FLAG_RESET_REG | FLAG_HW_REDUCED);
	put_gas(t + FADT_RESET_REG, X86_PORT_POWER + X86_POWER_RESET);
	t[FADT_RESET_VALUE] = X86_POWER_RESET_VALUE;
	t[FADT_MINOR] = 5;
	put_gas(t + FADT_SLEEP_CONTROL, X86_PORT_POWER + X86_POWER_SLEEP_CONTROL);
	put_gas(t + FADT_SLEEP_STATUS, X86_PORT_POWER + X86_POWER_SLEEP_STATUS);
	finish_table(t, "FACP", 6, FADT_BYTES);
	b->tables[b->nr_tables++] = gpa;
	return 0;
}

static int add_madt(struct builder *b, const struct machine *m)
{
	const size_t lapic_bytes = 8, ioapic_bytes = 12, nmi_bytes = 6;
	size_t len = MADT_BYTES + m->nr_cpus * lapic_bytes + ioapic_bytes + nmi_bytes;
	gpa_t gpa;
	uint8_t *t = take(b, len, &gpa);
	uint8_t *e;

	if (!t)
		return -ENOSPC;
	put_le32(t + 36, (uint32_t)X86_LAPIC);
	put_le32(t + 40, MADT_PCAT_COMPAT);
	e = t + MADT_BYTES;
	for (unsigned int i = 0; i < m->nr_cpus; i++, e += lapic_bytes) {
		e[0] = MADT_LAPIC;
		e[1] = (uint8_t)lapic_bytes;
		e[2] = (uint8_t)i; /* processor UID */
		e[3] = (uint8_t)i; /* APIC id */
		put_le32(e + 4, MADT_ENABLED);
	}
	e[0] = MADT_IOAPIC;
	e[1] = (uint8_t)ioapic_bytes;
	e[2] = x86_ioapic_id(m->nr_cpus);
	put_le32(e + 4, (uint32_t)X86_IOAPIC);
	put_le32(e + 8, 0); /* its first GSI */
	e += ioapic_bytes;
	e[0] = MADT_LAPIC_NMI;
	e[1] = (uint8_t)nmi_bytes;
	e[2] = MADT_ALL_CPUS;
	put_le16(e + 3, 0); /* polarity and trigger as the bus has them */
	e[5] = 1;           /* LINT1 */
	finish_table(t, "APIC", 5, len);
	b->tables[b->nr_tables++] = gpa;
	return 0;
}

static int add_mcfg(struct builder *b, const struct machine_pci *pci)
{
	gpa_t gpa;
	uint8_t *t = take(b, MCFG_BYTES, &gpa);

	if (!t)
		return -ENOSPC;
	put_le64(t + 44, pci->ecam.base);
	put_le16(t + 52, 0); /* segment */
	t[54] = 0;           /* first bus, and last */
	t[55] = (uint8_t)(pci->ecam.size_bytes / MIB(1) - 1);
	finish_table(t, "MCFG", 1, MCFG_BYTES);
	b->tables[b->nr_tables++] = gpa;
	return 0;
}

static int add_xsdt(struct builder *b, gpa_t *gpa)
{
	size_t len = HEADER_BYTES + b->nr_tables * 8;
	uint8_t *t = take(b, len, gpa);

	if (!t)
		return -ENOSPC;
	for (unsigned int i = 0; i < b->nr_tables; i++)
		put_le64(t + HEADER_BYTES + i * 8, b->tables[i]);
	finish_table(t, "XSDT", 1, len);
	return 0;
}

int x86_acpi_build(const struct machine *m, gpa_t gpa, uint8_t *buf, size_t size, size_t *used)
{
	struct builder b = { .gpa = gpa, .buf = buf, .size = size };
	gpa_t rsdp_gpa, dsdt, xsdt;
	uint8_t *rsdp = take(&b, RSDP_BYTES, &rsdp_gpa);
	int ret;

	if (!rsdp)
		return -ENOSPC;
	ret = add_dsdt(&b, m, &dsdt);
	if (!ret)
		ret = add_fadt(&b, dsdt);
	if (!ret)
		ret = add_madt(&b, m);
	if (!ret && m->pci.ecam.size_bytes)
		ret = add_mcfg(&b, &m->pci);
	if (!ret)
		ret = add_xsdt(&b, &xsdt);
	if (ret)
		return ret;
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "LKVM  ", 6);
	rsdp[15] = 2; /* revision: there is an XSDT */
	put_le32(rsdp + 20, RSDP_BYTES);
	put_le64(rsdp + 24, xsdt);
	x86_set_checksum(rsdp, RSDP_V1_BYTES, 8);
	x86_set_checksum(rsdp, RSDP_BYTES, 32);
	*used = b.len;
	return 0;
}
