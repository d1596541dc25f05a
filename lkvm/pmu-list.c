// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/pmu-list.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/log.h"

#define COLUMNS 100

void pmu_list_fact(struct pmu_list *list, const char *name, const char *fmt, ...)
{
	struct pmu_fact *fact = &list->facts[MIN(list->nr_facts, PMU_MAX_FACTS - 1u)];
	va_list ap;

	list->nr_facts = MIN(list->nr_facts + 1, (unsigned int)PMU_MAX_FACTS);
	snprintf(fact->name, sizeof(fact->name), "%s", name);
	va_start(ap, fmt);
	vsnprintf(fact->value, sizeof(fact->value), fmt, ap);
	va_end(ap);
}

/* Adds a line to bugs or notes. */
static void add_line(char lines[][PMU_TEXT_BYTES], unsigned int *nr, const char *fmt, va_list ap)
{
	if (*nr == PMU_MAX_NOTES) {
		snprintf(lines[PMU_MAX_NOTES - 1], PMU_TEXT_BYTES, "and more");
		return;
	}
	vsnprintf(lines[(*nr)++], PMU_TEXT_BYTES, fmt, ap);
}

void pmu_list_bug(struct pmu_list *list, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(list->bugs, &list->nr_bugs, fmt, ap);
	va_end(ap);
}

void pmu_list_note(struct pmu_list *list, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(list->notes, &list->nr_notes, fmt, ap);
	va_end(ap);
}

struct pmu_counter *pmu_list_counter(struct pmu_list *list)
{
	if (list->nr_counters == PMU_MAX_COUNTERS)
		return NULL;
	memset(&list->counters[list->nr_counters], 0, sizeof(list->counters[0]));
	return &list->counters[list->nr_counters++];
}

struct pmu_event *pmu_list_event(struct pmu_list *list)
{
	if (list->nr_events == PMU_MAX_EVENTS)
		return NULL;
	memset(&list->events[list->nr_events], 0, sizeof(list->events[0]));
	return &list->events[list->nr_events++];
}

void pmu_event_takes(struct pmu_event *event, unsigned int index)
{
	if (index < 64 * ARRAY_SIZE(event->counters))
		event->counters[index / 64] |= UINT64_C(1) << index % 64;
}

bool pmu_event_has(const struct pmu_event *event, unsigned int index)
{
	return index < 64 * ARRAY_SIZE(event->counters) && event->counters[index / 64] >> index % 64 & 1;
}

/* ---- text --------------------------------------------------------------------------------------- */

/* "0 2-17" for the counters that take @event. */
static void print_ranges(const struct pmu_event *event, FILE *out)
{
	const unsigned int end = 64 * ARRAY_SIZE(event->counters);

	for (unsigned int i = 0; i < end; i++) {
		unsigned int first = i;

		if (!pmu_event_has(event, i))
			continue;
		while (i + 1 < end && pmu_event_has(event, i + 1))
			i++;
		fprintf(out, first == i ? " %u" : " %u-%u", first, i);
	}
}

/* Counters without a register differ in nothing but their index: a row for all of them. */
static unsigned int alike(const struct pmu_list *list, unsigned int i)
{
	const struct pmu_counter *c = &list->counters[i];
	unsigned int n = 1;

	if (c->error || c->name[0])
		return n;
	for (; i + n < list->nr_counters; n++) {
		const struct pmu_counter *other = &list->counters[i + n];

		if (other->error || other->name[0] || strcmp(other->type, c->type) ||
		    other->index != c->index + n || other->width_bits != c->width_bits ||
		    other->nr_events != c->nr_events)
			break;
	}
	return n;
}

static void print_counters(const struct pmu_list *list, FILE *out)
{
	char index[24], number[16];
	unsigned int n;

	if (!list->nr_counters)
		return;
	fprintf(out, "\n%7s  %-9s %-14s %-7s %5s  %s\n", "index", "type", "register", "number", "width", "events");
	for (unsigned int i = 0; i < list->nr_counters; i += n) {
		const struct pmu_counter *c = &list->counters[i];

		n = alike(list, i);
		snprintf(index, sizeof(index), n > 1 ? "%u-%u" : "%u", c->index, c->index + n - 1);
		snprintf(number, sizeof(number), c->name[0] ? "0x%x" : "-", c->number);
		fprintf(out, "%7s  %-9s %-14s %-7s ", index, c->type, c->name[0] ? c->name : "-", number);
		if (c->error)
			fprintf(out, "%5s  %s\n", "-", c->error);
		else
			fprintf(out, "%5u  %u\n", c->width_bits, c->nr_events);
	}
}

/* The events of @group that can't be counted, by error, in COLUMNS columns. */
static void print_refused(const struct pmu_list *list, const char *group, FILE *out)
{
	const char *last = NULL;
	int column = 0;

	for (unsigned int i = 0; i < list->nr_events; i++) {
		const struct pmu_event *e = &list->events[i];

		if (strcmp(e->group, group) || !e->error)
			continue;
		if (!last || strcmp(last, e->error)) {
			column = fprintf(out, "%s  %s:", last ? "\n" : "", e->error);
			last = e->error;
		}
		if (column + 1 + (int)strlen(e->name) > COLUMNS)
			column = fprintf(out, "\n   ") - 1;
		column += fprintf(out, " %s", e->name);
	}
	if (last)
		fputc('\n', out);
}

static void print_events(const struct pmu_list *list, FILE *out)
{
	const char *group = NULL;

	for (unsigned int i = 0; i < list->nr_events; i++) {
		const struct pmu_event *e = &list->events[i];

		if (!group || strcmp(group, e->group)) {
			if (group)
				print_refused(list, group, out);
			group = e->group;
			fprintf(out, "\n%s events\n", group);
		}
		if (e->error)
			continue;
		fprintf(out, "  0x%05llx %-32s ", (unsigned long long)e->code, e->name);
		if (e->counters[0] || e->counters[1]) {
			fputs("counters", out);
			print_ranges(e, out);
		} else {
			fputs("yes", out);
		}
		fputc('\n', out);
	}
	if (group)
		print_refused(list, group, out);
}

void pmu_list_print(const struct pmu_list *list, FILE *out)
{
	if (!list->present) {
		fprintf(out, "no PMU for guests: %s\n", list->missing);
	} else {
		fprintf(out, "%s\n", list->kind);
		for (unsigned int i = 0; i < list->nr_facts; i++)
			fprintf(out, "  %-22s %s\n", list->facts[i].name, list->facts[i].value);
		print_counters(list, out);
		print_events(list, out);
	}
	for (unsigned int i = 0; i < list->nr_notes; i++)
		fprintf(out, "%snote: %s\n", i ? "" : "\n", list->notes[i]);
	for (unsigned int i = 0; i < list->nr_bugs; i++)
		fprintf(out, "%sHOST BUG: %s\n", i ? "" : "\n", list->bugs[i]);
}

/* ---- JSON --------------------------------------------------------------------------------------- */

#ifdef HAVE_JANSSON
static json_t *json_indexes(const struct pmu_event *event)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < 64 * ARRAY_SIZE(event->counters); i++)
		if (pmu_event_has(event, i))
			json_array_append_new(array, json_integer(i));
	return array;
}

static json_t *json_counters(const struct pmu_list *list)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < list->nr_counters; i++) {
		const struct pmu_counter *c = &list->counters[i];
		json_t *o = json_pack("{s:i, s:s, s:s?}", "index", (int)c->index, "type", c->type, "error", c->error);

		if (!c->error) {
			json_object_set_new(o, "width", json_integer(c->width_bits));
			json_object_set_new(o, "events", json_integer(c->nr_events));
			if (c->name[0]) {
				json_object_set_new(o, "register", json_string(c->name));
				json_object_set_new(o, "number", json_integer(c->number));
			}
		}
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *json_lines(const char lines[][PMU_TEXT_BYTES], unsigned int nr)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < nr; i++)
		json_array_append_new(array, json_string(lines[i]));
	return array;
}

int pmu_list_print_json(const struct pmu_list *list, FILE *out)
{
	json_t *facts = json_object();
	json_t *events = json_array();
	json_t *root;
	int ret = 0;

	for (unsigned int i = 0; i < list->nr_facts; i++)
		json_object_set_new(facts, list->facts[i].name, json_string(list->facts[i].value));
	for (unsigned int i = 0; i < list->nr_events; i++) {
		const struct pmu_event *e = &list->events[i];

		json_array_append_new(events, json_pack("{s:s, s:s, s:I, s:b, s:s?, s:o}", "group", e->group, "name",
							e->name, "code", (json_int_t)e->code, "countable",
							!e->error, "error", e->error, "counters",
							json_indexes(e)));
	}
	root = json_pack("{s:b, s:s?, s:s?, s:o, s:o, s:o, s:o, s:o}", "present", list->present, "kind",
			 list->present ? list->kind : NULL, "missing", list->present ? NULL : list->missing,
			 "facts", facts, "counters", json_counters(list), "events", events, "notes",
			 json_lines(list->notes, list->nr_notes), "host_bugs",
			 json_lines(list->bugs, list->nr_bugs));
	if (!root)
		ret = -ENOMEM;
	else if (json_dumpf(root, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER))
		ret = -EIO;
	json_decref(root);
	fputc('\n', out);
	if (ret)
		log_error("cannot write JSON: %s", strerror(-ret));
	return ret;
}
#else
int pmu_list_print_json(const struct pmu_list *list LKVM_UNUSED, FILE *out LKVM_UNUSED)
{
	log_error("--json: jansson is not built into this lkvm");
	return -ENOSYS;
}
#endif
