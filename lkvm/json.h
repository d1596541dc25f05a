/* SPDX-License-Identifier: GPL-2.0-only */
/* What jansson lacks. Not there without it. */
#ifndef LKVM_JSON_H
#define LKVM_JSON_H

struct json_t; /* jansson's */

/*
 * A JSON string of any bytes: what is no UTF-8 (a guest may print anything) becomes '?'. NULL only when
 * memory is out.
 */
struct json_t *json_text(const char *text);

#endif
