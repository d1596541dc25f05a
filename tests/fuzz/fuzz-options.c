// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of `run`: the input is cut into words at NUL bytes; its first byte picks the arch. Whatever
 * they are, the parser returns, frees what it took, and a config that it accepts can be validated.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/config.h"
#include "lkvm/run-options.h"

#define MAX_WORDS 64

void __sanitizer_set_report_fd(void *fd);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Nearly every input is an error with its line. They go to /dev/null while lkvm's code runs; the fuzzer's own
 * words and the sanitizers' reports still come through.
 */
static int real_stderr = -1;
static int null = -1;

int LLVMFuzzerInitialize(int *argc LKVM_UNUSED, char ***argv LKVM_UNUSED)
{
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (real_stderr < 0 || null < 0)
		abort();
	__sanitizer_set_report_fd((void *)(intptr_t)real_stderr);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[] = "run";
	char *argv[MAX_WORDS + 2] = { name };
	char text[4096];
	struct config cfg;
	int argc = 1;
	int ret;

	if (size < 1 || size > sizeof(text))
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	for (char *p = text; argc <= MAX_WORDS && p < text + size - 1; p += strlen(p) + 1)
		argv[argc++] = p;

	dup2(null, STDERR_FILENO);
	config_init(&cfg);
	ret = run_options_parse(&cfg, 1u << data[0] % 5, argc, argv);
	if (!ret)
		ret = config_validate(&cfg);
	dup2(real_stderr, STDERR_FILENO);
	if (ret && ret != -EINVAL && ret != -ECANCELED)
		abort();
	config_free(&cfg);
	return 0;
}
