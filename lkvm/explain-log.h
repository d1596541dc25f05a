/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines of a host's kernel log about a guest that are no exit of KVM: what KVM refused the guest, or printed beside
 * an exit. Pure.
 */
#ifndef LKVM_EXPLAIN_LOG_H
#define LKVM_EXPLAIN_LOG_H

#include "lkvm/exit.h"

/*
 * The line number @nth, from 0 on, of those in @text that are known; the same line twice counts once. Fills all of
 * @rec, with EXIT_REASON_NOT_WRITTEN. Returns whose KVM says it, as explain_arches has it; NULL if there are no
 * more.
 */
const char *explain_log(const char *text, unsigned int nth, struct exit_record *rec);

#endif
