// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/vm-fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lkvm/virtiofsd.h"
#include "lkvm/vm.h"
#include "virtio/fs.h"

struct vm_fs {
	struct vm_fs     *next;
	struct vm        *vm;
	struct virtiofsd *daemon;
	int               fd;      /* of our own for the device's connection to it; -1: none */
	const char       *dir;     /* the config's */
	bool              watched; /* its messages */
};

static void on_message(void *opaque, uint32_t events LKVM_UNUSED)
{
	struct vm_fs *fs = opaque;

	if (virtiofsd_read_log(fs->daemon))
		return;
	loop_del(fs->vm->loop, virtiofsd_log_fd(fs->daemon));
	fs->watched = false;
}

/* What it did: @why, or how it ended. */
static void describe(struct vm_fs *fs, const char *why, char *text, size_t size)
{
	if (why)
		snprintf(text, size, "%s", why);
	else
		virtiofsd_ending(fs->daemon, text, size);
}

static void on_lost(void *opaque, const char *why)
{
	struct vm_fs *fs = opaque;
	char text[192];

	describe(fs, why, text, sizeof(text));
	vm_request_stop(fs->vm, OUTCOME_LOST, 0, "virtiofsd, which serves %s to it, %s", fs->dir, text);
}

static void destroy(struct vm_fs *fs)
{
	if (fs->watched)
		loop_del(fs->vm->loop, virtiofsd_log_fd(fs->daemon));
	if (fs->fd >= 0)
		close(fs->fd);
	virtiofsd_destroy(fs->daemon);
	free(fs);
}

/* The daemon, and our connection to it. */
static int start(struct vm_fs *fs, const struct vm_fs_share *share, struct vhost_user *vu)
{
	char program[PATH_MAX], text[192];
	int fd, ret;

	if (!virtiofsd_find(program, sizeof(program))) {
		log_message(share->level, "%s: there is no virtiofsd here to serve %s (package virtiofsd)", share->option,
			    share->dir);
		return -ENOENT;
	}
	ret = virtiofsd_start(&fs->daemon, program, share->dir, share->readonly, share->constant, share->level,
			      &fd);
	if (ret)
		return ret;
	ret = vhost_user_open(vu, fd);
	if (ret) {
		close(fd);
		describe(fs, ret == -ECONNRESET ? NULL : vu->why, text, sizeof(text));
		log_message(share->level, "%s: %s, which is to serve %s, %s", share->option, program, share->dir, text);
		return ret;
	}
	virtiofsd_started(fs->daemon);
	fs->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return 0;
}

int vm_fs_create(struct vm *vm, const struct virtio_env *env, const struct vm_fs_share *share,
		 struct virtio_device **dev)
{
	struct vm_fs *fs = calloc(1, sizeof(*fs));
	struct vhost_user vu;
	int ret;

	if (!fs) {
		log_error("out of memory");
		return -ENOMEM;
	}
	fs->vm = vm;
	fs->fd = -1;
	fs->dir = share->dir;
	ret = start(fs, share, &vu);
	if (!ret)
		ret = virtio_fs_create(dev, env, &vu, share->tag, on_lost, fs);
	if (ret) {
		destroy(fs);
		return ret;
	}
	fs->watched = !loop_add(vm->loop, virtiofsd_log_fd(fs->daemon), EPOLLIN, on_message, fs);
	fs->next = vm->fs;
	vm->fs = fs;
	return 0;
}

void vm_fs_hang_up(struct vm *vm)
{
	for (const struct vm_fs *fs = vm->fs; fs; fs = fs->next)
		shutdown(fs->fd, SHUT_RDWR);
}

void vm_fs_destroy(struct vm *vm)
{
	while (vm->fs) {
		struct vm_fs *fs = vm->fs;

		vm->fs = fs->next;
		destroy(fs);
	}
}
