// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/exit-policy.h"

static bool same_place(const struct exit_place *a, const struct exit_place *b)
{
	return a->reason == b->reason && a->pc == b->pc && a->value == b->value;
}

/* Remembers @place. False if it was known, or if there is no room: then it is not reported either. */
static bool is_new(struct exit_policy *p, const struct exit_place *place)
{
	for (unsigned int i = 0; i < p->nr_places; i++)
		if (same_place(&p->places[i], place))
			return false;
	if (p->nr_places == EXIT_MAX_PLACES)
		return false;
	p->places[p->nr_places++] = *place;
	return true;
}

enum exit_decision exit_policy_unserved(struct exit_policy *p, const struct exit_info *info,
					const struct exit_record *rec, bool stop_on_any)
{
	const struct exit_place place = {
		.reason = info->reason,
		.pc = info->have_pc ? info->pc : 0,
		.value = exit_payload_u64(info, 0),
	};

	if (rec->verdict != EXIT_RESUMABLE || stop_on_any)
		return EXIT_GIVE_UP;
	if (!p->unserved || !same_place(&p->last, &place))
		p->repeats = 0;
	p->last = place;
	p->idle = 0;
	if (++p->repeats >= EXIT_REPEATS_MAX || ++p->unserved >= EXIT_UNSERVED_MAX)
		return EXIT_NO_PROGRESS;
	p->total++;
	return is_new(p, &place) ? EXIT_REPORT : EXIT_GO_ON;
}

bool exit_policy_spins(struct exit_policy *p, int64_t now_ms)
{
	int64_t since = p->idle_since_ms;

	p->idle_since_ms = now_ms;
	/* The first of a row starts the clock. */
	return p->idle > EXIT_IDLE_RETURNS_MAX && now_ms - since <= EXIT_IDLE_WINDOW_MS;
}
