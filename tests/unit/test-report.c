// SPDX-License-Identifier: GPL-2.0-only
/* Stack traces, disassembly, and reports as text and JSON from given data. */
#include "lkvm/report-data.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/byteorder.h"
#include "tests/unit/test.h"

/* ---- backtraces --------------------------------------------------------------------------------- */

#define STACK UINT64_C(0xff20000000000000)
static uint8_t stack[8192];

static int read_stack(void *ctx, uint64_t va, void *buf, size_t len)
{
	(void)ctx;
	if (!range_within(va, len, STACK, sizeof(stack)))
		return -EFAULT;
	memcpy(buf, stack + (va - STACK), len);
	return 0;
}

static const struct backtrace_memory stack_mem = { .read = read_stack };

static void poke(uint64_t offset, uint64_t v)
{
	put_le64(stack + offset, v);
}

static struct reg_set make_regs(enum reg_frames frames, uint64_t fp, bool has_lr)
{
	struct reg_set set = { .bits = 64, .frames = frames };

	reg_add(&set, REG_GENERAL, ROLE_PC, "pc", 8, true, 0x1000);
	reg_add(&set, REG_GENERAL, ROLE_SP, "sp", 8, true, STACK + 0x10);
	reg_add(&set, REG_GENERAL, ROLE_FP, "fp", 8, true, fp);
	if (has_lr)
		reg_add(&set, REG_GENERAL, ROLE_LR, "lr", 8, true, 0x7777);
	return set;
}

static void check_frames(const struct backtrace *bt, unsigned int nr, const uint64_t *pcs, const char *end)
{
	CHECK_EQ(bt->nr, nr);
	for (unsigned int i = 0; i < MIN(nr, bt->nr); i++)
		CHECK_EQ(bt->frames[i].pc, pcs[i]);
	CHECK_STR(bt->end, end);
}

static void test_frame_pointers(void)
{
	struct reg_set riscv = make_regs(FRAMES_RISCV, STACK + 0x100, true);
	struct reg_set arm = make_regs(FRAMES_UP, STACK + 0x100, true);
	struct backtrace bt;

	memset(stack, 0, sizeof(stack));
	poke(0xf0, STACK + 0x200);  /* riscv: caller's fp below, return address right below fp */
	poke(0xf8, 0x2000);
	poke(0x1f0, STACK + 0x300);
	poke(0x1f8, 0x3000);
	poke(0x2f8, 0);
	backtrace_take(&bt, &riscv, true, &stack_mem, NULL);
	check_frames(&bt, 3, (const uint64_t[]){ 0x1000, 0x2000, 0x3000 }, "");
	/* Where pc is no code, ra says who jumped. */
	backtrace_take(&bt, &riscv, false, &stack_mem, NULL);
	check_frames(&bt, 4, (const uint64_t[]){ 0x1000, 0x7777, 0x2000, 0x3000 }, "");

	memset(stack, 0, sizeof(stack));
	poke(0x100, STACK + 0x200);
	poke(0x108, 0x2000);
	poke(0x200, STACK + 0x180); /* downwards: a loop */
	poke(0x208, 0x3000);
	backtrace_take(&bt, &arm, true, &stack_mem, NULL);
	check_frames(&bt, 3, (const uint64_t[]){ 0x1000, 0x2000, 0x3000 }, "the next frame is not above this one");
	arm = make_regs(FRAMES_UP, STACK + 0x101, true);
	backtrace_take(&bt, &arm, true, &stack_mem, NULL);
	check_frames(&bt, 1, (const uint64_t[]){ 0x1000 }, "the frame pointer is misaligned");
	arm = make_regs(FRAMES_UP, 0x4000, true);
	backtrace_take(&bt, &arm, true, &stack_mem, NULL);
	check_frames(&bt, 1, (const uint64_t[]){ 0x1000 }, "the stack can't be read further");
}

/* Functions of a kernel from 0x80000000 on, 256 bytes each: an ELF file with nothing but symbols. */
static struct symbols *make_symbols(void)
{
	static const char names[] = "\0panic\0oops_end\0die\0handle_exception\0notify";
	static const uint8_t at[] = { 1, 7, 16, 20, 37 };
	struct symbols *symbols = NULL;
	uint8_t file[512] = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB };
	uint8_t *table = file + 64 + sizeof(Elf64_Shdr), *strings = table + sizeof(Elf64_Shdr);

	put_le64(file + offsetof(Elf64_Ehdr, e_shoff), 64);
	put_le16(file + offsetof(Elf64_Ehdr, e_shnum), 3);
	put_le16(file + offsetof(Elf64_Ehdr, e_shentsize), sizeof(Elf64_Shdr));
	put_le32(table + offsetof(Elf64_Shdr, sh_type), SHT_SYMTAB);
	put_le32(table + offsetof(Elf64_Shdr, sh_link), 2);
	put_le64(table + offsetof(Elf64_Shdr, sh_offset), 256);
	put_le64(table + offsetof(Elf64_Shdr, sh_size), sizeof(at) * sizeof(Elf64_Sym));
	put_le64(table + offsetof(Elf64_Shdr, sh_entsize), sizeof(Elf64_Sym));
	put_le32(strings + offsetof(Elf64_Shdr, sh_type), SHT_STRTAB);
	put_le64(strings + offsetof(Elf64_Shdr, sh_offset), 400);
	put_le64(strings + offsetof(Elf64_Shdr, sh_size), sizeof(names));
	for (unsigned int i = 0; i < sizeof(at); i++) {
		uint8_t *sym = file + 256 + i * sizeof(Elf64_Sym);

		put_le32(sym + offsetof(Elf64_Sym, st_name), at[i]);
		sym[offsetof(Elf64_Sym, st_info)] = STT_FUNC;
		put_le16(sym + offsetof(Elf64_Sym, st_shndx), 1);
		put_le64(sym + offsetof(Elf64_Sym, st_value), 0x80000000 + i * 256);
	}
	memcpy(file + 400, names, sizeof(names));
	CHECK_EQ(symbols_parse_elf(&symbols, file, sizeof(file)), 0);
	return symbols;
}

/* Through a trap to what was interrupted, in Linux on riscv. */
static void test_riscv_trap(void)
{
	struct reg_set riscv = make_regs(FRAMES_RISCV, STACK + 0x100, true);
	struct symbols *symbols = make_symbols();
	struct backtrace bt;

	memset(stack, 0, sizeof(stack));
	/* die() in a trap, whose registers are at 0x100: a jump to 0 by 0x80000010, whose frame is at 0x400. */
	poke(0xf0, STACK + 0xf00); /* not a frame */
	poke(0xf8, 0x80000304);
	poke(0x100, 0);
	poke(0x108, 0x80000010);
	poke(0x100 + 8 * 8, STACK + 0x400);
	poke(0x100 + 32 * 8, 0x120);
	poke(0x3f0, 0);
	poke(0x3f8, 0x80000120);
	backtrace_take(&bt, &riscv, true, &stack_mem, symbols);
	check_frames(&bt, 5, (const uint64_t[]){ 0x1000, 0x80000304, 0, 0x80000010, 0x80000120 }, "");
	poke(0x100, 0x80000020); /* where pc is code, ra is not asked */
	backtrace_take(&bt, &riscv, true, &stack_mem, symbols);
	check_frames(&bt, 4, (const uint64_t[]){ 0x1000, 0x80000304, 0x80000020, 0x80000120 }, "");
	poke(0x100 + 32 * 8, 0x20); /* it was user mode, whose stack is another matter */
	poke(0x100, 0x4444);
	backtrace_take(&bt, &riscv, true, &stack_mem, symbols);
	check_frames(&bt, 3, (const uint64_t[]){ 0x1000, 0x80000304, 0x4444 }, "");
	riscv = make_regs(FRAMES_RISCV, STACK + sizeof(stack) - 0x10, true);
	poke(sizeof(stack) - 0x18, 0x80000304);
	backtrace_take(&bt, &riscv, true, &stack_mem, symbols);
	check_frames(&bt, 2, (const uint64_t[]){ 0x1000, 0x80000304 }, "the stack can't be read further");
	symbols_free(symbols);
}

/* The same on arm64, whose frame for a trap is part of the registers: 304 bytes into them, or since 6.13 296. */
static void test_arm_trap(void)
{
	struct reg_set arm = make_regs(FRAMES_UP, STACK + 0x100, true);
	struct symbols *symbols = make_symbols();
	struct backtrace bt;

	for (unsigned int frame = 304; frame >= 296; frame -= 8) {
		uint64_t regs = 0x400 - frame;

		memset(stack, 0, sizeof(stack));
		poke(0x100, STACK + 0x400);
		poke(0x108, 0x80000204);
		/* A jump to 0 by 0x80000010. */
		poke(0x400, frame == 304 ? STACK + 0x500 : 0);
		poke(0x410, 2);
		poke(regs + 29 * 8, STACK + 0x500);
		poke(regs + 30 * 8, 0x80000010);
		poke(regs + 33 * 8, 0x5);
		poke(0x508, 0x80000120);
		backtrace_take(&bt, &arm, true, &stack_mem, symbols);
		check_frames(&bt, 5, (const uint64_t[]){ 0x1000, 0x80000204, 0, 0x80000010, 0x80000120 }, "");
	}
	/* Where pc is code, lr is not asked. */
	poke(0x400 - 296 + 32 * 8, 0x80000020);
	backtrace_take(&bt, &arm, true, &stack_mem, symbols);
	check_frames(&bt, 4, (const uint64_t[]){ 0x1000, 0x80000204, 0x80000020, 0x80000120 }, "");
	/* From user mode, and the last frame of all. */
	poke(0x400 - 296 + 33 * 8, 0);
	backtrace_take(&bt, &arm, true, &stack_mem, symbols);
	check_frames(&bt, 3, (const uint64_t[]){ 0x1000, 0x80000204, 0x80000020 }, "");
	poke(0x410, 1);
	backtrace_take(&bt, &arm, true, &stack_mem, symbols);
	check_frames(&bt, 2, (const uint64_t[]){ 0x1000, 0x80000204 }, "");
	/* The registers would lie below the stack. */
	arm = make_regs(FRAMES_UP, STACK + 0x10, true);
	poke(0x20, 2);
	backtrace_take(&bt, &arm, true, &stack_mem, symbols);
	check_frames(&bt, 1, (const uint64_t[]){ 0x1000 }, "");
	symbols_free(symbols);
}

static void test_deep_stack(void)
{
	struct reg_set arm = make_regs(FRAMES_UP, STACK, true);
	struct backtrace bt;

	for (unsigned int i = 0; i < 256; i++) {
		poke(i * 16, STACK + (i + 1) * 16);
		poke(i * 16 + 8, 0x2000 + i);
	}
	backtrace_take(&bt, &arm, true, &stack_mem, NULL);
	CHECK_EQ(bt.nr, BACKTRACE_MAX);
	CHECK(bt.more);
	/* Signed return addresses of arm64, in both halves. */
	arm.signed_bits[0] = arm.signed_bits[1] = 48;
	poke(8, UINT64_C(0x998fa2bc5df499c4));
	poke(24, UINT64_C(0x0030000000404b9c));
	backtrace_take(&bt, &arm, true, &stack_mem, NULL);
	CHECK_EQ(bt.frames[1].pc, UINT64_C(0xffffa2bc5df499c4));
	CHECK_EQ(bt.frames[2].pc, 0x404b9c);
}

static void test_back_chain(void)
{
	struct reg_set ppc = make_regs(FRAMES_PPC, 0, true);
	struct backtrace bt;

	memset(stack, 0, sizeof(stack));
	poke(0x10, STACK + 0x100);
	poke(0x100, STACK + 0x200);
	poke(0x110, 0x2000);
	poke(0x210, 0x3000);
	backtrace_take(&bt, &ppc, true, &stack_mem, NULL);
	check_frames(&bt, 3, (const uint64_t[]){ 0x1000, 0x2000, 0x3000 }, "");
	CHECK_STR(bt.method, "back chain");
}

static void test_scan(void)
{
	struct reg_set x86 = make_regs(FRAMES_UP, 0x1234, false);
	struct backtrace bt;

	memset(stack, 0, sizeof(stack));
	/* Code in the same memory: a call by e8, one by ff /2, and something else. */
	stack[0x1000 - 5] = 0xe8;
	stack[0x1100 - 2] = 0xff;
	stack[0x1100 - 1] = 0xd0;
	stack[0x1200 - 5] = 0xe9;
	poke(0x40, STACK + 0x1000);
	poke(0x48, STACK + 0x1200);
	poke(0x50, STACK + 0x1100);
	poke(0x58, 0x1234);
	backtrace_take(&bt, &x86, true, &stack_mem, NULL);
	check_frames(&bt, 3, (const uint64_t[]){ 0x1000, STACK + 0x1000, STACK + 0x1100 }, "");
	CHECK(!bt.frames[0].guess);
	CHECK(bt.frames[1].guess);
	CHECK_STR(bt.method, "return addresses on the stack");
	/* A frame pointer that holds what it should is followed. */
	x86 = make_regs(FRAMES_UP, STACK + 0x60, false);
	poke(0x60, 0);
	poke(0x68, STACK + 0x1100);
	backtrace_take(&bt, &x86, true, &stack_mem, NULL);
	check_frames(&bt, 2, (const uint64_t[]){ 0x1000, STACK + 0x1100 }, "");
	CHECK_STR(bt.method, "frame pointers");
	/* After a jump into nothing the return address lies on top of the stack. */
	x86 = make_regs(FRAMES_UP, STACK + 0x60, false);
	poke(0x10, STACK + 0x1000);
	backtrace_take(&bt, &x86, false, &stack_mem, NULL);
	check_frames(&bt, 3, (const uint64_t[]){ 0x1000, STACK + 0x1000, STACK + 0x1100 }, "");
}

/* ---- disassembly -------------------------------------------------------------------------------- */

static void test_disasm(void)
{
	static const struct {
		const char *arch;
		unsigned int bits;
		bool big_endian, found;
		enum disasm_cpu cpu;
		unsigned int length; /* of two bytes 01 00, then of four */
		unsigned int length4;
	} rows[] = {
		{ "x86_64", 64, false, true, DISASM_X86_64, 0, 0 },   { "x86_64", 32, false, true, DISASM_X86_32, 0, 0 },
		{ "x86_64", 16, false, true, DISASM_X86_16, 0, 0 },   { "arm64", 64, false, true, DISASM_ARM64, 0, 4 },
		{ "arm64", 32, false, false, DISASM_ARM64, 0, 0 },    { "ppc64le", 64, false, true, DISASM_PPC64LE, 0, 4 },
		{ "ppc64le", 64, true, true, DISASM_PPC64, 0, 4 },    { "ppc", 32, true, true, DISASM_PPC32, 0, 4 },
		{ "riscv64", 64, false, true, DISASM_RISCV64, 2, 2 }, { "vax", 32, false, false, DISASM_PPC32, 0, 0 },
	};
	static const uint8_t code[] = { 1, 0, 0, 0 };

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		enum disasm_cpu cpu;

		CHECK_EQ(disasm_find_cpu(rows[i].arch, rows[i].bits, rows[i].big_endian, &cpu), rows[i].found);
		if (!rows[i].found)
			continue;
		CHECK_EQ(cpu, rows[i].cpu);
		CHECK_EQ(disasm_length(cpu, code, 2), rows[i].length);
		CHECK_EQ(disasm_length(cpu, code, 4), rows[i].length4);
	}
	CHECK_EQ(disasm_length(DISASM_RISCV64, (const uint8_t[]){ 0x73, 0x00 }, 2), 0);
}

/* ---- reports ------------------------------------------------------------------------------------ */

/* A riscv64 vCPU that jumped to where nothing is, and one that does not answer. */
static void make_report(struct report *r)
{
	struct report_vcpu *v;

	memset(r, 0, sizeof(*r));
	r->arch = "riscv64";
	r->has_outcome = r->has_failure = true;
	r->outcome = (struct outcome){ .kind = OUTCOME_VCPU_FAILED, .text = "vCPU 1: it jumped" };
	r->failure.name = "KVM_EXIT_UNKNOWN";
	r->failure.run_errno = EOPNOTSUPP;
	r->failure.cause = EXIT_CAUSE_FETCH_FAILED;
	exit_what(&r->failure, "instruction fetch failed at pc 0x70000000");
	exit_advise(&r->failure, "look there, and there, and there, and there, and there, and there, and there, and at what is in the next line");
	exit_field(&r->failure, "hardware_exit_reason", "0x%x", 0);
	r->vcpus = calloc(2, sizeof(*r->vcpus));
	r->nr_vcpus = 2;
	v = &r->vcpus[0];
	v->index = 1;
	v->reached = true;
	v->pc = 0x70000000;
	v->fetch = FETCH_NO_MEMORY;
	walk_init(&v->pc_place.walk, v->pc, false);
	snprintf(v->pc_place.walk.mode, sizeof(v->pc_place.walk.mode), "Sv39");
	v->pc_place.walk.steps[0] = (struct walk_step){
		.table = "level 2", .entry_gpa = 0x80001008, .entry = 0x1c0000cf, .entry_bytes = 8, .read = true,
	};
	v->pc_place.walk.nr_steps = 1;
	walk_map(&v->pc_place.walk, 0x70000000, GIB(1), WALK_R | WALK_W | WALK_X, 0);
	v->pc_place.place = (struct fetch_place){ BEHIND_HOLE, "", 0, 0 };
	v->fault.known = true;
	walk_init(&v->fault.walk, 0x1234, false);
	walk_fail(&v->fault.walk, WALK_UNMAPPED, "level 2 entry has V clear");
	reg_add(&v->regs, REG_GENERAL, ROLE_PC, "pc", 8, true, v->pc);
	reg_add(&v->regs, REG_SYSTEM, ROLE_PLAIN, "satp", 8, false, 0);
	reg_note(&v->regs, "mode S (kernel)");
	v->backtrace = (struct backtrace){
		.frames = { { 0x70000000, false }, { 0x80000040, true } }, .nr = 2, .method = "frame pointers",
		.end = "",
	};
	r->vcpus[1].index = 0;
	snprintf(r->console, sizeof(r->console), "hello\r\nworld \x80");
	snprintf(r->host, sizeof(r->host), "Linux 6.12");
}

static char *print(const struct report *r)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	report_print_text(r, out);
	fclose(out);
	return text;
}

static void test_text(void)
{
	static const char want[] =
		"lkvm: vCPU 1 stopped: instruction fetch failed at pc 0x70000000\n"
		"  exit      KVM_EXIT_UNKNOWN, KVM_RUN: EOPNOTSUPP (Operation not supported)\n"
		"  cause     instruction fetch failed\n"
		"            hardware_exit_reason 0x0\n"
		"  advice    look there, and there, and there, and there, and there, and there, and there, and at\n"
		"            what is in the next line\n"
		"  pc        0x70000000, Sv39\n"
		"            level 2  entry at 0x080001008: 0x000000001c0000cf\n"
		"            = guest-physical 0x70000000, page of 1 GiB, kernel rwx, user ---\n"
		"            nothing: no memory and no device\n"
		"  fault     0x1234, translation unknown\n"
		"            no translation: level 2 entry has V clear\n"
		"  code      instruction fetch fails at 0x70000000: no memory behind this address\n"
		"  backtrace   0000000070000000\n"
		"            ? 0000000080000040\n"
		"            by frame pointers; those with ? may be left over from earlier calls\n"
		"  pc 0000000070000000\n"
		"  satp -               \n"
		"  mode S (kernel)\n"
		"lkvm: vCPU 0: does not answer: it serves a device that is stuck\n"
		"  console   | hello\n"
		"            | world \x80\n"
		"  host      Linux 6.12\n"
		"            in its kernel log (dmesg) look for \"VCPU exit error\", \"SCAUSE=\"\n";
	struct report r;
	char *text;

	make_report(&r);
	text = print(&r);
	CHECK_STR(text, want);
	free(text);
	free(r.vcpus);
}

/* Who called panic() matters, not how it switches the machine off. */
static void test_panic(void)
{
	static const char want[] =
		"lkvm: vCPU 1: kernel mode, pc 0x80000210 (die+0x10/0x100), in panic()\n"
		"  backtrace of the caller of panic(); 2 frames of panic() itself left out\n"
		"              0000000080000120  oops_end+0x20/0x100\n"
		"            ? 0000000080000300  die+0x100/0x100\n"
		"            by frame pointers; those with ? may be left over from earlier calls\n";
	struct report_vcpu *v;
	struct report r;
	size_t len = 0;
	char *text = NULL;
	FILE *out;

	make_report(&r);
	r.has_failure = false;
	v = &r.vcpus[0];
	v->pc = 0x80000210;
	/* panic() does not return: the address behind its last call is that of the next function. */
	v->backtrace = (struct backtrace){
		.frames = { { v->pc, false }, { 0x80000100, false }, { 0x80000120, false }, { 0x80000300, true } },
		.nr = 4, .method = "frame pointers", .end = "",
	};
	out = open_memstream(&text, &len);
	CHECK(!report_print_panic(&r, v, out)); /* nobody knows */
	r.symbols = make_symbols();
	CHECK(report_print_panic(&r, v, out));
	CHECK(!report_print_panic(&r, &r.vcpus[1], out));
	v->backtrace.frames[1].pc = 0x80000220;
	CHECK(!report_print_panic(&r, v, out));
	fclose(out);
	CHECK_STR(text, want);
	free(text);
	symbols_free(r.symbols);
	free(r.vcpus);
}

static void test_json(void)
{
#ifdef HAVE_JANSSON
	const char *cause, *err, *behind, *host, *exit_name, *perm;
	json_t *root = json_pack("{s:[{s:i, s:i}, {s:i, s:i}], s:{s:s}}", "vcpus", "index", 0, "exits", 5, "index", 1,
				 "exits", 6, "host", "kernel", "6.12");
	int vcpu, reached0, reached1, exits0, exits1;
	struct report r;

	make_report(&r);
	report_merge_json(&r, root);
	CHECK(!json_unpack(root, "{s:{s:i, s:s, s:s, s:s}, s:[{s:i, s:b}, {s:i, s:b, s:{s:s, s:s}}], s:{s:s, s:[s]}}",
			   "failure", "vcpu", &vcpu, "cause", &cause, "errno", &err, "exit", &exit_name,
			   "vcpus", "exits", &exits0, "reached", &reached0,
			   "exits", &exits1, "reached", &reached1, "pc_walk", "behind", &behind, "kernel", &perm,
			   "host", "kernel", &host, "dmesg", &host));
	CHECK_STR(cause, "instruction-fetch-failed");
	CHECK_STR(err, "EOPNOTSUPP");
	CHECK_STR(exit_name, "KVM_EXIT_UNKNOWN");
	CHECK_STR(behind, "hole");
	CHECK_STR(perm, "rwx");
	CHECK_EQ(vcpu, 1);
	/* Each in its place, beside what was there. */
	CHECK_EQ(exits0, 5);
	CHECK_EQ(exits1, 6);
	CHECK_EQ(reached0, 0);
	CHECK_EQ(reached1, 1);
	json_decref(root);
	free(r.vcpus);
#else
	test_skip("built without jansson");
#endif
}

const struct test report_tests[] = {
	{ "frame_pointers", test_frame_pointers },
	{ "riscv_trap", test_riscv_trap },
	{ "arm_trap", test_arm_trap },
	{ "deep_stack", test_deep_stack },
	{ "back_chain", test_back_chain },
	{ "scan", test_scan },
	{ "disasm", test_disasm },
	{ "text", test_text },
	{ "panic", test_panic },
	{ "json", test_json },
	{ 0 },
};
