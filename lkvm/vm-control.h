/* SPDX-License-Identifier: GPL-2.0-only */
/* What the control socket can do with a VM: the commands of docs/control.md. */
#ifndef LKVM_VM_CONTROL_H
#define LKVM_VM_CONTROL_H

#include "lkvm/control.h"

/* For control_attach(); their opaque is the struct vm. */
extern const struct control_command vm_control_commands[];

#endif
