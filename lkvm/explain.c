// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/explain.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lkvm/explain-log.h"

/* ---- arches ------------------------------------------------------------------------------------- */

enum {
	RISCV64,
	ARM64,
	PPC_BOOK3S,
	PPC_BOOKE,
	X86_64,
	PPC_E500V2, /* from here on: one of those above, with a known CPU */
	PPC_E500MC,
	X86_INTEL,
	X86_AMD,
	NR_ARCHES,
	ANY_PPC = NR_ARCHES, /* all of powerpc, which has no decoder for all */
	NR_NAMES,
};

const char *const explain_arches[] = {
	[RISCV64] = "riscv64", [ARM64] = "arm64", [PPC_BOOK3S] = "ppc-book3s", [PPC_BOOKE] = "ppc-booke",
	[X86_64] = "x86_64", [PPC_E500V2] = "ppc-e500v2", [PPC_E500MC] = "ppc-e500mc", [X86_INTEL] = "x86-intel",
	[X86_AMD] = "x86-amd", [ANY_PPC] = "ppc", NULL,
};

static const struct {
	void (*decode)(const struct exit_info *info, struct exit_record *rec);
	enum exit_cpu cpu;
} arches[NR_ARCHES] = {
	[RISCV64] = { riscv_exit_decode, EXIT_CPU_UNKNOWN },
	[ARM64] = { arm_exit_decode_logged, EXIT_CPU_UNKNOWN },
	[PPC_BOOK3S] = { ppc_book3s_exit_decode, EXIT_CPU_UNKNOWN },
	[PPC_BOOKE] = { ppc_booke_exit_decode, EXIT_CPU_UNKNOWN },
	[X86_64] = { x86_exit_decode, EXIT_CPU_UNKNOWN },
	[PPC_E500V2] = { ppc_booke_exit_decode, EXIT_CPU_E500 },
	[PPC_E500MC] = { ppc_booke_exit_decode, EXIT_CPU_E500MC },
	[X86_INTEL] = { x86_exit_decode, EXIT_CPU_INTEL },
	[X86_AMD] = { x86_exit_decode, EXIT_CPU_AMD },
};

const char *explain_arch(const char *word)
{
	static const struct {
		const char *word;
		int         arch;
	} others[] = {
		{ "riscv", RISCV64 },    { "aarch64", ARM64 },      { "arm", ARM64 },
		{ "e500", PPC_E500V2 },  { "booke", PPC_BOOKE },    { "powerpc", ANY_PPC },
		{ "e500v2", PPC_E500V2 }, { "e500mc", PPC_E500MC }, { "e5500", PPC_E500MC },
		{ "e6500", PPC_E500MC }, { "ppc64le", PPC_BOOK3S }, { "ppc64", PPC_BOOK3S },
		{ "pseries", PPC_BOOK3S }, { "powernv", PPC_BOOK3S }, { "book3s", PPC_BOOK3S },
		{ "x86", X86_64 },       { "amd64", X86_64 },       { "intel", X86_INTEL },
		{ "vmx", X86_INTEL },    { "amd", X86_AMD },        { "svm", X86_AMD },
	};

	for (int i = 0; i < NR_NAMES; i++)
		if (!strcasecmp(explain_arches[i], word))
			return explain_arches[i];
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcasecmp(others[i].word, word))
			return explain_arches[others[i].arch];
	return NULL;
}

/* ---- words and numbers -------------------------------------------------------------------------- */

#define MAX_TOKENS 256

struct token {
	const char *text;
	size_t      len;
	bool        is_number;
	bool        is_negative;
	bool        is_hex;   /* can't be decimal */
	uint64_t    value;    /* decimal unless is_hex */
	uint64_t    as_hex;   /* for those who know that it is hexadecimal */
	bool        used;
};

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Digits of @base, underscores between them; false if it is something else, or too large. */
static bool parse_digits(const char *text, size_t len, unsigned int base, uint64_t *value)
{
	size_t digits = 0;

	*value = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned int d;

		if (text[i] == '_')
			continue;
		d = isdigit((unsigned char)text[i]) ? (unsigned int)text[i] - '0' :
		    isxdigit((unsigned char)text[i]) ? (unsigned int)(tolower(text[i]) - 'a') + 10 : base;
		if (d >= base || *value > (UINT64_MAX - d) / base)
			return false;
		*value = *value * base + d;
		digits++;
	}
	return digits > 0;
}

/* Fewer hexadecimal digits than that are a word ("dead"), unless digits and letters are mixed. */
#define BARE_HEX_DIGITS 8

static void classify(struct token *t)
{
	const char *text = t->text;
	bool digit = false, letter = false;

	if (t->len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		t->is_number = t->is_hex = parse_digits(text + 2, t->len - 2, 16, &t->value);
		t->as_hex = t->value;
		return;
	}
	for (size_t i = 0; i < t->len; i++) {
		digit |= isdigit((unsigned char)text[i]);
		letter |= isalpha((unsigned char)text[i]);
	}
	if (!digit && t->len < BARE_HEX_DIGITS)
		return;
	if (!letter && parse_digits(text, t->len, 10, &t->value)) {
		t->is_number = true;
		if (!parse_digits(text, t->len, 16, &t->as_hex))
			t->as_hex = t->value; /* too long to be hexadecimal */
	} else if (parse_digits(text, t->len, 16, &t->as_hex)) {
		t->is_number = t->is_hex = true;
		t->value = t->as_hex;
	}
}

static size_t tokenize(const char *text, struct token *tokens)
{
	size_t nr = 0;

	for (const char *p = text; *p && nr < MAX_TOKENS;) {
		struct token *t = &tokens[nr];
		size_t len = 0;

		if (!is_word_char(*p)) {
			p++;
			continue;
		}
		while (is_word_char(p[len]))
			len++;
		/* 12.345678 is a time, no number of KVM. */
		if (isdigit((unsigned char)*p) && p[len] == '.' && isdigit((unsigned char)p[len + 1])) {
			p += len + 1;
			while (is_word_char(*p))
				p++;
			continue;
		}
		*t = (struct token){ .text = p, .len = len };
		t->is_negative = p > text && p[-1] == '-' && (p - 1 == text || !is_word_char(p[-2]));
		classify(t);
		nr++;
		p += len;
	}
	return nr;
}

static bool is_word(const struct token *t, const char *word)
{
	return strlen(word) == t->len && !strncasecmp(t->text, word, t->len);
}

static void copy_word(const struct token *t, char *buf, size_t size)
{
	snprintf(buf, size, "%.*s", (int)MIN(t->len, size - 1), t->text);
}

/* ---- what was said ------------------------------------------------------------------------------ */

struct said {
	struct token tokens[MAX_TOKENS];
	size_t       nr_tokens;
	bool         have_reason;
	size_t       reason_at;   /* token of a reason's name, or nr_tokens ... */
	uint32_t     named;       /* ... and which that is */
	struct exit_info info;    /* reason NOT_WRITTEN until one is known */
	unsigned int arches;      /* bits; those that the text hints at */
	bool         have_value;  /* of the payload ... */
	bool         have_first;  /* ... and its first one by name */
	bool         in_hv_mode;
	bool         no_progress; /* lkvm's watchdog spoke */
	int          other_errno; /* of something that is not KVM_RUN */
};

static void set_reason(struct said *s, uint32_t reason)
{
	s->info.reason = reason;
	s->have_reason = true;
}

static void set_errno(struct said *s, uint64_t err)
{
	s->info.run_errno = (int)MIN(err, (uint64_t)INT32_MAX);
}

static void set_first(struct said *s, uint32_t reason, uint64_t value)
{
	size_t nr;
	const struct exit_member *m = exit_members(reason, &nr);

	set_reason(s, reason);
	exit_payload_set(&s->info, m->offset, m->size_bytes, value);
	s->have_value = true;
}

static void set_data(struct said *s, uint64_t index, uint64_t value)
{
	uint32_t ndata = exit_payload_u32(&s->info, EXIT_INTERNAL_NDATA);

	if (index >= EXIT_MAX_NDATA)
		return;
	exit_payload_set(&s->info, EXIT_INTERNAL_DATA + 8 * index, 8, value);
	exit_payload_set(&s->info, EXIT_INTERNAL_NDATA, 4, MAX(ndata, (uint32_t)index + 1));
	s->have_value = true;
}

/*
 * "FAIL_ENTRY", or "FailEntry" as Rust programs say. Single words ("HLT", "NMI") stand in logs for other things as well:
 * only the first word of the text can be a reason.
 */
static bool name_matches(const struct token *t, const char *name, bool is_first)
{
	size_t i = 0;

	if (is_word(t, name))
		return !strncmp(t->text, name, t->len) && (is_first || strchr(name, '_'));
	if (!isupper((unsigned char)t->text[0]) || !strchr(name, '_'))
		return false;
	for (const char *n = name; *n; n++) {
		if (*n == '_')
			continue;
		if (i == t->len || toupper((unsigned char)t->text[i]) != *n)
			return false;
		i++;
	}
	return i == t->len;
}

static int reason_by_name(const struct token *t, bool is_first)
{
	static const char prefix[] = "KVM_EXIT_";
	size_t skip = sizeof(prefix) - 1;

	for (uint32_t r = 0; r < EXIT_NR_REASONS; r++) {
		const char *name = exit_reason_name(r);

		if (is_word(t, name) || name_matches(t, name + skip, is_first))
			return (int)r;
	}
	return -1;
}

/* Names of numbers in a payload. */
static bool value_by_name(struct said *s, const struct token *t)
{
	static const struct {
		const char *name;
		uint32_t    reason, value;
	} names[] = {
		{ "KVM_INTERNAL_ERROR_EMULATION", EXIT_REASON_INTERNAL_ERROR, EXIT_SUBERROR_EMULATION },
		{ "KVM_INTERNAL_ERROR_SIMUL_EX", EXIT_REASON_INTERNAL_ERROR, EXIT_SUBERROR_SIMUL_EX },
		{ "KVM_INTERNAL_ERROR_DELIVERY_EV", EXIT_REASON_INTERNAL_ERROR, EXIT_SUBERROR_DELIVERY_EV },
		{ "KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON", EXIT_REASON_INTERNAL_ERROR,
		  EXIT_SUBERROR_UNEXPECTED_EXIT_REASON },
		{ "KVM_SYSTEM_EVENT_SHUTDOWN", EXIT_REASON_SYSTEM_EVENT, 1 },
		{ "KVM_SYSTEM_EVENT_RESET", EXIT_REASON_SYSTEM_EVENT, 2 },
		{ "KVM_SYSTEM_EVENT_CRASH", EXIT_REASON_SYSTEM_EVENT, 3 },
		{ "KVM_SYSTEM_EVENT_WAKEUP", EXIT_REASON_SYSTEM_EVENT, 4 },
		{ "KVM_SYSTEM_EVENT_SUSPEND", EXIT_REASON_SYSTEM_EVENT, 5 },
		{ "KVM_SYSTEM_EVENT_SEV_TERM", EXIT_REASON_SYSTEM_EVENT, 6 },
		{ "KVM_SYSTEM_EVENT_TDX_FATAL", EXIT_REASON_SYSTEM_EVENT, 7 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!is_word(t, names[i].name))
			continue;
		set_first(s, names[i].reason, names[i].value);
		s->have_first = true;
		return true;
	}
	return false;
}

/* ---- phrases ------------------------------------------------------------------------------------ */

enum phrase_kind {
	SAYS_HARDWARE_REASON,
	SAYS_ENTRY_ERROR,
	SAYS_ENTRY_SIGNAL,
	SAYS_ENTRY_FAILED,
	SAYS_UNEXPECTED_REASON,
	SAYS_REASON,
	SAYS_SUBERROR,
	SAYS_DATA,
	SAYS_ERRNO,
	SAYS_ERROR,
	SAYS_TRAP,
	SAYS_TRAP_IN_HV_MODE,
	SAYS_EMULATION_AT,
	SAYS_INSTRUCTION,
	SAYS_MCSR,
	SAYS_HCALL,
	SAYS_SBI,
	SAYS_CSR,
	SAYS_PC,
	SAYS_SCAUSE,
	SAYS_ESR,
	SAYS_TRIPLE_FAULT,
	SAYS_ARM_EXCEPTION,
	SAYS_VENDOR,
	SAYS_ARM_NO_SYNDROME,
	SAYS_EXIT_NR,
	SAYS_SPE_INTERRUPT,
	SAYS_NO_PROGRESS,
};

#define MAX_WORDS 4

/* Longer ones before those that they begin with. */
static const struct phrase {
	const char      *words[MAX_WORDS + 1];
	enum phrase_kind kind;
	bool             hex;    /* its number is hexadecimal, with or without 0x */
	bool             number; /* means nothing without one */
} phrases[] = {
	{ { "hardware", "exit", "reason" }, SAYS_HARDWARE_REASON, true, true },
	{ { "hardware", "reason" }, SAYS_HARDWARE_REASON, true, true },        /* QEMU */
	{ { "hardware_exit_reason" }, SAYS_HARDWARE_REASON, false, true },
	{ { "exit", "code" }, SAYS_HARDWARE_REASON, false, true },             /* kvmtool */
	{ { "entry", "failed", "hardware", "error" }, SAYS_ENTRY_ERROR, false, true }, /* QEMU */
	{ { "hardware", "error" }, SAYS_ENTRY_ERROR, false, true },
	{ { "hardware_entry_failure_reason" }, SAYS_ENTRY_ERROR, false, true },
	{ { "signal" }, SAYS_ENTRY_SIGNAL, false, true },                      /* Firecracker */
	{ { "entry", "failed" }, SAYS_ENTRY_FAILED, false, false },
	{ { "unexpected", "exit", "reason" }, SAYS_UNEXPECTED_REASON, true, true }, /* kvm_intel, kvm_amd */
	{ { "exit", "reason" }, SAYS_REASON, false, true },
	{ { "exit_reason" }, SAYS_REASON, false, true },
	{ { "reason" }, SAYS_REASON, false, true },
	{ { "exit" }, SAYS_REASON, false, true },
	{ { "suberror" }, SAYS_SUBERROR, false, true },
	{ { "extra", "data" }, SAYS_DATA, false, true },
	{ { "errno" }, SAYS_ERRNO, false, true },
	{ { "os", "error" }, SAYS_ERRNO, false, true },                        /* Rust */
	{ { "instruction", "fetch", "fails" }, SAYS_NO_PROGRESS, false, false }, /* ours */
	{ { "trap", "in", "hv", "mode" }, SAYS_TRAP_IN_HV_MODE, false, false },
	{ { "trap" }, SAYS_TRAP, true, true },
	{ { "emulation", "at" }, SAYS_EMULATION_AT, true, true },              /* booke.c */
	{ { "instruction" }, SAYS_INSTRUCTION, true, true },
	{ { "insn" }, SAYS_INSTRUCTION, true, true },
	{ { "mcsr" }, SAYS_MCSR, true, true },
	{ { "machine", "check" }, SAYS_MCSR, true, true },                     /* booke.c */
	{ { "hcall" }, SAYS_HCALL, true, true },
	{ { "hypercall" }, SAYS_HCALL, true, true },
	{ { "sbi" }, SAYS_SBI, true, true },
	{ { "extension", "id" }, SAYS_SBI, false, true },                      /* QEMU */
	{ { "specific", "reasons" }, SAYS_SBI, false, true },                  /* QEMU before 9.1 */
	{ { "extension_id" }, SAYS_SBI, true, true },                          /* kvmtool */
	{ { "csr" }, SAYS_CSR, true, true },
	{ { "pc" }, SAYS_PC, true, true },
	{ { "rip" }, SAYS_PC, true, true },
	{ { "nip" }, SAYS_PC, true, true },
	{ { "sepc" }, SAYS_PC, true, true },
	{ { "scause" }, SAYS_SCAUSE, true, true },
	{ { "esr" }, SAYS_ESR, true, true },
	{ { "esr_el1" }, SAYS_ESR, true, true },
	{ { "esr_el2" }, SAYS_ESR, true, true },
	{ { "triple", "fault" }, SAYS_TRIPLE_FAULT, false, false },
	{ { "unsupported", "exception", "type" }, SAYS_ARM_EXCEPTION, false, false },
	{ { "instruction", "decoding", "not", "implemented" }, SAYS_ARM_NO_SYNDROME, false, false }, /* before 5.5 */
	{ { "no", "valid", "syndrome" }, SAYS_ARM_NO_SYNDROME, false, false }, /* newer kernels trace it: */
	{ { "kvm_mmio_nisv" }, SAYS_ARM_NO_SYNDROME, false, false },
	{ { "exit_nr" }, SAYS_EXIT_NR, false, true },                          /* booke.c, book3s_pr.c */
	{ { "unexpected", "spe", "interrupt" }, SAYS_SPE_INTERRUPT, false, true }, /* booke.c */
	{ { "kvm_intel" }, SAYS_VENDOR, false, false },
	{ { "vmx" }, SAYS_VENDOR, false, false },
	{ { "kvm_amd" }, SAYS_VENDOR, false, false },
	{ { "svm" }, SAYS_VENDOR, false, false },
	/* Words for many things: a number behind them is an errno only if it is negative or has a name. */
	{ { "error" }, SAYS_ERROR, false, true },
	{ { "ret" }, SAYS_ERROR, false, true },
	{ { "returned" }, SAYS_ERROR, false, true },
	{ { "failed" }, SAYS_ERROR, false, true },
};

static size_t phrase_length(const struct said *s, size_t at, const struct phrase *p)
{
	size_t n = 0;

	for (; p->words[n]; n++)
		if (at + n >= s->nr_tokens || s->tokens[at + n].used || !is_word(&s->tokens[at + n], p->words[n]))
			return 0;
	return n;
}

/* riscv's SCAUSE of a guest page fault: 20 instruction, 21 load, 23 store. */
static void said_scause(struct said *s, uint64_t scause)
{
	s->arches |= 1u << RISCV64;
	if (!s->info.run_errno && (scause == 20 || scause == 21 || scause == 23))
		set_errno(s, EOPNOTSUPP);
	set_reason(s, EXIT_REASON_UNKNOWN);
	/* It tells what the errno does not: whether it was a fetch. */
	s->info.have_pc = true;
	if (scause == 20)
		s->info.pc_memory = EXIT_PC_HOLE;
	else if (scause == 21 || scause == 23)
		s->info.pc_memory = EXIT_PC_RAM;
}

/* The number @value belongs to the phrase @p; @negative: it had a minus. False: it does not, after all. */
static bool said_phrase(struct said *s, const struct phrase *p, uint64_t value, bool negative, bool is_hex,
			const struct token *first)
{
	switch (p->kind) {
	case SAYS_HARDWARE_REASON:
		/* 'exit code: 17 ("KVM_EXIT_INTERNAL_ERROR")' */
		if (is_word(first, "exit") && s->reason_at != s->nr_tokens && s->named && value == s->named)
			return true;
		set_first(s, EXIT_REASON_UNKNOWN, negative ? -value : value);
		return true;
	case SAYS_ENTRY_ERROR:
		set_first(s, EXIT_REASON_FAIL_ENTRY, negative ? -value : value);
		return true;
	case SAYS_ENTRY_SIGNAL: /* it means the member of that exit; else it is any program's */
		if (s->info.reason != EXIT_REASON_FAIL_ENTRY)
			return false;
		set_first(s, EXIT_REASON_FAIL_ENTRY, value);
		return true;
	case SAYS_ENTRY_FAILED:
		set_reason(s, EXIT_REASON_FAIL_ENTRY);
		return true;
	case SAYS_UNEXPECTED_REASON:
		set_first(s, EXIT_REASON_INTERNAL_ERROR, EXIT_SUBERROR_UNEXPECTED_EXIT_REASON);
		set_data(s, 0, value);
		s->arches |= 1u << X86_64;
		return true;
	case SAYS_REASON:
		/* "instruction fetch failed at ...; exit reason 0x400", as lkvm says: it is the hardware's */
		if (!s->have_reason && is_hex && value >= EXIT_NR_REASONS && is_word(first, "exit")) {
			set_first(s, EXIT_REASON_INTERNAL_ERROR, EXIT_SUBERROR_EMULATION);
			s->arches |= 1u << X86_64;
			return true;
		}
		/* "KVM_EXIT_FAIL_ENTRY, reason 0x80000021" */
		if (s->have_reason || value > INT32_MAX)
			return false;
		set_reason(s, (uint32_t)value);
		return true;
	case SAYS_SUBERROR:
		set_first(s, EXIT_REASON_INTERNAL_ERROR, value);
		return true;
	case SAYS_ERRNO:
		if (!value)
			return false; /* no error */
		set_errno(s, value);
		return true;
	case SAYS_ERROR:
		if (!negative || value > 4095)
			return false;
		set_errno(s, value);
		return true;
	case SAYS_TRAP_IN_HV_MODE:
		s->in_hv_mode = true;
		s->arches |= 1u << PPC_BOOK3S;
		return true;
	case SAYS_TRAP:
		set_first(s, EXIT_REASON_UNKNOWN, negative ? -value : value);
		s->arches |= 1u << PPC_BOOK3S;
		return true;
	case SAYS_INSTRUCTION:
	case SAYS_MCSR:
		if (value > UINT32_MAX)
			return false;
		set_first(s, EXIT_REASON_UNKNOWN, (p->kind == SAYS_MCSR ? UINT64_C(0xfffffffe) << 32 :
						   UINT64_C(0xffffffff) << 32) | value);
		s->arches |= 1u << PPC_BOOKE;
		return true;
	case SAYS_HCALL:
		set_first(s, EXIT_REASON_PAPR_HCALL, value);
		return true;
	case SAYS_SBI:
		set_first(s, EXIT_REASON_RISCV_SBI, value);
		return true;
	case SAYS_CSR:
		set_first(s, EXIT_REASON_RISCV_CSR, value);
		return true;
	case SAYS_PC:
		s->info.have_pc = true;
		s->info.pc = value;
		return true;
	case SAYS_SCAUSE:
		said_scause(s, value);
		return true;
	case SAYS_ESR:
		set_first(s, EXIT_REASON_UNKNOWN, value);
		s->arches |= 1u << ARM64;
		return true;
	case SAYS_TRIPLE_FAULT:
		set_reason(s, EXIT_REASON_SHUTDOWN);
		return true;
	case SAYS_ARM_EXCEPTION:
		set_reason(s, EXIT_REASON_INTERNAL_ERROR);
		s->arches |= 1u << ARM64;
		return true;
	case SAYS_ARM_NO_SYNDROME: /* KVM_RUN returns that, beside the line */
		set_errno(s, ENOSYS);
		s->arches |= 1u << ARM64;
		return true;
	case SAYS_EXIT_NR:
		set_first(s, EXIT_REASON_UNKNOWN, value);
		s->arches |= 1u << (is_hex ? PPC_BOOK3S : PPC_BOOKE);
		return true;
	case SAYS_SPE_INTERRUPT:
		set_first(s, EXIT_REASON_UNKNOWN, value);
		s->arches |= 1u << PPC_BOOKE;
		return true;
	case SAYS_NO_PROGRESS:
		s->no_progress = true;
		return true;
	case SAYS_VENDOR:
		s->arches |= is_word(first, "vmx") || is_word(first, "kvm_intel") ? 1u << X86_INTEL : 1u << X86_AMD;
		return true;
	case SAYS_DATA:
	case SAYS_EMULATION_AT:
		break; /* two numbers: read_phrase() */
	}
	return false;
}

static struct token *number_at(struct said *s, size_t at)
{
	return at < s->nr_tokens && s->tokens[at].is_number && !s->tokens[at].used ? &s->tokens[at] : NULL;
}

/* "extra data[3]: 0x30" */
static bool read_data(struct said *s, size_t at)
{
	struct token *index = number_at(s, at), *value = number_at(s, at + 1);

	if (!index || !value)
		return false;
	if (!s->have_reason)
		set_reason(s, EXIT_REASON_INTERNAL_ERROR);
	set_data(s, index->value, value->value);
	index->used = value->used = true;
	return true;
}

/* "emulation at c0001234 failed (7c0006ff)" */
static bool read_emulation_at(struct said *s, size_t at)
{
	struct token *pc = number_at(s, at), *insn = number_at(s, at + 2);

	if (!pc || !insn || !is_word(&s->tokens[at + 1], "failed") || insn->as_hex > UINT32_MAX)
		return false;
	s->info.have_pc = true;
	s->info.pc = pc->as_hex;
	set_first(s, EXIT_REASON_UNKNOWN, UINT64_C(0xffffffff) << 32 | insn->as_hex);
	s->arches |= 1u << PPC_BOOKE;
	pc->used = insn->used = s->tokens[at + 1].used = true;
	return true;
}

static bool read_phrase(struct said *s, size_t at, const struct phrase *p, size_t len)
{
	struct token *number;
	size_t behind = at + len;
	char name[24];
	int err;

	if (p->kind == SAYS_DATA)
		return read_data(s, behind);
	if (p->kind == SAYS_EMULATION_AT)
		return read_emulation_at(s, behind);
	if (!p->number)
		return said_phrase(s, p, 0, false, false, &s->tokens[at]);
	/* "exit reason code 5" */
	if (behind < s->nr_tokens && (is_word(&s->tokens[behind], "code") || is_word(&s->tokens[behind], "is")))
		behind++;
	if (p->kind == SAYS_ERRNO && behind < s->nr_tokens) {
		copy_word(&s->tokens[behind], name, sizeof(name));
		err = exit_errno_number(name);
		if (err) {
			set_errno(s, (uint64_t)err);
			s->tokens[behind].used = true;
			return true;
		}
	}
	number = number_at(s, behind);
	if (!number || !said_phrase(s, p, p->hex && !number->is_negative ? number->as_hex : number->value,
				    number->is_negative, number->is_hex, &s->tokens[at]))
		return false;
	number->used = true;
	return true;
}

static void read_phrases(struct said *s)
{
	for (size_t at = 0; at < s->nr_tokens; at++) {
		for (size_t i = 0; i < ARRAY_SIZE(phrases); i++) {
			size_t len = phrase_length(s, at, &phrases[i]);

			if (!len || !read_phrase(s, at, &phrases[i], len))
				continue;
			for (size_t w = 0; w < len; w++)
				s->tokens[at + w].used = true;
			break;
		}
	}
}

/* ---- names, errnos, members --------------------------------------------------------------------- */

static void read_names(struct said *s)
{
	for (size_t at = 0; at < s->nr_tokens; at++) {
		struct token *t = &s->tokens[at];
		char name[24];
		int r, err;

		if (t->used || t->is_number)
			continue;
		r = reason_by_name(t, !at);
		if (r >= 0 || value_by_name(s, t)) {
			/* 'exit reason: 0 ("KVM_EXIT_UNKNOWN")' says it twice; the first name counts. */
			if (r >= 0 && s->reason_at == s->nr_tokens)
				set_reason(s, (uint32_t)r);
			if (s->reason_at == s->nr_tokens) {
				s->reason_at = at;
				s->named = s->info.reason;
			}
			t->used = true;
			continue;
		}
		copy_word(t, name, sizeof(name));
		err = exit_errno_number(name);
		if (err) {
			set_errno(s, (uint64_t)err);
			t->used = true;
		}
	}
}

/* Whether an error that @text tells of can be that of KVM_RUN: other calls fail as well. */
static bool about_run(const char *text)
{
	return strcasestr(text, "kvm_run") || strcasestr(text, "kvm run") || strcasestr(text, "vcpu");
}

/* "Bad address", as strerror() has it; the longest that is there. */
static void read_errno_text(struct said *s, const char *text)
{
	size_t longest = 0;
	int found = 0;

	if (s->info.run_errno)
		return;
	for (int err = 1; err < 134; err++) {
		const char *words = exit_errno_name(err) ? strerror(err) : NULL;

		if (words && strlen(words) > longest && strstr(text, words)) {
			longest = strlen(words);
			found = err;
		}
	}
	if (found && about_run(text))
		set_errno(s, (uint64_t)found);
	else if (strcasestr(text, "kvm"))
		s->other_errno = found;
}

/* Words between a reason's name and its values that change nothing. */
static bool is_filler(const struct token *t)
{
	static const char *const words[] = { "reason", "code", "error", "value", "with", "hardware", "exit", "raw" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (is_word(t, words[i]))
			return true;
	return false;
}

static bool has_ndata(uint32_t reason)
{
	return reason == EXIT_REASON_INTERNAL_ERROR || reason == EXIT_REASON_SYSTEM_EVENT;
}

static void set_member(struct said *s, const struct exit_member *m, uint64_t index, const struct token *number)
{
	uint64_t value = number->is_negative ? -number->value : number->value;

	if (index >= m->nr)
		return;
	if (has_ndata(s->info.reason) && m->nr > 1)
		set_data(s, index, value);
	else
		exit_payload_set(&s->info, m->offset + index * m->size_bytes, m->size_bytes, value);
	s->have_value = true;
}

/* "cpu 3", "data[1]: 0x30": a member's name and its value. */
static void read_named_members(struct said *s)
{
	size_t nr;
	const struct exit_member *m = exit_members(s->info.reason, &nr);

	for (size_t at = 0; at < s->nr_tokens; at++) {
		for (size_t i = 0; i < nr && !s->tokens[at].used; i++) {
			struct token *first = number_at(s, at + 1);
			struct token *second = m[i].nr > 1 ? number_at(s, at + 2) : NULL;

			if (!first || !is_word(&s->tokens[at], m[i].name))
				continue;
			set_member(s, &m[i], second ? first->value : 0, second ? second : first);
			first->used = s->tokens[at].used = true;
			if (second)
				second->used = true;
		}
	}
}

/* The number of data words goes without saying. */
static size_t next_listed(const struct said *s, const struct exit_member *m, size_t nr, size_t i)
{
	return i < nr && has_ndata(s->info.reason) && !strcmp(m[i].name, "ndata") ? i + 1 : i;
}

/* "KVM_EXIT_FAIL_ENTRY 0x80000021 3": numbers that follow the name, one for each member. */
static void read_listed_members(struct said *s)
{
	size_t nr, i = 0;
	const struct exit_member *m = exit_members(s->info.reason, &nr);
	unsigned int index = 0;

	if (s->have_first)
		i = next_listed(s, m, nr, 1);
	for (size_t at = s->reason_at + 1; at < s->nr_tokens && i < nr; at++) {
		struct token *t = &s->tokens[at];

		if (t->used || is_filler(t))
			continue;
		if (!t->is_number)
			return;
		set_member(s, &m[i], index, t);
		t->used = true;
		if (++index < m[i].nr)
			continue;
		index = 0;
		i = next_listed(s, m, nr, i + 1);
	}
}

/* "error -22", "VCPU exit error -95", or just -22. */
static void read_negative_number(struct said *s)
{
	for (size_t at = 0; at < s->nr_tokens && !s->info.run_errno; at++) {
		struct token *t = &s->tokens[at];

		if (t->used || !t->is_number || !t->is_negative || t->is_hex || !t->value || t->value > 4095)
			continue;
		set_errno(s, t->value);
		t->used = true;
	}
}

/* ---- readings ----------------------------------------------------------------------------------- */

/* The arches that @said is to be read for. */
static unsigned int wanted(const struct said *s, const char *arch)
{
	unsigned int all = 0;

	if (arch && !strcmp(arch, explain_arches[ANY_PPC]))
		return 1u << PPC_BOOKE | 1u << PPC_BOOK3S;
	for (int i = 0; i < NR_ARCHES; i++) {
		if (arch && !strcmp(arch, explain_arches[i]))
			return 1u << i;
		if (i < PPC_E500V2)
			all |= 1u << i;
	}
	if (s->arches & (1u << X86_INTEL | 1u << X86_AMD))
		return s->arches & ~(1u << X86_64);
	return s->arches ? s->arches : all;
}

static bool same_reading(const struct exit_record *a, const struct exit_record *b)
{
	return a->specific == b->specific && !strcmp(a->what, b->what) && !strcmp(a->advice, b->advice);
}

static void add_reading(struct explain_result *res, const char *as, const char *arch, const struct exit_record *rec)
{
	struct explain_reading *r;

	for (unsigned int i = 0; i < res->nr; i++) {
		r = &res->readings[i];
		if (strcmp(r->as, as) || !same_reading(&r->rec, rec))
			continue;
		snprintf(r->arches + strlen(r->arches), sizeof(r->arches) - strlen(r->arches), ", %s", arch);
		return;
	}
	if (res->nr == EXPLAIN_MAX_READINGS)
		return;
	r = &res->readings[res->nr++];
	snprintf(r->as, sizeof(r->as), "%s", as);
	snprintf(r->arches, sizeof(r->arches), "%s", arch);
	r->rec = *rec;
}

/*
 * Decodes @info for the arches of @mask. Where an arch knows no more than the generic words, they are given once,
 * and only if no arch knows more, or if @rest: then what the others say counts as well.
 */
static void read_as(struct explain_result *res, const struct exit_info *info, unsigned int mask, bool rest,
		    const char *as)
{
	bool one = !(mask & (mask - 1));
	bool specific = false;
	struct exit_record rec;

	for (int i = 0; i < NR_ARCHES; i++) {
		struct exit_info known = *info;

		if (!(mask >> i & 1))
			continue;
		known.cpu = arches[i].cpu;
		arches[i].decode(&known, &rec);
		if (!one && !rec.specific)
			continue;
		specific = true;
		add_reading(res, as, explain_arches[i], &rec);
	}
	if (one || (specific && !rest))
		return;
	exit_decode_generic(info, &rec);
	add_reading(res, as, specific ? "others" : "any", &rec);
}

/* A reason alone: what it means without the values that usually come with it. */
static void read_bare_reason(struct explain_result *res, const struct exit_info *info, const char *as)
{
	struct exit_record rec;
	size_t nr;
	const struct exit_member *m = exit_members(info->reason, &nr);
	char list[160] = "";

	exit_decode_generic(info, &rec);
	exit_fields_drop(&rec);
	exit_what(&rec, "%s", exit_cause_text(rec.cause));
	for (size_t i = 0; i < nr; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "", m[i].name);
	exit_advise(&rec, "what comes with it says more: %s", list);
	add_reading(res, as, "any", &rec);
}

static void describe(const struct said *s, char *buf, size_t size)
{
	const char *name = exit_reason_name(s->info.reason);
	const char *err = exit_errno_name(s->info.run_errno);
	size_t len = 0;

	buf[0] = '\0';
	if (s->have_reason && name)
		len = (size_t)snprintf(buf, size, "%s", name);
	else if (s->have_reason)
		len = (size_t)snprintf(buf, size, "exit_reason %" PRIu32, s->info.reason);
	if (!s->info.run_errno || len >= size)
		return;
	if (err)
		snprintf(buf + len, size - len, "%sKVM_RUN: %s", len ? ", " : "", err);
	else
		snprintf(buf + len, size - len, "%sKVM_RUN: errno %d", len ? ", " : "", s->info.run_errno);
}

static void read_value(struct explain_result *res, const struct said *s, const struct token *t, unsigned int mask,
		       bool one)
{
	static const struct {
		uint32_t    reason;
		const char *name;
	} as_members[] = {
		{ EXIT_REASON_UNKNOWN, "hardware_exit_reason" },
		{ EXIT_REASON_FAIL_ENTRY, "hardware_entry_failure_reason" },
	};
	struct exit_record rec;
	char as[96];

	for (size_t i = 0; i < ARRAY_SIZE(as_members); i++) {
		struct exit_info info = s->info;
		bool known = false;

		info.reason = as_members[i].reason;
		exit_payload_set(&info, 0, 8, t->value);
		snprintf(as, sizeof(as), "%s 0x%" PRIx64, as_members[i].name, t->value);
		/* No more than guesses: only what an arch has a name for. */
		for (int a = 0; a < NR_ARCHES && !known; a++) {
			info.cpu = arches[a].cpu;
			arches[a].decode(&info, &rec);
			known = (mask >> a & 1) && rec.specific;
		}
		if (known || (one && !res->nr && !i))
			read_as(res, &info, mask, false, as);
	}
	if (t->value < EXIT_NR_REASONS) {
		struct exit_info info = { .reason = (uint32_t)t->value };

		snprintf(as, sizeof(as), "exit_reason %" PRIu64, t->value);
		exit_decode_generic(&info, &rec);
		/* Without its payload, only the name means something. */
		exit_what(&rec, "%s", rec.name);
		exit_fields_drop(&rec);
		add_reading(res, as, "any", &rec);
	}
	if (!t->is_hex && t->value < 4096 && exit_errno_name((int)t->value)) {
		struct exit_info info = { .reason = EXIT_REASON_UNKNOWN, .run_errno = (int)t->value };

		snprintf(as, sizeof(as), "errno %" PRIu64, t->value);
		read_as(res, &info, mask, true, as);
	}
}

/* What no KVM_RUN said. @err is added to @what unless it is 0. */
static void read_other(struct explain_result *res, const char *as, enum exit_cause cause, int err, const char *what,
		       const char *advice)
{
	struct exit_record rec = { .name = "", .reason = EXIT_REASON_NOT_WRITTEN, .run_errno = err, .cause = cause,
				   .verdict = EXIT_STOP };
	char text[64];

	exit_what(&rec, "%s%s%s", what, err ? ": " : "", err ? exit_errno_text(err, text, sizeof(text)) : "");
	exit_advise(&rec, "%s", advice);
	add_reading(res, as, "any", &rec);
}

/* A program could not open /dev/kvm, or make a VM. */
static void read_host_error(struct explain_result *res, int err)
{
	const char *advice = "lkvm doctor says what this host lacks";

	if (err == EACCES || err == EPERM)
		advice = "the user must be in the group that owns /dev/kvm, mostly kvm; lkvm doctor says more";
	else if (err == ENOENT || err == ENODEV || err == ENXIO)
		advice = "there is no KVM: load its module, or switch virtualisation on in the firmware, or in the "
			 "hypervisor that runs this host; lkvm doctor says more";
	else if (err == EBUSY)
		advice = "another hypervisor has the CPU's virtualisation, or what was asked for is there already";
	read_other(res, "KVM", EXIT_CAUSE_SETUP, err, "KVM can't be used, or refused something before the guest ran",
		   advice);
}

/* Whatever else is said beside these lines: they mean the same for all who ask. */
static void read_log(struct explain_result *res, const char *text)
{
	struct exit_record rec;
	const char *arch;

	for (unsigned int i = 0; (arch = explain_log(text, i, &rec)); i++)
		add_reading(res, "the host's kernel", arch, &rec);
}

int explain(const char *arch, const char *text, struct explain_result *res)
{
	struct said s = { .info.reason = EXIT_REASON_NOT_WRITTEN };
	unsigned int mask;
	char as[96];
	size_t nr;

	memset(res, 0, sizeof(*res));
	s.nr_tokens = tokenize(text, s.tokens);
	s.reason_at = s.nr_tokens;
	read_log(res, text);

	read_names(&s); /* first: "KVM_EXIT_FAIL_ENTRY, reason 7" */
	read_phrases(&s);
	read_errno_text(&s, text);
	if (s.have_reason) {
		read_named_members(&s);
		if (s.named == s.info.reason) /* other words may have said better */
			read_listed_members(&s);
	}
	read_negative_number(&s);
	if (s.in_hv_mode) {
		uint64_t trap = exit_payload_u64(&s.info, 0);

		set_reason(&s, EXIT_REASON_INTERNAL_ERROR);
		exit_payload_set(&s.info, 0, 8, 0);
		exit_payload_set(&s.info, EXIT_INTERNAL_SUBERROR, 4, trap);
	}
	mask = wanted(&s, arch);
	if (!s.have_reason && !s.info.run_errno && s.no_progress) {
		read_other(res, "lkvm's watchdog", EXIT_CAUSE_FETCH_FAILED, 0,
			   "a vCPU tried to fetch the same instruction for ever, and KVM made no exit of it",
			   "the guest jumped to where it can't execute: the report's backtrace and link register "
			   "show from where");
		return 0;
	}
	if (!s.have_reason && !s.info.run_errno && s.other_errno) {
		read_host_error(res, s.other_errno);
		return 0;
	}

	if (s.have_reason || s.info.run_errno) {
		/* An errno by itself comes beside the reason that KVM begins with. */
		if (!s.have_reason && s.info.run_errno)
			s.info.reason = EXIT_REASON_UNKNOWN;
		describe(&s, as, sizeof(as));
		if (!s.have_value && !s.info.run_errno && !s.arches && !arch && exit_members(s.info.reason, &nr))
			read_bare_reason(res, &s.info, as);
		else
			read_as(res, &s.info, mask, s.info.run_errno != 0, as);
		return res->nr ? 0 : -ENOENT;
	}
	/* Nothing but numbers, perhaps with a pc: any other word may change what they are. */
	if (res->nr)
		return 0;
	for (size_t i = 0; i < s.nr_tokens; i++)
		if (!s.tokens[i].used && !s.tokens[i].is_number)
			return -ENOENT;
	for (size_t i = 0; i < s.nr_tokens; i++)
		if (!s.tokens[i].used)
			read_value(res, &s, &s.tokens[i], mask, arch || !(mask & (mask - 1)));
	return res->nr ? 0 : -ENOENT;
}
