/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM's memory balloon, as `lkvm balloon` sees it over the control socket. */
#ifndef LKVM_VM_BALLOON_H
#define LKVM_VM_BALLOON_H

#include "lkvm/control.h"
#include "lkvm/types.h"
#include "virtio/core.h"

struct vm;

/* Makes vm->balloon and its device, which the caller attaches. 0 or -errno (reported). */
int vm_balloon_create(struct vm *vm, const struct virtio_env *env, struct virtio_device **dev) LKVM_MUST_CHECK;
/* NULL is legal. */
void vm_balloon_destroy(struct vm *vm);

/* The command "balloon" of docs/control.md, a function of struct control_command. */
int vm_balloon_control(void *opaque, struct control_call *call, struct json_t *result, char *error);

#endif
