// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decoders of exits and the reader of log lines. The first byte picks what the rest is: an exit_info (for all
 * arches at once), or text for `lkvm explain`. Whatever it is, there is an answer in which every string ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/exit-policy.h"
#include "lkvm/exit.h"
#include "lkvm/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void (*const decoders[])(const struct exit_info *info, struct exit_record *rec) = {
	exit_decode_generic, riscv_exit_decode, arm_exit_decode, ppc_booke_exit_decode, ppc_book3s_exit_decode,
	x86_exit_decode,
};

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check(const struct exit_record *rec)
{
	require(rec->name && (unsigned int)rec->cause < EXIT_NR_CAUSES);
	require(rec->verdict == EXIT_STOP || rec->verdict == EXIT_RESUMABLE);
	require(rec->what[0] && memchr(rec->what, 0, sizeof(rec->what)));
	require(memchr(rec->advice, 0, sizeof(rec->advice)) != NULL);
	require(rec->nr_fields <= EXIT_MAX_FIELDS && rec->insn_len <= EXIT_CODE_BYTES);
	for (unsigned int i = 0; i < rec->nr_fields; i++) {
		require(rec->fields[i].name[0] && memchr(rec->fields[i].name, 0, sizeof(rec->fields[i].name)));
		require(rec->fields[i].value[0] && memchr(rec->fields[i].value, 0, sizeof(rec->fields[i].value)));
		require(memchr(rec->fields[i].meaning, 0, sizeof(rec->fields[i].meaning)) != NULL);
	}
}

/* As much of the input as there is, in order; zeros beyond. Only what report.c can produce. */
static void fuzz_decoders(const uint8_t *data, size_t size)
{
	struct exit_policy policy = { 0 };
	struct exit_record rec;
	struct exit_info info;

	memset(&info, 0, sizeof(info));
	if (size < 16)
		return;
	info.run_errno = data[0] | (data[1] & 0xf) << 8;
	info.reason = data[2] == 0xff ? EXIT_REASON_NOT_WRITTEN : data[2];
	memcpy(&info.flags, data + 3, 2);
	info.stale = data[5] & 1;
	info.have_pc = data[5] & 2;
	info.cpu = (enum exit_cpu)(data[5] >> 2 & 7);
	info.pc_memory = (enum exit_pc_memory)(data[6] % 3);
	info.code_len = (uint8_t)(data[7] % (EXIT_CODE_BYTES + 1));
	memcpy(&info.pc, data + 8, 8);
	memcpy(info.payload, data + 16, MIN(size - 16, sizeof(info.payload)));
	memcpy(info.code, info.payload, sizeof(info.code));
	for (size_t i = 0; i < ARRAY_SIZE(decoders); i++) {
		memset(&rec, 0xa5, sizeof(rec));
		decoders[i](&info, &rec);
		check(&rec);
		require(rec.reason == info.reason && rec.run_errno == info.run_errno);
		/* A failed KVM_RUN is not tried again, but for the two errnos that mean just that. */
		if (info.run_errno && info.run_errno != EINTR && info.run_errno != EAGAIN)
			require(rec.verdict == EXIT_STOP);
		exit_policy_unserved(&policy, &info, &rec, false);
	}
}

static void fuzz_explain(const uint8_t *data, size_t size)
{
	static struct explain_result res;
	const char *arch = NULL;
	size_t nr = 0;
	char *text;
	int ret;

	if (size < 1)
		return;
	while (explain_arches[nr])
		nr++;
	if (data[0] % (nr + 1) < nr)
		arch = explain_arches[data[0] % (nr + 1)];
	/* On the heap and without slack, so that reading beyond its end shows. */
	text = malloc(size);
	require(text != NULL);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	ret = explain(arch, text, &res);
	require(ret == (res.nr ? 0 : -ENOENT) && res.nr <= EXPLAIN_MAX_READINGS);
	for (unsigned int i = 0; i < res.nr; i++) {
		require(res.readings[i].as[0] && memchr(res.readings[i].as, 0, sizeof(res.readings[i].as)));
		require(res.readings[i].arches[0] &&
			memchr(res.readings[i].arches, 0, sizeof(res.readings[i].arches)));
		check(&res.readings[i].rec);
	}
	explain_arch(text);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] & 1)
		fuzz_decoders(data + 1, size - 1);
	else
		fuzz_explain(data + 1, size - 1);
	return 0;
}
