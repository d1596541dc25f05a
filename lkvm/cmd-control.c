// SPDX-License-Identifier: GPL-2.0-only
/* Commands for running guests: list, pause, stop and so on. They speak docs/control.md. */
#include "lkvm/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/client.h"
#include "lkvm/json.h"
#include "lkvm/log.h"
#include "lkvm/outcome.h"
#include "lkvm/registry.h"

#define ANSWER_MS 5000

struct control_args {
	char    *name;
	bool     all;
	bool     json;
	uint64_t timeout_ms;
	char    *size;
};

#define ARG(field) offsetof(struct control_args, field)
#define OPTION_NAME \
	{ .short_name = 'n', .long_name = "name", .metavar = "NAME", .arches = OPT_ALL, .section = "Options", \
	  .parse = option_parse_string, .offset = ARG(name), .help = "the guest, instead of the word NAME" }
#define OPTION_ALL \
	{ .short_name = 'a', .long_name = "all", .arches = OPT_ALL, .section = "Options", \
	  .parse = option_parse_bool, .offset = ARG(all), .help = "all running guests" }
#define OPTION_JSON \
	{ .long_name = "json", .arches = OPT_ALL, .section = "Options", .parse = option_parse_bool, \
	  .offset = ARG(json), .help = "print JSON" }

static const struct option_spec list_options[] = { OPTION_JSON };
static const size_t list_options_nr = ARRAY_SIZE(list_options);
static const struct option_spec act_options[] = { OPTION_NAME, OPTION_ALL };
static const size_t act_options_nr = ARRAY_SIZE(act_options);
static const struct option_spec stat_options[] = { OPTION_NAME, OPTION_ALL, OPTION_JSON };
static const size_t stat_options_nr = ARRAY_SIZE(stat_options);
static const struct option_spec wait_options[] = {
	OPTION_NAME, OPTION_JSON,
	{ .long_name = "timeout", .metavar = "TIME", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_duration, .offset = ARG(timeout_ms),
	  .help = "give up after TIME (90, 90s, 5m, 1h, 250ms) with exit status 124; the guest goes on" },
};
static const size_t wait_options_nr = ARRAY_SIZE(wait_options);
static const struct option_spec balloon_options[] = { OPTION_NAME, OPTION_JSON };
static const size_t balloon_options_nr = ARRAY_SIZE(balloon_options);

#ifdef HAVE_JANSSON

/* ---- command lines ------------------------------------------------------------------------------ */

/* A word that is no option: the guest, and for `balloon` the size. 0 or -errno (reported). */
static int take_word(const struct cmd *cmd, const char *word, struct control_args *args)
{
	char **place = !args->name ? &args->name : cmd == &cmd_balloon && !args->size ? &args->size : NULL;

	if (!place) {
		log_error("unexpected word '%s': one guest at a time (see lkvm help %s)", word, cmd->name);
		return -EINVAL;
	}
	*place = strdup(word);
	if (!*place) {
		log_error("out of memory");
		return -ENOMEM;
	}
	return 0;
}

/* As cmd_parse(), with NAME as a word: it, --name and --all exclude each other, and one must be given. */
static bool parse_guest(const struct cmd *cmd, int argc, char **argv, struct control_args *args, int *status)
{
	const struct option_set set = cmd_options(cmd);

	*status = EXIT_STATUS_START_FAILED;
	for (;;) {
		int i = options_parse(&set, argc, argv, args);

		if (i == -ECANCELED) {
			cmd_print_help(cmd, stdout);
			*status = 0;
			return false;
		}
		if (i < 0)
			return false;
		if (i == argc)
			break;
		if (take_word(cmd, argv[i], args))
			return false;
		argc -= i;
		argv += i;
	}
	if (!args->name && !args->all) {
		log_error("%s: which guest? lkvm list shows them (see lkvm help %s)", cmd->name, cmd->name);
		return false;
	}
	if (args->name && args->all) {
		log_error("--all and a guest's name exclude each other (see lkvm help %s)", cmd->name);
		return false;
	}
	return true;
}

/* Prints @json, which is freed. */
static int print_json(json_t *json)
{
	int ret = json ? json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : -1;

	json_decref(json);
	putchar('\n');
	return ret ? EXIT_STATUS_START_FAILED : 0;
}

/* ---- list --------------------------------------------------------------------------------------- */

/* What is known of the guest @name, as an object; NULL if there is none. */
static json_t *describe(const char *name)
{
	struct client_conn *conn;
	json_t *guest, *status = NULL;
	int ret = client_connect(&conn, name, true);

	if (ret == -ENOENT)
		return NULL;
	guest = json_object();
	json_object_set_new(guest, "name", json_text(name));
	if (!ret) {
		json_object_set_new(guest, "pid", json_integer(client_pid(conn)));
		if (!client_call(conn, "status", ANSWER_MS, true, &status))
			json_object_update(guest, status);
		json_decref(status);
		client_disconnect(conn);
	}
	if (!json_object_get(guest, "state"))
		json_object_set_new(guest, "state", json_string("no answer"));
	return guest;
}

static void print_guest(const json_t *guest)
{
	json_int_t s = json_integer_value(json_object_get(guest, "uptime_ms")) / 1000;
	char up[40];

	snprintf(up, sizeof(up), "%lld:%02lld:%02lld", (long long)(s / 3600), (long long)(s / 60 % 60),
		 (long long)(s % 60));
	printf("%-24s %8lld %-10s %10s %5lld %8lldM\n", json_string_value(json_object_get(guest, "name")),
	       (long long)json_integer_value(json_object_get(guest, "pid")),
	       json_string_value(json_object_get(guest, "state")), up,
	       (long long)json_integer_value(json_object_get(guest, "cpus")),
	       (long long)json_integer_value(json_object_get(guest, "memory_bytes")) >> 20);
}

static int cmd_list_main(int argc, char **argv)
{
	struct control_args args = { 0 };
	json_t *guests;
	char **names;
	int status;

	if (!cmd_parse(&cmd_list, argc, argv, &args, &status))
		return status;
	if (registry_names(&names)) {
		log_error("out of memory");
		return EXIT_STATUS_START_FAILED;
	}
	guests = json_array();
	for (char **name = names; *name; name++) {
		json_t *guest = describe(*name);

		if (guest)
			json_array_append_new(guests, guest);
	}
	registry_free_names(names);
	if (args.json)
		return print_json(guests);
	if (json_array_size(guests))
		printf("%-24s %8s %-10s %10s %5s %9s\n", "NAME", "PID", "STATE", "UPTIME", "CPUS", "MEMORY");
	for (size_t i = 0; i < json_array_size(guests); i++)
		print_guest(json_array_get(guests, i));
	json_decref(guests);
	return 0;
}

/* ---- pause, resume, stop ------------------------------------------------------------------------ */

static int act_on(const char *name, const char *command)
{
	struct client_conn *conn;
	json_t *result = NULL;
	int ret;

	ret = client_connect(&conn, name, false);
	if (ret)
		return ret;
	ret = client_call(conn, command, ANSWER_MS, false, &result);
	json_decref(result);
	client_disconnect(conn);
	return ret;
}

/* Calls @fn for the guest or, with --all, for each that lives. */
static int for_guests(const struct control_args *args, int (*fn)(const char *name, const char *command),
		      const char *command)
{
	int status = 0;
	char **names;

	if (!args->all)
		return fn(args->name, command) ? EXIT_STATUS_START_FAILED : 0;
	if (registry_names(&names)) {
		log_error("out of memory");
		return EXIT_STATUS_START_FAILED;
	}
	for (char **name = names; *name; name++) {
		int fd = registry_connect(*name);

		if (fd == -ENOENT)
			continue;
		if (fd >= 0)
			close(fd);
		if (fn(*name, command))
			status = EXIT_STATUS_START_FAILED;
	}
	registry_free_names(names);
	return status;
}

static int act_main(const struct cmd *cmd, int argc, char **argv)
{
	struct control_args args = { 0 };
	int status;

	if (parse_guest(cmd, argc, argv, &args, &status))
		status = for_guests(&args, act_on, cmd->name);
	free(args.name);
	return status;
}

static int cmd_pause_main(int argc, char **argv)
{
	return act_main(&cmd_pause, argc, argv);
}

static int cmd_resume_main(int argc, char **argv)
{
	return act_main(&cmd_resume, argc, argv);
}

static int cmd_stop_main(int argc, char **argv)
{
	return act_main(&cmd_stop, argc, argv);
}

/* ---- stat --------------------------------------------------------------------------------------- */

static void print_stat(const char *name, const json_t *stat)
{
	const json_t *vcpus = json_object_get(stat, "vcpus");

	printf("%s: %s, up %.1f s, %lld CPU%s, %lld MiB of memory, %lld MiB resident\n", name,
	       json_string_value(json_object_get(stat, "state")),
	       (double)json_integer_value(json_object_get(stat, "uptime_ms")) / 1000,
	       (long long)json_integer_value(json_object_get(stat, "cpus")),
	       json_integer_value(json_object_get(stat, "cpus")) == 1 ? "" : "s",
	       (long long)json_integer_value(json_object_get(stat, "memory_bytes")) >> 20,
	       (long long)json_integer_value(json_object_get(stat, "resident_bytes")) >> 20);
	for (size_t i = 0; i < json_array_size(vcpus); i++) {
		const json_t *vcpu = json_array_get(vcpus, i);
		json_t *exits = json_object_get(vcpu, "exits");
		const char *reason;
		json_t *n;

		printf("  vCPU %zu: %s, thread %lld\n", i, json_string_value(json_object_get(vcpu, "state")),
		       (long long)json_integer_value(json_object_get(vcpu, "tid")));
		json_object_foreach(exits, reason, n)
			printf("    %-28s %12lld\n", reason, (long long)json_integer_value(n));
	}
}

static int stat_text(const char *name, const char *command)
{
	struct client_conn *conn;
	json_t *stat = NULL;
	int ret;

	ret = client_connect(&conn, name, false);
	if (ret)
		return ret;
	ret = client_call(conn, command, ANSWER_MS, false, &stat);
	if (!ret)
		print_stat(name, stat);
	json_decref(stat);
	client_disconnect(conn);
	return ret;
}

/* One object a line, so that several guests are JSON lines. */
static int stat_json(const char *name, const char *command)
{
	struct client_conn *conn;
	json_t *stat = NULL, *guest;
	int ret;

	ret = client_connect(&conn, name, false);
	if (ret)
		return ret;
	ret = client_call(conn, command, ANSWER_MS, false, &stat);
	if (!ret) {
		guest = json_pack("{s:o, s:i}", "name", json_text(name), "pid", client_pid(conn));
		json_object_update(guest, stat);
		ret = json_dumpf(guest, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
		putchar('\n');
		json_decref(guest);
	}
	json_decref(stat);
	client_disconnect(conn);
	return ret;
}

static int cmd_stat_main(int argc, char **argv)
{
	struct control_args args = { 0 };
	int status;

	if (parse_guest(&cmd_stat, argc, argv, &args, &status))
		status = for_guests(&args, args.json ? stat_json : stat_text, "stat");
	free(args.name);
	return status;
}

/* ---- debug -------------------------------------------------------------------------------------- */

static int debug_text(const char *name, const char *command)
{
	struct client_conn *conn;
	json_t *report = NULL;
	const char *text;
	int ret;

	ret = client_connect(&conn, name, false);
	if (ret)
		return ret;
	ret = client_call(conn, command, ANSWER_MS, false, &report);
	text = json_string_value(json_object_get(report, "text"));
	if (!ret && text)
		fputs(text, stdout);
	json_decref(report);
	client_disconnect(conn);
	return ret;
}

static int cmd_debug_main(int argc, char **argv)
{
	struct control_args args = { 0 };
	int status;

	if (parse_guest(&cmd_debug, argc, argv, &args, &status))
		status = for_guests(&args, debug_text, "debug");
	free(args.name);
	return status;
}

/* ---- wait --------------------------------------------------------------------------------------- */

static int wait_for(const struct control_args *args)
{
	struct client_conn *conn;
	json_t *end = NULL;
	int status, ret;

	if (client_connect(&conn, args->name, false))
		return EXIT_STATUS_START_FAILED;
	ret = client_call(conn, "wait", args->timeout_ms, false, &end);
	client_disconnect(conn);
	if (ret == -ETIMEDOUT)
		return EXIT_STATUS_TIMEOUT;
	/* Killed: how its guest ended nobody knows. */
	if (ret == -EPIPE)
		return EXIT_STATUS_LOST;
	if (ret)
		return EXIT_STATUS_START_FAILED;
	status = (int)json_integer_value(json_object_get(end, "status"));
	if (args->json) {
		ret = print_json(end);
		return ret ? ret : status;
	}
	printf("%s: %s\n", json_string_value(json_object_get(end, "outcome")),
	       json_string_value(json_object_get(end, "text")));
	json_decref(end);
	return status;
}

static int cmd_wait_main(int argc, char **argv)
{
	struct control_args args = { 0 };
	int status;

	if (parse_guest(&cmd_wait, argc, argv, &args, &status))
		status = wait_for(&args);
	free(args.name);
	return status;
}

/* ---- balloon ------------------------------------------------------------------------------------ */

static long long mib(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key)) >> 20;
}

static void print_balloon(const char *name, const json_t *b)
{
	const json_t *stats = json_object_get(b, "statistics");

	printf("%s: %lld MiB of memory now, %lld MiB wanted, of %lld MiB\n", name, mib(b, "current_bytes"),
	       mib(b, "target_bytes"), mib(b, "memory_bytes"));
	if (!json_is_true(json_object_get(b, "driver")))
		printf("  the guest has no driver for it (virtio_balloon), or not yet\n");
	if (!stats)
		return;
	printf("  the guest says: %lld MiB in all, %lld MiB free, %lld MiB available, %lld MiB of caches", mib(stats, "total_bytes"),
	       mib(stats, "free_bytes"), mib(stats, "available_bytes"), mib(stats, "cache_bytes"));
	if (json_integer_value(json_object_get(b, "statistics_age_ms")) >= 1000)
		printf(" (%lld s ago)", (long long)json_integer_value(json_object_get(b, "statistics_age_ms")) / 1000);
	putchar('\n');
}

static int balloon_for(const struct control_args *args)
{
	struct client_conn *conn;
	json_t *request, *balloon = NULL;
	uint64_t bytes = 0;
	int ret;

	if (args->size && (parse_size(args->size, &bytes) || bytes > INT64_MAX)) {
		log_error("balloon: bad size '%s': K, M, G or T, a bare number is MiB (see lkvm help balloon)", args->size);
		return EXIT_STATUS_START_FAILED;
	}
	if (client_connect(&conn, args->name, false))
		return EXIT_STATUS_START_FAILED;
	request = json_pack("{s:i, s:s}", "id", 1, "command", "balloon");
	if (args->size)
		json_object_set_new(request, "target_bytes", json_integer((json_int_t)bytes));
	ret = client_request(conn, request, ANSWER_MS, false, NULL, 0, &balloon);
	client_disconnect(conn);
	if (ret)
		return EXIT_STATUS_START_FAILED;
	if (args->json)
		return print_json(balloon);
	print_balloon(args->name, balloon);
	json_decref(balloon);
	return 0;
}

static int cmd_balloon_main(int argc, char **argv)
{
	struct control_args args = { 0 };
	int status;

	if (parse_guest(&cmd_balloon, argc, argv, &args, &status))
		status = balloon_for(&args);
	free(args.name);
	free(args.size);
	return status;
}

#else /* without jansson */

static int not_built_in(int argc LKVM_UNUSED, char **argv)
{
	log_error("%s: jansson, which the control socket needs, is not built into this lkvm", argv[0]);
	return EXIT_STATUS_START_FAILED;
}

#define cmd_list_main   not_built_in
#define cmd_pause_main  not_built_in
#define cmd_resume_main not_built_in
#define cmd_stop_main   not_built_in
#define cmd_stat_main   not_built_in
#define cmd_wait_main   not_built_in
#define cmd_debug_main  not_built_in
#define cmd_balloon_main not_built_in

#endif

const struct cmd cmd_list = {
	.name = "list",
	.summary = "list the running guests",
	.usage = "list [--json]",
	.description = "Lists the guests that this user runs: name, process, state, time since start, CPUs, memory. "
		       "What a dead process has left behind is removed.",
	.run = cmd_list_main,
	.options = list_options,
	.nr_options = &list_options_nr,
};

const struct cmd cmd_pause = {
	.name = "pause",
	.summary = "stop the CPUs of a running guest",
	.usage = "pause NAME | --all",
	.description = "Stops all CPUs of the guest until lkvm resume. Its clock goes on, and so does --timeout.",
	.run = cmd_pause_main,
	.options = act_options,
	.nr_options = &act_options_nr,
};

const struct cmd cmd_resume = {
	.name = "resume",
	.summary = "let a paused guest go on",
	.usage = "resume NAME | --all",
	.description = "Lets the CPUs of a paused guest go on.",
	.run = cmd_resume_main,
	.options = act_options,
	.nr_options = &act_options_nr,
};

const struct cmd cmd_stop = {
	.name = "stop",
	.summary = "end a running guest",
	.usage = "stop NAME | --all",
	.description = "Ends the guest at once, as pulling the plug would. Its lkvm run returns 0, or 143 if it was "
		       "to bring a command's status.",
	.run = cmd_stop_main,
	.options = act_options,
	.nr_options = &act_options_nr,
};

const struct cmd cmd_stat = {
	.name = "stat",
	.summary = "show what a running guest does",
	.usage = "stat NAME | --all [--json]",
	.description = "Shows the guest's memory and, for each of its CPUs, how often it left the guest and why. With "
		       "--json one object a line.",
	.run = cmd_stat_main,
	.options = stat_options,
	.nr_options = &stat_options_nr,
};

const struct cmd cmd_debug = {
	.name = "debug",
	.summary = "show what the CPUs of a running guest are doing",
	.usage = "debug NAME | --all",
	.description = "Prints the report that lkvm run prints when a guest crashes, of a guest that goes on: the registers "
		       "of every CPU, the code that it runs, how it came there. The CPUs stand still for some "
		       "milliseconds.",
	.run = cmd_debug_main,
	.options = act_options,
	.nr_options = &act_options_nr,
};

const struct cmd cmd_wait = {
	.name = "wait",
	.summary = "wait for the end of a running guest",
	.usage = "wait NAME [--timeout TIME] [--json]",
	.description = "Waits until the guest's lkvm run ends, prints how, and returns its exit status: 123 if that "
		       "process was killed, 124 when --timeout ran out, 125 if there is no such guest.",
	.run = cmd_wait_main,
	.options = wait_options,
	.nr_options = &wait_options_nr,
};

const struct cmd cmd_balloon = {
	.name = "balloon",
	.summary = "show or change how much memory a running guest has",
	.usage = "balloon NAME [SIZE] [--json]",
	.description = "Asks the guest, which was started with --balloon and has the driver virtio_balloon, to do with SIZE of "
		       "memory (K, M, G or T, a bare number is MiB), at most what --mem gave it; what it gives away is the "
		       "host's again. The guest does it in its own time, and takes memory back when it has none left. Without "
		       "SIZE: how much it has, is to have, and what it says of its memory.",
	.run = cmd_balloon_main,
	.options = balloon_options,
	.nr_options = &balloon_options_nr,
};
