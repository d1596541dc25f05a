// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/symbols.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "tests/unit/test.h"

/* ---- kallsyms as scripts/kallsyms.c writes them -------------------------------------------------- */

#define NR 700

struct image {
	uint8_t  mem[65536];
	size_t   at;
	unsigned int word, align;
	bool     big_endian;
};

static void align(struct image *i)
{
	i->at = (size_t)align_up(i->at, i->align);
}

static void put(struct image *i, unsigned int len, uint64_t v)
{
	if (i->big_endian)
		put_be(i->mem + i->at, len, v);
	else
		put_le(i->mem + i->at, len, v);
	i->at += len;
}

enum layout {
	BASE,        /* 6.4 and later */
	BASE_PERCPU, /* the same on x86 */
	BASE_FIRST,  /* 6.1 */
	BASE_FIRST_SEQS, /* 6.2 */
	PLACE,       /* 7.2 */
};

/* In PLACE the image itself runs at the base, so that the functions begin where it does. */
static void put_offsets(struct image *i, uint64_t base, enum layout layout)
{
	bool percpu = layout == BASE_PERCPU;

	if (layout == PLACE) {
		for (uint32_t n = 0; n < NR; n++)
			put(i, 4, (uint32_t)(n * 16 - (uint32_t)i->at));
		return;
	}
	align(i);
	for (uint32_t n = 0; n < NR; n++)
		/* With absolute per-CPU symbols the first ten are addresses, the others count backwards. */
		put(i, 4, !percpu ? n * 16 : n < 10 ? n * 8 : (uint32_t)(-1 - (int32_t)(n * 16)));
	align(i);
	put(i, i->word, base);
}

/* Symbols fn0, fn1 ... at every 16 bytes from @base; the second half is data. */
static void build(struct image *i, uint64_t base, enum layout layout)
{
	bool offsets_first = layout == BASE_FIRST || layout == BASE_FIRST_SEQS, seqs = layout == BASE_FIRST_SEQS;
	uint32_t markers[(NR + 255) / 256];
	uint16_t index[256];
	size_t start;

	/* Something else before, with a mark that leads nowhere. */
	memcpy(i->mem + 100, SYMBOLS_KALLSYMS_MARK, SYMBOLS_KALLSYMS_MARK_BYTES);
	i->at = 4096;
	if (offsets_first)
		put_offsets(i, base, layout);
	align(i);
	put(i, 4, NR);
	align(i);
	start = i->at;
	for (uint32_t n = 0; n < NR; n++) {
		char name[16];
		int len = snprintf(name, sizeof(name), "%c\x80%u", n < NR / 2 ? 'T' : 'd', n);

		if (n % 256 == 0)
			markers[n / 256] = (uint32_t)(i->at - start);
		put(i, 1, (uint64_t)len);
		memcpy(i->mem + i->at, name, (size_t)len);
		i->at += (size_t)len;
	}
	align(i);
	for (uint32_t n = 0; n < ARRAY_SIZE(markers); n++)
		put(i, 4, markers[n]);
	align(i);
	for (uint32_t n = 0; seqs && n < NR; n++) {
		put_be32(i->mem + i->at, (n * 37 % NR) << 8);
		i->at += 3;
	}
	align(i);
	start = i->at;
	for (unsigned int c = 0; c < 256; c++) {
		index[c] = (uint16_t)(i->at - start);
		if (c == 0x80)
			i->at += (size_t)sprintf((char *)i->mem + i->at, "fn_") + 1;
		else if (c > ' ' && c < 0x7f)
			i->at += (size_t)sprintf((char *)i->mem + i->at, "%c", (int)c) + 1;
		else
			i->at += (size_t)sprintf((char *)i->mem + i->at, "t%u", c) + 1;
	}
	align(i);
	for (unsigned int c = 0; c < 256; c++)
		put(i, 2, index[c]);
	if (!offsets_first)
		put_offsets(i, base, layout);
}

static void check_kallsyms(unsigned int bits, bool big_endian, enum layout layout)
{
	uint64_t base = bits == 64 ? UINT64_C(0xffffffff81000000) : 0xc0000000, addr, offset, size;
	struct image *i = calloc(1, sizeof(*i));
	char name[SYMBOLS_NAME_BYTES], text[160];
	struct symbols *s = NULL;

	i->word = bits / 8;
	i->align = layout == PLACE ? 4 : i->word;
	i->big_endian = big_endian;
	build(i, base, layout);
	if (layout == PLACE)
		CHECK_EQ(symbols_parse_kallsyms(&s, i->mem, sizeof(i->mem), 0, bits, big_endian), -ENOENT);
	CHECK_EQ(symbols_parse_kallsyms(&s, i->mem, sizeof(i->mem), layout == PLACE ? base : 0, bits, big_endian),
		 0);
	free(i);
	if (!s)
		return;
	CHECK_EQ(symbols_count(s), NR);
	CHECK(symbols_lookup(s, base + 300 * 16 + 5, name, &offset, &size));
	CHECK_STR(name, "fn_300");
	CHECK_EQ(offset, 5);
	CHECK_EQ(size, 16);
	CHECK_STR(symbols_text(s, base + 16 * 16, false, text, sizeof(text)), "fn_16+0x0/0x10");
	/* The call before that address is the end of the function before. */
	CHECK_STR(symbols_text(s, base + 16 * 16, true, text, sizeof(text)), "fn_15+0x10/0x10");
	CHECK(symbols_address(s, "fn_20", &addr));
	CHECK_EQ(addr, base + 20 * 16);
	CHECK(!symbols_address(s, "fn_", &addr));
	/* Data, and addresses outside. */
	CHECK(!symbols_lookup(s, base + 600 * 16, name, &offset, &size));
	CHECK(!symbols_lookup(s, base - 1, name, &offset, &size) || layout == BASE_PERCPU);
	CHECK(!symbols_lookup(s, UINT64_MAX, name, &offset, &size));
	symbols_set_slide(s, 0x1000);
	CHECK_STR(symbols_text(s, base + 0x1000 + 16 * 16, false, text, sizeof(text)), "fn_16+0x0/0x10");
	symbols_free(s);
}

static void test_kallsyms(void)
{
	check_kallsyms(64, false, BASE);
	check_kallsyms(64, false, BASE_PERCPU);
	check_kallsyms(64, false, BASE_FIRST);
	check_kallsyms(64, false, BASE_FIRST_SEQS);
	check_kallsyms(64, false, PLACE);
	check_kallsyms(32, true, BASE_FIRST);
	check_kallsyms(32, true, BASE_FIRST_SEQS);
	check_kallsyms(32, true, BASE);
	check_kallsyms(32, true, PLACE);
}

static void check_broken_kallsyms(enum layout layout)
{
	const uint64_t base = UINT64_C(0xffffffff81000000), va = layout == PLACE ? base : 0;
	struct image *i = calloc(1, sizeof(*i));
	struct symbols *s = NULL;
	size_t end;

	i->word = 8;
	i->align = layout == PLACE ? 4 : 8;
	build(i, base, layout);
	end = i->at;
	/* Cut anywhere: found no more, and nothing is read beyond. */
	for (size_t len = 0; len < end; len += 97) {
		uint8_t *copy = malloc(len ? len : 1);

		memcpy(copy, i->mem, len);
		CHECK_EQ(symbols_parse_kallsyms(&s, copy, len, va, 64, false), -ENOENT);
		free(copy);
	}
	if (layout == BASE && end >= 8) {
		/* Not a kernel's base. */
		put_le64(i->mem + end - 8, 0x81000000);
		CHECK_EQ(symbols_parse_kallsyms(&s, i->mem, sizeof(i->mem), va, 64, false), -ENOENT);
		CHECK_EQ(symbols_parse_kallsyms(&s, i->mem, sizeof(i->mem), base, 64, false), -ENOENT);
		put_le64(i->mem + end - 8, base);
	}
	/* Any byte changed: either the same symbols or none. */
	for (size_t at = 4096; at < end; at += 61) {
		i->mem[at] ^= 0x55;
		s = NULL;
		if (!symbols_parse_kallsyms(&s, i->mem, sizeof(i->mem), va, 64, false))
			CHECK_EQ(symbols_count(s), NR);
		symbols_free(s);
		i->mem[at] ^= 0x55;
	}
	free(i);
}

static void test_broken_kallsyms(void)
{
	check_broken_kallsyms(BASE);
	check_broken_kallsyms(PLACE);
}

/* ---- ELF ---------------------------------------------------------------------------------------- */

static const char strings[] = "\0_stext\0do_idle\0data\0$x";

static size_t build_elf(uint8_t *file)
{
	const Elf64_Sym syms[] = {
		{ 0 },
		{ .st_name = 8, .st_info = STT_FUNC, .st_shndx = 1, .st_value = 0x1100 },
		{ .st_name = 1, .st_info = STT_NOTYPE, .st_shndx = 1, .st_value = 0x1000 },
		{ .st_name = 16, .st_info = STT_OBJECT, .st_shndx = 1, .st_value = 0x1200 },
		{ .st_name = 21, .st_info = STT_NOTYPE, .st_shndx = 1, .st_value = 0x1150 },
		{ .st_name = 8, .st_info = STT_FUNC, .st_shndx = 1, .st_value = 0x1300 },
	};
	const Elf64_Ehdr ehdr = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB },
		.e_shoff = htole64(64), .e_shnum = htole16(3), .e_shentsize = htole16(sizeof(Elf64_Shdr)),
	};
	const Elf64_Shdr sections[3] = {
		[1] = { .sh_type = htole32(SHT_SYMTAB), .sh_link = htole32(2), .sh_offset = htole64(512),
			.sh_size = htole64(sizeof(syms)), .sh_entsize = htole64(sizeof(syms[0])) },
		[2] = { .sh_type = htole32(SHT_STRTAB), .sh_offset = htole64(1024),
			.sh_size = htole64(sizeof(strings)) },
	};

	memset(file, 0, 2048);
	memcpy(file, &ehdr, sizeof(ehdr));
	memcpy(file + 64, sections, sizeof(sections));
	for (unsigned int i = 0; i < ARRAY_SIZE(syms); i++) {
		uint8_t *p = file + 512 + i * sizeof(syms[0]);

		memset(p, 0, sizeof(syms[0]));
		put_le32(p, syms[i].st_name);
		p[4] = syms[i].st_info;
		put_le16(p + 6, syms[i].st_shndx);
		put_le64(p + 8, syms[i].st_value);
	}
	memcpy(file + 1024, strings, sizeof(strings));
	return 1024 + sizeof(strings);
}

static void test_elf(void)
{
	uint8_t file[2048];
	size_t len = build_elf(file);
	struct symbols *s = NULL;
	char text[160];
	uint64_t addr;

	CHECK_EQ(symbols_parse_elf(&s, file, len), 0);
	if (!s)
		return;
	CHECK_EQ(symbols_count(s), 4); /* not $x, which the assembler made */
	CHECK_STR(symbols_text(s, 0x1150, false, text, sizeof(text)), "do_idle+0x50/0x100");
	CHECK_STR(symbols_text(s, 0x1210, false, text, sizeof(text)), "");
	CHECK(symbols_address(s, "_stext", &addr));
	CHECK_EQ(addr, 0x1000);
	symbols_set_slide(s, UINT64_C(0xffffffff00000000));
	CHECK_STR(symbols_text(s, UINT64_C(0xffffffff00001150), false, text, sizeof(text)), "do_idle+0x50/0x100");
	CHECK_EQ(symbols_slide(s), UINT64_C(0xffffffff00000000));
	symbols_free(s);
	CHECK_STR(symbols_text(NULL, 0x1150, false, text, sizeof(text)), "");
}

static void test_broken_elf(void)
{
	uint8_t file[2048];
	size_t len = build_elf(file);
	struct symbols *s = NULL;

	for (size_t cut = 0; cut < len - sizeof(strings); cut += 7) {
		uint8_t *copy = malloc(cut ? cut : 1);

		memcpy(copy, file, cut);
		CHECK_EQ(symbols_parse_elf(&s, copy, cut), -EINVAL);
		free(copy);
	}
	for (size_t at = 0; at < len; at++) {
		file[at] ^= 0xff;
		s = NULL;
		(void)!symbols_parse_elf(&s, file, len);
		symbols_free(s);
		file[at] ^= 0xff;
	}
	test_stderr_begin();
	CHECK_EQ(symbols_open_elf(&s, "/nonexistent"), -ENOENT);
	CHECK_EQ(symbols_open_elf(&s, "/dev/null"), -EINVAL);
	CHECK(strstr(test_stderr_end(), "--vmlinux: /dev/null: no ELF file with a symbol table"));
}

const struct test symbols_tests[] = {
	{ "kallsyms", test_kallsyms },
	{ "broken_kallsyms", test_broken_kallsyms },
	{ "elf", test_elf },
	{ "broken_elf", test_broken_elf },
	{ 0 },
};
