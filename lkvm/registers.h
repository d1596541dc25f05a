/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every register that KVM keeps of a vCPU, by its own id, read, and set again to what was read: for
 * `lkvm doctor --registers`.
 */
#ifndef LKVM_REGISTERS_H
#define LKVM_REGISTERS_H

#include <stdio.h>

#include "lkvm/types.h"

struct vcpu;

#define REGISTER_MAX_BYTES 256 /* the longest that an id can name: KVM_REG_SIZE_U2048 */

/* How setting what was read went. */
enum register_trip {
	TRIP_SAME,
	TRIP_MOVES,    /* reads differently each time: a clock */
	TRIP_REFUSED,  /* can't be set to what it is: err says why */
	TRIP_DIFFERS,  /* was taken, but reads differently now */
	TRIP_UNREAD,   /* can't be read: err says why */
};

struct register_entry {
	uint64_t           id;
	size_t             bytes;
	uint8_t            value[REGISTER_MAX_BYTES]; /* in host order */
	enum register_trip trip;
	int                err; /* -errno */
};

/*
 * Reads all of them on a @vcpu that does not run, and sets each. *@entries: free() them. 0 or -errno
 * (reported).
 */
int registers_read(struct vcpu *vcpu, struct register_entry **entries, size_t *nr) LKVM_MUST_CHECK;

/* Those of KVM_GET_REG_LIST, for arch_reg_ids(). *@ids: free() them. 0 or -errno (silent). */
int registers_list(struct vcpu *vcpu, uint64_t **ids, size_t *nr) LKVM_MUST_CHECK;

/* What KVM's ids say about their size (KVM-API 4.68). */
size_t registers_id_bytes(uint64_t id);

/* Prints them for people, or as JSON. 0, or -ENOMEM / -EIO / -ENOSYS (no JSON library), reported. */
void registers_print(const struct register_entry *entries, size_t nr, FILE *out);
int registers_print_json(const struct register_entry *entries, size_t nr, FILE *out) LKVM_MUST_CHECK;

#endif
