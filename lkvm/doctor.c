// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/log.h"

static const struct {
	const char *word;   /* JSON */
	const char *mark;   /* text */
	const char *colour;
} states[] = {
	[DOCTOR_INFO] = { "info", "", "" },
	[DOCTOR_OK]   = { "ok", "ok", "\033[32m" },
	[DOCTOR_WARN] = { "warning", "warning", "\033[33m" },
	[DOCTOR_BAD]  = { "problem", "PROBLEM", "\033[31m" },
};

void doctor_add(struct doctor *d, const char *section, enum doctor_state state, const char *name,
		const char *remedy, const char *fmt, ...)
{
	struct doctor_fact *fact;
	va_list ap;

	if (d->nr == d->room) {
		size_t room = d->room ? 2 * d->room : 32;
		struct doctor_fact *facts = realloc(d->facts, room * sizeof(*facts));

		if (!facts) {
			d->incomplete = true;
			return;
		}
		d->facts = facts;
		d->room = room;
	}
	fact = &d->facts[d->nr];
	*fact = (struct doctor_fact){ .section = section, .state = state };
	va_start(ap, fmt);
	if (vasprintf(&fact->value, fmt, ap) < 0)
		fact->value = NULL;
	va_end(ap);
	fact->name = strdup(name);
	fact->remedy = remedy ? strdup(remedy) : NULL;
	if (!fact->value || !fact->name || (remedy && !fact->remedy)) {
		free(fact->value);
		free(fact->name);
		free(fact->remedy);
		d->incomplete = true;
		return;
	}
	d->nr++;
}

size_t doctor_problems(const struct doctor *d)
{
	size_t n = d->incomplete;

	for (size_t i = 0; i < d->nr; i++)
		n += d->facts[i].state == DOCTOR_BAD;
	return n;
}

void doctor_print_text(const struct doctor *d, FILE *out, bool colour)
{
	const char *section = NULL;
	int width = 0;

	for (size_t i = 0; i < d->nr; i++)
		width = MAX(width, (int)strlen(d->facts[i].name));
	for (size_t i = 0; i < d->nr; i++) {
		const struct doctor_fact *fact = &d->facts[i];
		const char *mark = states[fact->state].mark;
		bool coloured = colour && *states[fact->state].colour;

		if (!section || strcmp(section, fact->section)) {
			fprintf(out, "%s%s%s%s\n", section ? "\n" : "", colour ? "\033[1m" : "",
				fact->section, colour ? "\033[0m" : "");
			section = fact->section;
		}
		fprintf(out, "  %s%-7s%s  %-*s  %s\n", coloured ? states[fact->state].colour : "", mark,
			coloured ? "\033[0m" : "", width, fact->name, fact->value);
		if (fact->remedy)
			fprintf(out, "           to do: %s\n", fact->remedy);
	}
	if (d->incomplete)
		fprintf(out, "\n(memory ran out: the list is not complete)\n");
}

#ifdef HAVE_JANSSON
int doctor_print_json(const struct doctor *d, FILE *out)
{
	json_t *facts = json_array();
	json_t *root;
	int ret = 0;

	for (size_t i = 0; i < d->nr; i++) {
		const struct doctor_fact *fact = &d->facts[i];
		json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s?}", "section", fact->section, "name",
				      fact->name, "state", states[fact->state].word, "value",
				      fact->value, "remedy", fact->remedy);

		if (json_array_append_new(facts, o))
			ret = -ENOMEM;
	}
	root = json_pack("{s:b, s:i, s:o}", "usable", doctor_problems(d) == 0, "problems",
			 (int)doctor_problems(d), "facts", facts);
	if (!root)
		ret = -ENOMEM;
	else if (!ret && json_dumpf(root, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER))
		ret = -EIO;
	json_decref(root);
	fputc('\n', out);
	if (ret)
		log_error("cannot write JSON: %s", strerror(-ret));
	return ret;
}
#else
int doctor_print_json(const struct doctor *d LKVM_UNUSED, FILE *out LKVM_UNUSED)
{
	log_error("--json: jansson is not built into this lkvm");
	return -ENOSYS;
}
#endif

void doctor_free(struct doctor *d)
{
	for (size_t i = 0; i < d->nr; i++) {
		free(d->facts[i].name);
		free(d->facts[i].value);
		free(d->facts[i].remedy);
	}
	free(d->facts);
	*d = (struct doctor){ 0 };
}
