/* SPDX-License-Identifier: GPL-2.0-only */
/* How a run ended, and the exit status that says so (docs/exit-codes.md). Pure. */
#ifndef LKVM_OUTCOME_H
#define LKVM_OUTCOME_H

#include "lkvm/types.h"

enum outcome_kind {
	OUTCOME_NONE,         /* still running */
	OUTCOME_POWEROFF,     /* the guest powered off */
	OUTCOME_REBOOT,       /* the guest asked for a reset */
	OUTCOME_STOPPED,      /* somebody asked lkvm to stop it: a signal, the control socket, ^A x */
	OUTCOME_COMMAND,      /* `-- CMD` ended; status holds its exit status */
	OUTCOME_PANIC,        /* kernel panic */
	OUTCOME_VCPU_FAILED,  /* a vCPU stopped in a way that can't go on */
	OUTCOME_HUNG,         /* no progress, or silent for too long */
	OUTCOME_LOST,         /* gone without the status that was asked for */
	OUTCOME_TIMEOUT,      /* --timeout ran out */
	OUTCOME_START_FAILED, /* lkvm could not start the guest */
	OUTCOME_OUTPUT_LOST,  /* it ended well, but the host did not take all of its output (a full disk) */
	OUTCOME_SPLAT,        /* it ended well, but its kernel complained (--fail-on) */
	OUTCOME_KINDS,
};

struct outcome {
	enum outcome_kind kind;
	int               status;     /* OUTCOME_COMMAND: 0..255; OUTCOME_STOPPED: signal number or 0 */
	int               override;   /* exit status that the user chose for this kind, plus 1; 0: none */
	char              text[200];  /* one line for people: "Kernel panic - not syncing: ..." */
};

/* The outcome as one word for the JSON report: "poweroff", "panic", ... Static. */
const char *outcome_word(enum outcome_kind kind);

/*
 * The kind called @word; OUTCOME_KINDS if there is none. Not "command" and "stopped", which have statuses of their
 * own, and "none".
 */
enum outcome_kind outcome_kind_by_word(const char *word);

/*
 * The process exit status: 0 for power-off and reboot, the command's own, 120 panic and splat, 121 vCPU failed,
 * 122 hung, 123 lost, 124 timeout, 125 start failed or output lost. Stopped by signal N: 128 + N; otherwise 0.
 */
int outcome_exit_status(const struct outcome *outcome);

/* True if the guest did not end as it should have: panic, failure, hang, loss, timeout, no start. */
bool outcome_is_bad(const struct outcome *outcome);

/* "guest panic: TEXT (exit status 120)": the line for people, without the newline. */
void outcome_format(const struct outcome *outcome, char *buf, size_t size);

#define EXIT_STATUS_PANIC        120
#define EXIT_STATUS_VCPU_FAILED  121
#define EXIT_STATUS_HUNG         122
#define EXIT_STATUS_LOST         123
#define EXIT_STATUS_TIMEOUT      124
#define EXIT_STATUS_START_FAILED 125
/* Of a command, as shells have it. */
#define EXIT_STATUS_NOT_EXECUTABLE 126
#define EXIT_STATUS_NOT_FOUND      127

#endif
