/* SPDX-License-Identifier: GPL-2.0-only */
/* `lkvm run -- CMD`: the command channel of a VM, and how the command's end becomes the outcome. */
#ifndef LKVM_VM_COMMAND_H
#define LKVM_VM_COMMAND_H

#include "lkvm/types.h"
#include "virtio/core.h"

struct vm;

/* What the kernel must be told so that it starts guest/init.c. */
#define VM_COMMAND_PARAMS "rdinit=/.lkvm/init"

/*
 * Makes vm->command and its virtio-console device, which the caller attaches, and asks for the command. 0 or
 * -errno (reported); on failure there is no device.
 */
int vm_command_create(struct vm *vm, const struct virtio_env *env, struct virtio_device **dev) LKVM_MUST_CHECK;

#endif
