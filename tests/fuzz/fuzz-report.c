// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a report reads of a guest: page tables of all arches, kallsyms and ELF symbols, stacks; and
 * the report's text. The input is registers and guest memory. Walks must end, and whatever is mapped
 * must be consistent.
 */
#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "arm/mmu.h"
#include "lkvm/byteorder.h"
#include "lkvm/report-data.h"
#include "powerpc/mmu.h"
#include "riscv/mmu.h"
#include "x86/mmu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Guest memory is the input over and over: any address can be a table, and tables can loop. */
struct memory_image {
	const uint8_t *data;
	size_t         size;
};

static int read_physical(void *ctx, gpa_t gpa, void *buf, uint64_t len)
{
	const struct memory_image *m = ctx;

	/* One part in four of the address space is empty. */
	if (!m->size || (gpa >> 30 & 3) == 3 || len > 64)
		return -EFAULT;
	for (uint64_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = m->data[(gpa + i) % m->size];
	return 0;
}

static int read_virtual(void *ctx, uint64_t va, void *buf, size_t len)
{
	return read_physical(ctx, va, buf, len);
}

static int read_pteg(void *ctx, uint64_t pteg, uint64_t hpte[16])
{
	uint8_t raw[64];

	for (unsigned int i = 0; i < 2; i++) {
		if (read_physical(ctx, pteg * 128 + i * 64, raw, sizeof(raw)))
			return -EFAULT;
		for (unsigned int n = 0; n < 8; n++)
			hpte[i * 8 + n] = get_be64(raw + n * 8);
	}
	return 0;
}

static void check_walk(const struct walk *w)
{
	must(w->nr_steps <= WALK_MAX_STEPS);
	must(memchr(w->mode, 0, sizeof(w->mode)) && memchr(w->why, 0, sizeof(w->why)));
	if (w->result != WALK_MAPPED) {
		must(w->why[0] && !walk_permissions(w));
		return;
	}
	must(!w->why[0] && !(w->page_bytes & (w->page_bytes - 1)));
	/* The offset in the smallest page stays as it is. */
	must((w->gpa & 0xfff) == (w->va & 0xfff));
}

/* The next 8 bytes of the input, as a register. */
static uint64_t take(const uint8_t **data, size_t *size)
{
	size_t n = MIN(*size, (size_t)8);
	uint64_t v = n ? get_le(*data, (unsigned int)n) : 0;

	*data += n;
	*size -= n;
	return v;
}

static void walk_all(const uint8_t *data, size_t size, struct walk *last)
{
	uint64_t va = take(&data, &size), r[7];
	struct ppc_booke_tlb_entry tlb[8] = { 0 };
	struct ppc_slb_entry slb[2] = { 0 };
	struct memory_image image;
	struct walk_memory mem = { read_physical, &image };

	for (unsigned int i = 0; i < ARRAY_SIZE(r); i++)
		r[i] = take(&data, &size);
	image = (struct memory_image){ data, size };

	riscv_mmu_walk(&(struct riscv_mmu){ .satp = r[0], .sstatus = r[1], .user = r[2] & 1 }, &mem, va, last);
	check_walk(last);
	arm_mmu_walk(&(struct arm_mmu){ .sctlr = r[0], .tcr = r[1], .ttbr0 = r[2], .ttbr1 = r[3], .tcr2 = r[4],
					.pir = r[5], .pire0 = r[6], .user = r[4] >> 63 }, &mem, va, last);
	check_walk(last);
	x86_mmu_walk(&(struct x86_mmu){ .cr0 = r[0], .cr3 = r[1], .cr4 = r[2], .efer = r[3], .user = r[4] & 1,
					.ac = r[4] & 2 }, &mem, va, last);
	check_walk(last);
	ppc_radix_walk(&(struct ppc_radix){ .msr = r[0], .process_table = r[1], .pid = (uint32_t)r[2] }, &mem, va,
		       r[3] & 1, last);
	check_walk(last);
	memcpy(slb, r, sizeof(slb));
	ppc_hash_walk(&(struct ppc_hash){ .msr = r[4], .slb = slb, .nr_slb = 2, .order = r[5] & 0x7f,
					  .read_pteg = read_pteg, .ctx = &image }, va, r[6] & 1, last);
	check_walk(last);
	memcpy(tlb, data, MIN(size, sizeof(tlb)));
	ppc_booke_walk(&(struct ppc_booke_tlb){ .msr = r[0], .pid = { (uint32_t)r[1] }, .entries = tlb,
						.nr_tlb0 = 4, .nr_tlb1 = 4 }, va, r[6] & 1, last);
	check_walk(last);
}

static void look_up(struct symbols *s, const uint8_t *data, size_t size)
{
	uint64_t addr, offset, bytes;
	char name[SYMBOLS_NAME_BYTES], text[160];

	symbols_set_slide(s, take(&data, &size));
	for (unsigned int i = 0; i < 8; i++) {
		addr = take(&data, &size);
		if (symbols_lookup(s, addr, name, &offset, &bytes))
			must(memchr(name, 0, sizeof(name)) != NULL);
		symbols_text(s, addr, i & 1, text, sizeof(text));
	}
	(void)symbols_address(s, "_stext", &addr);
	symbols_free(s);
}

static void read_symbols(const uint8_t *data, size_t size, unsigned int kind)
{
	struct symbols *s = NULL;
	int ret = kind & 1 ? symbols_parse_elf(&s, data, size) :
			     symbols_parse_kallsyms(&s, data, size, kind & 8 ? UINT64_C(0xffffffff80000000) : 0,
						    kind & 2 ? 32 : 64, kind & 4);

	if (!ret)
		look_up(s, data, size);
}

/* Two functions that a backtrace treats in its own way have all addresses between them. */
static struct symbols *kernel_symbols(void)
{
	static const struct {
		Elf64_Ehdr header;
		Elf64_Shdr sections[3];
		Elf64_Sym  symbols[3];
		char       names[32];
	} file = {
		.header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB },
			    .e_shoff = sizeof(Elf64_Ehdr), .e_shnum = 3, .e_shentsize = sizeof(Elf64_Shdr) },
		.sections = {
			{ .sh_type = SHT_NULL },
			{ .sh_type = SHT_SYMTAB, .sh_link = 2, .sh_entsize = sizeof(Elf64_Sym),
			  .sh_size = 3 * sizeof(Elf64_Sym),
			  .sh_offset = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Shdr) },
			{ .sh_type = SHT_STRTAB, .sh_size = 32,
			  .sh_offset = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Shdr) + 3 * sizeof(Elf64_Sym) },
		},
		.symbols = {
			{ .st_name = 1, .st_info = STT_FUNC, .st_shndx = 1, .st_value = 0x10 },
			{ .st_name = 18, .st_info = STT_FUNC, .st_shndx = 1, .st_value = UINT64_C(1) << 62 },
			{ .st_name = 24, .st_info = STT_FUNC, .st_shndx = 1, .st_value = UINT64_C(1) << 63 },
		},
		.names = "\0handle_exception\0panic\0rest",
	};
	struct symbols *s = NULL;

	must(!symbols_parse_elf(&s, (const uint8_t *)&file, sizeof(file)) && symbols_count(s) == 3);
	return s;
}

static void report(const uint8_t *data, size_t size)
{
	static const enum reg_frames frames[] = { FRAMES_NONE, FRAMES_RISCV, FRAMES_UP, FRAMES_PPC };
	static const char *const archs[] = { "riscv64", "arm64", "x86_64", "ppc64le", "ppc", "" };
	uint64_t choice = take(&data, &size);
	struct report_vcpu *v = calloc(1, sizeof(*v));
	struct report r = {
		.arch = archs[choice % ARRAY_SIZE(archs)], .vcpus = v, .nr_vcpus = 1,
		.has_failure = choice >> 8 & 1, .failure.name = "", .symbols_from = "",
	};
	struct memory_image image;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	enum disasm_cpu cpu;

	must(v && out);
	v->reached = true;
	v->regs.frames = frames[choice >> 16 & 3];
	v->regs.bits = choice >> 24 & 1 ? 64 : 32;
	v->regs.big_endian = choice >> 25 & 1;
	v->regs.signed_bits[0] = (uint8_t)(choice >> 32 & 0x7f);
	v->regs.signed_bits[1] = (uint8_t)(choice >> 40 & 0x7f);
	v->pc = take(&data, &size);
	reg_add(&v->regs, REG_GENERAL, ROLE_PC, "pc", 8, true, v->pc);
	reg_add(&v->regs, REG_GENERAL, ROLE_SP, "sp", 8, true, take(&data, &size));
	reg_add(&v->regs, REG_GENERAL, ROLE_FP, "fp", 8, true, take(&data, &size));
	reg_add(&v->regs, REG_GENERAL, ROLE_LR, "lr", 8, choice >> 26 & 1, take(&data, &size));
	walk_all(data, size, &v->pc_place.walk);
	if (choice >> 28 & 1)
		r.symbols = kernel_symbols();
	image = (struct memory_image){ data, size };
	backtrace_take(&v->backtrace, &v->regs, choice >> 27 & 1,
		       &(struct backtrace_memory){ read_virtual, &image }, r.symbols);
	must(v->backtrace.nr <= BACKTRACE_MAX);
	if (disasm_find_cpu(r.arch, v->regs.bits, v->regs.big_endian, &cpu)) {
		struct report_insn *insn = &v->insns[v->nr_insns++];

		memcpy(insn->bytes, data, MIN(size, sizeof(insn->bytes)));
		insn->len = (uint8_t)disasm_one(cpu, v->pc, insn->bytes, sizeof(insn->bytes), insn->text,
						sizeof(insn->text));
		must(insn->len <= sizeof(insn->bytes));
	}
	memcpy(r.console, data, MIN(size, sizeof(r.console) - 1));
	memcpy(r.failure.what, data, MIN(size, sizeof(r.failure.what) - 1));
	memcpy(r.failure.advice, data, MIN(size, sizeof(r.failure.advice) - 1));
	report_print_text(&r, out);
	report_print_panic(&r, v, out);
	fclose(out);
	symbols_free(r.symbols);
	free(text);
	free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct walk w;

	if (!size)
		return 0;
	switch (data[0] & 3) {
	case 0:
		walk_all(data + 1, size - 1, &w);
		break;
	case 1:
		report(data + 1, size - 1);
		break;
	default: {
		/* A copy of its own, so that reading beyond it is seen, aligned as guest memory is. */
		uint8_t *copy = malloc(size);

		must(copy != NULL);
		memcpy(copy, data + 1, size - 1);
		read_symbols(copy, size - 1, data[0] >> 2);
		free(copy);
		break;
	}
	}
	return 0;
}
