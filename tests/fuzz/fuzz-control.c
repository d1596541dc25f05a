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

static int run_echo(void *opaque LKVM_UNUSED, struct control_call *call, json_t *result, char *error LKVM_UNUSED)
{
	return json_object_set(result, "echo", json_object_get(call->args, "x"));
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
	struct control_call *later;
	json_t *reply;
	char *answer;

	if (size > CONTROL_MAX_LINE)
		return 0;
	answer = control_answer(ctl, NULL, (const char *)data, size, &later);
	if (!answer != !!later)
		abort();
	control_call_free(later);
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
