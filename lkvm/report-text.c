// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/report-data.h"

#include <inttypes.h>
#include <string.h>

#include "lkvm/size.h"

#define COLUMNS 100

/* Room for "name+0x123/0x456". */
#define SYMBOL_TEXT_BYTES (SYMBOLS_NAME_BYTES + 48)

const char *const *report_dmesg_lines(const char *arch)
{
	static const char *const none[] = { NULL };
	static const struct {
		const char *arch;
		const char *lines[5];
	} table[] = {
		/* arch/riscv/kvm/vcpu_exit.c */
		{ "riscv64", { "VCPU exit error", "SCAUSE=", NULL } },
		/* arch/arm64/kvm */
		{ "arm64", { "kvm [", "Unsupported guest", "Unsupported exception type", NULL } },
		/* arch/x86/kvm */
		{ "x86_64", { "kvm:", "kvm_intel:", "kvm_amd:", "unhandled", NULL } },
		/* arch/powerpc/kvm/book3s_hv.c */
		{ "ppc64le", { "KVM: ", "trap=0x", NULL } },
		/* arch/powerpc/kvm: booke.c, e500_mmu_host.c */
		{ "ppc", { "emulation at", "Instruction emulation from", "MACHINE CHECK", NULL } },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].arch, arch))
			return table[i].lines;
	return none;
}

/* @text behind a name, broken between words; further lines are indented. */
static void print_wrapped(FILE *out, const char *name, const char *text)
{
	const size_t indent = 12, room = COLUMNS - indent;

	fprintf(out, "  %-9s ", name);
	for (;;) {
		size_t len = strlen(text), cut = len;

		if (len > room) {
			for (cut = room; cut && text[cut] != ' '; cut--)
				;
			if (!cut)
				cut = room;
		}
		fprintf(out, "%.*s\n", (int)cut, text);
		text += cut;
		while (*text == ' ')
			text++;
		if (!*text)
			return;
		fprintf(out, "%*s", (int)indent, "");
	}
}

static void print_failure(const struct exit_record *rec, FILE *out)
{
	char errno_text[80];

	if (rec->name && rec->name[0])
		fprintf(out, "  %-9s %s", "exit", rec->name);
	else
		fprintf(out, "  %-9s none: KVM did not say anything", "exit");
	if (rec->run_errno)
		fprintf(out, ", KVM_RUN: %s", exit_errno_text(rec->run_errno, errno_text, sizeof(errno_text)));
	fputc('\n', out);
	fprintf(out, "  %-9s %s\n", "cause", exit_cause_text(rec->cause));
	for (unsigned int i = 0; i < rec->nr_fields; i++) {
		const struct exit_field *f = &rec->fields[i];

		fprintf(out, "            %s %s%s%s\n", f->name, f->value, f->meaning[0] ? ": " : "", f->meaning);
	}
	if (rec->insn_len) {
		fprintf(out, "            instruction");
		for (unsigned int i = 0; i < rec->insn_len; i++)
			fprintf(out, " %02x", rec->insn[i]);
		fputc('\n', out);
	}
	if (rec->advice[0])
		print_wrapped(out, "advice", rec->advice);
}

static void print_step(const struct walk_step *s, FILE *out)
{
	if (s->is_index)
		fprintf(out, "            %-8s entry %" PRIu64 ":", s->table, s->entry_gpa);
	else
		fprintf(out, "            %-8s entry at 0x%09" PRIx64 ":", s->table, s->entry_gpa);
	if (!s->read)
		fprintf(out, " outside guest memory\n");
	else if (s->entry_bytes == 16)
		fprintf(out, " 0x%016" PRIx64 " 0x%016" PRIx64 "\n", s->entry, s->entry2);
	else
		fprintf(out, " 0x%0*" PRIx64 "\n", 2 * s->entry_bytes, s->entry);
}

static void print_place(const char *name, const struct report_place *p, FILE *out)
{
	const struct walk *w = &p->walk;
	char place[120], size[SIZE_TEXT_BYTES], kernel[4], user[4];

	fprintf(out, "  %-9s 0x%" PRIx64 ", %s\n", name, w->va, w->mode[0] ? w->mode : "translation unknown");
	for (unsigned int i = 0; i < w->nr_steps; i++)
		print_step(&w->steps[i], out);
	if (w->result != WALK_MAPPED) {
		fprintf(out, "            %s: %s\n",
			w->result == WALK_UNKNOWN ? "can't be followed" : "no translation", w->why);
		return;
	}
	if (w->page_bytes)
		fprintf(out, "            = guest-physical 0x%" PRIx64 ", page of %s, kernel %s, user %s\n", w->gpa,
			size_text(size, w->page_bytes), walk_permissions_text(w->kernel, kernel),
			walk_permissions_text(w->user, user));
	else if (w->gpa != w->va)
		fprintf(out, "            = guest-physical 0x%" PRIx64 "\n", w->gpa);
	fprintf(out, "            %s\n", fetch_place_text(&p->place, place, sizeof(place)));
}

static void print_code(const struct report_vcpu *v, FILE *out)
{
	if (!v->nr_insns) {
		char text[FETCH_TEXT_BYTES];

		if (v->fetch == FETCH_WORKS || v->fetch == FETCH_UNKNOWN)
			fprintf(out, "  code      can't be read\n");
		else
			print_wrapped(out, "code", fetch_text(&v->pc_place.walk, &v->pc_place.place, v->fetch, text,
							      sizeof(text)));
		return;
	}
	for (unsigned int i = 0; i < v->nr_insns; i++) {
		const struct report_insn *insn = &v->insns[i];
		char bytes[3 * 16 + 1];
		unsigned int at = 0;

		for (unsigned int b = 0; b < insn->len; b++)
			at += (unsigned int)snprintf(bytes + at, sizeof(bytes) - at, "%s%02x", b ? " " : "",
						     insn->bytes[b]);
		fprintf(out, "  %-6s %s %016" PRIx64 "  %-*s  %s\n", i ? "" : "code", insn->va == v->pc ? "=>" : "  ",
			insn->va, insn->text[0] ? 24 : 0, bytes, insn->text);
	}
}

/* How many frames belong to a Linux kernel's panic() and to what runs below it; 0: it is not in there. */
static unsigned int frames_of_panic(const struct report *r, const struct report_vcpu *v)
{
	char name[SYMBOLS_NAME_BYTES];
	uint64_t offset, size;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < v->backtrace.nr; i++) {
		const struct backtrace_frame *f = &v->backtrace.frames[i];

		/* A return address may be behind its function's end. Nothing is left over from an earlier panic. */
		if (symbols_lookup(r->symbols, f->pc - (i > 0), name, &offset, &size) &&
		    (!strcmp(name, "panic") || !strcmp(name, "vpanic")))
			nr = i + 1;
	}
	return nr;
}

static void print_backtrace(const struct report *r, const struct report_vcpu *v, FILE *out)
{
	const struct backtrace *bt = &v->backtrace;
	unsigned int panic = frames_of_panic(r, v);
	char symbol[SYMBOL_TEXT_BYTES];
	bool guesses = false;

	if (!bt->nr)
		return;
	if (panic)
		fprintf(out, "  backtrace of the caller of panic(); %u frame%s of panic() itself left out\n", panic,
			panic == 1 ? "" : "s");
	for (unsigned int i = panic; i < bt->nr; i++) {
		const struct backtrace_frame *f = &bt->frames[i];

		symbols_text(r->symbols, f->pc, i > 0, symbol, sizeof(symbol));
		guesses |= f->guess;
		fprintf(out, "  %-9s %c %016" PRIx64 "%s%s\n", i || panic ? "" : "backtrace", f->guess ? '?' : ' ', f->pc,
			symbol[0] ? "  " : "", symbol);
	}
	fprintf(out, "            %sby %s%s%s%s%s\n", bt->nr == 1 ? "no callers found " : "", bt->method[0] ? bt->method : "registers",
		bt->more ? "; there is more" : "", bt->end[0] ? "; ends here: " : "", bt->end,
		guesses ? "; those with ? may be left over from earlier calls" : "");
}

void report_print_line(const struct report *r, const struct report_vcpu *v, FILE *out)
{
	char symbol[SYMBOL_TEXT_BYTES];

	if (!v->reached) {
		fprintf(out, "vCPU %u: does not answer: it serves a device that is stuck", v->index);
		return;
	}
	symbols_text(r->symbols, v->pc, false, symbol, sizeof(symbol));
	fprintf(out, "vCPU %u: %s mode%s, pc 0x%" PRIx64 "%s%s%s%s", v->index, v->regs.user ? "user" : "kernel",
		v->regs.halted ? ", halted" : "", v->pc, symbol[0] ? " (" : "", symbol, symbol[0] ? ")" : "",
		frames_of_panic(r, v) ? ", in panic()" : "");
}

bool report_print_panic(const struct report *r, const struct report_vcpu *v, FILE *out)
{
	if (!v->reached || !frames_of_panic(r, v))
		return false;
	fprintf(out, "lkvm: ");
	report_print_line(r, v, out);
	fputc('\n', out);
	print_backtrace(r, v, out);
	return true;
}

static void print_vcpu(const struct report *r, const struct report_vcpu *v, FILE *out)
{
	/* What is switched off, and was never on, has nothing to tell. */
	if (!v->reached || (v->regs.halted && v->fetch != FETCH_WORKS))
		return;
	print_place("pc", &v->pc_place, out);
	/* Of a guest that is well, that is an old story. */
	if (v->fault.known && (r->has_failure || v->fetch != FETCH_WORKS))
		print_place("fault", &v->fault, out);
	print_code(v, out);
	print_backtrace(r, v, out);
	reg_set_print(&v->regs, out);
}

static void print_console(const struct report *r, FILE *out)
{
	const char *at = r->console, *name = "console";

	while (*at) {
		size_t len = strcspn(at, "\n"), shown = len;

		while (shown && at[shown - 1] == '\r')
			shown--;
		fprintf(out, "  %-9s | %.*s\n", name, (int)shown, at);
		name = "";
		at += len + (at[len] == '\n');
	}
}

static void print_host(const struct report *r, FILE *out)
{
	const char *const *lines = report_dmesg_lines(r->arch);

	fprintf(out, "  %-9s %s\n", "host", r->host);
	if (!*lines)
		return;
	fprintf(out, "            in its kernel log (dmesg) look for");
	for (unsigned int i = 0; lines[i]; i++)
		fprintf(out, "%s \"%s\"", i ? "," : "", lines[i]);
	fputc('\n', out);
}

void report_print_text(const struct report *r, FILE *out)
{
	for (unsigned int i = 0; i < r->nr_vcpus; i++) {
		const struct report_vcpu *v = &r->vcpus[i];

		fprintf(out, "lkvm: ");
		if (!i && r->has_failure) {
			fprintf(out, "vCPU %u stopped: %s\n", v->index, r->failure.what);
			print_failure(&r->failure, out);
		} else {
			report_print_line(r, v, out);
			fputc('\n', out);
		}
		print_vcpu(r, v, out);
	}
	if (r->symbols) {
		fprintf(out, "  %-9s %zu from %s", "symbols", symbols_count(r->symbols), r->symbols_from);
		/* The guest has moved its kallsyms itself. */
		if (symbols_slide(r->symbols))
			fprintf(out, ", slide 0x%" PRIx64, symbols_slide(r->symbols));
		fprintf(out, "%s%s\n", r->symbols_note[0] ? "; " : "", r->symbols_note);
	} else if (r->symbols_note[0]) {
		print_wrapped(out, "symbols", r->symbols_note);
	}
	print_console(r, out);
	print_host(r, out);
}
