/* SPDX-License-Identifier: GPL-2.0-only */
/* What lkvm's pictures have in common: SVG that needs nothing else, for light and dark surroundings. Pure. */
#ifndef LKVM_SVG_H
#define LKVM_SVG_H

#include <stdio.h>

/*
 * Opens the picture, with its background. Classes of what follows: grid, mark (text at axes), name (of an axis),
 * title, line.
 */
void svg_begin(FILE *out, int width, int height);
void svg_end(FILE *out);
/* "Guest @guest" at the top. */
void svg_title(FILE *out, int x, const char *guest);
/* @text so that it can stand between tags. */
void svg_text(FILE *out, const char *text);
/* The distance of marks on an axis from 0 to @end, of which there are to be 4 to 10. */
double svg_mark_distance(double end);

#endif
