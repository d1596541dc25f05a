/* SPDX-License-Identifier: GPL-2.0-only */
/* The words behind `lkvm run`, turned into a config. Pure. */
#ifndef LKVM_RUN_OPTIONS_H
#define LKVM_RUN_OPTIONS_H

#include "lkvm/config.h"
#include "lkvm/options.h"

/* Options of `run`. */
extern const struct option_spec run_options[];
extern const size_t run_options_nr;

/* Parsers of --env and --user, for other commands that have them; the target is a struct config. */
int run_option_env(void *target, const struct option_use *use, const char *arg, bool enabled);
int run_option_user(void *target, const struct option_use *use, const char *arg, bool enabled);

/*
 * Fills @cfg (after config_init()) from argv[1..]: options, kvmtool's bare kernel file, and the command
 * behind "--". @arch is the OPT_* bit of the guest's arch. Returns 0, -EINVAL or -ENOMEM (reported), or
 * -ECANCELED when help was asked for. The caller frees @cfg in every case, and validates it.
 */
int run_options_parse(struct config *cfg, unsigned int arch, int argc, char **argv) LKVM_MUST_CHECK;

#endif
