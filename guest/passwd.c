// SPDX-License-Identifier: GPL-2.0-only
#include "guest/passwd.h"

enum { FIELD_NAME, FIELD_PASSWORD, FIELD_UID, FIELD_GID, FIELD_REST };

static void end_field(struct passwd_search *s)
{
	if (s->field == FIELD_NAME && s->name[s->at])
		s->wrong = 1;
	if ((s->field == FIELD_UID || s->field == FIELD_GID) && !s->digits)
		s->wrong = 1;
	s->digits = 0;
	if (s->field == FIELD_GID && !s->wrong)
		s->found = 1;
	if (s->field < FIELD_REST)
		s->field++;
}

static void take_digit(struct passwd_search *s, char c)
{
	uint32_t *id = s->field == FIELD_UID ? &s->uid : &s->gid;
	uint64_t value = (s->digits ? *id : 0) * (uint64_t)10 + (uint64_t)(c - '0');

	/* The highest means "none" to the kernel. */
	if (c < '0' || c > '9' || value >= UINT32_MAX) {
		s->wrong = 1;
		return;
	}
	*id = (uint32_t)value;
	s->digits = 1;
}

int passwd_search(struct passwd_search *s, const char *text, size_t len)
{
	for (size_t i = 0; i < len && !s->found; i++) {
		char c = text[i];

		if (c == ':' || c == '\n') {
			end_field(s);
			if (c == '\n') {
				s->at = 0;
				s->field = FIELD_NAME;
				s->wrong = 0;
			}
		} else if (s->wrong) {
			continue;
		} else if (s->field == FIELD_NAME) {
			if (!c || s->name[s->at] != c)
				s->wrong = 1;
			else
				s->at++;
		} else if (s->field == FIELD_UID || s->field == FIELD_GID) {
			take_digit(s, c);
		}
	}
	return s->found;
}
