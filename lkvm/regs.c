// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/regs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void reg_add(struct reg_set *set, enum reg_group group, enum reg_role role, const char *name, uint8_t bytes,
	     bool known, uint64_t value)
{
	struct reg *r = &set->regs[set->nr];

	if (set->nr == REGS_MAX)
		return;
	set->nr++;
	snprintf(r->name, sizeof(r->name), "%s", name);
	r->value = known ? value : 0;
	r->bytes = bytes;
	r->known = known;
	r->group = group;
	r->role = role;
}

void reg_note(struct reg_set *set, const char *fmt, ...)
{
	va_list ap;

	if (set->nr_notes == REGS_MAX_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(set->notes[set->nr_notes++], sizeof(set->notes[0]), fmt, ap);
	va_end(ap);
}

const struct reg *reg_find(const struct reg_set *set, enum reg_role role)
{
	for (unsigned int i = 0; i < set->nr; i++)
		if (set->regs[i].role == role && set->regs[i].known)
			return &set->regs[i];
	return NULL;
}

uint64_t reg_value(const struct reg_set *set, enum reg_role role)
{
	const struct reg *r = reg_find(set, role);

	return r ? r->value : 0;
}

uint64_t reg_set_hash(const struct reg_set *set)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a, by whole words */

	for (unsigned int i = 0; i < set->nr; i++) {
		const struct reg *r = &set->regs[i];

		if (r->group == REG_GENERAL && r->role != ROLE_PC)
			hash = (hash ^ r->value) * UINT64_C(0x100000001b3);
	}
	return hash;
}

static void print_group(const struct reg_set *set, enum reg_group group, unsigned int columns, FILE *out)
{
	unsigned int column = 0;
	int width = 0;

	for (unsigned int i = 0; i < set->nr; i++)
		if (set->regs[i].group == group)
			width = MAX(width, (int)strlen(set->regs[i].name));
	for (unsigned int i = 0; i < set->nr; i++) {
		const struct reg *r = &set->regs[i];

		if (r->group != group)
			continue;
		if (column == columns) {
			fputc('\n', out);
			column = 0;
		}
		column++;
		if (r->known)
			fprintf(out, "  %-*s %0*" PRIx64, width, r->name, 2 * r->bytes, r->value);
		else
			fprintf(out, "  %-*s %-*s", width, r->name, 2 * r->bytes, "-");
	}
	if (column)
		fputc('\n', out);
}

void reg_set_print(const struct reg_set *set, FILE *out)
{
	print_group(set, REG_GENERAL, 4, out);
	print_group(set, REG_SYSTEM, 3, out);
	for (unsigned int i = 0; i < set->nr_notes; i++)
		fprintf(out, "  %s\n", set->notes[i]);
}
