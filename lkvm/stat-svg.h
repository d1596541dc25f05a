/* SPDX-License-Identifier: GPL-2.0-only */
/* A chart of what was counted in intervals: a small SVG that needs nothing else. Pure. */
#ifndef LKVM_STAT_SVG_H
#define LKVM_STAT_SVG_H

#include <stdio.h>

#include "lkvm/pmu-stat.h"

struct stat_svg;

/* NULL: out of memory. stat_svg_free(NULL) is legal. */
struct stat_svg *stat_svg_new(void);
void stat_svg_free(struct stat_svg *svg);

/*
 * Takes an interval, a difference that ends at @at_seconds: everything in it that has a rate, each vCPU by
 * itself with @per_vcpu. 0 or -ENOMEM.
 */
int stat_svg_add(struct stat_svg *svg, const struct stat_table *interval, double at_seconds, bool per_vcpu)
	LKVM_MUST_CHECK;

/* Writes the chart of guest @title; of many series, those that reach highest. */
void stat_svg_write(const struct stat_svg *svg, const char *title, FILE *out);

#endif
