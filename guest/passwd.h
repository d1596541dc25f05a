/* SPDX-License-Identifier: GPL-2.0-only */
/* Looks a user up in the text of /etc/passwd, as passwd(5) has it. Pure; needs no C library. */
#ifndef GUEST_PASSWD_H
#define GUEST_PASSWD_H

#include <stddef.h>
#include <stdint.h>

struct passwd_search {
	const char *name;    /* whose line is looked for */
	uint32_t    uid, gid; /* valid once it is found */
	/* Where in the text the search is. */
	size_t      at;      /* in the name */
	uint8_t     field;   /* of the line, from 0; stays at 4 behind the group */
	uint8_t     wrong;   /* this line is not the one, or has no numbers where they belong */
	uint8_t     digits;  /* whether the number has begun */
	uint8_t     found;
};

/*
 * Takes the next @len bytes of the text, of which pieces may be of any size; at its end, a newline, which a
 * last line may lack. Returns 1 when the user is found, and from then on; else 0. @s begins zeroed but for
 * the name.
 */
int passwd_search(struct passwd_search *s, const char *text, size_t len);

#endif
