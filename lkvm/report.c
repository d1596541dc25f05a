// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "lkvm/arch.h"
#include "lkvm/fetch.h"
#include "lkvm/log.h"
#include "lkvm/report-data.h"
#include "lkvm/vm.h"

/*
 * How long vCPUs may take to stop or to answer; more, and one of them serves a device that is stuck.
 * Then each of them is asked for a short time only, because the main loop waits.
 */
#define GATHER_TIMEOUT_MS 1000
#define GATHER_SHORT_MS   50

/* What lies behind pc, through the guest's own page tables, and the bytes there as far as its page goes. */
static void capture_code(struct vcpu *vcpu, struct exit_info *info)
{
	const struct memory *mem = &vcpu->vm->memory;
	struct reg_set set = { 0 };
	struct walk w;
	uint64_t len;

	arch_vcpu_regs(vcpu, &set);
	arch_vcpu_translate(vcpu, info->pc + set.code_base, true, &w);
	if (w.result == WALK_UNKNOWN)
		return;
	info->pc_memory = w.result == WALK_MAPPED && memory_find(mem, w.gpa) ? EXIT_PC_RAM : EXIT_PC_HOLE;
	len = MIN(sizeof(info->code), 4096 - (info->pc & 4095));
	if (info->pc_memory == EXIT_PC_RAM && !memory_read(mem, w.gpa, info->code, len))
		info->code_len = (uint8_t)len;
}

void report_capture(struct vcpu *vcpu, int run_errno, uint32_t reason, struct exit_info *info)
{
	const struct kvm_run *run = vcpu->run;

	memset(info, 0, sizeof(*info));
	info->run_errno = run_errno;
	info->reason = reason;
	info->flags = run->flags;
	_Static_assert(sizeof(run->padding) >= EXIT_PAYLOAD_BYTES, "payload of kvm_run");
	memcpy(info->payload, run->padding, EXIT_PAYLOAD_BYTES);
	info->have_pc = arch_vcpu_pc(vcpu, &info->pc) == 0;
	if (info->have_pc)
		capture_code(vcpu, info);
}

void report_vcpu_failure(struct vcpu *vcpu, const struct exit_record *rec)
{
	struct vm *vm = vcpu->vm;

	pthread_mutex_lock(&vm->vcpu_lock);
	if (!vm->culprit) {
		vm->culprit = vcpu;
		vm->has_failure = rec != NULL;
		if (rec)
			vm->failure = *rec;
	}
	pthread_mutex_unlock(&vm->vcpu_lock);
}

void report_request(struct vcpu *vcpu)
{
	report_vcpu_failure(vcpu, NULL);
}

/* ---- gathering, on vCPU threads ----------------------------------------------------------------- */

/* Everything that reads guest memory by virtual addresses does so through this vCPU's translation. */
static int read_virtual(void *ctx, uint64_t va, void *buf, size_t len)
{
	struct vcpu *vcpu = ctx;

	while (len) {
		size_t piece = MIN(len, 4096 - (size_t)(va & 4095));
		struct walk w;

		arch_vcpu_translate(vcpu, va, false, &w);
		if (w.result != WALK_MAPPED || memory_read(&vcpu->vm->memory, w.gpa, buf, piece))
			return -EFAULT;
		va += piece;
		buf = (char *)buf + piece;
		len -= piece;
	}
	return 0;
}

static void gather_place(struct vcpu *vcpu, uint64_t va, bool fetch, struct report_place *p)
{
	p->known = true;
	arch_vcpu_translate(vcpu, va, fetch, &p->walk);
	if (p->walk.result == WALK_MAPPED)
		fetch_place_find(&vcpu->vm->memory, &vcpu->vm->mmio, &vcpu->vm->machine, p->walk.gpa, &p->place);
}

/* Code before pc that is shown: whole instructions where all have one length. */
#define CODE_BEFORE 16u

/*
 * Where to begin so that an instruction begins at pc: some before it where instructions have one
 * length, else at pc, unless the function's start is near enough to count from there.
 */
static uint64_t first_insn(const struct report *r, const struct report_vcpu *v)
{
	char name[SYMBOLS_NAME_BYTES];
	uint64_t offset, size;

	if (!strcmp(r->arch, "x86_64"))
		return v->pc;
	if (strcmp(r->arch, "riscv64"))
		return v->pc - CODE_BEFORE;
	if (symbols_lookup(r->symbols, v->pc, name, &offset, &size) && offset <= CODE_BEFORE)
		return v->pc - offset;
	return v->pc;
}

static void gather_code(struct vcpu *vcpu, const struct report *r, struct report_vcpu *v)
{
	uint64_t va = first_insn(r, v);
	enum disasm_cpu cpu;

	if (v->fetch != FETCH_WORKS || !disasm_find_cpu(r->arch, v->regs.bits, v->regs.big_endian, &cpu))
		return;
	while (v->nr_insns < REPORT_MAX_INSNS) {
		struct report_insn *insn = &v->insns[v->nr_insns];
		size_t have = sizeof(insn->bytes), len;

		/* Less at the end of the mapping. */
		while (have && read_virtual(vcpu, va, insn->bytes, have))
			have--;
		len = disasm_one(cpu, va, insn->bytes, have, insn->text, sizeof(insn->text));
		if (!len)
			len = disasm_length(cpu, insn->bytes, have);
		if (!len) /* the rest as it lies there */
			len = have;
		if (!len)
			return;
		insn->va = va;
		insn->len = (uint8_t)len;
		v->nr_insns++;
		va += len;
		if (len == sizeof(insn->bytes))
			return;
	}
}

struct gather_request {
	struct report      *r;
	struct report_vcpu *v;
};

static void gather_vcpu(struct vcpu *vcpu, void *arg)
{
	const struct gather_request *req = arg;
	const struct backtrace_memory mem = { .read = read_virtual, .ctx = vcpu };
	struct report_vcpu *v = req->v;
	const struct reg *fault;

	v->reached = true;
	arch_vcpu_regs(vcpu, &v->regs);
	v->pc = reg_value(&v->regs, ROLE_PC) + v->regs.code_base;
	gather_place(vcpu, v->pc, true, &v->pc_place);
	v->fetch = fetch_check(&v->pc_place.walk, &v->pc_place.place);
	fault = reg_find(&v->regs, ROLE_FAULT);
	if (fault && fault->value && fault->value != v->pc)
		gather_place(vcpu, fault->value, false, &v->fault);
	gather_code(vcpu, req->r, v);
	backtrace_take(&v->backtrace, &v->regs, v->fetch == FETCH_WORKS, &mem, req->r->symbols);
}

/* ---- symbols ------------------------------------------------------------------------------------ */

/* How far from the kernel's text its symbol tables are looked for, and how much of memory they may take. */
#define KALLSYMS_REACH  MIB(96)
#define KALLSYMS_BEFORE MIB(16)
#define KALLSYMS_AFTER  MIB(8)

struct anchor {
	bool     known;
	uint64_t va;   /* of an exception vector or the like, in the kernel's text; else pc */
	bool     user; /* taken while user mode ran: the vector may be a trampoline */
	bool     has_gpa;
	gpa_t    gpa;
	const char *symbol; /* Linux's name for it, NULL: none */
	unsigned int bits;
	bool     big_endian;
};

static void find_anchor(struct vcpu *vcpu, void *arg)
{
	struct anchor *a = arg;
	struct reg_set set = { 0 };
	const struct reg *vector;
	struct walk w;

	arch_vcpu_regs(vcpu, &set);
	vector = reg_find(&set, ROLE_VECTOR);
	a->known = vector && vector->value;
	/* riscv keeps a mode in the two lowest bits. */
	a->va = a->known ? vector->value & ~(uint64_t)3 : reg_value(&set, ROLE_PC) + set.code_base;
	a->user = set.user;
	a->symbol = set.vector_symbol;
	a->bits = set.bits == 32 ? 32 : 64;
	a->big_endian = set.big_endian;
	arch_vcpu_translate(vcpu, a->va, true, &w);
	a->has_gpa = (a->known || !a->user) && w.result == WALK_MAPPED && memory_find(&vcpu->vm->memory, w.gpa);
	a->gpa = w.gpa;
}

/* Kernel text, or where the image was put. */
static const struct memory_region *kernel_region(const struct vm *vm, const struct anchor *a, gpa_t *near)
{
	*near = a->has_gpa ? a->gpa : vm->boot.kernel_start;
	return memory_find(&vm->memory, *near);
}

/* The symbols in @len bytes at @gpa, of which @copy is one. NULL: none. */
static struct symbols *parse_kallsyms(const struct anchor *a, gpa_t gpa, const uint8_t *copy, size_t len)
{
	struct symbols *symbols = NULL;
	uint64_t addr;

	if (!symbols_parse_kallsyms(&symbols, copy, len, 0, a->bits, a->big_endian))
		return symbols;
	/* Perhaps tables that say where things are by where they are themselves. All of a kernel moves together. */
	if (!a->has_gpa ||
	    symbols_parse_kallsyms(&symbols, copy, len, a->va + (gpa - a->gpa), a->bits, a->big_endian))
		return NULL;
	/* But for the trampoline that leads there from user mode. */
	if (a->user && a->symbol && !(symbols_address(symbols, a->symbol, &addr) && addr == a->va)) {
		symbols_free(symbols);
		return NULL;
	}
	return symbols;
}

static struct symbols *find_kallsyms(const struct vm *vm, const struct anchor *a)
{
	static const char mark[SYMBOLS_KALLSYMS_MARK_BYTES] = SYMBOLS_KALLSYMS_MARK;
	gpa_t near, start, end;
	const struct memory_region *region = kernel_region(vm, a, &near);
	struct symbols *symbols = NULL;

	if (!region)
		return NULL;
	start = MAX(region->gpa, near - MIN(near, KALLSYMS_REACH)) & ~(gpa_t)7;
	end = MIN(region->gpa + region->size_bytes, near + KALLSYMS_REACH);
	while (!symbols && start < end) {
		const uint8_t *mem = memory_ptr(&vm->memory, start, end - start);
		const uint8_t *hit = mem ? memmem(mem, (size_t)(end - start), mark, sizeof(mark)) : NULL;
		gpa_t at, from, to;
		uint8_t *copy;

		if (!hit)
			break;
		/* A copy, so that nothing changes while it is judged. */
		at = start + (gpa_t)(hit - mem);
		from = MAX(region->gpa, at - MIN(at, KALLSYMS_BEFORE)) & ~(gpa_t)7;
		to = MIN(region->gpa + region->size_bytes, at + KALLSYMS_AFTER);
		copy = malloc((size_t)(to - from));
		if (copy && !memory_read(&vm->memory, from, copy, to - from))
			symbols = parse_kallsyms(a, from, copy, (size_t)(to - from));
		free(copy);
		start = (at + sizeof(mark)) & ~(gpa_t)7;
	}
	return symbols;
}

/* By how much the kernel runs above the addresses that @elf has. False: nothing tells. */
static bool find_slide(const struct vm *vm, const struct anchor *a, const struct symbols *elf, uint64_t *slide)
{
	struct symbols *kallsyms;
	uint64_t linked, running;
	bool found;

	if (a->known && !a->user && a->symbol && symbols_address(elf, a->symbol, &linked)) {
		*slide = a->va - linked;
		return true;
	}
	kallsyms = find_kallsyms(vm, a);
	found = symbols_address(kallsyms, "_stext", &running) && symbols_address(elf, "_stext", &linked);
	symbols_free(kallsyms);
	if (found)
		*slide = running - linked;
	return found;
}

static void gather_symbols(struct vm *vm, struct vcpu *culprit, struct report *r, unsigned int timeout_ms)
{
	struct anchor a = { 0 };
	uint64_t slide;

	if (vcpu_call(culprit, find_anchor, &a, timeout_ms))
		return;
	if (vm->cfg->vmlinux && !symbols_open_elf(&r->symbols, vm->cfg->vmlinux)) {
		r->symbols_from = "vmlinux";
		if (find_slide(vm, &a, r->symbols, &slide))
			symbols_set_slide(r->symbols, slide);
		else
			snprintf(r->symbols_note, sizeof(r->symbols_note),
				 "nothing in the guest tells whether KASLR moved it: names may be wrong");
		return;
	}
	r->symbols = find_kallsyms(vm, &a);
	if (r->symbols)
		r->symbols_from = "kallsyms";
	else if (!vm->boot.firmware)
		snprintf(r->symbols_note, sizeof(r->symbols_note),
			 "the guest's memory holds no kallsyms that lkvm understands; --vmlinux FILE gives names");
}

/* ---- whole reports, on the main thread ---------------------------------------------------------- */

static void gather_host(struct report *r)
{
	struct utsname u;

	if (!uname(&u))
		snprintf(r->host, sizeof(r->host), "%.64s %.64s %.64s", u.sysname, u.release, u.version);
}

/* The last lines of the console, no more than a reader wants. */
static void gather_console(struct vm *vm, struct report *r)
{
	size_t len = console_tail(vm->console, r->console, sizeof(r->console)), start;
	unsigned int lines = 0;

	while (len && r->console[len - 1] == '\n')
		r->console[--len] = '\0';
	for (start = len; start > 0; start--)
		if (r->console[start - 1] == '\n' && ++lines == REPORT_CONSOLE_LINES)
			break;
	memmove(r->console, r->console + start, len - start + 1);
}

static void report_init(struct report *r)
{
	memset(r, 0, sizeof(*r));
	r->arch = arch_name;
	gather_host(r);
}

static void report_exit(struct report *r)
{
	symbols_free(r->symbols);
	free(r->vcpus);
}

/* Of all vCPUs, the culprit first. Without memory for it there are none. */
static void gather_vcpus(struct vm *vm, struct report *r, unsigned int timeout_ms)
{
	struct vcpu *culprit = vm->culprit ? vm->culprit : vm->panic_vcpu ? vm->panic_vcpu : vm->vcpus[0];

	r->vcpus = calloc(vm->nr_vcpus, sizeof(*r->vcpus));
	if (!r->vcpus)
		return;
	gather_symbols(vm, culprit, r, timeout_ms);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		unsigned int index = i == 0 ? culprit->index : i <= culprit->index ? i - 1 : i;
		struct gather_request req = { r, &r->vcpus[r->nr_vcpus++] };

		req.v->index = index;
		if (vcpu_call(vm->vcpus[index], gather_vcpu, &req, timeout_ms))
			req.v->reached = false;
	}
}

/* What a run that is over ended with. */
static void gather_end(struct vm *vm, struct report *r)
{
	r->has_outcome = true;
	r->outcome = vm->outcome;
	r->has_failure = vm->has_failure;
	if (vm->has_failure)
		r->failure = vm->failure;
}

/* How much is printed of a run that is over. */
static enum { PRINT_NOTHING, PRINT_LINES, PRINT_PANIC, PRINT_ALL } how_much(const struct vm *vm)
{
	if (vm->culprit)
		return PRINT_ALL;
	switch (vm->outcome.kind) {
	case OUTCOME_HUNG:
	case OUTCOME_TIMEOUT:
		return PRINT_LINES;
	case OUTCOME_PANIC:
		/* The guest's own trace is better, as it knows its modules and its exception frames. */
		return vm->watch.oops.nr_trace ? PRINT_NOTHING : PRINT_PANIC;
	default:
		return PRINT_NOTHING;
	}
}

/* Not part of its caller, which would then need a lot of stack for nothing. */
static void LKVM_NOINLINE print(struct vm *vm, int much)
{
	struct report r;
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	out = open_memstream(&text, &len);
	if (!out) {
		/* Out of memory: say at least what happened. */
		log_error("%s", vm->outcome.text);
		return;
	}
	report_init(&r);
	gather_end(vm, &r);
	gather_vcpus(vm, &r, GATHER_TIMEOUT_MS);
	if (much == PRINT_ALL)
		report_print_text(&r, out);
	for (unsigned int i = 0; i < r.nr_vcpus && much == PRINT_LINES; i++) {
		fprintf(out, "lkvm: ");
		report_print_line(&r, &r.vcpus[i], out);
		fputc('\n', out);
	}
	for (unsigned int i = 0; i < r.nr_vcpus && much == PRINT_PANIC; i++)
		if (report_print_panic(&r, &r.vcpus[i], out))
			break;
	report_exit(&r);
	if (fclose(out) == 0)
		log_write(text, len);
	free(text);
}

void report_print(struct vm *vm)
{
	int much = how_much(vm);

	if (much != PRINT_NOTHING)
		print(vm, much);
}

void report_live(struct vm *vm, FILE *out)
{
	struct report r;
	/* Without a pause they are asked one by one, which is as good for each of them. */
	bool paused = !vm_pause(vm, GATHER_TIMEOUT_MS);

	report_init(&r);
	gather_vcpus(vm, &r, paused ? GATHER_TIMEOUT_MS : GATHER_SHORT_MS);
	if (paused)
		vm_resume(vm);
	gather_console(vm, &r);
	report_print_text(&r, out);
	report_exit(&r);
}

void report_live_stderr(struct vm *vm)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	report_live(vm, out);
	if (fclose(out) == 0)
		log_write(text, len);
	free(text);
}

#ifdef HAVE_JANSSON
void report_add_json(struct vm *vm, struct json_t *root)
{
	struct report r;

	report_init(&r);
	gather_end(vm, &r);
	/* A guest that ended well has no state worth keeping. */
	if (outcome_is_bad(&vm->outcome))
		gather_vcpus(vm, &r, GATHER_TIMEOUT_MS);
	report_merge_json(&r, root);
	report_exit(&r);
}
#endif
