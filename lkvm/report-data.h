/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A report as plain data: gathered by report.c, printed as text and written as JSON by functions that
 * see neither KVM nor the VM.
 */
#ifndef LKVM_REPORT_DATA_H
#define LKVM_REPORT_DATA_H

#include <stdio.h>

#include "lkvm/backtrace.h"
#include "lkvm/disasm.h"
#include "lkvm/exit.h"
#include "lkvm/fetch.h"
#include "lkvm/outcome.h"
#include "lkvm/regs.h"
#include "lkvm/symbols.h"
#include "lkvm/walk.h"

#define REPORT_MAX_INSNS     12
#define REPORT_CONSOLE_BYTES 4096
#define REPORT_CONSOLE_LINES 20

/* An address, the walk to it, and what is there. */
struct report_place {
	bool               known;   /* false: there is no such address to tell */
	struct walk        walk;
	struct fetch_place place;   /* if the walk ended at a mapping */
};

struct report_insn {
	uint64_t va;
	uint8_t  bytes[16];
	uint8_t  len;
	char     text[DISASM_TEXT_BYTES]; /* "" without capstone */
};

struct report_vcpu {
	unsigned int        index;
	bool                reached; /* false: it did not answer; nothing below is known */
	struct reg_set      regs;
	uint64_t            pc;      /* as a virtual address */
	struct report_place pc_place;
	enum fetch_verdict  fetch;   /* of pc */
	struct report_place fault;   /* the address that the last fault was about */
	struct report_insn  insns[REPORT_MAX_INSNS];
	unsigned int        nr_insns;
	struct backtrace    backtrace;
};

struct report {
	const char          *arch;       /* arch_name */
	bool                 has_outcome; /* the run is over */
	struct outcome       outcome;
	bool                 has_failure;
	struct exit_record   failure;    /* of vcpus[0] */
	struct report_vcpu  *vcpus;      /* the culprit first */
	unsigned int         nr_vcpus;
	struct symbols      *symbols;    /* NULL: none */
	const char          *symbols_from; /* "vmlinux", "kallsyms"; static */
	char                 symbols_note[120]; /* why there are none, or what to know of them; may be empty */
	char                 console[REPORT_CONSOLE_BYTES]; /* the guest's last lines */
	char                 host[200];  /* "Linux 6.12.1 #1 SMP ..." */
};

/* ---- report-text.c ---- */

/* The whole report in 100 columns. */
void report_print_text(const struct report *r, FILE *out);

/* "vCPU 0: kernel mode at 0xffff... (do_idle+0x90/0x2f0)" */
void report_print_line(const struct report *r, const struct report_vcpu *v, FILE *out);

/*
 * The same and who called panic(), if @v is in a Linux kernel's panic(). False if not: then nothing is printed.
 */
bool report_print_panic(const struct report *r, const struct report_vcpu *v, FILE *out);

/* What KVM on @arch writes to the host's kernel log when a guest goes wrong; ends with NULL. Static. */
const char *const *report_dmesg_lines(const char *arch);

/* ---- report-json.c; only with jansson ---- */

struct json_t;

/* Adds the report to @root, which has the run's own members (docs/report.md). */
void report_merge_json(const struct report *r, struct json_t *root);

#endif
