// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/pmu-stat.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const titles[] = {
	[STAT_PERF] = "host's perf events of the vCPU threads",
	[STAT_GUEST] = "guest's own counters",
	[STAT_KVM] = "KVM's statistics",
	[STAT_TIME] = "time of the vCPU threads",
};

/* What stands before a name where there are no titles. */
static const char *const prefixes[] = {
	[STAT_PERF] = "", [STAT_GUEST] = "guest/", [STAT_KVM] = "kvm/", [STAT_TIME] = "time/",
};

static const char *const sources[] = {
	[STAT_PERF] = "perf", [STAT_GUEST] = "guest", [STAT_KVM] = "kvm", [STAT_TIME] = "time",
};

/*
 * Times in user mode and in the kernel are each rounded down to ticks: a thread that seems not to have
 * run at all may have had nearly two. Of so many, that is a tenth.
 */
#define TICKS_TO_TELL 20

/* ---- tables ------------------------------------------------------------------------------------- */

struct stat_table *stat_table_new(unsigned int nr_vcpus)
{
	struct stat_table *t = calloc(1, sizeof(*t));

	if (t)
		t->nr_vcpus = nr_vcpus;
	return t;
}

void stat_table_free(struct stat_table *t)
{
	if (!t)
		return;
	for (unsigned int i = 0; i < t->nr; i++)
		free(t->items[i].cells);
	free(t);
}

/* FNV-1a. Names are looked for all the time, mostly those that are not there yet. */
static uint32_t hash_of(enum stat_source source, const char *name)
{
	uint32_t hash = 2166136261u ^ (uint32_t)source;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash;
}

static struct stat_item *find_item(struct stat_table *t, enum stat_source source, const char *name, uint32_t hash)
{
	for (unsigned int i = 0; i < t->nr; i++)
		if (t->items[i].hash == hash && t->items[i].source == source && !strcmp(t->items[i].name, name))
			return &t->items[i];
	return NULL;
}

const struct stat_item *stat_table_find(const struct stat_table *t, enum stat_source source, const char *name)
{
	return t ? find_item((struct stat_table *)(uintptr_t)t, source, name, hash_of(source, name)) : NULL;
}

struct stat_item *stat_table_item(struct stat_table *t, enum stat_source source, const char *name)
{
	uint32_t hash = hash_of(source, name);
	struct stat_item *item = find_item(t, source, name, hash);

	if (item || t->nr == STAT_MAX_ITEMS)
		return item;
	item = &t->items[t->nr];
	*item = (struct stat_item){ .source = source, .hash = hash, .unit = "" };
	item->cells = calloc(t->nr_vcpus ? t->nr_vcpus : 1, sizeof(*item->cells));
	if (!item->cells)
		return NULL;
	snprintf(item->name, sizeof(item->name), "%s", name);
	t->nr++;
	return item;
}

void stat_item_set(struct stat_item *item, unsigned int vcpu, uint64_t value)
{
	item->cells[vcpu].value = value;
}

void stat_item_missing(struct stat_item *item, enum stat_state state, const char *why)
{
	if (item->state != STAT_COUNTED)
		return;
	item->state = state;
	snprintf(item->why, sizeof(item->why), "%s", why);
}

struct stat_table *stat_table_since(const struct stat_table *now, const struct stat_table *before)
{
	struct stat_table *t = stat_table_new(now->nr_vcpus);

	if (!t)
		return NULL;
	t->seconds = now->seconds - (before ? before->seconds : 0);
	for (unsigned int i = 0; i < now->nr; i++) {
		const struct stat_item *n = &now->items[i];
		const struct stat_item *b = stat_table_find(before, n->source, n->name);
		struct stat_item *item = stat_table_item(t, n->source, n->name);

		if (!item) {
			stat_table_free(t);
			return NULL;
		}
		item->unit = n->unit;
		item->instant = n->instant;
		item->state = n->state;
		memcpy(item->why, n->why, sizeof(item->why));
		for (unsigned int v = 0; v < t->nr_vcpus; v++) {
			item->cells[v] = n->cells[v];
			if (!b || n->instant)
				continue;
			/* What is worked out from clocks of different kinds may step back by a tick. */
			item->cells[v].value -= MIN(b->cells[v].value, n->cells[v].value);
			item->cells[v].enabled_ns -= b->cells[v].enabled_ns;
			item->cells[v].running_ns -= b->cells[v].running_ns;
		}
	}
	return t;
}

void stat_judge_ticks(struct stat_table *t, const char *rest, uint64_t tick_ns)
{
	uint64_t spent = 0;
	char why[64];

	for (unsigned int i = 0; i < t->nr; i++)
		if (t->items[i].source == STAT_TIME && strcmp(t->items[i].name, rest) != 0)
			spent += stat_item_sum(t, &t->items[i]).value;
	if (spent || t->seconds * 1e9 >= (double)tick_ns * TICKS_TO_TELL)
		return;
	snprintf(why, sizeof(why), "too short to tell: the kernel counts in ticks of %u ms",
		 (unsigned int)(tick_ns / 1000000));
	for (unsigned int i = 0; i < t->nr; i++)
		if (t->items[i].source == STAT_TIME)
			stat_item_missing(&t->items[i], STAT_NOT_COUNTED, why);
}

struct stat_cell stat_item_sum(const struct stat_table *t, const struct stat_item *item)
{
	struct stat_cell sum = { 0 };

	for (unsigned int v = 0; v < t->nr_vcpus; v++) {
		sum.value += item->cells[v].value;
		sum.enabled_ns += item->cells[v].enabled_ns;
		sum.running_ns += item->cells[v].running_ns;
	}
	return sum;
}

/* ---- numbers ------------------------------------------------------------------------------------ */

/* What a shared counter would have counted all the time, as perf estimates it. */
static double scaled(const struct stat_cell *c)
{
	if (c->running_ns && c->running_ns < c->enabled_ns)
		return (double)c->value * (double)c->enabled_ns / (double)c->running_ns;
	return (double)c->value;
}

static double percent_running(const struct stat_cell *c)
{
	return c->enabled_ns ? 100.0 * (double)c->running_ns / (double)c->enabled_ns : 100.0;
}

/* Counted in this period? A perf event may be there and yet never have had a counter. */
static enum stat_state state_of(const struct stat_item *item, const struct stat_cell *c)
{
	if (item->state == STAT_COUNTED && item->source == STAT_PERF && c->enabled_ns && !c->running_ns)
		return STAT_NOT_COUNTED;
	return item->state;
}

static const char *state_word(enum stat_state state)
{
	return state == STAT_NOT_SUPPORTED ? "<not supported>" : "<not counted>";
}

/* "1,234,567" */
static void group_digits(uint64_t v, char *buf, size_t size)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, v);
	size_t at = 0;

	for (int i = 0; i < len && at + 2 < size; i++) {
		if (i && (len - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = '\0';
}

/* "12.345678901". printf's own way with doubles takes longer than all else that is done for a line. */
static const char *seconds_text(double seconds, char *buf, size_t size)
{
	uint64_t ns = seconds > 0 ? (uint64_t)(seconds * 1e9 + 0.5) : 0;

	snprintf(buf, size, "%" PRIu64 ".%09" PRIu64, ns / 1000000000, ns % 1000000000);
	return buf;
}

static bool is_ns(const struct stat_item *item)
{
	return !strcmp(item->unit, "ns");
}

/* ---- derived figures ---------------------------------------------------------------------------- */

struct metric {
	double      value;
	const char *unit; /* NULL: there is none */
};

static double cell_value(const struct stat_table *t, enum stat_source source, const char *name, int vcpu)
{
	const struct stat_item *item = stat_table_find(t, source, name);
	struct stat_cell c;

	if (!item)
		return 0;
	c = vcpu < 0 ? stat_item_sum(t, item) : item->cells[vcpu];
	return state_of(item, &c) == STAT_COUNTED ? scaled(&c) : 0;
}

/* What a person would work out from @c, a cell of @item. @vcpu -1: all. */
static struct metric metric_of(const struct stat_table *t, const struct stat_item *item, const struct stat_cell *c,
			       int vcpu)
{
	double v = scaled(c), cycles, run_ns;
	double vcpus = vcpu < 0 ? t->nr_vcpus : 1;

	if (item->instant || t->seconds <= 0)
		return (struct metric){ 0, NULL };
	if (item->source == STAT_PERF && !strncmp(item->name, "instructions:", 13)) {
		char name[48];

		snprintf(name, sizeof(name), "cycles:%s", item->name + 13);
		cycles = cell_value(t, STAT_PERF, name, vcpu);
		return cycles > 0 ? (struct metric){ v / cycles, "insn per cycle" } : (struct metric){ 0, NULL };
	}
	if (item->source == STAT_PERF && !strncmp(item->name, "cycles:", 7)) {
		run_ns = (double)c->enabled_ns;
		return run_ns > 0 ? (struct metric){ v / run_ns, "GHz" } : (struct metric){ 0, NULL };
	}
	if (is_ns(item))
		return (struct metric){ 100.0 * v / (t->seconds * 1e9 * vcpus),
					item->source == STAT_PERF ? "% of a CPU" : "% of the time" };
	if (*item->unit)
		return (struct metric){ 0, NULL };
	return (struct metric){ v / t->seconds, "/sec" };
}

/* ---- text --------------------------------------------------------------------------------------- */

static void print_metric(const struct metric *m, FILE *out)
{
	if (!m->unit)
		return;
	if (strcmp(m->unit, "/sec"))
		fprintf(out, "#%9.3f %s", m->value, m->unit);
	else if (m->value >= 1e6)
		fprintf(out, "#%9.3f M/sec", m->value / 1e6);
	else if (m->value >= 1e3)
		fprintf(out, "#%9.3f K/sec", m->value / 1e3);
	else
		fprintf(out, "#%9.3f /sec", m->value);
}

static void print_text_cell(const struct stat_table *t, const struct stat_item *item, const struct stat_cell *c,
			    int vcpu, const struct stat_format *f, FILE *out)
{
	enum stat_state state = state_of(item, c);
	struct metric m = metric_of(t, item, c, vcpu);
	char number[40], name[64], at[32];

	/* Without titles, the name says where it comes from. */
	snprintf(name, sizeof(name), "%s%s", f->interval ? prefixes[item->source] : "", item->name);
	if (f->interval)
		fprintf(out, "%16s ", seconds_text(f->at_seconds, at, sizeof(at)));
	if (f->interval && f->many)
		fprintf(out, "%-16s ", f->guest);
	if (f->per_vcpu)
		fprintf(out, "vcpu%-3d ", vcpu);
	if (state != STAT_COUNTED) {
		fprintf(out, "%20s      %-34s # %s\n", state_word(state), name,
			item->why[0] ? item->why : "other events had the counters");
		return;
	}
	if (is_ns(item))
		snprintf(number, sizeof(number), "%.2f", scaled(c) / 1e6);
	else
		group_digits((uint64_t)scaled(c), number, sizeof(number));
	fprintf(out, "%20s %-4s %-34s ", number, is_ns(item) ? "msec" : strcmp(item->unit, "bytes") ? "" : "B",
		name);
	print_metric(&m, out);
	if (item->source == STAT_PERF && c->running_ns < c->enabled_ns)
		fprintf(out, "   (%.2f%%)", percent_running(c));
	fputc('\n', out);
}

/* ---- machines ----------------------------------------------------------------------------------- */

/* As perf stat -x: (time, guest, vCPU,) value, unit, event, run time, percentage, metric, its unit. */
static void print_csv_cell(const struct stat_table *t, const struct stat_item *item, const struct stat_cell *c,
			   int vcpu, const struct stat_format *f, FILE *out)
{
	enum stat_state state = state_of(item, c);
	struct metric m = metric_of(t, item, c, vcpu);
	const char *x = f->separator;
	char at[32];

	if (f->interval)
		fprintf(out, "%s%s", seconds_text(f->at_seconds, at, sizeof(at)), x);
	if (f->many)
		fprintf(out, "%s%s", f->guest, x);
	if (f->per_vcpu)
		fprintf(out, "vcpu%d%s", vcpu, x);
	if (state == STAT_COUNTED)
		fprintf(out, "%.0f", scaled(c));
	else
		fputs(state_word(state), out);
	fprintf(out, "%s%s%s%s%s%s", x, item->unit, x, prefixes[item->source], item->name, x);
	fprintf(out, "%" PRIu64 "%s%.2f%s", c->running_ns, x, state == STAT_COUNTED ? percent_running(c) : 0.0,
		x);
	if (state == STAT_COUNTED && m.unit)
		fprintf(out, "%.2f%s%s\n", m.value, x, m.unit);
	else
		fprintf(out, "%s\n", x);
}

static void print_json_text(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			fprintf(out, "\\u%04x", (unsigned char)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

/* As perf stat -j, with the guest, the source, and null where there is no number. */
static void print_json_cell(const struct stat_table *t, const struct stat_item *item, const struct stat_cell *c,
			    int vcpu, const struct stat_format *f, FILE *out)
{
	enum stat_state state = state_of(item, c);
	struct metric m = metric_of(t, item, c, vcpu);
	char name[64], at[32];

	fputc('{', out);
	if (f->interval)
		fprintf(out, "\"interval\" : %s, ", seconds_text(f->at_seconds, at, sizeof(at)));
	fputs("\"guest\" : ", out);
	print_json_text(f->guest, out);
	fputs(", ", out);
	if (f->per_vcpu)
		fprintf(out, "\"vcpu\" : %d, ", vcpu);
	snprintf(name, sizeof(name), "%s%s", prefixes[item->source], item->name);
	fprintf(out, "\"source\" : \"%s\", \"event\" : ", sources[item->source]);
	print_json_text(name, out);
	if (state == STAT_COUNTED)
		fprintf(out, ", \"counter-value\" : \"%.6f\"", scaled(c));
	else
		fprintf(out, ", \"counter-value\" : \"%s\"", state_word(state));
	fprintf(out, ", \"unit\" : \"%s\", \"event-runtime\" : %" PRIu64 ", \"pcnt-running\" : %.2f", item->unit,
		c->running_ns, state == STAT_COUNTED ? percent_running(c) : 0.0);
	if (state == STAT_COUNTED && m.unit)
		fprintf(out, ", \"metric-value\" : \"%.6f\", \"metric-unit\" : \"%s\"", m.value, m.unit);
	if (state != STAT_COUNTED && item->why[0]) {
		fputs(", \"reason\" : ", out);
		print_json_text(item->why, out);
	}
	fputs("}\n", out);
}

static void print_cell(const struct stat_table *t, const struct stat_item *item, const struct stat_cell *c,
		       int vcpu, const struct stat_format *f, FILE *out)
{
	if (f->json)
		print_json_cell(t, item, c, vcpu, f, out);
	else if (f->separator)
		print_csv_cell(t, item, c, vcpu, f, out);
	else
		print_text_cell(t, item, c, vcpu, f, out);
}

void stat_print(const struct stat_table *t, const struct stat_format *f, FILE *out)
{
	bool text = !f->json && !f->separator;

	if (text && !f->interval)
		fprintf(out, "\n Performance counter stats for guest '%s', %u vCPU%s:\n", f->guest, t->nr_vcpus,
			t->nr_vcpus == 1 ? "" : "s");
	for (enum stat_source source = 0; source < STAT_SOURCES; source++) {
		unsigned int silent = 0;
		bool titled = false;

		for (unsigned int i = 0; i < t->nr; i++) {
			const struct stat_item *item = &t->items[i];
			struct stat_cell sum = stat_item_sum(t, item);

			if (item->source != source)
				continue;
			if (text && !f->interval && !titled)
				fprintf(out, "\n %s:\n", titles[source]);
			titled = true;
			/* KVM has dozens that most guests never touch. */
			if (text && source == STAT_KVM && item->state == STAT_COUNTED && !sum.value) {
				silent++;
				continue;
			}
			if (!f->per_vcpu)
				print_cell(t, item, &sum, -1, f, out);
			for (unsigned int v = 0; f->per_vcpu && v < t->nr_vcpus; v++)
				print_cell(t, item, &item->cells[v], (int)v, f, out);
		}
		if (silent && !f->interval)
			fprintf(out, "%20u      others of KVM's are 0\n", silent);
	}
	if (text && !f->interval)
		fprintf(out, "\n %19.9f seconds time elapsed\n\n", t->seconds);
	fflush(out);
}
