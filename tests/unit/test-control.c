// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lkvm/registry.h"
#include "tests/unit/test.h"

#ifdef HAVE_JANSSON
#include <jansson.h>

static char dir[64];
static char *old_xdg;

/* The registry's directory is one of the test's own. */
static void runtime_begin(void)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");

	old_xdg = xdg ? strdup(xdg) : NULL;
	snprintf(dir, sizeof(dir), "/tmp/lkvm-test-XXXXXX");
	if (!mkdtemp(dir))
		test_skip("no directory can be made in /tmp");
	setenv("XDG_RUNTIME_DIR", dir, 1);
}

static void runtime_end(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/lkvm", dir);
	rmdir(path);
	/* Fails if a test has left a socket behind. */
	CHECK_EQ(rmdir(dir), 0);
	if (old_xdg)
		setenv("XDG_RUNTIME_DIR", old_xdg, 1);
	else
		unsetenv("XDG_RUNTIME_DIR");
	free(old_xdg);
}

/* ---- registry ----------------------------------------------------------------------------------- */

static bool lists(char **names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static void test_names(void)
{
	struct registry_entry a, b, c;
	char automatic[64];
	char **names;
	int fd;

	runtime_begin();
	CHECK_EQ(registry_connect("one"), -ENOENT);
	CHECK_EQ(registry_add(&a, "one"), 0);
	CHECK_EQ(registry_add(&b, "one"), -EEXIST);
	CHECK_EQ(b.fd, -1);
	CHECK_EQ(registry_add(&b, NULL), 0);
	CHECK_EQ(registry_add(&c, NULL), 0);
	snprintf(automatic, sizeof(automatic), "guest-%d", (int)getpid());
	CHECK_STR(b.name, automatic);
	strcat(automatic, "-2");
	CHECK_STR(c.name, automatic);

	fd = registry_connect("one");
	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(registry_connect("two"), -ENOENT);
	CHECK_EQ(registry_connect("../one"), -ENOENT);
	CHECK_EQ(registry_connect(".one"), -ENOENT);
	CHECK_EQ(registry_connect(""), -ENOENT);

	CHECK_EQ(registry_names(&names), 0);
	/* Directories that are not the test's may hold more. */
	CHECK(lists(names, b.name) && lists(names, c.name) && lists(names, "one") && !lists(names, "two"));
	for (char **name = names; name[0] && name[1]; name++)
		CHECK(strcmp(name[0], name[1]) < 0);
	registry_free_names(names);
	registry_remove(&a);
	registry_remove(&b);
	registry_remove(&c);
	registry_remove(&c);
	CHECK_EQ(registry_connect("one"), -ENOENT);
	runtime_end();
}

static void test_dead(void)
{
	struct registry_entry e;
	pid_t pid;
	int i;

	runtime_begin();
	for (i = 0; i < 2; i++) {
		pid = fork();
		if (pid == 0)
			_exit(registry_add(&e, "dead") ? 1 : 0);
		waitpid(pid, NULL, 0);
		if (i == 0) {
			/* Its name is free again. */
			CHECK_EQ(registry_add(&e, "dead"), 0);
			registry_remove(&e);
		} else {
			CHECK_EQ(registry_connect("dead"), -ENOENT);
		}
	}
	runtime_end();
}

/* Another's directory in /tmp is not ours to use. */
static void test_private(void)
{
	struct registry_entry e;
	char path[128];

	runtime_begin();
	snprintf(path, sizeof(path), "%s/lkvm", dir);
	CHECK_EQ(mkdir(path, 0755), 0);
	CHECK_EQ(chmod(path, 0755), 0);
	CHECK_EQ(registry_connect("x"), -ENOENT);
	CHECK_EQ(registry_add(&e, "lkvm-unit-test-private"), 0);
	CHECK_EQ(access(path, W_OK), 0);
	snprintf(path, sizeof(path), "%s/lkvm/lkvm-unit-test-private.sock", dir);
	CHECK(access(path, F_OK) != 0);
	registry_remove(&e);
	runtime_end();
}

/*
 * Another lkvm that starts has its directory locked, and XDG_RUNTIME_DIR may be another name of the next directory
 * that is looked at: neither may be waited for.
 */
static void test_no_deadlock(void)
{
	struct registry_entry e;
	char shared[64];
	bool made;
	int fd;

	runtime_begin();
	snprintf(shared, sizeof(shared), "/tmp/lkvm-%u", (unsigned int)geteuid());
	made = !mkdir(shared, 0700);
	fd = open(shared, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(flock(fd, LOCK_EX), 0);
	alarm(20); /* instead of for ever */
	CHECK_EQ(registry_add(&e, "lkvm-unit-test-deadlock"), 0);
	alarm(0);
	registry_remove(&e);
	close(fd);
	if (made)
		rmdir(shared);
	runtime_end();
}

/* ---- requests ----------------------------------------------------------------------------------- */

static int run_good(void *opaque, struct control_call *call, json_t *result, char *error LKVM_UNUSED)
{
	json_object_set_new(result, "n", json_integer(++*(int *)opaque));
	json_object_set(result, "x", json_object_get(call->args, "x"));
	return 0;
}

static int run_bad(void *opaque LKVM_UNUSED, struct control_call *call LKVM_UNUSED, json_t *result LKVM_UNUSED,
		   char *error)
{
	/* As a guest may say it: no UTF-8. */
	snprintf(error, CONTROL_ERROR_BYTES, "no \xff way");
	return -EBUSY;
}

static int run_long(void *opaque, struct control_call *call LKVM_UNUSED, json_t *result, char *error LKVM_UNUSED)
{
	static char text[60000];

	memset(text, 'x', sizeof(text) - 1);
	json_object_set_new(result, "n", json_integer(++*(int *)opaque));
	json_object_set_new(result, "text", json_string(text));
	return 0;
}

static struct control_call *later;

static int run_later(void *opaque LKVM_UNUSED, struct control_call *call, json_t *result LKVM_UNUSED,
		     char *error LKVM_UNUSED)
{
	later = call;
	return CONTROL_LATER;
}

/* Answers what run_later() has put off. */
static int run_now(void *opaque LKVM_UNUSED, struct control_call *call LKVM_UNUSED, json_t *result,
		   char *error LKVM_UNUSED)
{
	json_object_set_new(result, "fds", json_integer(later->nr_fds));
	control_reply(later, json_object(), 0, NULL);
	later = NULL;
	return 0;
}

static const struct control_command commands[] = {
	{ "good", run_good }, { "bad", run_bad }, { "long", run_long }, { "later", run_later },
	{ "now", run_now }, { NULL, NULL },
};

static void check_answer(struct control *ctl, const char *line, const char *want)
{
	struct control_call *call = NULL;
	char *answer = control_answer(ctl, NULL, line, strlen(line), &call);

	CHECK(!call);
	CHECK_STR(answer, want);
	free(answer);
}

static void test_answers(void)
{
	struct loop *loop;
	struct control *ctl;
	struct control_call *call = NULL;
	int n = 0;

	runtime_begin();
	CHECK_EQ(loop_create(&loop), 0);
	CHECK_EQ(control_create(&ctl, "answers"), 0);
	CHECK_STR(control_name(ctl), "answers");
	CHECK_EQ(control_attach(ctl, loop, commands, &n), 0);
	check_answer(ctl, "{\"command\":\"good\"}", "{\"id\":null,\"ok\":true,\"result\":{\"n\":1}}\n");
	check_answer(ctl, " {\"id\": {\"a\":[1]}, \"command\":\"good\",\"x\":2} ",
		     "{\"id\":{\"a\":[1]},\"ok\":true,\"result\":{\"n\":2,\"x\":2}}\n");
	check_answer(ctl, "{\"id\":9,\"command\":\"bad\"}",
		     "{\"id\":9,\"ok\":false,\"error\":{\"code\":\"busy\",\"message\":\"no ? way\"}}\n");
	check_answer(ctl, "{\"id\":\"i\",\"command\":\"ugly\"}",
		     "{\"id\":\"i\",\"ok\":false,\"error\":{\"code\":\"unknown-command\",\"message\":"
		     "\"no command 'ugly'; there are wait, good, bad, long, later, now\"}}\n");
	check_answer(ctl, "[]", "{\"id\":null,\"ok\":false,\"error\":{\"code\":\"bad-request\",\"message\":"
				"\"a request is an object with a string \\\"command\\\"\"}}\n");
	CHECK(!control_answer(ctl, NULL, "{\"command\":\"wait\"}", 18, &call));
	CHECK(call && call->wait);
	control_call_free(call);
	control_destroy(ctl);
	loop_destroy(loop);
	CHECK_EQ(n, 2);
	runtime_end();
}

/* ---- clients ------------------------------------------------------------------------------------ */

struct server {
	struct loop    *loop;
	struct control *ctl;
	int             n;
};

static void server_begin(struct server *s)
{
	runtime_begin();
	s->n = 0;
	CHECK_EQ(loop_create(&s->loop), 0);
	CHECK_EQ(control_create(&s->ctl, "s"), 0);
	CHECK_EQ(control_attach(s->ctl, s->loop, commands, &s->n), 0);
	CHECK_EQ(loop_start(s->loop, "control"), 0);
}

static void server_stop(struct server *s)
{
	loop_stop(s->loop);
	control_detach(s->ctl);
}

static void server_end(struct server *s)
{
	control_destroy(s->ctl);
	loop_destroy(s->loop);
	runtime_end();
}

/* One line from @fd; "" at its end. Static buffer. */
static const char *line_from(int fd)
{
	static char line[8192];
	size_t len = 0;

	while (len < sizeof(line) - 1 && recv(fd, line + len, 1, 0) == 1)
		if (line[len++] == '\n')
			break;
	line[len] = '\0';
	return line;
}

static int client(void)
{
	int fd = registry_connect("s");

	CHECK(strstr(line_from(fd), "\"protocol\":1,\"name\":\"s\""));
	return fd;
}

static void say(int fd, const char *text)
{
	CHECK_EQ(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void test_clients(void)
{
	struct outcome outcome = { .kind = OUTCOME_PANIC, .text = "it \xfe died" };
	int fds = test_open_fds();
	struct server s;
	int idle, half, a, b;

	server_begin(&s);
	idle = client();
	half = client();
	say(half, "{\"command\":");
	a = client();
	b = client();
	/* Cut anywhere, several at once, CRLF and empty lines. */
	say(a, "{\"id\":1,\"comm");
	say(a, "and\":\"good\"}\r\n\n{\"id\":2,\"command\":\"good\"}\n");
	CHECK_STR(line_from(a), "{\"id\":1,\"ok\":true,\"result\":{\"n\":1}}\n");
	CHECK_STR(line_from(a), "{\"id\":2,\"ok\":true,\"result\":{\"n\":2}}\n");
	say(b, "{\"id\":3,\"command\":\"wait\"}\n{\"id\":4,\"command\":\"wait\"}\n{\"id\":5,\"command\":\"good\"}\n");
	CHECK_STR(line_from(b), "{\"id\":5,\"ok\":true,\"result\":{\"n\":3}}\n");
	/* One that sends and shuts down its side gets its answer. */
	say(a, "{\"id\":6,\"command\":\"good\"}\n");
	shutdown(a, SHUT_WR);
	CHECK_STR(line_from(a), "{\"id\":6,\"ok\":true,\"result\":{\"n\":4}}\n");
	CHECK_STR(line_from(a), "");
	server_stop(&s);
	control_announce_end(s.ctl, &outcome);
	CHECK_STR(line_from(b), "{\"id\":3,\"ok\":true,\"result\":{\"outcome\":\"panic\",\"status\":120,"
				"\"text\":\"it ? died\"}}\n");
	CHECK(strstr(line_from(b), "{\"id\":4,\"ok\":true,"));
	server_end(&s);
	CHECK_STR(line_from(idle), "");
	close(idle);
	close(half);
	close(a);
	close(b);
	CHECK_EQ(test_open_fds(), fds);
}

/* More requests at once than answers may be pending, then the end of file: all are answered. */
static void test_many_at_once(void)
{
	static char buf[65536];
	struct server s;
	size_t lines = 0;
	ssize_t n;
	int fd;

	server_begin(&s);
	fd = client();
	for (int i = 0; i < 100; i++)
		say(fd, "{\"command\":\"long\"}\n");
	shutdown(fd, SHUT_WR);
	usleep(100000);
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += buf[i] == '\n';
	CHECK_EQ(lines, 100);
	CHECK_EQ(s.n, 100);
	close(fd);
	server_stop(&s);
	server_end(&s);
}

/* An answer that is put off comes to the right client, which may have closed its side meanwhile. */
static void test_later(void)
{
	int fds = test_open_fds();
	struct server s;
	int a, b;

	server_begin(&s);
	a = client();
	b = client();
	say(a, "{\"id\":1,\"command\":\"later\"}\n{\"id\":2,\"command\":\"good\"}\n");
	CHECK_STR(line_from(a), "{\"id\":2,\"ok\":true,\"result\":{\"n\":1}}\n");
	shutdown(a, SHUT_WR);
	say(b, "{\"id\":3,\"command\":\"now\"}\n");
	CHECK_STR(line_from(b), "{\"id\":3,\"ok\":true,\"result\":{\"fds\":0}}\n");
	CHECK_STR(line_from(a), "{\"id\":1,\"ok\":true,\"result\":{}}\n");
	CHECK_STR(line_from(a), "");
	/* The VM goes before it has answered. */
	say(b, "{\"id\":4,\"command\":\"later\"}\n{\"id\":5,\"command\":\"good\"}\n");
	CHECK(strstr(line_from(b), "\"id\":5"));
	server_stop(&s);
	control_announce_end(s.ctl, &(struct outcome){ .kind = OUTCOME_POWEROFF });
	server_end(&s);
	CHECK_STR(line_from(b), "{\"id\":4,\"ok\":false,\"error\":{\"code\":\"failed\","
				"\"message\":\"the guest ended\"}}\n");
	close(a);
	close(b);
	CHECK_EQ(test_open_fds(), fds);
}

static void test_hostile(void)
{
	static char junk[CONTROL_MAX_LINE];
	int many[CONTROL_MAX_CLIENTS + 1];
	struct timeval tv = { .tv_usec = 300000 };
	int fds = test_open_fds();
	size_t sent = 0;
	struct server s;
	ssize_t n;
	int fd;

	server_begin(&s);
	/* A line without end. */
	memset(junk, 'x', sizeof(junk));
	fd = client();
	CHECK_EQ(send(fd, junk, sizeof(junk), MSG_NOSIGNAL), sizeof(junk));
	CHECK(strstr(line_from(fd), "longer than 64 KiB"));
	CHECK_STR(line_from(fd), "");
	close(fd);
	/* One that asks and never reads is not listened to for ever, and holds up nobody. */
	fd = client();
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	while ((n = send(fd, "{\"command\":\"good\"}\n", 19, MSG_NOSIGNAL)) > 0 && sent < 64u << 20)
		sent += (size_t)n;
	CHECK(n < 0 && sent < 64u << 20);
	/* As many as there may be, and one more. */
	for (int i = 0; i < CONTROL_MAX_CLIENTS - 1; i++)
		many[i] = client();
	many[CONTROL_MAX_CLIENTS - 1] = registry_connect("s");
	CHECK(strstr(line_from(many[CONTROL_MAX_CLIENTS - 1]), "too many clients"));
	say(many[7], "{\"id\":1,\"command\":\"bad\"}\n");
	CHECK(strstr(line_from(many[7]), "\"busy\""));
	for (int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		close(many[i]);
	close(fd);
	server_stop(&s);
	server_end(&s);
	CHECK_EQ(test_open_fds(), fds);
}

const struct test control_tests[] = {
	{ "names", test_names },
	{ "dead", test_dead },
	{ "private", test_private },
	{ "no-deadlock", test_no_deadlock },
	{ "answers", test_answers },
	{ "clients", test_clients },
	{ "many-at-once", test_many_at_once },
	{ "later", test_later },
	{ "hostile", test_hostile },
	{ 0 },
};

#else

static void test_absent(void)
{
	struct control *ctl;

	CHECK_EQ(control_create(&ctl, NULL), -ENOTSUP);
}

const struct test control_tests[] = { { "absent", test_absent }, { 0 } };

#endif
