// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/fetch.h"

#include "lkvm/regs.h"
#include "tests/unit/walk-util.h"

static uint64_t read_ones(void *dev, uint64_t offset, unsigned int size)
{
	(void)dev, (void)offset, (void)size;
	return UINT64_MAX;
}

static void write_nothing(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	(void)dev, (void)offset, (void)size, (void)value;
}

static const struct bus_ops ops = { read_ones, write_nothing };

static void test_places(void)
{
	static const struct {
		gpa_t gpa;
		enum fetch_behind kind;
		const char *text;
	} rows[] = {
		{ 0x80000000, BEHIND_RAM, "ram at 0x80000000, 1 MiB" },
		{ 0x800fffff, BEHIND_RAM, "ram at 0x80000000, 1 MiB" },
		{ 0x80100000, BEHIND_HOLE, "nothing: no memory and no device" },
		{ 0x1000, BEHIND_ROM, "flash at 0x0, 64 KiB, read-only" },
		{ 0x10000007, BEHIND_DEVICE, "device uart0 at 0x10000000, 8 bytes" },
		{ 0x10000008, BEHIND_HOLE, "nothing: no memory and no device" },
		{ 0x40001234, BEHIND_DEVICE, "device pci memory at 0x40000000, 16 MiB" },
		{ UINT64_MAX, BEHIND_HOLE, "nothing: no memory and no device" },
	};
	struct machine machine = { .pci.mem32 = { 0x40000000, MIB(16) } };
	struct memory mem;
	struct bus bus;

	memory_init(&mem);
	bus_init(&bus, "mmio");
	CHECK_EQ(memory_add(&mem, "ram", 0x80000000, MIB(1), false, NULL), 0);
	CHECK_EQ(memory_add(&mem, "flash", 0, KIB(64), true, NULL), 0);
	CHECK_EQ(bus_add(&bus, &(struct bus_window){ .name = "uart0", .base = 0x10000000, .size_bytes = 8,
						      .ops = &ops }), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fetch_place place;
		char text[80];

		fetch_place_find(&mem, &bus, &machine, rows[i].gpa, &place);
		CHECK_STR(fetch_behind_word(place.kind), fetch_behind_word(rows[i].kind));
		CHECK_STR(fetch_place_text(&place, text, sizeof(text)), rows[i].text);
	}
	memory_exit(&mem);
}

static void check_verdict(struct walk *w, const struct fetch_place *place, enum fetch_verdict verdict,
			  const char *text)
{
	char buf[FETCH_TEXT_BYTES];

	CHECK_EQ(fetch_check(w, place), verdict);
	CHECK_STR(fetch_text(w, place, verdict, buf, sizeof(buf)), text);
}

static void test_verdicts(void)
{
	const struct fetch_place ram = { BEHIND_RAM, "ram", 0x80000000, MIB(1) };
	const struct fetch_place uart = { BEHIND_DEVICE, "uart0", 0x10000000, 8 };
	const struct fetch_place hole = { BEHIND_HOLE, "", 0, 0 };
	struct walk w;

	walk_init(&w, 0x70000000, false);
	CHECK_EQ(fetch_check(&w, &ram), FETCH_UNKNOWN);
	walk_map_identity(&w, 0x70000000);
	check_verdict(&w, &ram, FETCH_WORKS, "instruction fetch works at 0x70000000");
	check_verdict(&w, &hole, FETCH_NO_MEMORY,
		      "instruction fetch fails at 0x70000000: no memory behind this address");
	walk_map(&w, 0x10000000, 4096, WALK_R | WALK_W | WALK_X, WALK_R);
	check_verdict(&w, &uart, FETCH_DEVICE,
		      "instruction fetch fails at 0x70000000 (guest-physical 0x10000000): device memory (uart0)");
	w.as_user = true;
	check_verdict(&w, &ram, FETCH_NO_EXEC,
		      "instruction fetch fails at 0x70000000: mapped but not executable (r-- in user mode)");
	walk_init(&w, 0x70000000, false);
	walk_fail(&w, WALK_UNMAPPED, "level 2 entry has V clear");
	check_verdict(&w, &hole, FETCH_UNMAPPED,
		      "instruction fetch fails at 0x70000000: not mapped (level 2 entry has V clear)");
}

static void test_registers(void)
{
	struct reg_set set = { 0 }, other;
	char name[12];

	for (unsigned int i = 0; i < REGS_MAX + 5; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		reg_add(&set, REG_GENERAL, i == 3 ? ROLE_PC : ROLE_PLAIN, name, 8, i != 7, i);
	}
	CHECK_EQ(set.nr, REGS_MAX);
	CHECK_EQ(reg_value(&set, ROLE_PC), 3);
	CHECK(!reg_find(&set, ROLE_FP));
	other = set;
	other.regs[3].value = 99; /* pc does not count */
	CHECK_EQ(reg_set_hash(&set), reg_set_hash(&other));
	other.regs[4].value = 99;
	CHECK(reg_set_hash(&set) != reg_set_hash(&other));
	for (unsigned int i = 0; i < REGS_MAX_NOTES + 5; i++)
		reg_note(&set, "note %u", i);
	CHECK_EQ(set.nr_notes, REGS_MAX_NOTES);
}

static void test_register_text(void)
{
	struct reg_set set = { 0 };
	char text[512] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	reg_add(&set, REG_GENERAL, ROLE_PC, "pc", 8, true, 0x70000000);
	reg_add(&set, REG_GENERAL, ROLE_LR, "ra", 8, false, 1);
	reg_add(&set, REG_GENERAL, ROLE_SP, "sp", 4, true, 0x1234);
	reg_add(&set, REG_SYSTEM, ROLE_PLAIN, "satp", 8, true, UINT64_MAX);
	reg_note(&set, "mode S");
	reg_set_print(&set, out);
	fclose(out);
	CHECK_STR(text, "  pc 0000000070000000  ra -                 sp 00001234\n"
			"  satp ffffffffffffffff\n  mode S\n");
}

const struct test fetch_tests[] = {
	{ "places", test_places },
	{ "verdicts", test_verdicts },
	{ "registers", test_registers },
	{ "register_text", test_register_text },
	{ 0 },
};
