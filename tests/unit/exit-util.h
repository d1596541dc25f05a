/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of exit decoders share. */
#ifndef TESTS_UNIT_EXIT_UTIL_H
#define TESTS_UNIT_EXIT_UTIL_H

#include <string.h>

#include "lkvm/exit.h"
#include "tests/unit/test.h"

typedef void exit_decode_fn(const struct exit_info *info, struct exit_record *rec);

/* Runs @fn on memory full of rubbish: it must fill in all of the record, and stay within it. */
static inline struct exit_record exit_decode_checked(exit_decode_fn *fn, const struct exit_info *info)
{
	struct exit_record rec;

	memset(&rec, 0xa5, sizeof(rec));
	fn(info, &rec);
	CHECK(rec.name != NULL);
	CHECK_EQ(rec.reason, info->reason);
	CHECK_EQ(rec.run_errno, info->run_errno);
	CHECK((unsigned int)rec.cause < EXIT_NR_CAUSES);
	CHECK(rec.verdict == EXIT_STOP || rec.verdict == EXIT_RESUMABLE);
	CHECK(memchr(rec.what, 0, sizeof(rec.what)) != NULL);
	CHECK(memchr(rec.advice, 0, sizeof(rec.advice)) != NULL);
	CHECK(rec.what[0] != '\0');
	CHECK(rec.nr_fields <= EXIT_MAX_FIELDS);
	CHECK(rec.insn_len <= EXIT_CODE_BYTES);
	for (unsigned int i = 0; i < rec.nr_fields; i++) {
		CHECK(rec.fields[i].name[0] && memchr(rec.fields[i].name, 0, sizeof(rec.fields[i].name)));
		CHECK(rec.fields[i].value[0] && memchr(rec.fields[i].value, 0, sizeof(rec.fields[i].value)));
		CHECK(memchr(rec.fields[i].meaning, 0, sizeof(rec.fields[i].meaning)) != NULL);
	}
	return rec;
}

/* The field @name of @rec; the test fails if there is none. */
static inline const struct exit_field *exit_field_get(const struct exit_record *rec, const char *name)
{
	static const struct exit_field none = { "", "", "" };

	for (unsigned int i = 0; i < rec->nr_fields; i++)
		if (!strcmp(rec->fields[i].name, name))
			return &rec->fields[i];
	test_fail(__FILE__, __LINE__, "\"%s\" has no field %s", rec->what, name);
	return &none;
}

/* Every reason with payloads full of rubbish: there is an answer, and none leads out of bounds. */
static inline void exit_decode_rubbish(exit_decode_fn *fn)
{
	static const int errnos[] = { 0, 4 /* EINTR */, 14 /* EFAULT */, 22 /* EINVAL */, 9999 };
	static const uint8_t fill[] = { 0, 0xff, 0x80, 1 };

	for (uint32_t reason = 0; reason < 64; reason++) {
		for (size_t i = 0; i < ARRAY_SIZE(errnos) * ARRAY_SIZE(fill); i++) {
			struct exit_info info = {
				.reason = reason, .run_errno = errnos[i / ARRAY_SIZE(fill)],
				.have_pc = i & 1, .code_len = (uint8_t)(i % 17), .flags = (uint16_t)(i * 0x3333),
				.pc_memory = (enum exit_pc_memory)(i % 3), .cpu = (enum exit_cpu)(i % 5),
				.stale = i & 2,
			};

			memset(info.payload, fill[i % ARRAY_SIZE(fill)], sizeof(info.payload));
			exit_decode_checked(fn, &info);
			info.reason = EXIT_REASON_NOT_WRITTEN;
			CHECK_STR(exit_decode_checked(fn, &info).name, "");
		}
	}
}

static inline void exit_text_says(const char *text, const char *expect, const char *file, int line)
{
	if (!strstr(text, expect))
		test_fail(file, line, "\"%s\" does not say \"%s\"", text, expect);
}
#define SAYS(text, expect) exit_text_says(text, expect, __FILE__, __LINE__)

#endif
