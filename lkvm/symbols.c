// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"

/* More than any kernel has; keeps a hostile table from eating the host's memory. */
#define MAX_SYMBOLS    (4u << 20)
#define MAX_FILE_BYTES GIB(4)
#define MAX_TABLE_BYTES MIB(512)

#define NR_TOKENS 256

struct symbol {
	uint64_t addr;
	uint32_t name;  /* offset in names; of kallsyms in the compressed ones */
	bool     text;  /* a function; other symbols only end the one before */
};

struct symbols {
	struct symbol *table;      /* sorted by address */
	size_t         nr;
	uint64_t       slide;
	uint64_t       text_first; /* what lies outside of these is in no function */
	uint64_t       text_end;
	char          *names;      /* NUL-terminated strings (ELF), or compressed ones (kallsyms) */
	size_t         names_bytes;
	/* kallsyms only: what a byte of a compressed name stands for. NULL: ELF. */
	char          *tokens;
	uint16_t       token_at[NR_TOKENS];
	size_t         tokens_bytes;
};

/* ---- both kinds --------------------------------------------------------------------------------- */

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	free(s->table);
	free(s->names);
	free(s->tokens);
	free(s);
}

size_t symbols_count(const struct symbols *s)
{
	return s ? s->nr : 0;
}

void symbols_set_slide(struct symbols *s, uint64_t slide)
{
	s->slide = slide;
}

uint64_t symbols_slide(const struct symbols *s)
{
	return s->slide;
}

/* Length of a compressed name, and where its tokens begin; 0 if it does not fit. */
static size_t packed_name(const uint8_t *names, size_t bytes, size_t at, size_t *tokens_at)
{
	size_t len;

	if (at >= bytes)
		return 0;
	len = names[at++];
	/* Since 6.1 names may have more than 127 tokens: then the length takes two bytes. */
	if (len & 0x80) {
		if (at >= bytes)
			return 0;
		len = (len & 0x7f) | (size_t)names[at++] << 7;
	}
	*tokens_at = at;
	return len <= bytes - at ? len : 0;
}

/* The name of @sym, at most SYMBOLS_NAME_BYTES - 1 characters of it. */
static void get_name(const struct symbols *s, const struct symbol *sym, char *name)
{
	size_t len, at, out = 0;
	bool type = true;

	if (!s->tokens) {
		snprintf(name, SYMBOLS_NAME_BYTES, "%s", s->names + sym->name);
		return;
	}
	len = packed_name((const uint8_t *)s->names, s->names_bytes, sym->name, &at);
	for (; len; len--, at++) {
		const char *token = s->tokens + s->token_at[(uint8_t)s->names[at]];

		for (; *token && out < SYMBOLS_NAME_BYTES - 1; token++) {
			/* The first character is the symbol's type. */
			if (!type)
				name[out++] = *token;
			type = false;
		}
	}
	name[out] = '\0';
}

static int compare_symbols(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->text != y->text)
		return x->text ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static void sort_symbols(struct symbols *s)
{
	qsort(s->table, s->nr, sizeof(*s->table), compare_symbols);
	s->text_first = UINT64_MAX;
	for (size_t i = 0; i < s->nr; i++) {
		if (!s->table[i].text)
			continue;
		s->text_first = MIN(s->text_first, s->table[i].addr);
		s->text_end = MAX(s->text_end, s->table[i].addr);
	}
}

bool symbols_address(const struct symbols *s, const char *name, uint64_t *addr)
{
	char buf[SYMBOLS_NAME_BYTES];

	for (size_t i = 0; s && i < s->nr; i++) {
		get_name(s, &s->table[i], buf);
		if (!strcmp(buf, name)) {
			*addr = s->table[i].addr + s->slide;
			return true;
		}
	}
	return false;
}

bool symbols_lookup(const struct symbols *s, uint64_t addr, char *name, uint64_t *offset, uint64_t *size)
{
	size_t low = 0, high = s ? s->nr : 0, i;

	if (!high)
		return false;
	addr -= s->slide;
	if (addr < s->text_first || addr >= s->text_end)
		return false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->table[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return false;
	/* Of several at the same place the first, which is a function if one of them is. */
	for (i = low - 1; i > 0 && s->table[i - 1].addr == s->table[low - 1].addr; i--)
		;
	if (!s->table[i].text)
		return false;
	get_name(s, &s->table[i], name);
	*offset = addr - s->table[i].addr;
	*size = low < s->nr ? s->table[low].addr - s->table[i].addr : 0;
	return true;
}

const char *symbols_text(const struct symbols *s, uint64_t addr, bool is_return, char *buf, size_t size)
{
	char name[SYMBOLS_NAME_BYTES];
	uint64_t offset, bytes;

	if (symbols_lookup(s, addr - is_return, name, &offset, &bytes))
		snprintf(buf, size, "%s+0x%" PRIx64 "/0x%" PRIx64, name, offset + is_return, bytes);
	else
		buf[0] = '\0';
	return buf;
}

/* ---- ELF ---------------------------------------------------------------------------------------- */

/* A file, in memory or on disk. */
struct elf {
	const uint8_t *mem; /* NULL: fd */
	int            fd;
	uint64_t       bytes;
	bool           is64;
	bool           big_endian;
};

static int elf_read(const struct elf *elf, uint64_t at, void *buf, size_t len)
{
	ssize_t n;

	if (!range_within(at, len, 0, elf->bytes))
		return -EINVAL;
	if (elf->mem) {
		memcpy(buf, elf->mem + at, len);
		return 0;
	}
	for (size_t done = 0; done < len; done += (size_t)n) {
		n = pread(elf->fd, (char *)buf + done, len - done, (off_t)(at + done));
		if (n <= 0)
			return n ? -errno : -EINVAL;
	}
	return 0;
}

/* The number in @len bytes at @p. */
static uint64_t elf_number(const struct elf *elf, const void *p, unsigned int len)
{
	return elf->big_endian ? get_be(p, len) : get_le(p, len);
}

#define FIELD(elf, buf, type, member)                                                            \
	((elf)->is64 ? elf_number(elf, (buf) + offsetof(Elf64_##type, member),                   \
				  sizeof(((Elf64_##type *)0)->member)) :                          \
		       elf_number(elf, (buf) + offsetof(Elf32_##type, member),                   \
				  sizeof(((Elf32_##type *)0)->member)))
#define SIZE(elf, type) ((elf)->is64 ? sizeof(Elf64_##type) : sizeof(Elf32_##type))

struct elf_section {
	uint32_t type, link;
	uint64_t offset, bytes, entry_bytes;
};

static int elf_section(const struct elf *elf, uint64_t table, unsigned int entry_bytes, unsigned int index,
		       struct elf_section *out)
{
	uint8_t buf[sizeof(Elf64_Shdr)];
	int ret = elf_read(elf, table + (uint64_t)index * entry_bytes, buf, SIZE(elf, Shdr));

	if (ret)
		return ret;
	out->type = (uint32_t)FIELD(elf, buf, Shdr, sh_type);
	out->link = (uint32_t)FIELD(elf, buf, Shdr, sh_link);
	out->offset = FIELD(elf, buf, Shdr, sh_offset);
	out->bytes = FIELD(elf, buf, Shdr, sh_size);
	out->entry_bytes = FIELD(elf, buf, Shdr, sh_entsize);
	return 0;
}

/* Reads a whole section. NULL: it can't be read, or there is no memory. */
static void *elf_load(const struct elf *elf, const struct elf_section *section)
{
	char *buf;

	if (!section->bytes || section->bytes > MAX_TABLE_BYTES)
		return NULL;
	buf = malloc((size_t)section->bytes + 1);
	if (!buf)
		return NULL;
	if (elf_read(elf, section->offset, buf, (size_t)section->bytes)) {
		free(buf);
		return NULL;
	}
	buf[section->bytes] = '\0';
	return buf;
}

static void add_elf_symbol(const struct elf *elf, struct symbols *s, const uint8_t *sym)
{
	unsigned int type = (unsigned int)FIELD(elf, sym, Sym, st_info) & 0xf;
	uint64_t name = FIELD(elf, sym, Sym, st_name);
	uint64_t section = FIELD(elf, sym, Sym, st_shndx);

	if (section == SHN_UNDEF || section == SHN_ABS || type > STT_FUNC || name >= s->names_bytes ||
	    !s->names[name] || s->names[name] == '$' || s->names[name] == '.') /* $x, $d, .L: of the assembler */
		return;
	s->table[s->nr++] = (struct symbol){
		.addr = FIELD(elf, sym, Sym, st_value), .name = (uint32_t)name, .text = type != STT_OBJECT,
	};
}

static int elf_parse(struct symbols **out, struct elf *elf)
{
	struct elf_section symtab = { 0 }, strtab;
	uint8_t head[sizeof(Elf64_Ehdr)], *raw = NULL;
	unsigned int nr, entry_bytes;
	struct symbols *s;
	uint64_t table;
	int ret;

	ret = elf_read(elf, 0, head, sizeof(Elf32_Ehdr));
	if (ret)
		return ret;
	if (memcmp(head, ELFMAG, SELFMAG) || head[EI_CLASS] < ELFCLASS32 || head[EI_CLASS] > ELFCLASS64 ||
	    head[EI_DATA] < ELFDATA2LSB || head[EI_DATA] > ELFDATA2MSB)
		return -EINVAL;
	elf->is64 = head[EI_CLASS] == ELFCLASS64;
	elf->big_endian = head[EI_DATA] == ELFDATA2MSB;
	ret = elf_read(elf, 0, head, SIZE(elf, Ehdr));
	if (ret)
		return ret;
	table = FIELD(elf, head, Ehdr, e_shoff);
	nr = (unsigned int)FIELD(elf, head, Ehdr, e_shnum);
	entry_bytes = (unsigned int)FIELD(elf, head, Ehdr, e_shentsize);
	for (unsigned int i = 0; i < nr && symtab.type != SHT_SYMTAB; i++)
		if (elf_section(elf, table, entry_bytes, i, &symtab))
			return -EINVAL;
	if (symtab.type != SHT_SYMTAB || symtab.entry_bytes != SIZE(elf, Sym) ||
	    elf_section(elf, table, entry_bytes, symtab.link, &strtab) || strtab.type != SHT_STRTAB)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	raw = elf_load(elf, &symtab);
	s->names = elf_load(elf, &strtab);
	s->names_bytes = (size_t)strtab.bytes;
	nr = (unsigned int)MIN(symtab.bytes / symtab.entry_bytes, MAX_SYMBOLS);
	s->table = calloc(nr ? nr : 1, sizeof(*s->table));
	if (raw && s->names && s->table)
		for (unsigned int i = 0; i < nr; i++)
			add_elf_symbol(elf, s, raw + (size_t)i * symtab.entry_bytes);
	free(raw);
	if (!s->nr) {
		symbols_free(s);
		return -EINVAL;
	}
	sort_symbols(s);
	*out = s;
	return 0;
}

int symbols_parse_elf(struct symbols **out, const uint8_t *file, size_t len)
{
	struct elf elf = { .mem = file, .fd = -1, .bytes = len };

	return elf_parse(out, &elf);
}

int symbols_open_elf(struct symbols **out, const char *path)
{
	struct elf elf = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct stat st;
	int ret;

	if (elf.fd < 0 || fstat(elf.fd, &st)) {
		ret = -errno;
		log_error("--vmlinux: cannot open %s: %s", path, strerror(-ret));
	} else {
		elf.bytes = MIN((uint64_t)st.st_size, MAX_FILE_BYTES);
		ret = elf_parse(out, &elf);
		if (ret)
			log_error("--vmlinux: %s: no ELF file with a symbol table: give the vmlinux that the build leaves behind, not stripped",
				  path);
	}
	if (elf.fd >= 0)
		close(elf.fd);
	return ret;
}

/* ---- kallsyms ----------------------------------------------------------------------------------- */

/*
 * scripts/kallsyms.c writes, each aligned to a word: num_syms (u32), names, markers (u32, where every
 * 256th name begins), token_table (256 strings), token_index (u16, where each of them begins);
 * offsets (u32, of each symbol from the base) and relative_base come before all that until 6.4, and
 * behind since. Newer kernels (7.2 is one) align to 4 bytes and have no base: an offset (s32) counts from where it
 * lies itself. Nothing says where any of it is: the token table is recognised by the single digits
 * in it, and proven by token_index; from there the others are found, and proven by each other.
 */
enum offset_kind {
	FROM_BASE,
	FROM_BASE_PERCPU, /* CONFIG_KALLSYMS_ABSOLUTE_PERCPU: what is not negative is an address itself */
	FROM_PLACE,
};

struct kallsyms {
	const uint8_t *mem;
	size_t         len;
	uint64_t       va;        /* of the first byte, 0: unknown */
	unsigned int   word;      /* bytes */
	bool           big_endian;
	size_t         tokens, token_index, markers, names, num_syms, offsets;
	enum offset_kind kind;    /* of the offsets; and from where they count */
	uint64_t       base;
	uint32_t       nr_markers, nr;
	size_t         budget;    /* entries that may yet be looked at: hostile memory must not cost minutes */
};

#define SEARCH_BUDGET (64u << 20)

static uint64_t number_at(const struct kallsyms *k, size_t at, unsigned int len)
{
	if (!range_within(at, len, 0, k->len))
		return 0;
	return k->big_endian ? get_be(k->mem + at, len) : get_le(k->mem + at, len);
}

/* @digit is where the token "0" may be. */
static bool find_tokens(struct kallsyms *k, size_t digit)
{
	uint16_t at[NR_TOKENS];
	size_t end = digit;

	for (unsigned int i = '0'; i < NR_TOKENS; i++) {
		const uint8_t *nul = end < k->len ? memchr(k->mem + end, 0, MIN(k->len - end, (size_t)512)) : NULL;

		if (!nul || end - digit > UINT16_MAX)
			return false;
		at[i] = (uint16_t)(end - digit);
		end = (size_t)(nul - k->mem) + 1;
	}
	for (unsigned int align = 8; align >= 2; align /= 2) {
		size_t index = (size_t)align_up(end, align);
		size_t first = (size_t)number_at(k, index + 2 * '0', 2);
		bool ok = range_within(index, 2 * NR_TOKENS, 0, k->len) && first <= digit &&
			  !number_at(k, index, 2);

		for (unsigned int i = 1; ok && i < NR_TOKENS; i++) {
			uint64_t v = number_at(k, index + 2 * i, 2);

			ok = i < '0' ? v > number_at(k, index + 2 * (i - 1), 2) && v <= first : v == first + at[i];
		}
		if (ok) {
			k->tokens = digit - first;
			k->token_index = index;
			return true;
		}
	}
	return false;
}

/* Do markers end at @end? They descend to 0 as one reads backwards. */
static bool find_markers(struct kallsyms *k, size_t end, uint32_t max)
{
	uint64_t last = UINT64_MAX, v = 1;
	size_t at = end;

	k->nr_markers = 0;
	while (at >= 4) {
		at -= 4;
		v = number_at(k, at, 4);
		if (v >= last || k->nr_markers == max || !k->budget)
			return false;
		k->budget--;
		k->nr_markers++;
		if (!v)
			break;
		last = v;
	}
	k->markers = at;
	return k->nr_markers > 1 && !v;
}

/* Do the names from @at lead to the markers? */
static bool names_fit(struct kallsyms *k, size_t at)
{
	size_t limit = k->markers - at, pos = 0, tokens_at, len;

	for (uint32_t i = 0; i < k->nr && k->budget; i++, k->budget--) {
		if (i % 256 == 0 && pos != number_at(k, k->markers + 4 * (i / 256), 4))
			return false;
		len = packed_name(k->mem + at, limit, pos, &tokens_at);
		if (!len)
			return false;
		pos = tokens_at + len;
	}
	return k->budget > 0;
}

/* The names end before the markers; where they begin is tried out, with the count before them as a first sieve. */
static bool find_names(struct kallsyms *k)
{
	size_t last = (size_t)number_at(k, k->markers + 4 * (k->nr_markers - 1), 4);
	size_t latest, earliest;

	if (last >= k->markers)
		return false;
	latest = k->markers - last - 1;
	earliest = latest > 256 * 600 ? latest - 256 * 600 : 0;
	for (size_t at = (size_t)align_down(latest, 4); at >= earliest && at >= 8; at -= 4) {
		/* The count is 4 bytes in a word, or just before on kernels that align to 4. */
		for (unsigned int back = 4; back <= 8; back += 4) {
			k->nr = (uint32_t)number_at(k, at - back, 4);
			if (!k->nr || k->nr > MAX_SYMBOLS || (k->nr + 255) / 256 != k->nr_markers ||
			    !names_fit(k, at))
				continue;
			k->names = at;
			k->num_syms = at - back;
			return true;
		}
	}
	return false;
}

/*
 * The markers end where the tokens begin, but for padding; from 6.2 (and 6.1 as distributions have
 * it) to 6.4 there are three bytes for each symbol between them: seqs_of_names.
 */
static bool find_markers_and_names(struct kallsyms *k)
{
	size_t end = (size_t)align_down(k->tokens, 4);

	for (size_t gap = 0; gap < end && gap / 3 < MAX_SYMBOLS; gap += 4) {
		size_t nr_least = gap > 7 ? (gap - 7) / 3 : 0;
		uint32_t max = (uint32_t)(gap <= 4 ? MAX_SYMBOLS / 256 : (gap / 3 + 255) / 256);

		if (!k->budget)
			return false;
		if (find_markers(k, end - gap, max) && (gap <= 4 || k->nr_markers >= (nr_least + 255) / 256) &&
		    find_names(k))
			return true;
	}
	return false;
}

static uint64_t symbol_address(const struct kallsyms *k, uint32_t i)
{
	size_t at = k->offsets + (size_t)4 * i;
	uint32_t v = (uint32_t)number_at(k, at, 4);
	uint64_t from_zero = (uint64_t)(int64_t)(int32_t)v;

	switch (k->kind) {
	case FROM_BASE_PERCPU:
		return (int32_t)v >= 0 ? v : k->base - 1 - from_zero;
	case FROM_PLACE:
		return k->va + at + from_zero;
	default:
		return k->base + v;
	}
}

/* Are there sorted addresses of a kernel? */
static bool offsets_fit(const struct kallsyms *k)
{
	uint64_t last = 0;

	if (!range_within(k->offsets, (size_t)4 * k->nr, 0, k->len))
		return false;
	for (uint32_t i = 0; i < k->nr; i++) {
		uint64_t addr = symbol_address(k, i);

		if (addr < last)
			return false;
		last = addr;
	}
	return true;
}

static bool offsets_fit_base(struct kallsyms *k, size_t offsets, size_t base_at)
{
	k->base = number_at(k, base_at, k->word);
	k->offsets = offsets;
	if (!range_within(base_at, k->word, 0, k->len) || !(k->base >> (8 * k->word - 1)))
		return false;
	k->kind = FROM_BASE;
	if (offsets_fit(k))
		return true;
	k->kind = FROM_BASE_PERCPU;
	return offsets_fit(k);
}

static bool find_offsets(struct kallsyms *k)
{
	size_t table = (size_t)align_up((uint64_t)4 * k->nr, k->word);
	size_t end = k->token_index + 2 * NR_TOKENS, at = (size_t)align_up(end, k->word);

	if (offsets_fit_base(k, at, at + table))
		return true;
	if (k->num_syms >= k->word + table &&
	    offsets_fit_base(k, k->num_syms - k->word - table, k->num_syms - k->word))
		return true;
	/* The kernel's text, with which the symbols begin, is before the table. */
	k->offsets = end;
	k->kind = FROM_PLACE;
	return k->va && number_at(k, end, 4) >> 31 && offsets_fit(k);
}

static int load_kallsyms(struct symbols **out, const struct kallsyms *k)
{
	struct symbols *s = calloc(1, sizeof(*s));
	size_t pos = 0, len, at;

	if (!s)
		return -ENOMEM;
	s->names_bytes = k->markers - k->names;
	s->tokens_bytes = k->token_index - k->tokens;
	s->names = malloc(s->names_bytes);
	s->tokens = malloc(s->tokens_bytes + 1);
	s->table = calloc(k->nr, sizeof(*s->table));
	if (!s->names || !s->tokens || !s->table) {
		symbols_free(s);
		return -ENOMEM;
	}
	memcpy(s->names, k->mem + k->names, s->names_bytes);
	memcpy(s->tokens, k->mem + k->tokens, s->tokens_bytes);
	s->tokens[s->tokens_bytes] = '\0';
	for (unsigned int i = 0; i < NR_TOKENS; i++)
		s->token_at[i] = (uint16_t)MIN(number_at(k, k->token_index + 2 * i, 2), s->tokens_bytes);
	for (uint32_t i = 0; i < k->nr; i++) {
		char type;

		len = packed_name((const uint8_t *)s->names, s->names_bytes, pos, &at);
		if (!len)
			break;
		type = s->tokens[s->token_at[(uint8_t)s->names[at]]];
		s->table[s->nr++] = (struct symbol){
			.addr = symbol_address(k, i), .name = (uint32_t)pos,
			.text = type == 't' || type == 'T' || type == 'w' || type == 'W',
		};
		pos = at + len;
	}
	sort_symbols(s);
	*out = s;
	return 0;
}

int symbols_parse_kallsyms(struct symbols **out, const uint8_t *mem, size_t len, uint64_t va, unsigned int bits,
			   bool big_endian)
{
	static const char mark[SYMBOLS_KALLSYMS_MARK_BYTES] = SYMBOLS_KALLSYMS_MARK;
	struct kallsyms k = {
		.mem = mem, .len = len, .va = va, .word = bits / 8, .big_endian = big_endian,
		.budget = SEARCH_BUDGET,
	};
	const uint8_t *p = mem;

	while ((p = memmem(p, len - (size_t)(p - mem), mark, sizeof(mark)))) {
		if (find_tokens(&k, (size_t)(p - mem)) && find_markers_and_names(&k) && find_offsets(&k))
			return load_kallsyms(out, &k);
		p++;
	}
	return -ENOENT;
}
