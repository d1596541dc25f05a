// SPDX-License-Identifier: GPL-2.0-only
#include "x86/mptable.h"

#include <errno.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/pci.h"
#include "x86/checksum.h"
#include "x86/layout.h"

/* Sections are those of the MP specification 1.4. */
#define POINTER_BYTES 16 /* §4.1 */
#define HEADER_BYTES  44 /* §4.2 */
#define CPU_BYTES     20 /* §4.3.1 */
#define ENTRY_BYTES   8  /* all others */

#define ENTRY_CPU     0
#define ENTRY_BUS     1
#define ENTRY_IOAPIC  2
#define ENTRY_IRQ     3
#define ENTRY_LINT    4

#define CPU_ENABLED   1
#define CPU_BOOT      2
#define LAPIC_VERSION 0x14
#define IOAPIC_VERSION 0x11
#define IOAPIC_ENABLED 1

#define IRQ_INT       0
#define IRQ_NMI       1
#define IRQ_EXTINT    3
#define IRQ_BUS_DEFAULT 0   /* polarity and trigger as the bus has them */
#define IRQ_LEVEL_LOW   0xf /* as PCI has them */

#define ALL_APICS     0xff

#define BUS_PCI       0 /* Linux takes the PCI bus numbers from here, so bus 0 is bus 0 */
#define BUS_ISA       1
#define ISA_IRQS      16

/* Writes entries one behind the other; @p is NULL when the buffer is full. */
struct writer {
	uint8_t *p;
	uint8_t *end;
	uint16_t nr;
};

static uint8_t *entry(struct writer *w, uint8_t type, size_t len)
{
	uint8_t *p = w->p;

	if (!p || len > (size_t)(w->end - p)) {
		w->p = NULL;
		return NULL;
	}
	memset(p, 0, len);
	p[0] = type;
	w->p += len;
	w->nr++;
	return p;
}

static void add_cpus(struct writer *w, unsigned int nr_cpus)
{
	for (unsigned int i = 0; i < nr_cpus; i++) {
		uint8_t *e = entry(w, ENTRY_CPU, CPU_BYTES);

		if (!e)
			return;
		e[1] = (uint8_t)i;
		e[2] = LAPIC_VERSION;
		e[3] = CPU_ENABLED | (i == 0 ? CPU_BOOT : 0);
		put_le32(e + 4, 0x600); /* family 6; CPUID tells the truth */
		put_le32(e + 8, 0x201); /* APIC, FPU */
	}
}

static void add_bus(struct writer *w, uint8_t id, const char type[6])
{
	uint8_t *e = entry(w, ENTRY_BUS, ENTRY_BYTES);

	if (!e)
		return;
	e[1] = id;
	memcpy(e + 2, type, 6);
}

static void add_ioapic(struct writer *w, uint8_t id)
{
	uint8_t *e = entry(w, ENTRY_IOAPIC, ENTRY_BYTES);

	if (!e)
		return;
	e[1] = id;
	e[2] = IOAPIC_VERSION;
	e[3] = IOAPIC_ENABLED;
	put_le32(e + 4, (uint32_t)X86_IOAPIC);
}

static void add_irq(struct writer *w, uint8_t entry_type, uint8_t irq_type, uint16_t flags, uint8_t bus,
		    uint8_t bus_irq, uint8_t apic, uint8_t pin)
{
	uint8_t *e = entry(w, entry_type, ENTRY_BYTES);

	if (!e)
		return;
	e[1] = irq_type;
	put_le16(e + 2, flags);
	e[4] = bus;
	e[5] = bus_irq;
	e[6] = apic;
	e[7] = pin;
}

static void add_pci_irqs(struct writer *w, const struct machine_pci *pci, uint8_t apic)
{
	for (unsigned int slot = 0; slot < PCI_MAX_DEVICES; slot++)
		for (unsigned int pin = 0; pin < 4; pin++)
			add_irq(w, ENTRY_IRQ, IRQ_INT, IRQ_LEVEL_LOW, BUS_PCI,
				(uint8_t)(slot << 2 | pin), apic,
				(uint8_t)pci->intx_irq[(pin + slot) % 4]);
}

int x86_mptable_build(const struct machine *m, gpa_t gpa, uint8_t *buf, size_t size, size_t *used)
{
	uint8_t apic = x86_ioapic_id(m->nr_cpus);
	uint8_t *header = buf + POINTER_BYTES;
	struct writer w;
	size_t len;

	if (size < POINTER_BYTES + HEADER_BYTES)
		return -ENOSPC;
	w = (struct writer){ .p = header + HEADER_BYTES, .end = buf + size };

	/* Linux wants the kinds in this order. */
	add_cpus(&w, m->nr_cpus);
	if (m->pci.ecam.size_bytes)
		add_bus(&w, BUS_PCI, "PCI   ");
	add_bus(&w, BUS_ISA, "ISA   ");
	add_ioapic(&w, apic);
	/* KVM wires ISA line N, the PIT's 0 included, to pin N (arch/x86/kvm: default_routing). */
	for (uint8_t i = 0; i < ISA_IRQS; i++)
		add_irq(&w, ENTRY_IRQ, IRQ_INT, IRQ_BUS_DEFAULT, BUS_ISA, i, apic, i);
	if (m->pci.ecam.size_bytes)
		add_pci_irqs(&w, &m->pci, apic);
	add_irq(&w, ENTRY_LINT, IRQ_EXTINT, IRQ_BUS_DEFAULT, BUS_ISA, 0, ALL_APICS, 0);
	add_irq(&w, ENTRY_LINT, IRQ_NMI, IRQ_BUS_DEFAULT, BUS_ISA, 0, ALL_APICS, 1);
	if (!w.p)
		return -ENOSPC;

	len = (size_t)(w.p - header);
	memset(header, 0, HEADER_BYTES);
	memcpy(header, "PCMP", 4);
	put_le16(header + 4, (uint16_t)len);
	header[6] = 4; /* specification 1.4 */
	memcpy(header + 8, "LKVM    ", 8);
	memcpy(header + 16, "LKVMX86     ", 12);
	put_le16(header + 34, w.nr);
	put_le32(header + 36, (uint32_t)X86_LAPIC);
	x86_set_checksum(header, len, 7);

	memset(buf, 0, POINTER_BYTES);
	memcpy(buf, "_MP_", 4);
	put_le32(buf + 4, (uint32_t)(gpa + POINTER_BYTES));
	buf[8] = 1; /* in paragraphs */
	buf[9] = 4;
	x86_set_checksum(buf, POINTER_BYTES, 10);

	*used = POINTER_BYTES + len;
	return 0;
}
