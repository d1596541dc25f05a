// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/oops.h"

#include <stdlib.h>
#include <string.h>

#include "lkvm/splat.h"

/* A crash has no more lines than this before its call trace: some arches print registers, code and memory. */
#define LINES_OPEN 150
/* Between the end of a crash and the panic that it leads to: x86 repeats the registers there. */
#define LINES_TO_PANIC 40

#define WEIGHT_WARNING 1
#define WEIGHT_CRASH   2
#define WEIGHT_PANIC   3

static const char panic_words[] = "Kernel panic - not syncing";

/* What prints a trace, or leads to that: those further in have nothing to do with the cause. */
static const char *const printers[] = {
	"dump_backtrace", "show_stack", "dump_stack_lvl", "dump_stack", "panic", "vpanic", "print_report",
	"kasan_report", "check_panic_on_warn", "__warn", "nmi_panic",
};

static unsigned int weigh(int kind)
{
	switch (kind) {
	case SPLAT_BUG:
	case SPLAT_KASAN:
	case SPLAT_LOCKUP:
	case SPLAT_HUNG_TASK:
	case SPLAT_RCU_STALL:
		return WEIGHT_CRASH;
	default:
		return WEIGHT_WARNING;
	}
}

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static void keep(char *to, const char *from, size_t len)
{
	len = MIN(len, (size_t)OOPS_TEXT_BYTES - 1);
	memcpy(to, from, len);
	to[len] = '\0';
}

/* Without the blanks and the carriage return at its end. */
static void keep_line(char *to, const char *from)
{
	size_t len = strlen(from);

	while (len && strchr(" \r\n", from[len - 1]))
		len--;
	keep(to, from, len);
}

/* "[<ffffffff80001234>] ", "[c000000012345678] [c000000000123456] ": addresses before a name. */
static const char *skip_addresses(const char *p)
{
	for (;;) {
		const char *end;

		while (*p == ' ')
			p++;
		end = *p == '[' ? strchr(p, ']') : NULL;
		if (!end)
			return p;
		p = end + 1;
	}
}

static bool has_offset(const char *text, size_t len)
{
	const char *plus = memchr(text, '+', len);

	return plus && plus > text && starts(plus, "+0x") && memchr(plus, '/', len - (size_t)(plus - text));
}

/* An address that is in no function: "0x0". */
static bool is_number(const char *text, size_t len)
{
	return len > 2 && starts(text, "0x") && strspn(text + 2, "0123456789abcdef") >= len - 2;
}

/* How long the name of @len bytes at @at is with " [module]", if that is behind it. */
static size_t with_module(const char *at, size_t len)
{
	const char *end = starts(at + len, " [") ? strchr(at + len, ']') : NULL;

	return end ? (size_t)(end - at) + 1 : len;
}

/* What %pS prints of a place in code goes to @to: "f+0x10/0x20 [module]" or a number. False if it is none. */
static bool take_place(char *to, const char *text)
{
	const char *at = skip_addresses(text);
	size_t len = strcspn(at, " \r\n");

	if (!has_offset(at, len) && !is_number(at, len))
		return false;
	keep(to, at, with_module(at, len));
	return true;
}

/* One of arm's 32-bit kernels: "f from g+0x10/0x20", "f [module] from g+0x10/0x20 [module]". */
static bool take_arm_frame(char *to, const char *text)
{
	const char *at = skip_addresses(text);
	size_t len = strcspn(at, " \r\n");

	len = len ? with_module(at, len) : 0;
	if (!len || !starts(at + len, " from ") || !has_offset(at + len, strlen(at + len)))
		return false;
	keep(to, at, len);
	return true;
}

static bool is_printer(const char *frame)
{
	size_t len = strcspn(frame, "+");

	for (size_t i = 0; i < ARRAY_SIZE(printers); i++)
		if (strlen(printers[i]) == len && !memcmp(frame, printers[i], len))
			return true;
	return false;
}

static void set_phase(struct oops *o, enum oops_phase phase)
{
	o->phase = phase;
	o->lines = 0;
}

static void close_oops(struct oops *o)
{
	set_phase(o, o->panicked ? OOPS_PANICKED : OOPS_CLOSED);
}

static void begin(struct oops *o, unsigned int weight, const char *text)
{
	memset(o, 0, sizeof(*o));
	o->weight = weight;
	o->panicked = weight == WEIGHT_PANIC;
	keep_line(o->what, text);
	set_phase(o, OOPS_OPEN);
}

static void take_frame(struct oops *o, const char *text)
{
	char frame[OOPS_TEXT_BYTES];

	/* x86: "<TASK>", and "? f+0x10/0x20", which may be left over from earlier calls. */
	if (*text == '<' || *text == '?')
		return;
	if (!take_place(frame, text) && !take_arm_frame(frame, text)) {
		if (o->nr_trace)
			close_oops(o);
		return;
	}
	/* It begins where pc is, or at what printed it. */
	if (is_printer(frame)) {
		o->nr_trace = 0;
		o->more = false;
	} else if (o->nr_trace || strcmp(frame, o->pc)) {
		if (o->nr_trace == OOPS_FRAMES)
			o->more = true;
		else
			memcpy(o->trace[o->nr_trace++], frame, sizeof(frame));
	}
}

/* "CPU: 0 UID: 0 PID: 133 Comm: insmod Tainted: G            E      6.12.0 #1" */
static void take_task(struct oops *o, const char *text)
{
	const char *comm = strstr(text, " Comm: "), *pid = strstr(text, " PID: "), *end;

	if (!comm || !pid || o->task[0])
		return;
	comm += strlen(" Comm: ");
	end = strstr(comm, " Tainted:");
	if (!end)
		end = strstr(comm, " Not tainted");
	if (!end)
		end = comm + strcspn(comm, " \r\n");
	snprintf(o->task, sizeof(o->task), "%.*s, PID %lu, CPU %lu", (int)MIN((size_t)(end - comm), (size_t)32), comm,
		 strtoul(pid + strlen(" PID: "), NULL, 10), strtoul(text + strlen("CPU: "), NULL, 10));
}

static void take_detail(struct oops *o, const char *text)
{
	/* Names of registers: arch/{arm64,riscv,arm,x86,powerpc}, show_regs() and the like. */
	static const char *const pcs[] = { "pc : ", "epc : ", "PC is at ", "RIP: 0010:", "NIP " };
	static const char *const callers[] = { "lr : ", "ra : ", "LR is at ", "LR " };

	for (size_t i = 0; i < ARRAY_SIZE(pcs) && !o->pc[0]; i++)
		if (starts(text, pcs[i]))
			take_place(o->pc, text + strlen(pcs[i]));
	for (size_t i = 0; i < ARRAY_SIZE(callers) && !o->caller[0]; i++)
		if (starts(text, callers[i]))
			take_place(o->caller, text + strlen(callers[i]));
	if (starts(text, "CPU: "))
		take_task(o, text);
	else if (starts(text, "Call trace:") || starts(text, "Call Trace:"))
		set_phase(o, OOPS_TRACE);
	else if (starts(text, "---[ end "))
		close_oops(o);
}

/* The panic is the end of what was told before, or something of its own. */
static void take_panic(struct oops *o, const char *text)
{
	bool of_it = o->phase == OOPS_OPEN || o->phase == OOPS_TRACE ||
		     (o->phase == OOPS_CLOSED && o->lines <= LINES_TO_PANIC);

	if (of_it && (o->pc[0] || o->nr_trace)) {
		o->panicked = true;
		close_oops(o);
	} else {
		begin(o, WEIGHT_PANIC, text);
	}
}

void oops_take(struct oops *o, const char *line)
{
	const char *text = splat_text(line);
	int kind;

	if (o->phase == OOPS_PANICKED)
		return;
	o->lines++;
	if (o->phase == OOPS_OPEN && o->lines > LINES_OPEN)
		close_oops(o);
	if (!o->panicked && starts(text, panic_words)) {
		take_panic(o, text);
		return;
	}
	if (o->phase == OOPS_TRACE)
		take_frame(o, text);
	if (o->phase == OOPS_OPEN)
		take_detail(o, text);
	kind = o->panicked ? -1 : splat_match(line, &text);
	if (kind < 0)
		return;
	/* Several lines begin a crash: "Unable to handle ...", "Internal error: Oops: ...". */
	if (o->phase == OOPS_OPEN && !o->pc[0] && o->weight >= weigh(kind)) {
		if (starts(o->what, "Kernel attempted to "))
			keep_line(o->what, text);
		return;
	}
	if (o->phase == OOPS_NONE || weigh(kind) > o->weight ||
	    (o->phase == OOPS_CLOSED && weigh(kind) == o->weight))
		begin(o, weigh(kind), text);
}

/*
 * Where @frame returns to is behind a call. At the very beginning of a function that call is the last thing in the
 * one before it, which does not come back: that has no name here, but the next frame called it.
 */
static void print_call(const char *frame, const char *next, char *to, size_t size)
{
	if (!strstr(frame, "+0x0/"))
		snprintf(to, size, "%s", frame);
	else if (next[0])
		snprintf(to, size, "the function before %.*s, called by %s", (int)strcspn(frame, "+"), frame, next);
	else
		snprintf(to, size, "the function before %.*s", (int)strcspn(frame, "+"), frame);
}

bool oops_where(const struct oops *o, char *where)
{
	bool have_caller = o->caller[0] && strchr(o->caller, '+');
	const char *caller = have_caller ? o->caller : o->nr_trace ? o->trace[0] : "";
	unsigned int behind = have_caller ? 0 : 1; /* in the trace */
	const char *next = behind < o->nr_trace ? o->trace[behind] : "";

	if (o->pc[0] && (strchr(o->pc, '+') || !caller[0])) {
		snprintf(where, OOPS_WHERE_BYTES, "%s", o->pc);
		return true;
	}
	print_call(caller, next, where, OOPS_WHERE_BYTES);
	if (o->pc[0])
		snprintf(where + strlen(where), OOPS_WHERE_BYTES - strlen(where), ", which called %s", o->pc);
	return where[0] != '\0';
}

void oops_print(const struct oops *o, FILE *out)
{
	if (o->phase == OOPS_NONE)
		return;
	fprintf(out, "  %-9s %s\n", "it said", o->what);
	if (o->task[0])
		fprintf(out, "  %-9s %s\n", "task", o->task);
	for (unsigned int i = 0; i < o->nr_trace; i++)
		fprintf(out, "  %-9s %s\n", i ? "" : "trace", o->trace[i]);
	if (o->more)
		fprintf(out, "            ...\n");
}
