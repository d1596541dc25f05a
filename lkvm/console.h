/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host end of the guest's text console. Devices (UART, virtio-console, hypervisor calls) write to
 * it and are offered what the user types. It copies output to stdout or a file, keeps the tail for
 * reports, and watches the text for a kernel panic.
 */
#ifndef LKVM_CONSOLE_H
#define LKVM_CONSOLE_H

#include "lkvm/loop.h"
#include "lkvm/types.h"

struct console;

struct console_options {
	int         out_fd;    /* where output goes, -1: nowhere. Not owned. */
	int         in_fd;     /* where input comes from, -1: none. Not owned. A TTY is set to raw mode. */
	struct loop *loop;     /* reads @in_fd and flushes half lines */
	/* Called once per line of a panic: the first ("Kernel panic - not syncing: ...") with
	 * @final false, "---[ end Kernel panic" with @final true. Any thread. */
	void (*on_panic)(void *opaque, const char *line, bool final);
	/* Optional: a line is complete; without its newline and control sequences. Any thread. */
	void (*on_line)(void *opaque, const char *line);
	/* ^A x on a terminal. Loop thread. */
	void (*on_quit)(void *opaque);
	/*
	 * Optional: gets all output instead of @out_fd, and nothing is looked for in it: not a text console, but a
	 * byte channel over a serial port. Any thread.
	 */
	void (*on_output)(void *opaque, const void *buf, size_t len);
	/* Optional: the front end, which others than this console feed then, has room again. Any thread. */
	void (*on_input_ready)(void *opaque);
	/* ^A d on a terminal: what does the guest do? Loop thread. */
	void (*on_debug)(void *opaque);
	void *opaque;
};

/* The device that receives input. */
struct console_frontend {
	/* How many bytes receive() would take now. Loop thread. */
	size_t (*can_receive)(void *dev);
	/* Takes @len <= can_receive() bytes. Loop thread. */
	void (*receive)(void *dev, const uint8_t *buf, size_t len);
	void *dev;
};

/* Returns 0 or -errno (reported). Nothing is read before console_start(). */
int console_create(struct console **console, const struct console_options *opt) LKVM_MUST_CHECK;
/* Flushes, restores the terminal, frees. NULL is legal. */
void console_destroy(struct console *console);

/* Raw mode on, input is watched. 0 or -errno. Before loop_run(). */
int console_start(struct console *console) LKVM_MUST_CHECK;
/* Input is no longer watched, output is flushed, the terminal is as it was. */
void console_stop(struct console *console);

/* Output of the guest, byte-exact. Any thread. Blocks when the reader of stdout is slow; never fails. */
void console_write(struct console *console, const void *buf, size_t len);

/*
 * From now on writers wait @ms altogether, no longer, for a reader of the output that is slow or stuck;
 * then the rest is dropped (the tail has it). For stopping a guest: a vCPU that waits for such a reader
 * can't be joined. Any thread; returns at once.
 */
void console_limit_wait(struct console *console, unsigned int ms);

/* The device that gets the input from now on; NULL: nobody. Before console_start(). */
void console_set_frontend(struct console *console, const struct console_frontend *fe);

/* The front end has room again after can_receive() returned 0. Any thread. */
void console_input_ready(struct console *console);

/*
 * 0, or the -errno with which the host refused to take output (a full disk ...), so that some of it is
 * lost; a reader that has gone (EPIPE) or that was waited for in vain does not count. After
 * console_stop().
 */
int console_output_error(const struct console *console);

/* How many bytes the guest has written. Any thread. */
uint64_t console_written(const struct console *console);

/* Copies the last lines of output (at most @size - 1 bytes, whole lines, NUL-terminated). Any thread. */
size_t console_tail(struct console *console, char *buf, size_t size);

/*
 * Shows the console to somebody behind the stream socket @fd, which is taken, also on failure: what is kept of
 * the output, then what comes. What he sends is input. He goes when he likes, or with console_stop(). One who
 * reads too slowly misses some, and gets a line that says how much: nobody waits for him. Loop thread. 0, -EBUSY
 * (there are CONSOLE_MAX_WATCHERS), or -errno.
 */
#define CONSOLE_MAX_WATCHERS 16
int console_attach(struct console *console, int fd) LKVM_MUST_CHECK;

/*
 * A second, non-blocking open file of the terminal @fd, the caller's; -1 if it is none. O_NONBLOCK on @fd
 * itself would also be seen by every process that shares it.
 */
int console_open_nonblock(int fd);

/*
 * Takes the terminal again, if it was ours, after the process was stopped (console_restore_terminal()
 * before that) and continued. Loop thread.
 */
void console_continue(struct console *console);

/* Puts the terminal back at once; for signals that end or stop the process. Async-signal-safe. */
void console_restore_terminal(void);

#endif
