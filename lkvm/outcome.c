// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/outcome.h"

#include <stdio.h>
#include <string.h>

struct kind {
	const char *word;
	const char *prefix;      /* what outcome.text lacks to be a sentence */
	const char *phrase;      /* the sentence when there is no text */
	int         exit_status; /* -1: depends on outcome.status */
};

static const struct kind kinds[] = {
	[OUTCOME_NONE]         = { "none", "", "the guest has not run", EXIT_STATUS_START_FAILED },
	[OUTCOME_POWEROFF]     = { "poweroff", "", "the guest powered off", 0 },
	[OUTCOME_REBOOT]       = { "reboot", "", "the guest rebooted", 0 },
	[OUTCOME_STOPPED]      = { "stopped", "", "stopped", -1 },
	[OUTCOME_COMMAND]      = { "command", "", "the command ended", -1 },
	[OUTCOME_PANIC]        = { "panic", "guest panic: ", "guest panic", EXIT_STATUS_PANIC },
	[OUTCOME_VCPU_FAILED]  = { "vcpu-failed", "", "a vCPU can't go on", EXIT_STATUS_VCPU_FAILED },
	[OUTCOME_HUNG]         = { "hung", "guest hung: ", "guest hung", EXIT_STATUS_HUNG },
	[OUTCOME_LOST]         = { "lost", "guest lost: ", "guest lost", EXIT_STATUS_LOST },
	[OUTCOME_TIMEOUT]      = { "timeout", "", "--timeout ran out", EXIT_STATUS_TIMEOUT },
	[OUTCOME_START_FAILED] = { "start-failed", "", "the guest could not be started",
				   EXIT_STATUS_START_FAILED },
	[OUTCOME_SPLAT]        = { "splat", "the guest's kernel complained: ", "the guest's kernel complained",
				   EXIT_STATUS_PANIC },
	[OUTCOME_OUTPUT_LOST]  = { "output-lost", "", "some of the guest's output is lost",
				   EXIT_STATUS_START_FAILED },
};

static const struct kind *kind_get(enum outcome_kind kind)
{
	/* A kind that nobody has set can't have been a success. */
	if ((unsigned int)kind >= ARRAY_SIZE(kinds))
		return &kinds[OUTCOME_NONE];
	return &kinds[kind];
}

const char *outcome_word(enum outcome_kind kind)
{
	return kind_get(kind)->word;
}

enum outcome_kind outcome_kind_by_word(const char *word)
{
	for (enum outcome_kind kind = OUTCOME_NONE + 1; kind < OUTCOME_KINDS; kind++)
		if (kinds[kind].exit_status >= 0 && !strcmp(kinds[kind].word, word))
			return kind;
	return OUTCOME_KINDS;
}

int outcome_exit_status(const struct outcome *outcome)
{
	const struct kind *kind = kind_get(outcome->kind);

	if (outcome->override)
		return outcome->override - 1;
	if (kind->exit_status >= 0)
		return kind->exit_status;
	if (outcome->kind == OUTCOME_STOPPED)
		return outcome->status ? (128 + outcome->status) & 0xff : 0;
	/* A status that exit(2) would cut to 0 must not become a success. */
	return outcome->status < 0 || outcome->status > 255 ? EXIT_STATUS_LOST : outcome->status;
}

bool outcome_is_bad(const struct outcome *outcome)
{
	switch (outcome->kind) {
	case OUTCOME_POWEROFF:
	case OUTCOME_REBOOT:
	case OUTCOME_STOPPED:
	case OUTCOME_COMMAND:
		return false;
	default:
		return true;
	}
}

void outcome_format(const struct outcome *outcome, char *buf, size_t size)
{
	const struct kind *kind = kind_get(outcome->kind);
	int status = outcome_exit_status(outcome);
	char tail[32] = "";

	if (status)
		snprintf(tail, sizeof(tail), " (exit status %d)", status);
	if (outcome->text[0])
		snprintf(buf, size, "%s%s%s", kind->prefix, outcome->text, tail);
	else
		snprintf(buf, size, "%s%s", kind->phrase, tail);
}
