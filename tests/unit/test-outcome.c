// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/outcome.h"

#include <string.h>

#include "tests/unit/test.h"

static const struct {
	enum outcome_kind kind;
	int               status;
	int               exit_status;
	bool              bad;
	const char       *word;
	const char       *line;  /* without text */
	const char       *text_line; /* with the text "TEXT" */
} rows[] = {
	{ OUTCOME_NONE, 0, 125, true, "none", "the guest has not run (exit status 125)",
	  "TEXT (exit status 125)" },
	{ OUTCOME_POWEROFF, 0, 0, false, "poweroff", "the guest powered off", "TEXT" },
	{ OUTCOME_REBOOT, 0, 0, false, "reboot", "the guest rebooted", "TEXT" },
	{ OUTCOME_STOPPED, 0, 0, false, "stopped", "stopped", "TEXT" },
	{ OUTCOME_STOPPED, 15, 143, false, "stopped", "stopped (exit status 143)",
	  "TEXT (exit status 143)" },
	{ OUTCOME_COMMAND, 0, 0, false, "command", "the command ended", "TEXT" },
	{ OUTCOME_COMMAND, 77, 77, false, "command", "the command ended (exit status 77)",
	  "TEXT (exit status 77)" },
	{ OUTCOME_COMMAND, 255, 255, false, "command", "the command ended (exit status 255)",
	  "TEXT (exit status 255)" },
	/* exit(256) would be seen as 0. */
	{ OUTCOME_COMMAND, 256, 123, false, "command", "the command ended (exit status 123)",
	  "TEXT (exit status 123)" },
	{ OUTCOME_COMMAND, -1, 123, false, "command", "the command ended (exit status 123)",
	  "TEXT (exit status 123)" },
	{ OUTCOME_PANIC, 0, 120, true, "panic", "guest panic (exit status 120)",
	  "guest panic: TEXT (exit status 120)" },
	{ OUTCOME_VCPU_FAILED, 0, 121, true, "vcpu-failed", "a vCPU can't go on (exit status 121)",
	  "TEXT (exit status 121)" },
	{ OUTCOME_HUNG, 0, 122, true, "hung", "guest hung (exit status 122)",
	  "guest hung: TEXT (exit status 122)" },
	{ OUTCOME_LOST, 0, 123, true, "lost", "guest lost (exit status 123)",
	  "guest lost: TEXT (exit status 123)" },
	{ OUTCOME_TIMEOUT, 0, 124, true, "timeout", "--timeout ran out (exit status 124)",
	  "TEXT (exit status 124)" },
	{ OUTCOME_START_FAILED, 0, 125, true, "start-failed",
	  "the guest could not be started (exit status 125)", "TEXT (exit status 125)" },
	/* Out of the enum: never a success. */
	{ (enum outcome_kind)99, 0, 125, true, "none", "the guest has not run (exit status 125)",
	  "TEXT (exit status 125)" },
};

static void test_table(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct outcome o = { .kind = rows[i].kind, .status = rows[i].status };
		char buf[256];

		CHECK_STR(outcome_word(o.kind), rows[i].word);
		CHECK_EQ(outcome_exit_status(&o), rows[i].exit_status);
		CHECK_EQ(outcome_is_bad(&o), rows[i].bad);
		outcome_format(&o, buf, sizeof(buf));
		CHECK_STR(buf, rows[i].line);
		strcpy(o.text, "TEXT");
		outcome_format(&o, buf, sizeof(buf));
		CHECK_STR(buf, rows[i].text_line);
	}
}

static void test_small_buffer(void)
{
	const struct outcome o = { .kind = OUTCOME_PANIC, .text = "a long story" };
	char buf[8];

	outcome_format(&o, buf, sizeof(buf));
	CHECK_STR(buf, "guest p");
}

const struct test outcome_tests[] = {
	{ "table", test_table },
	{ "small-buffer", test_small_buffer },
	{ 0 },
};
