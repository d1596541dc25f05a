// SPDX-License-Identifier: GPL-2.0-only
/* The tables are read back by what the specification says about them; the AML by a walker of its own. */
#include "x86/acpi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "tests/unit/test.h"
#include "x86/aml.h"
#include "x86/layout.h"
#include "x86/power.h"

#define GPA  X86_ACPI
#define SIZE X86_ACPI_BYTES

static uint8_t tables[SIZE];

static bool sums_to_zero(const uint8_t *p, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *p++);
	return !sum;
}

/* The machine as vm-devices.c leaves it. */
static struct machine make_machine(unsigned int nr_cpus, unsigned int nr_virtio)
{
	const struct x86_platform_params p = { .nr_cpus = nr_cpus, .ram_bytes = GIB(5), .phys_bits = 48 };
	struct machine m = { 0 };
	struct machine_device d;

	CHECK_EQ(x86_machine_init(&m, &p), 0);
	CHECK_EQ(machine_add_device(&m, &m.uart), 0);
	d = (struct machine_device){ MACHINE_PVPANIC, MACHINE_MMIO, m.pvpanic.base, 2, MACHINE_NO_IRQ };
	CHECK_EQ(machine_add_device(&m, &d), 0);
	for (unsigned int i = 0; i < nr_virtio; i++)
		CHECK_EQ(machine_place_virtio_mmio(&m, &d), 0);
	d = (struct machine_device){ MACHINE_RTC, MACHINE_PIO, 0x70, 2, MACHINE_NO_IRQ };
	CHECK_EQ(machine_add_device(&m, &d), 0);
	return m;
}

static size_t build(const struct machine *m)
{
	size_t used = 0;

	memset(tables, 0xa5, sizeof(tables));
	CHECK_EQ(x86_acpi_build(m, GPA, tables, SIZE, &used), 0);
	CHECK(used <= SIZE);
	return used;
}

static const uint8_t *at(uint64_t gpa)
{
	CHECK(gpa >= GPA && gpa < GPA + SIZE);
	return gpa >= GPA && gpa < GPA + SIZE ? tables + (gpa - GPA) : tables;
}

/* A table through RSDP and XSDT, checked whole; NULL if there is none. */
static const uint8_t *find(const char *signature)
{
	const uint8_t *xsdt = at(get_le64(tables + 24));
	uint32_t len = get_le32(xsdt + 4);

	CHECK(!memcmp(xsdt, "XSDT", 4));
	CHECK(sums_to_zero(xsdt, len));
	for (uint32_t i = 36; i < len; i += 8) {
		const uint8_t *t = at(get_le64(xsdt + i));

		CHECK(sums_to_zero(t, get_le32(t + 4)));
		CHECK_EQ((get_le64(xsdt + i)) % 4, 0);
		if (!memcmp(t, signature, 4))
			return t;
	}
	return NULL;
}

static void test_rsdp(void)
{
	struct machine m = make_machine(1, 0);

	build(&m);
	CHECK(!memcmp(tables, "RSD PTR ", 8));
	CHECK(sums_to_zero(tables, 20));
	CHECK(sums_to_zero(tables, 36));
	CHECK_EQ(tables[15], 2);
	CHECK_EQ(get_le32(tables + 20), 36);
}

static void test_fadt(void)
{
	struct machine m = make_machine(1, 0);
	const uint8_t *t, *dsdt;

	build(&m);
	t = find("FACP");
	CHECK(t != NULL);
	if (!t)
		return;
	CHECK_EQ(get_le32(t + 4), 276);
	CHECK(get_le32(t + 112) & 1u << 20); /* hardware-reduced */
	CHECK(get_le32(t + 112) & 1u << 10); /* has a reset register: */
	CHECK_EQ(t[116], 1);                 /* I/O space, 8 bits, byte access */
	CHECK_EQ(t[117], 8);
	CHECK_EQ(t[119], 1);
	CHECK_EQ(get_le64(t + 120), X86_PORT_POWER + X86_POWER_RESET);
	CHECK_EQ(t[128], X86_POWER_RESET_VALUE);
	CHECK_EQ(get_le64(t + 244 + 4), X86_PORT_POWER + X86_POWER_SLEEP_CONTROL);
	CHECK_EQ(get_le64(t + 256 + 4), X86_PORT_POWER + X86_POWER_SLEEP_STATUS);
	CHECK_EQ(get_le32(t + 40), get_le64(t + 140));
	dsdt = at(get_le64(t + 140));
	CHECK(!memcmp(dsdt, "DSDT", 4));
	CHECK(sums_to_zero(dsdt, get_le32(dsdt + 4)));
}

static void test_madt(void)
{
	static const unsigned int counts[] = { 1, 4, 255 };

	for (unsigned int c = 0; c < ARRAY_SIZE(counts); c++) {
		struct machine m = make_machine(counts[c], 0);
		unsigned int nr_lapic = 0, nr_ioapic = 0, nr_nmi = 0;
		const uint8_t *t, *e;

		build(&m);
		t = find("APIC");
		CHECK(t != NULL);
		if (!t)
			return;
		CHECK_EQ(get_le32(t + 36), 0xfee00000);
		for (e = t + 44; e < t + get_le32(t + 4) && e[1]; e += e[1]) {
			if (e[0] == 0) {
				CHECK_EQ(e[1], 8);
				CHECK_EQ(e[3], nr_lapic);
				CHECK_EQ(get_le32(e + 4), 1);
				nr_lapic++;
			} else if (e[0] == 1) {
				CHECK_EQ(e[1], 12);
				CHECK_EQ(get_le32(e + 4), 0xfec00000);
				CHECK_EQ(get_le32(e + 8), 0);
				nr_ioapic++;
			} else if (e[0] == 4) {
				CHECK_EQ(e[1], 6);
				CHECK_EQ(e[5], 1);
				nr_nmi++;
			} else {
				CHECK(!"an entry that nobody asked for");
			}
		}
		CHECK(e == t + get_le32(t + 4));
		CHECK_EQ(nr_lapic, counts[c]);
		CHECK_EQ(nr_ioapic, 1);
		CHECK_EQ(nr_nmi, 1);
	}
}

static void test_mcfg(void)
{
	struct machine m = make_machine(1, 0);
	const uint8_t *t;

	build(&m);
	t = find("MCFG");
	CHECK(t != NULL);
	if (t) {
		CHECK_EQ(get_le32(t + 4), 60);
		CHECK_EQ(get_le64(t + 44), m.pci.ecam.base);
		CHECK_EQ(t[54], 0);
		CHECK_EQ(t[55], 0);
	}
	m.pci = (struct machine_pci){ 0 };
	build(&m);
	CHECK(find("MCFG") == NULL);
}

/* ---- AML ---------------------------------------------------------------------------------------- */

/* What the walker saw: "\_SB/PCI0/_HID=..." lines. */
static char seen[65536];

static void note(const char *path, const char *fmt, const char *value)
{
	size_t len = strlen(seen);
	char text[160];

	snprintf(text, sizeof(text), fmt, value);
	snprintf(seen + len, sizeof(seen) - len, "%s%s\n", path, text);
}

static bool saw(const char *line)
{
	char full[256];

	snprintf(full, sizeof(full), "%s\n", line);
	for (const char *p = strstr(seen, full); p; p = strstr(p + 1, full))
		if (p == seen || p[-1] == '\n')
			return true;
	printf("    not seen: %s\n", line);
	return false;
}

static const uint8_t *pkg_end(const uint8_t **p)
{
	const uint8_t *start = *p;
	unsigned int more = *start >> 6;
	uint32_t len = *start & (more ? 0xf : 0x3f);

	for (unsigned int i = 0; i < more; i++)
		len |= (uint32_t)start[1 + i] << (4 + 8 * i);
	if (more)
		CHECK_EQ(*start & 0x30, 0);
	*p += 1 + more;
	return start + len;
}

static const uint8_t *read_name(const uint8_t *p, char name[6])
{
	unsigned int n = 0;

	if (*p == '\\')
		name[n++] = (char)*p++;
	memcpy(name + n, p, 4);
	name[n + 4] = '\0';
	for (unsigned int i = 0; i < 4; i++)
		CHECK((p[i] >= 'A' && p[i] <= 'Z') || p[i] == '_' || (i && p[i] >= '0' && p[i] <= '9'));
	return p + 4;
}

static const uint8_t *read_integer(const uint8_t *p, uint64_t *v)
{
	switch (*p++) {
	case 0x00: *v = 0; return p;
	case 0x01: *v = 1; return p;
	case 0x0a: *v = *p; return p + 1;
	case 0x0b: *v = get_le16(p); return p + 2;
	case 0x0c: *v = get_le32(p); return p + 4;
	case 0x0e: *v = get_le64(p); return p + 8;
	default: return NULL;
	}
}

static void walk_resources(const uint8_t *p, const uint8_t *end, const char *path)
{
	char text[128];

	while (p < end) {
		unsigned int width = *p == 0x88 ? 2 : *p == 0x87 ? 4 : 8;
		size_t len = *p & 0x80 ? 3u + get_le16(p + 1) : 1u + (*p & 7);

		CHECK(p + len <= end);
		if (*p == 0x79) {
			CHECK(p + 2 == end); /* the end tag is the end */
			return;
		}
		switch (*p) {
		case 0x47:
			CHECK_EQ(get_le16(p + 2), get_le16(p + 4));
			snprintf(text, sizeof(text), "io %x+%x", get_le16(p + 2), p[7]);
			break;
		case 0x86:
			CHECK_EQ(len, 12);
			snprintf(text, sizeof(text), "mem %x+%x", get_le32(p + 4), get_le32(p + 8));
			break;
		case 0x89:
			CHECK_EQ(len, 9);
			CHECK_EQ(p[4], 1);
			snprintf(text, sizeof(text), "irq %u %s", get_le32(p + 5),
				 p[3] & 2 ? "edge" : "level");
			break;
		case 0x87:
		case 0x88:
		case 0x8a:
			CHECK_EQ(len, 6 + 5 * width);
			CHECK_EQ(get_le(p + 6 + 4 * width, width),
				 get_le(p + 6 + 2 * width, width) - get_le(p + 6 + width, width) + 1);
			snprintf(text, sizeof(text), "window %s %llx-%llx",
				 p[3] == 0 ? "mem" : p[3] == 1 ? "io" : "bus",
				 (unsigned long long)get_le(p + 6 + width, width),
				 (unsigned long long)get_le(p + 6 + 2 * width, width));
			break;
		default:
			CHECK(!"a resource that nobody asked for");
			return;
		}
		note(path, " %s", text);
		p += len;
	}
	CHECK(!"no end tag");
}

static const uint8_t *walk_object(const uint8_t *p, const uint8_t *end, const char *path);

static void walk_terms(const uint8_t *p, const uint8_t *end, const char *path)
{
	while (p && p < end) {
		char name[6], sub[200];
		const uint8_t *inner;

		if (*p == 0x10 || (p[0] == 0x5b && p[1] == 0x82)) {
			p += *p == 0x10 ? 1 : 2;
			inner = pkg_end(&p);
			CHECK(inner <= end);
			p = read_name(p, name);
			snprintf(sub, sizeof(sub), "%s/%s", path, name);
			walk_terms(p, inner, sub);
			p = inner;
		} else if (*p == 0x08) {
			p = read_name(p + 1, name);
			snprintf(sub, sizeof(sub), "%s/%s", path, name);
			p = walk_object(p, end, sub);
		} else {
			CHECK(!"a term that nobody asked for");
			return;
		}
	}
	CHECK(p == end);
}

static const uint8_t *walk_object(const uint8_t *p, const uint8_t *end, const char *path)
{
	const uint8_t *inner, *next;
	char text[64], sub[200];
	unsigned int nr;
	uint64_t v;

	switch (*p) {
	case 0x0d:
		note(path, " \"%s\"", (const char *)p + 1);
		return p + 2 + strlen((const char *)p + 1);
	case 0x11:
		p++;
		inner = pkg_end(&p);
		CHECK(inner <= end);
		p = read_integer(p, &v);
		CHECK(p != NULL && v == (uint64_t)(inner - p));
		walk_resources(p, inner, path);
		return inner;
	case 0x12:
		p++;
		inner = pkg_end(&p);
		CHECK(inner <= end);
		nr = *p++;
		for (unsigned int i = 0; i < nr && p && p < inner; i++) {
			snprintf(sub, sizeof(sub), "%s[%u]", path, i);
			p = walk_object(p, inner, sub);
		}
		CHECK(p == inner); /* as many elements as announced */
		return inner;
	default:
		next = read_integer(p, &v);
		CHECK(next != NULL);
		snprintf(text, sizeof(text), "%llx", (unsigned long long)v);
		note(path, " %s", text);
		return next;
	}
}

static void walk_dsdt(void)
{
	const uint8_t *fadt = find("FACP");
	const uint8_t *dsdt = fadt ? at(get_le64(fadt + 140)) : NULL;

	seen[0] = '\0';
	if (dsdt)
		walk_terms(dsdt + 36, dsdt + get_le32(dsdt + 4), "");
}

static void test_dsdt(void)
{
	struct machine m = make_machine(2, 11);
	char line[64];

	build(&m);
	walk_dsdt();
	CHECK(saw("/_S5_[0] 5"));
	CHECK(saw("/\\_SB_/PCI0/_HID 80ad041")); /* EISAID PNP0A08 */
	CHECK(saw("/\\_SB_/PCI0/_CID 30ad041"));
	CHECK(saw("/\\_SB_/PCI0/_CRS window bus 0-0"));
	CHECK(saw("/\\_SB_/PCI0/_CRS io cf8+8"));
	CHECK(saw("/\\_SB_/PCI0/_CRS window io d00-ffff"));
	CHECK(saw("/\\_SB_/PCI0/_CRS window mem c0000000-dfffffff"));
	CHECK(saw("/\\_SB_/PCI0/_CRS window mem 1000000000-1fffffffff"));
	CHECK(saw("/\\_SB_/ECAM/_CRS mem e0000000+100000"));
	/* Slot 0 pin A is line 20; slot 5 pin B two further on. */
	CHECK(saw("/\\_SB_/PCI0/_PRT[0][0] ffff"));
	CHECK(saw("/\\_SB_/PCI0/_PRT[0][1] 0"));
	CHECK(saw("/\\_SB_/PCI0/_PRT[0][3] 14"));
	CHECK(saw("/\\_SB_/PCI0/_PRT[21][0] 5ffff"));
	CHECK(saw("/\\_SB_/PCI0/_PRT[21][1] 1"));
	CHECK(saw("/\\_SB_/PCI0/_PRT[21][3] 16"));
	CHECK(saw("/\\_SB_/PCI0/_PRT[127][0] 1fffff"));
	CHECK(saw("/\\_SB_/COM1/_HID 105d041")); /* EISAID PNP0501 */
	CHECK(saw("/\\_SB_/COM1/_CRS io 3f8+8"));
	CHECK(saw("/\\_SB_/COM1/_CRS irq 4 edge"));
	CHECK(saw("/\\_SB_/RTC_/_CRS io 70+2"));
	CHECK(saw("/\\_SB_/PEVT/_HID \"QEMU0001\""));
	CHECK(saw("/\\_SB_/PEVT/_CRS mem e9000000+2"));
	for (unsigned int i = 0; i < 11; i++) {
		snprintf(line, sizeof(line), "/\\_SB_/VM%02u/_HID \"LNRO0005\"", i);
		CHECK(saw(line));
		snprintf(line, sizeof(line), "/\\_SB_/VM%02u/_CRS mem %x+1000", i, 0xe8000000 + i * 0x1000);
		CHECK(saw(line));
		snprintf(line, sizeof(line), "/\\_SB_/VM%02u/_CRS irq %u level", i, 9 + i);
		CHECK(saw(line));
	}
}

static void test_dsdt_without_pci(void)
{
	struct machine m = make_machine(1, 0);

	m.pci = (struct machine_pci){ 0 };
	build(&m);
	walk_dsdt();
	CHECK(strstr(seen, "PCI0") == NULL);
	CHECK(saw("/\\_SB_/COM1/_CRS io 3f8+8"));
	CHECK(strstr(seen, "COM2") == NULL);
}

static void test_dsdt_second_uart(void)
{
	struct machine m = make_machine(1, 0);
	struct machine_device uart2;

	CHECK_EQ(machine_place_uart2(&m, &uart2), 0);
	build(&m);
	walk_dsdt();
	CHECK(saw("/\\_SB_/COM1/_UID 1"));
	CHECK(saw("/\\_SB_/COM2/_HID 105d041"));
	CHECK(saw("/\\_SB_/COM2/_UID 2"));
	CHECK(saw("/\\_SB_/COM2/_CRS io 2f8+8"));
	CHECK(saw("/\\_SB_/COM2/_CRS irq 3 edge"));
}

/* Every buffer that is too small is noticed, and nothing is written behind it. */
static void test_no_room(void)
{
	struct machine m = make_machine(4, 3);
	size_t used = build(&m), got;

	for (size_t size = 0; size < used; size++) {
		uint8_t *buf = malloc(size + 1);

		CHECK(buf != NULL);
		if (!buf)
			return;
		buf[size] = 0x77;
		CHECK_EQ(x86_acpi_build(&m, GPA, buf, size, &got), -ENOSPC);
		CHECK_EQ(buf[size], 0x77);
		free(buf);
	}
}

/* Lengths around each size of their encoding, read back. */
static void test_aml_lengths(void)
{
	static const size_t bodies[] = { 0, 1, 57, 58, 59, 62, 63, 64, 4085, 4089, 4090, 4091, 4096, 70000 };
	static uint8_t buf[80000];

	for (unsigned int i = 0; i < ARRAY_SIZE(bodies); i++) {
		const uint8_t *p = buf + 1, *end;
		struct aml aml;
		size_t mark;

		aml_init(&aml, buf, sizeof(buf));
		mark = aml_scope(&aml, "\\");
		for (size_t k = 0; k < bodies[i]; k++)
			aml_integer(&aml, 0);
		aml_end(&aml, mark);
		CHECK(!aml.overflow);
		end = pkg_end(&p);
		CHECK_EQ((size_t)(end - buf), aml.len);
		CHECK_EQ((size_t)(end - p), bodies[i] + 2); /* the name "\" */
	}
}

static void test_aml_integers(void)
{
	static const uint64_t values[] = { 0, 1, 2, 255, 256, 65535, 65536, UINT32_MAX, 1ull << 32, UINT64_MAX };
	uint8_t buf[16];

	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		const uint8_t *end;
		struct aml aml;
		uint64_t v = 42;

		aml_init(&aml, buf, sizeof(buf));
		aml_integer(&aml, values[i]);
		end = read_integer(buf, &v);
		CHECK(end == buf + aml.len);
		CHECK_EQ(v, values[i]);
	}
}

const struct test x86_acpi_tests[] = {
	{ "rsdp", test_rsdp },
	{ "fadt", test_fadt },
	{ "madt", test_madt },
	{ "mcfg", test_mcfg },
	{ "dsdt", test_dsdt },
	{ "dsdt-without-pci", test_dsdt_without_pci },
	{ "dsdt-second-uart", test_dsdt_second_uart },
	{ "no-room", test_no_room },
	{ "aml-lengths", test_aml_lengths },
	{ "aml-integers", test_aml_integers },
	{ 0 },
};
