/* SPDX-License-Identifier: GPL-2.0-only */
/* Directories that virtiofsd serves to a VM: the processes, and what becomes of the VM if one of them ends. */
#ifndef LKVM_VM_FS_H
#define LKVM_VM_FS_H

#include "lkvm/log.h"
#include "lkvm/types.h"
#include "virtio/core.h"

struct vm;

struct vm_fs_share {
	const char    *option;   /* that asked for it, for messages */
	const char    *dir;
	const char    *tag;      /* at most VIRTIO_FS_TAG_BYTES */
	bool           readonly;
	bool           constant; /* nobody changes it while the guest runs */
	enum log_level level;    /* of a message that it cannot be served */
};

/*
 * Starts a virtiofsd that lives as long as @vm, whose memory must be shared, and makes its device, which the caller
 * attaches. If it ends before the VM does, so does the VM: OUTCOME_LOST. 0 or -errno (reported as @share says).
 */
int vm_fs_create(struct vm *vm, const struct virtio_env *env, const struct vm_fs_share *share,
		 struct virtio_device **dev) LKVM_MUST_CHECK;
/*
 * Nothing more is asked of them: a vCPU that waits for an answer has none. They begin to end, and the VM is not
 * lost by that. Once the loop has ended, before the vCPUs are joined.
 */
void vm_fs_hang_up(struct vm *vm);
/* Ends all of them, once their devices are gone. */
void vm_fs_destroy(struct vm *vm);

#endif
