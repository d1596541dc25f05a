// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/virtiofsd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lkvm/log.h"
#include "lkvm/program.h"

/* Where it finds the socket. */
#define SOCKET_FD   9
#define SOCKET_ARG  "--fd=9"
/* How many files it wants to be able to have open, unless told otherwise. */
#define WANTED_FILES 1000000
/* With fewer a guest that walks through a system of usual size sees errors. */
#define NEEDED_FILES 65536
/* How long it may take to end once its connection is closed. */
#define END_WAIT_MS  2000
/* Of its messages at once: what a pipe holds. One that never stops must not keep the main loop from all else. */
#define READ_BYTES   512
#define READS        (65536 / READ_BYTES)

/* Messages that are shown at once; then one a second. */
#define MESSAGES_BURST 20

struct virtiofsd {
	pid_t  pid;         /* 0: has been waited for */
	int    status;      /* as waitpid() has it, then */
	bool   started;
	int    log_fd;
	size_t len;         /* of an unfinished line */
	char   line[512];
	char   said[160];   /* what virtiofsd_ending() quotes */
	struct log_ratelimit messages; /* once it has started: guests can cause them */
};

bool virtiofsd_find(char *path, size_t size)
{
	static const char *const more[] = { "/usr/libexec", "/usr/lib", "/usr/local/libexec", NULL };

	return program_find("virtiofsd", more, path, size);
}

bool virtiofsd_has_room(void)
{
	struct rlimit old, more;

	if (getrlimit(RLIMIT_NOFILE, &old) || old.rlim_max >= NEEDED_FILES)
		return true;
	/* Root can raise it, unless in a container: it will tell. */
	more = (struct rlimit){ .rlim_cur = old.rlim_cur, .rlim_max = NEEDED_FILES };
	if (setrlimit(RLIMIT_NOFILE, &more))
		return false;
	setrlimit(RLIMIT_NOFILE, &old);
	return true;
}

/* ---- its start ---------------------------------------------------------------------------------- */

/*
 * A listening socket with our connection waiting, the only one that it has room for: if somebody else were faster,
 * connect() would fail. It has a name that the kernel makes up, and none on disk. 0 or -errno; in any case what is
 * open is the caller's to close, and -1 what is not.
 */
static int make_connection(int *listening, int *connected)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(addr.sun_family);

	*connected = -1;
	*listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*listening < 0 || bind(*listening, (struct sockaddr *)&addr, len) || listen(*listening, 0))
		return -errno;
	len = sizeof(addr);
	*connected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*connected < 0 || getsockname(*listening, (struct sockaddr *)&addr, &len) ||
	    connect(*connected, (struct sockaddr *)&addr, len))
		return -errno;
	return 0;
}

#define MAX_WORDS 16

/*
 * As root it makes the directory its root by chroot(2): pivot_root(2), which it would use, does not work
 * in containers and from an initramfs. As another user it cannot; there the guest's users are all that
 * user, and the host's owners are shown as they are, as by 9P.
 */
static int spawn(struct virtiofsd *d, const char *program, const char *dir, bool readonly, bool constant,
		 int listening, int log_fd)
{
	char share[PATH_MAX + 16], nofile[48], uid[64], gid[64];
	const char *words[MAX_WORDS] = { "virtiofsd", SOCKET_ARG, "--log-level=warn", share };
	unsigned int n = 4;
	posix_spawn_file_actions_t files;
	struct rlimit limit;
	posix_spawnattr_t attr;
	sigset_t none;
	int err;

	snprintf(share, sizeof(share), "--shared-dir=%s", dir);
	if (readonly)
		words[n++] = "--readonly";
	if (constant) {
		words[n++] = "--cache=always";
		/* Mounts that the guest would make as it comes by: overlayfs knows none in what is below. */
		words[n++] = "--no-announce-submounts";
	}
	if (!geteuid()) {
		words[n++] = "--sandbox=chroot";
		/* Device nodes that a guest made would be the host's. */
		words[n++] = "--modcaps=-mknod:-setfcap";
	} else {
		snprintf(uid, sizeof(uid), "--translate-uid=squash-guest:0:%u:%u", geteuid(), UINT32_MAX);
		snprintf(gid, sizeof(gid), "--translate-gid=squash-guest:0:%u:%u", getegid(), UINT32_MAX);
		words[n++] = "--sandbox=none";
		words[n++] = uid;
		words[n++] = gid;
		/* Root raises the limit; others get a warning that they cannot. */
		if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_max < WANTED_FILES) {
			snprintf(nofile, sizeof(nofile), "--rlimit-nofile=%llu", (unsigned long long)limit.rlim_max);
			words[n++] = nofile;
		}
	}

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_init(&files);
	/* A group of its own: what a terminal's ^C does to us is ours to decide. */
	err = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	if (!err)
		err = posix_spawnattr_setsigmask(&attr, &none);
	if (!err)
		err = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&files, log_fd, STDOUT_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&files, log_fd, STDERR_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&files, listening, SOCKET_FD);
	if (!err)
		err = posix_spawn(&d->pid, program, &files, &attr, (char *const *)(uintptr_t)words, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return -err;
}

int virtiofsd_start(struct virtiofsd **out, const char *program, const char *dir, bool readonly,
		    bool constant, enum log_level level, int *fd)
{
	struct virtiofsd *d = calloc(1, sizeof(*d));
	int listening = -1, log_fds[2] = { -1, -1 };
	int ret = d ? 0 : -ENOMEM;

	*fd = -1;
	if (!ret)
		ret = pipe2(log_fds, O_CLOEXEC) ? -errno : make_connection(&listening, fd);
	if (!ret)
		ret = spawn(d, program, dir, readonly, constant, listening, log_fds[1]);
	/* Only it has these now: if it ends before it answers, the connection ends. */
	if (listening >= 0)
		close(listening);
	if (log_fds[1] >= 0)
		close(log_fds[1]);
	if (!ret) {
		fcntl(log_fds[0], F_SETFL, O_NONBLOCK);
		d->messages.burst = MESSAGES_BURST;
		d->log_fd = log_fds[0];
		*out = d;
		return 0;
	}
	log_message(level, "cannot run %s: %s", program, strerror(-ret));
	if (log_fds[0] >= 0)
		close(log_fds[0]);
	if (*fd >= 0)
		close(*fd);
	free(d);
	return ret;
}

/* ---- what it says ------------------------------------------------------------------------------- */

int virtiofsd_log_fd(const struct virtiofsd *d)
{
	return d->log_fd;
}

void virtiofsd_started(struct virtiofsd *d)
{
	virtiofsd_read_log(d);
	d->started = true;
	d->said[0] = '\0'; /* it was not that bad */
}

static void end_line(struct virtiofsd *d)
{
	const char *text = d->line, *end;

	d->line[d->len] = '\0';
	d->len = 0;
	if (!d->line[0])
		return;
	if (d->started)
		log_guest(&d->messages, "virtiofsd: %s", d->line);
	else
		log_info("virtiofsd: %s", d->line);
	/* Without its "[TIME LEVEL MODULE] ", where a warning is not what it ended of. */
	end = *text == '[' ? strstr(text, "] ") : NULL;
	if (end && memmem(text, (size_t)(end - text), " WARN ", 6))
		return;
	if (end)
		text = end + 2;
	if (d->started || !d->said[0])
		snprintf(d->said, sizeof(d->said), "%.*s", (int)sizeof(d->said) - 1, text);
}

bool virtiofsd_read_log(struct virtiofsd *d)
{
	char buf[READ_BYTES];
	ssize_t n = -1;

	for (unsigned int reads = 0; reads < READS && (n = read(d->log_fd, buf, sizeof(buf))) > 0; reads++)
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] == '\n' || d->len == sizeof(d->line) - 1)
				end_line(d);
			if (buf[i] != '\n')
				d->line[d->len++] = buf[i];
		}
	return n != 0; /* -1: nothing there just now */
}

/* ---- its end ------------------------------------------------------------------------------------ */

/* False: it still runs. */
static bool has_ended(struct virtiofsd *d)
{
	pid_t pid;

	if (!d->pid)
		return true;
	do
		pid = waitpid(d->pid, &d->status, WNOHANG);
	while (pid < 0 && errno == EINTR);
	if (!pid)
		return false;
	if (pid < 0) /* who ignores SIGCHLD does not learn of it */
		d->status = -1;
	d->pid = 0;
	return true;
}

static bool wait_for_end(struct virtiofsd *d, unsigned int ms)
{
	const struct timespec step = { .tv_nsec = 1000000 };

	for (unsigned int waited = 0; !has_ended(d); waited++) {
		if (waited == ms)
			return false;
		nanosleep(&step, NULL);
	}
	return true;
}

void virtiofsd_ending(struct virtiofsd *d, char *text, size_t size)
{
	bool ended = wait_for_end(d, END_WAIT_MS);
	char how[64];

	virtiofsd_read_log(d);
	end_line(d);
	if (!ended || d->status == -1)
		snprintf(how, sizeof(how), "%s", ended ? "ended" : "is there, but does not do its work");
	else if (WIFSIGNALED(d->status))
		snprintf(how, sizeof(how), "was ended by signal %d (%s)", WTERMSIG(d->status),
			 strsignal(WTERMSIG(d->status)));
	else
		snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(d->status));
	snprintf(text, size, "%s%s%s", how, d->said[0] ? ": " : "", d->said);
}

void virtiofsd_destroy(struct virtiofsd *d)
{
	if (!d)
		return;
	if (!wait_for_end(d, END_WAIT_MS)) {
		kill(d->pid, SIGKILL);
		while (waitpid(d->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	virtiofsd_read_log(d);
	end_line(d);
	close(d->log_fd);
	free(d);
}
