/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a number or a line of somebody's log says about an exit of KVM, on any arch. Finds the telling words, builds
 * what KVM_RUN would have left behind, and asks the arches' decoders. Pure.
 *
 * What is understood, words in any case and order, everything else skipped:
 *   KVM_EXIT_NAME [VALUE...]           the members of struct kvm_run in their order; NAME VALUE sets one by name
 *   exit reason N, reason N, exit N    the reason by its number
 *   hardware reason N                  KVM_EXIT_UNKNOWN; QEMU's numbers are hexadecimal without 0x
 *   hardware error N                   KVM_EXIT_FAIL_ENTRY
 *   suberror N, extra data[I]: N       KVM_EXIT_INTERNAL_ERROR
 *   unexpected exit reason N           of kvm_intel and kvm_amd: the same
 *   errno N|NAME, -NAME, error -N      KVM_RUN's errno, also as text ("Bad address") where it is about running
 *   trap N, instruction N, mcsr N      powerpc; also the kernel's own "emulation at N failed (N)"
 *   exit_nr N                          powerpc: what KVM has no handler for
 *   hcall N, sbi N, csr N              a request by its number; also "extension-id N" of QEMU
 *   scause N                           riscv's kernel log
 *   esr N                              arm64's: a syndrome
 *   no valid syndrome                  arm64's kernel log: KVM_RUN returns ENOSYS
 *   pc N                               where it was
 *   lines of the host's kernel         those that explain-log.h knows
 *   N                                  whatever it can be
 */
#ifndef LKVM_EXPLAIN_H
#define LKVM_EXPLAIN_H

#include "lkvm/exit.h"

#define EXPLAIN_MAX_READINGS 24

/* One way to read the text, on the arches that read it the same way. */
struct explain_reading {
	char as[96];     /* "hardware_exit_reason 0x700" */
	char arches[96]; /* "ppc-book3s", "arm64, x86_64"; "any" */
	struct exit_record rec;
};

struct explain_result {
	unsigned int nr;
	struct explain_reading readings[EXPLAIN_MAX_READINGS];
};

/* All arches, as --arch calls them, NULL-terminated. */
extern const char *const explain_arches[];
/* The name in explain_arches of @word, which may be another name for it ("e500", "pseries"); NULL if unknown. */
const char *explain_arch(const char *word);

/*
 * Explains @text for @arch (of explain_arch(); NULL: for each arch where it means something). 0, or -ENOENT when
 * nothing in it is understood. Silent.
 */
int explain(const char *arch, const char *text, struct explain_result *res) LKVM_MUST_CHECK;

#endif
