// SPDX-License-Identifier: GPL-2.0-only
/* A file of tests: whatever it holds, it becomes cases or one line that says what is wrong. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[SUITE_ERROR_BYTES];
	struct suite suite;
	char *text;
	int ret;

	/* Matrices multiply: a file must be small for its cases to be few. */
	if (size > 2048)
		return 0;
	text = malloc(size + 1);
	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	ret = suite_parse(&suite, text, error);
	if (ret ? ret != -EINVAL || !error[0] : !suite.nr)
		abort();
	for (unsigned int i = 0; !ret && i < suite.nr; i++)
		if (!suite.cases[i].name[0] || strcmp(suite.cases[i].argv[0], "run"))
			abort();
	suite_free(&suite);
	free(text);
	return 0;
}
