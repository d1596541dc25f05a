// SPDX-License-Identifier: GPL-2.0-only
/* A request to the control socket: whatever it is, one line of JSON comes back, or it is a "wait". */
#include <stdlib.h>
#include <string.h>

#include "lkvm/control.h"

#ifdef HAVE_JANSSON
#include <jansson.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct control *ctl;

static int run_echo(void *opaque LKVM_UNUSED, const json_t *args, json_t *result, char *error LKVM_UNUSED)
{
	return json_object_set(result, "echo", json_object_get(args, "x"));
}

static const struct control_command commands[] = { { "echo", run_echo }, { NULL, NULL } };

int LLVMFuzzerInitialize(int *argc LKVM_UNUSED, char ***argv LKVM_UNUSED)
{
	char dir[] = "/tmp/lkvm-fuzz-XXXXXX";
	struct loop *loop;

	if (!mkdtemp(dir) || setenv("XDG_RUNTIME_DIR", dir, 1) || loop_create(&loop) ||
	    control_create(&ctl, NULL) || control_attach(ctl, loop, commands, NULL))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *wait, *reply;
	char *answer;

	if (size > CONTROL_MAX_LINE)
		return 0;
	answer = control_answer(ctl, (const char *)data, size, &wait);
	if (!answer != !!wait)
		abort();
	json_decref(wait);
	if (!answer)
		return 0;
	reply = json_loads(answer, 0, NULL);
	if (!json_is_boolean(json_object_get(reply, "ok")) || strchr(answer, '\n') != answer + strlen(answer) - 1)
		abort();
	json_decref(reply);
	free(answer);
	return 0;
}
#endif
