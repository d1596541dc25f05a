/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands in a guest, seen from the host: the other end of guest/init.c. Jobs are asked for with
 * command_start(); their streams are copied from and to file descriptors on the main loop, which never blocks
 * on them; the guest sees back pressure through the windows of guest/frame.h.
 */
#ifndef LKVM_COMMAND_H
#define LKVM_COMMAND_H

#include "guest/frame.h"
#include "lkvm/console.h"
#include "lkvm/loop.h"
#include "lkvm/types.h"
#include "virtio/console.h"

/* As many as guest/init.c runs. */
#define COMMAND_MAX_JOBS 8
/*
 * How long after the guest closed the channel its jobs are over: by then the guest's panic or power-off, which says
 * more, has ended the VM, also on a slow machine with a console to print on.
 */
#define COMMAND_GRACE_MS 2000

/* Of a job's output, for a report. */
#define COMMAND_TAIL_BYTES 4096

struct command;

struct command_job {
	char *const *argv;     /* NULL-terminated; the first word is the program */
	char *const *env;      /* NULL-terminated */
	const char  *workdir;
	const char  *user;     /* by its name in the guest's /etc/passwd; NULL: */
	uint32_t     uid, gid;
	int          fds[STREAM_COUNT]; /* stdin, stdout, stderr; not owned; -1: none */
	bool         keep_tail; /* of its output, for command_tail(); one job at most */
	bool         judged;    /* what is lost of its output is said by command_output_error() */
	/* The guest has started the program. Main loop. */
	void (*started)(void *opaque);
	/*
	 * The job is over, its output written: @end and @code as in FRAME_STATUS, or @why is not NULL and says
	 * why its status will not come. Main loop.
	 */
	void (*ended)(void *opaque, enum frame_end end, uint32_t code, const char *why);
	void *opaque;
};

/* 0 or -errno (reported). */
int command_create(struct command **cmd, struct loop *loop) LKVM_MUST_CHECK;
/* The device must be gone. Jobs that are left just end. NULL is legal. */
void command_destroy(struct command *cmd);

/* The host's end of port GUEST_PORT, for virtio_console_create(). */
struct virtio_console_port command_port(struct command *cmd);
/* The device that was made with it, and the port's number there. Before the loop runs. */
void command_set_device(struct command *cmd, struct virtio_device *dev, unsigned int port);

/*
 * A serial port as a second way, for kernels without a driver for the first: the console that is made with
 * these options is its host's end, and @fe its front end. Before the loop runs.
 */
struct console_options command_serial(struct command *cmd);
void command_set_serial(struct command *cmd, const struct console_frontend *fe);

/*
 * Asks the guest to run a job, as soon as it is there. Main loop, or before it runs. Returns the job's number;
 * -EAGAIN when COMMAND_MAX_JOBS run; -E2BIG when arguments and environment do not fit in FRAME_MAX_PAYLOAD;
 * -ENOMEM. Silent.
 */
int command_start(struct command *cmd, const struct command_job *job) LKVM_MUST_CHECK;
/* Sends signal @sig to the job's process group. Main loop. */
void command_kill(struct command *cmd, int job, int sig);
/* Forgets a job, whose descriptors are about to be closed; its program goes on, or ends of SIGPIPE. Main loop. */
void command_forget(struct command *cmd, int job);

/*
 * The environment of a command: PATH, HOME and TERM, unless @extra (@nr words, "NAME=VALUE") has them, and
 * @extra. @term is space for one of them. NULL-terminated; free() the array only. NULL: out of memory.
 */
char **command_make_env(char *const *extra, unsigned int nr, char *term, size_t term_bytes);

/* The exit status of lkvm for a command that ended so: its own, 128 + signal, 126 or 127. */
int command_exit_status(enum frame_end end, uint32_t code);

/* Why a command was not started, from its code, in words of static storage. */
const char *command_why_not_started(uint32_t code);

/* When the guest's init began, in CLOCK_MONOTONIC milliseconds; 0: it has not said so. Any thread. */
uint64_t command_init_ms(const struct command *cmd);

/*
 * The last output of the job with keep_tail, stdout and stderr as they came, to @buf, from the beginning of a line
 * on if it is cut. NUL-terminated. Any thread.
 */
void command_tail(struct command *cmd, char buf[COMMAND_TAIL_BYTES + 1]);

/* How many bytes have come from the guest. Any thread. */
uint64_t command_received(const struct command *cmd);
/* 0, or -errno of output of judged jobs that could not be written, other than to a reader that went away. */
int command_output_error(const struct command *cmd);

#endif
