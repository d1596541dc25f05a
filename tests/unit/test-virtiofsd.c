// SPDX-License-Identifier: GPL-2.0-only
/* The virtiofsd process, played by shell scripts: how it is called, what it says, how it ends. */
#include "lkvm/virtiofsd.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"

struct fixture {
	char              dir[64], program[80];
	struct virtiofsd *d;
	int               fd;
	int               fds;
};

static void setup(struct fixture *f, const char *script, mode_t mode)
{
	FILE *out;

	memset(f, 0, sizeof(*f));
	f->fds = test_open_fds();
	snprintf(f->dir, sizeof(f->dir), "/tmp/lkvm-test-virtiofsd-XXXXXX");
	if (!mkdtemp(f->dir))
		test_skip("no directory can be made in /tmp");
	snprintf(f->program, sizeof(f->program), "%s/virtiofsd", f->dir);
	out = fopen(f->program, "we");
	CHECK(out && fputs(script, out) >= 0 && !fclose(out) && !chmod(f->program, mode));
}

static void teardown(struct fixture *f)
{
	unlink(f->program);
	rmdir(f->dir);
	CHECK_EQ(test_open_fds(), f->fds);
}

/* The connection ends when the process does, and virtiofsd_ending() says @how. */
static void check_end(const char *script, bool started, const char *how)
{
	struct pollfd p = { .events = POLLIN };
	char text[192], c;
	struct fixture f;

	setup(&f, script, 0755);
	CHECK_EQ(virtiofsd_start(&f.d, f.program, "/a dir", false, false, LOG_ERROR, &f.fd), 0);
	p.fd = f.fd;
	CHECK_EQ(poll(&p, 1, 30000), 1);
	CHECK(recv(f.fd, &c, 1, MSG_DONTWAIT) <= 0 && errno != EAGAIN);
	close(f.fd);
	test_stderr_begin();
	if (started)
		virtiofsd_started(f.d);
	virtiofsd_ending(f.d, text, sizeof(text));
	virtiofsd_destroy(f.d);
	test_stderr_end();
	CHECK_STR(text, how);
	teardown(&f);
}

static void test_end(void)
{
	check_end("#!/bin/sh\nexit 3\n", false, "ended with status 3");
	/* Of a usage message the first line, later the last one. */
	check_end("#!/bin/sh\necho 'error: no such option' >&2; echo; echo more >&2; exit 2\n", false,
		  "ended with status 2: error: no such option");
	check_end("#!/bin/sh\necho one; printf '[2025-01-01T00:00:00Z ERROR virtiofsd] two: [3]'; exit 1\n", false,
		  "ended with status 1: one");
	check_end("#!/bin/sh\nsleep 0.3; echo one; printf '[2025-01-01T00:00:00Z ERROR virtiofsd] two: [3]'; exit 1\n", true,
		  "ended with status 1: two: [3]");
	/* Warnings are not why, and what was said before it worked is not either. */
	check_end("#!/bin/sh\necho '[2025-01-01T00:00:00Z WARN  virtiofsd::limits] few files' >&2; echo one; exit 1\n", false,
		  "ended with status 1: one");
	check_end("#!/bin/sh\necho '[2025-01-01T00:00:00Z ERROR virtiofsd] in vain' >&2; exit 1\n", true,
		  "ended with status 1");
	check_end("#!/bin/sh\nkill -9 $$\n", false, "was ended by signal 9 (Killed)");
}

/* Its arguments, one of which has a space; a listening socket is its descriptor 9. */
static void check_arguments(bool readonly, bool constant, const char *words)
{
	char text[1024], want[256];
	struct fixture f;

	setup(&f, "#!/bin/sh\nfor arg; do printf '%s;' \"$arg\"; done; exec 9<&- && echo closed\n", 0755);
	CHECK_EQ(virtiofsd_start(&f.d, f.program, "/a dir", readonly, constant, LOG_ERROR, &f.fd), 0);
	close(f.fd);
	virtiofsd_ending(f.d, text, sizeof(text));
	snprintf(want, sizeof(want), "ended with status 0: --fd=9;--log-level=warn;--shared-dir=/a dir;%s--sandbox=", words);
	CHECK(strstr(text, want) == text);
	virtiofsd_destroy(f.d);
	teardown(&f);
}

static void test_arguments(void)
{
	check_arguments(false, false, "");
	/* What somebody changes is not to be kept in the guest. */
	check_arguments(true, false, "--readonly;");
	check_arguments(true, true, "--readonly;--cache=always;--no-announce-submounts;");
}

/* One that takes no notice of the end of its connection is killed; one that does has time for it. */
static void test_stubborn(void)
{
	struct fixture f;
	char text[192];

	setup(&f, "#!/bin/sh\ntrap '' TERM HUP; while :; do sleep 1; done\n", 0755);
	CHECK_EQ(virtiofsd_start(&f.d, f.program, "/", false, false, LOG_ERROR, &f.fd), 0);
	close(f.fd);
	virtiofsd_ending(f.d, text, sizeof(text));
	CHECK_STR(text, "is there, but does not do its work");
	virtiofsd_destroy(f.d);
	teardown(&f);
}

/* One that never stops talking keeps nobody from other work, and does not fill the log. */
static void test_talkative(void)
{
	unsigned int shown = 0;
	struct fixture f;

	setup(&f, "#!/bin/sh\nwhile :; do echo words; done\n", 0755);
	CHECK_EQ(virtiofsd_start(&f.d, f.program, "/", false, false, LOG_ERROR, &f.fd), 0);
	test_stderr_begin();
	virtiofsd_started(f.d);
	for (unsigned int i = 0; i < 50; i++) {
		poll(&(struct pollfd){ .fd = virtiofsd_log_fd(f.d), .events = POLLIN }, 1, 30000);
		CHECK(virtiofsd_read_log(f.d));
	}
	for (const char *at = test_stderr_end(); (at = strstr(at, "warning: virtiofsd: words")); at++)
		shown++;
	/* How many depends on how long that took. */
	CHECK(shown >= 20 && shown < 400);
	close(f.fd);
	test_stderr_begin();
	virtiofsd_destroy(f.d);
	test_stderr_end();
	teardown(&f);
}

static void check_no_start(const char *script, mode_t mode, int err)
{
	struct fixture f;
	char text[192];
	int ret;

	setup(&f, script, mode);
	test_stderr_begin();
	ret = virtiofsd_start(&f.d, f.program, "/", false, false, LOG_ERROR, &f.fd);
	if (ret) {
		CHECK_EQ(ret, err);
		CHECK(strstr(test_stderr_end(), "lkvm: cannot run /tmp/lkvm-test-virtiofsd-"));
	} else {
		/* User-mode emulators have no vfork(): what fails after it is not heard of. */
		test_stderr_end();
		close(f.fd);
		virtiofsd_ending(f.d, text, sizeof(text));
		CHECK_STR(text, "ended with status 127");
		virtiofsd_destroy(f.d);
	}
	teardown(&f);
}

static void test_no_start(void)
{
	check_no_start("not a program", 0755, -ENOEXEC);
	if (geteuid())
		check_no_start("#!/bin/sh\n", 0644, -EACCES);
	check_no_start("#!/no/such/interpreter\n", 0755, -ENOENT);
}

static void test_find(void)
{
	char path[PATH_MAX], *old = strdup(getenv("PATH") ? getenv("PATH") : "");
	struct fixture f;

	setup(&f, "", 0755);
	setenv("PATH", f.dir, 1);
	CHECK(virtiofsd_find(path, sizeof(path)));
	CHECK_STR(path, f.program);
	/* One that cannot be executed is none; there may be one elsewhere. */
	CHECK_EQ(chmod(f.program, 0644), 0);
	CHECK(!virtiofsd_find(path, sizeof(path)) || strcmp(path, f.program));
	/* Nor is a directory. */
	CHECK(!unlink(f.program) && !mkdir(f.program, 0755));
	CHECK(!virtiofsd_find(path, sizeof(path)) || strcmp(path, f.program));
	CHECK_EQ(rmdir(f.program), 0);
	setenv("PATH", old, 1);
	free(old);
	teardown(&f);
}

const struct test virtiofsd_tests[] = {
	{ "end", test_end },
	{ "arguments", test_arguments },
	{ "stubborn", test_stubborn },
	{ "talkative", test_talkative },
	{ "no_start", test_no_start },
	{ "find", test_find },
	{ 0 },
};
