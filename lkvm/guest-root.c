// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/guest-root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lkvm/log.h"
#include "lkvm/modules.h"

/* Of which only what is written takes room: so nobody has to count what is in the directory. */
#define IMAGE_BYTES GIB(256)
/* Where mke2fs finds the image. */
#define IMAGE_FD    9
#define IMAGE_PATH  "/proc/self/fd/9"

static const struct guest_root by_9p = {
	.fs = "9p", .modules = (const char *const[]){ "9pnet_virtio", "9p", "overlay", NULL },
};
static const struct guest_root by_image = {
	.fs = "ext4", .modules = (const char *const[]){ "ext4", "overlay", NULL },
};

/* ---- an image ----------------------------------------------------------------------------------- */

/* On the PATH of ordinary users such tools are often not. */
static bool find_mke2fs(char *path, size_t size)
{
	static const char *const more[] = { "/usr/sbin", "/sbin", "/usr/local/sbin" };
	const char *dirs = getenv("PATH");

	for (dirs = dirs ? dirs : ""; *dirs; dirs += strspn(dirs, ":")) {
		size_t len = strcspn(dirs, ":");

		if (snprintf(path, size, "%.*s/mke2fs", (int)len, dirs) < (int)size && !access(path, X_OK))
			return true;
		dirs += len;
	}
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		snprintf(path, size, "%s/mke2fs", more[i]);
		if (!access(path, X_OK))
			return true;
	}
	return false;
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
		log_error("--root: %s cannot make an image of %s (it must be that of e2fsprogs, and "
			  "able to read all of it)", mke2fs, dir);
		return -EIO;
	}
	return 0;
}

static int make_image(const char *mke2fs, const struct config *cfg, struct disk **disk)
{
	char tool[PATH_MAX], path[32];
	struct config_disk image = { .path = path, .readonly = true };
	struct stat st, top;
	int ret, fd;

	ret = stat(cfg->root, &st) ? -errno : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	if (ret) {
		log_error("--root %s: %s", cfg->root, strerror(-ret));
		return ret;
	}
	if (!stat("/", &top) && top.st_dev == st.st_dev && top.st_ino == st.st_ino) {
		log_error("--root %s: no image is made of this host's own root, with all that is mounted there: "
			  "use type=9p, or another directory", cfg->root);
		return -EINVAL;
	}
	fd = open_unnamed();
	if (fd < 0)
		return fd;
	snprintf(tool, sizeof(tool), "%s", mke2fs);
	ret = run_mke2fs(tool, cfg->root, fd);
	if (!ret) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ret = disk_open(disk, &image);
	}
	close(fd);
	return ret;
}

/* ---- the choice --------------------------------------------------------------------------------- */

int guest_root_open(struct guest_root *root, const struct config *cfg, struct disk **disk)
{
	enum config_root_type type = cfg->root_type;
	char mke2fs[PATH_MAX];
	bool can_make = find_mke2fs(mke2fs, sizeof(mke2fs));
	int ret;

	*disk = NULL;
	if (type == ROOT_AUTO) {
		/* Without --modules nothing is known of the kernel, and a 9P device costs nothing. */
		ret = cfg->modules && !cfg->root_rw ? modules_offer(cfg, by_9p.modules[0]) : 1;
		if (ret < 0)
			return ret;
		type = ret || !can_make ? ROOT_9P : ROOT_IMAGE;
		log_info("--root: %s is given to the guest %s", cfg->root,
			 type == ROOT_9P ? "by 9P" : "as an image, as there is no 9pnet_virtio in --modules");
	}
	if (type == ROOT_9P) {
		*root = by_9p;
		return 0;
	}
	*root = by_image;
	if (!can_make) {
		log_error("--root: type=image needs mke2fs, which is not on PATH (package e2fsprogs)");
		return -ENOENT;
	}
	return make_image(mke2fs, cfg, disk);
}
