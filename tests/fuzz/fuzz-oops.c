// SPDX-License-Identifier: GPL-2.0-only
/* What a guest's log says of its crash, from lines of any kind. All strings end, whatever there is. */
#include "lkvm/oops.h"

#include <stdlib.h>
#include <string.h>

#include "lkvm/splat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check(const struct oops *oops)
{
	char where[OOPS_WHERE_BYTES];

	must(memchr(oops->what, 0, sizeof(oops->what)) && memchr(oops->pc, 0, sizeof(oops->pc)));
	must(memchr(oops->caller, 0, sizeof(oops->caller)) && memchr(oops->task, 0, sizeof(oops->task)));
	must(oops->nr_trace <= OOPS_FRAMES && (!oops->more || oops->nr_trace == OOPS_FRAMES));
	for (unsigned int i = 0; i < oops->nr_trace; i++)
		must(oops->trace[i][0] && memchr(oops->trace[i], 0, sizeof(oops->trace[i])));
	must(oops_where(oops, where) == (where[0] != 0) && memchr(where, 0, sizeof(where)));
	must(oops->phase != OOPS_NONE || !where[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct splats splats = { 0 };
	struct oops oops = { 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t n = end ? (size_t)(end - data) : size;
		char *line = malloc(n + 1);

		must(line != NULL);
		memcpy(line, data, n);
		line[n] = '\0';
		splats_take(&splats, line);
		oops_take(&oops, line);
		check(&oops);
		free(line);
		data += n + (end != NULL);
		size -= n + (end != NULL);
	}
	out = open_memstream(&text, &len);
	must(out != NULL);
	oops_print(&oops, out);
	must(!fclose(out));
	free(text);
	return 0;
}
