/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options of `run` that choose what a riscv64 vCPU has: --isa, --sbi and kvmtool's --disable-EXT,
 * --disable-sbi-EXT and --custom-ID. Parsers for the table in lkvm/run-options.c; @target is the struct
 * config. Pure.
 */
#ifndef RISCV_OPTIONS_H
#define RISCV_OPTIONS_H

#include "lkvm/config.h"
#include "lkvm/options.h"

/* "zbb=off,sscofpmf=on,isa-99=off,mvendorid=0x489": a bare name means on. */
int riscv_parse_isa(void *target, const struct option_use *use, const char *arg, bool enabled);
/* "pmu=on,sta=off,sbi-14=on". pmu sets config.pmu, as --pmu does. */
int riscv_parse_sbi(void *target, const struct option_use *use, const char *arg, bool enabled);
/* @arg is the extension's name: off. */
int riscv_parse_disable_isa(void *target, const struct option_use *use, const char *arg, bool enabled);
int riscv_parse_disable_sbi(void *target, const struct option_use *use, const char *arg, bool enabled);
/* --custom-mvendorid N and its like. */
int riscv_parse_custom_id(void *target, const struct option_use *use, const char *arg, bool enabled);

#endif
