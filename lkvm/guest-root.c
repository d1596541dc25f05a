// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/guest-root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/frame.h"
#include "lkvm/log.h"
#include "lkvm/modules.h"
#include "lkvm/program.h"
#include "lkvm/virtiofsd.h"

/* Of which only what is written takes room: so nobody has to count what is in the directory. */
#define IMAGE_BYTES GIB(256)
/* Where mke2fs finds the image. */
#define IMAGE_FD    9
#define IMAGE_PATH  "/proc/self/fd/9"

static const struct guest_root by_virtiofs = {
	.fs = "virtiofs", .virtiofs = true, .modules = (const char *const[]){ "virtiofs", "overlay", NULL },
};
/* Where nobody knows what the guest's kernel has. */
static const struct guest_root by_either = {
	.fs = GUEST_ROOT_EITHER, .virtiofs = true, .p9 = true, .modules = (const char *const[]){ NULL },
};
static const struct guest_root by_9p = {
	.fs = "9p", .p9 = true, .modules = (const char *const[]){ "9pnet_virtio", "9p", "overlay", NULL },
};
static const struct guest_root by_image = {
	.fs = "ext4", .image = true, .modules = (const char *const[]){ "ext4", "overlay", NULL },
};

/* ---- an image ----------------------------------------------------------------------------------- */

static bool find_mke2fs(char *path, size_t size)
{
	/* On the PATH of ordinary users such tools are often not. */
	static const char *const more[] = { "/usr/sbin", "/sbin", "/usr/local/sbin", NULL };

	return program_find("mke2fs", more, path, size);
}

/* A file that goes when its descriptor does: on a disk if there is one that can do that. */
static int open_unnamed(void)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir && *dir ? dir : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		fd = memfd_create("lkvm-root", MFD_CLOEXEC);
	if (fd >= 0 && !ftruncate(fd, (off_t)IMAGE_BYTES))
		return fd;
	log_error("--root: cannot make a file for the image: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -EIO;
}

/* Its messages go where ours do. 0, or -EIO (reported). */
static int run_mke2fs(char *mke2fs, char *dir, int fd)
{
	static char name[] = "mke2fs";
	char *argv[] = {
		name, (char[]){ "-q" }, (char[]){ "-F" }, (char[]){ "-t" }, (char[]){ "ext4" },
		(char[]){ "-m" }, (char[]){ "0" }, (char[]){ "-O" }, (char[]){ "^has_journal,^resize_inode" },
		(char[]){ "-E" }, (char[]){ "lazy_itable_init=1,nodiscard" }, (char[]){ "-d" }, dir,
		(char[]){ IMAGE_PATH }, NULL,
	};
	posix_spawn_file_actions_t files;
	int err, status = 0;
	pid_t pid, ended;

	posix_spawn_file_actions_init(&files);
	err = posix_spawn_file_actions_adddup2(&files, fd, IMAGE_FD);
	if (!err)
		err = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	if (!err)
		err = posix_spawn(&pid, mke2fs, &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	if (err) {
		log_error("--root: cannot run %s: %s", mke2fs, strerror(err));
		return -EIO;
	}
	do
		ended = waitpid(pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	if (ended < 0) {
		log_error("--root: cannot tell how %s ended: %s (is SIGCHLD ignored where lkvm is started?)", mke2fs,
			  strerror(errno));
		return -EIO;
	}
	if (status) {
		log_error("--root: %s cannot make an image of %s (it must be that of e2fsprogs 1.43 or later, and "
			  "able to read all of it)", mke2fs, dir);
		return -EIO;
	}
	return 0;
}

int guest_root_make_image(const struct config *cfg, struct disk **disk)
{
	char mke2fs[PATH_MAX], path[32];
	struct config_disk image = { .path = path, .readonly = true };
	struct stat st, top;
	int ret, fd;

	if (!find_mke2fs(mke2fs, sizeof(mke2fs))) {
		log_error("--root: type=image needs the mke2fs of e2fsprogs, not that of busybox, and it is not on PATH (package e2fsprogs)");
		return -ENOENT;
	}
	ret = stat(cfg->root, &st) ? -errno : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	if (ret) {
		log_error("--root %s: %s", cfg->root, strerror(-ret));
		return ret;
	}
	if (!stat("/", &top) && top.st_dev == st.st_dev && top.st_ino == st.st_ino) {
		log_error("--root %s: no image is made of this host's own root, with all that is mounted there: "
			  "use type=virtiofs or 9p, or another directory", cfg->root);
		return -EINVAL;
	}
	fd = open_unnamed();
	if (fd < 0)
		return fd;
	ret = run_mke2fs(mke2fs, cfg->root, fd);
	if (!ret) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ret = disk_open(disk, &image);
	}
	close(fd);
	return ret;
}

/* ---- the choice --------------------------------------------------------------------------------- */

/* The host's /proc, for instance, which 9P leaves out, and virtiofsd would hand out. */
static bool has_mounts(const char *dir)
{
	char path[PATH_MAX];
	const struct mntent *m;
	bool found = false;
	size_t len;
	FILE *f;

	if (!realpath(dir, path))
		return false; /* whoever serves it says it better */
	len = strcmp(path, "/") ? strlen(path) : 0;
	f = setmntent("/proc/self/mounts", "re");
	if (!f)
		return true;
	while (!found && (m = getmntent(f)))
		found = !strncmp(m->mnt_dir, path, len) && m->mnt_dir[len] == '/' && m->mnt_dir[len + 1];
	endmntent(f);
	return found;
}

const char *guest_root_no_virtiofs(const struct config *cfg)
{
	char path[PATH_MAX];
	struct rlimit file;

	if (config_legacy_virtio(cfg))
		return "virtio-fs does not exist on legacy virtio";
	if (!virtiofsd_find(path, sizeof(path)))
		return "there is no virtiofsd";
	/* What other processes share is a file for that. */
	if (!getrlimit(RLIMIT_FSIZE, &file) && file.rlim_cur < cfg->ram_bytes)
		return "its memory could not be shared (ulimit -f)";
	if (has_mounts(cfg->root))
		return "there are mounts in it";
	return virtiofsd_has_room() ? NULL : "virtiofsd may not open enough files (ulimit -Hn)";
}

/* Without --modules nothing is known of the kernel. */
static int choose(struct guest_root *root, const struct config *cfg, const char *no_virtiofs)
{
	char path[PATH_MAX];
	int has;

	if (!no_virtiofs) {
		has = cfg->modules ? modules_offer(cfg, by_virtiofs.modules[0]) : 1;
		if (has < 0)
			return has;
		if (has) {
			*root = cfg->modules ? by_virtiofs : by_either;
			log_info("--root: %s is given to the guest by virtio-fs%s", cfg->root,
				 root->p9 ? ", and by 9P in case its kernel knows nothing else" : "");
			return 0;
		}
		no_virtiofs = "there is no virtiofs in --modules";
	}
	/* A 9P device costs nothing, and an image cannot be written to. */
	has = cfg->modules && !cfg->root_rw ? modules_offer(cfg, by_9p.modules[0]) : 1;
	if (has < 0)
		return has;
	if (has || !find_mke2fs(path, sizeof(path))) {
		*root = by_9p;
		log_info("--root: %s is given to the guest by 9P, as %s", cfg->root, no_virtiofs);
	} else {
		*root = by_image;
		log_info("--root: %s is given to the guest as an image, as %s, and no 9pnet_virtio in --modules",
			 cfg->root, no_virtiofs);
	}
	return 0;
}

int guest_root_choose(struct guest_root *root, const struct config *cfg, const char *no_virtiofs)
{
	switch (cfg->root_type) {
	case ROOT_AUTO:
		return choose(root, cfg, no_virtiofs);
	case ROOT_VIRTIOFS:
		*root = by_virtiofs;
		return 0;
	case ROOT_9P:
		*root = by_9p;
		return 0;
	case ROOT_IMAGE:
		break;
	}
	*root = by_image;
	return 0;
}
