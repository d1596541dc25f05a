// SPDX-License-Identifier: GPL-2.0-only
/* lkvm exec: a further command in a guest that `lkvm run -- CMD` runs. It gets our own standard streams. */
#include "lkvm/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/client.h"
#include "lkvm/command.h"
#include "lkvm/config.h"
#include "lkvm/json.h"
#include "lkvm/log.h"
#include "lkvm/outcome.h"
#include "lkvm/run-options.h"

static const struct option_spec exec_options[] = {
	{ .short_name = 'n', .long_name = "name", .metavar = "NAME", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_string, .offset = offsetof(struct config, name),
	  .help = "the guest, instead of the word NAME" },
	{ .long_name = "env", .metavar = "NAME[=VALUE]", .arches = OPT_ALL, .section = "Options",
	  .parse = run_option_env,
	  .help = "an environment variable of the command; may be given several times" },
	{ .long_name = "workdir", .metavar = "DIR", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_string, .offset = offsetof(struct config, workdir),
	  .help = "the command's working directory in the guest, / unless given" },
	{ .long_name = "user", .metavar = "USER", .arches = OPT_ALL, .section = "Options",
	  .parse = run_option_user, .help = "run the command as this user of the guest: a name, UID or UID:GID; 0 unless given" },
};

static const size_t exec_options_nr = ARRAY_SIZE(exec_options);

#ifdef HAVE_JANSSON

/* Finds NAME and the command. Returns its index in argv, 0 when the command is over with @status. */
static int parse(int argc, char **argv, struct config *cfg, int *status)
{
	const struct option_set set = cmd_options(&cmd_exec);
	int done = 0;

	*status = EXIT_STATUS_START_FAILED;
	for (;;) {
		int i = options_parse(&set, argc - done, argv + done, cfg);

		if (i == -ECANCELED) {
			cmd_print_help(&cmd_exec, stdout);
			*status = 0;
			return 0;
		}
		if (i < 0)
			return 0;
		done += i;
		if (done == argc || !strcmp(argv[done], "--") || cfg->name)
			break;
		cfg->name = strdup(argv[done]);
		if (!cfg->name) {
			log_error("out of memory");
			return 0;
		}
	}
	if (!cfg->name) {
		log_error("exec: in which guest? lkvm list shows them (see lkvm help exec)");
		return 0;
	}
	if (done + 1 >= argc || strcmp(argv[done], "--")) {
		log_error("exec: the command goes behind --: lkvm exec %s -- CMD (see lkvm help exec)", cfg->name);
		return 0;
	}
	return done + 1;
}

/* NULL if one of them is no UTF-8, which JSON can't carry, or memory is out. */
static json_t *array_of(char *const *strings)
{
	json_t *array = json_array();

	for (; *strings; strings++) {
		if (json_array_append_new(array, json_string(*strings))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* The exit status that @result stands for. */
static int exec_status(const json_t *result, const char *name)
{
	const char *word = json_string_value(json_object_get(result, "end"));
	json_int_t code = json_integer_value(json_object_get(result, "code"));
	enum frame_end end = !word			  ? END_NOT_STARTED
			     : !strcmp(word, "exited")	  ? END_EXITED
			     : !strcmp(word, "signaled") ? END_SIGNALED
							  : END_NOT_STARTED;

	if (end == END_NOT_STARTED)
		log_error("cannot run %s in the guest: %s", name, command_why_not_started((uint32_t)code));
	return command_exit_status(end, (uint32_t)code);
}

static int exec_in(const struct config *cfg, char *const *command)
{
	static const int fds[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
	struct client_conn *conn;
	json_t *request, *result = NULL;
	char term[64], **env;
	int ret;

	if (client_connect(&conn, cfg->name, false))
		return EXIT_STATUS_START_FAILED;
	env = command_make_env(cfg->env, cfg->nr_env, term, sizeof(term));
	request = env ? json_pack("{s:i, s:s, s:o, s:o, s:s, s:s*, s:I, s:I}", "id", 1, "command", "exec", "argv",
				  array_of(command), "env", array_of(env), "workdir", cfg->workdir, "user",
				  cfg->user, "uid", (json_int_t)cfg->uid, "gid", (json_int_t)cfg->gid) : NULL;
	free(env);
	if (request) {
		ret = client_request(conn, request, 0, false, fds, ARRAY_SIZE(fds), &result);
	} else {
		log_error("exec: the command and its environment must be UTF-8");
		ret = -EINVAL;
	}
	client_disconnect(conn);
	if (ret == -EPIPE)
		return EXIT_STATUS_LOST;
	if (ret)
		return EXIT_STATUS_START_FAILED;
	ret = exec_status(result, command[0]);
	json_decref(result);
	return ret;
}

static int cmd_exec_main(int argc, char **argv)
{
	struct config cfg;
	int status, at;

	config_init(&cfg);
	at = parse(argc, argv, &cfg, &status);
	if (at)
		status = exec_in(&cfg, argv + at);
	config_free(&cfg);
	return status;
}

#else

static int cmd_exec_main(int argc LKVM_UNUSED, char **argv LKVM_UNUSED)
{
	log_error("exec: jansson, which the control socket needs, is not built into this lkvm");
	return EXIT_STATUS_START_FAILED;
}

#endif

const struct cmd cmd_exec = {
	.name = "exec",
	.summary = "run a command in a running guest",
	.usage = "exec NAME [OPTIONS] -- CMD [ARGS]",
	.description = "Runs CMD in a guest that was started with lkvm run -- CMD, with the standard streams of "
		       "this process, and returns its exit status as lkvm run does: 128 + N if signal N ended it, 126 if "
		       "it can't be executed, 127 if it was not found, 123 if the guest's lkvm was killed, 125 if the "
		       "guest ended first or can't do it. CMD comes from the guest. When this process is killed, CMD "
		       "gets SIGHUP.",
	.run = cmd_exec_main,
	.options = exec_options,
	.nr_options = &exec_options_nr,
};
