// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SUFFIX  ".sock"
#define BACKLOG 16
/* How long somebody who has a name may take to say so. */
#define GREETING_MS 1000
#define MAX_DIRS 3
#define DIR_BYTES 512
/* guest-PID is taken only where several PID namespaces share a directory. */
#define MAX_AUTO_NAMES 1000

/* Candidate @index for the directory; false if there is none. */
static bool dir_path(unsigned int index, char *path, size_t size)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	int n = -1;

	switch (index) {
	case 0:
		if (xdg && xdg[0] == '/')
			n = snprintf(path, size, "%s/lkvm", xdg);
		break;
	case 1:
		n = snprintf(path, size, "/run/user/%u/lkvm", (unsigned int)geteuid());
		break;
	case 2:
		n = snprintf(path, size, "/tmp/lkvm-%u", (unsigned int)geteuid());
		break;
	}
	return n > 0 && (size_t)n < size;
}

/* Opens directory @path, which must be ours alone: anybody can make things in /tmp. fd or -errno. */
static int dir_open(const char *path, bool create)
{
	struct stat st;
	int fd;

	if (create && mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || st.st_uid != geteuid() || (st.st_mode & 077)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

/* The address of @name in directory @path, open as @dir_fd. */
static int make_address(struct sockaddr_un *addr, const char *path, int dir_fd, const char *name)
{
	int n;

	addr->sun_family = AF_UNIX;
	n = snprintf(addr->sun_path, sizeof(addr->sun_path), "%s/%s" SUFFIX, path, name);
	/* Paths can be longer than an address: then by a short way, which takes the kernel longer. */
	if (n < 0 || (size_t)n >= sizeof(addr->sun_path))
		n = snprintf(addr->sun_path, sizeof(addr->sun_path), "/proc/self/fd/%d/%s" SUFFIX, dir_fd, name);
	return n > 0 && (size_t)n < sizeof(addr->sun_path) ? 0 : -ENAMETOOLONG;
}

/* fd, -ECONNREFUSED (nobody listens), -ENOENT or -errno. */
static int connect_in(const char *path, int dir_fd, const char *name, int flags)
{
	struct sockaddr_un addr;
	int fd, ret;

	ret = make_address(&addr, path, dir_fd, name);
	if (ret)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr))) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

/*
 * A process that was killed listens on while the kernel takes its VM apart. A living one greets; one that has not
 * got so far yet is given the benefit of the doubt. Takes @fd.
 */
static bool is_alive(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int n = poll(&pfd, 1, GREETING_MS);
	bool alive = n <= 0;
	char byte;

	if (n > 0)
		alive = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
	close(fd);
	return alive;
}

/* 0 if a living guest answers to @name, else -ECONNREFUSED (a dead one's socket), -ENOENT or -errno. */
static int probe_name(const char *path, int dir_fd, const char *name)
{
	for (;;) {
		int fd = connect_in(path, dir_fd, name, SOCK_NONBLOCK);

		if (fd < 0)
			return fd == -EAGAIN ? 0 : fd; /* alive, and many want to talk to it */
		if (is_alive(fd))
			return 0;
	}
}

/* Whether a living guest has @name; a dead one's socket is removed. With the directory locked. */
static bool name_taken(const char *path, int dir_fd, const char *name)
{
	char file[REGISTRY_NAME_BYTES + sizeof(SUFFIX)];
	int ret;

	snprintf(file, sizeof(file), "%s" SUFFIX, name);
	ret = probe_name(path, dir_fd, name);
	if (ret == -ECONNREFUSED) {
		unlinkat(dir_fd, file, 0);
		return false;
	}
	return ret != -ENOENT;
}

/*
 * The same in all directories from @first on, and nothing is removed. No lock is taken: the caller holds one, and
 * among these is its own directory under another name where XDG_RUNTIME_DIR is what it usually is, /run/user/UID.
 */
static bool name_taken_elsewhere(const char *name, unsigned int first)
{
	bool taken = false;
	char path[DIR_BYTES];

	for (unsigned int i = first; i < MAX_DIRS && !taken; i++) {
		char socket[DIR_BYTES + REGISTRY_NAME_BYTES + sizeof(SUFFIX)];
		int dir_fd;

		if (!dir_path(i, path, sizeof(path)))
			continue;
		/* Whether it is ours to ask matters only if it is there. */
		snprintf(socket, sizeof(socket), "%s/%s" SUFFIX, path, name);
		if (access(socket, F_OK) && errno == ENOENT)
			continue;
		dir_fd = dir_open(path, false);
		if (dir_fd < 0)
			continue;
		taken = probe_name(path, dir_fd, name) == 0;
		close(dir_fd);
	}
	return taken;
}

/* bind() in the directory, which is locked; a dead guest's socket makes room. 0, -EEXIST or -errno. */
static int bind_in(const char *path, int dir_fd, int fd, const char *name)
{
	struct sockaddr_un addr;
	int ret = make_address(&addr, path, dir_fd, name);

	if (ret)
		return ret;
	/* Mostly nobody has the name, and to ask before would cost more than to be told. */
	if (!bind(fd, (const struct sockaddr *)&addr, sizeof(addr)))
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (name_taken(path, dir_fd, name))
		return -EEXIST;
	return bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;
}

/* The inode of @name's socket. 0 or -errno. */
static int find_inode(int dir_fd, const char *name, uint64_t *inode)
{
	char file[REGISTRY_NAME_BYTES + sizeof(SUFFIX)];
	struct stat st;

	snprintf(file, sizeof(file), "%s" SUFFIX, name);
	if (fstatat(dir_fd, file, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	*inode = st.st_ino;
	return 0;
}

/* With the directory locked. */
static int listen_as(struct registry_entry *entry, const char *path, const char *name, bool automatic)
{
	int ret;

	entry->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (entry->fd < 0)
		return -errno;
	ret = bind_in(path, entry->dir_fd, entry->fd, name);
	if (!ret && !automatic)
		ret = find_inode(entry->dir_fd, name, &entry->inode);
	if (!ret && listen(entry->fd, BACKLOG))
		ret = -errno;
	if (ret) {
		close(entry->fd);
		entry->fd = -1;
		return ret;
	}
	/* registry_add() has looked at its length. */
	strcpy(entry->name, name);
	return 0;
}

/* Others may be in the directories from @elsewhere on. */
static int add_in(struct registry_entry *entry, const char *path, const char *name, unsigned int elsewhere)
{
	char automatic[REGISTRY_NAME_BYTES];
	int ret = -EEXIST;

	/* Two that start at once must not take each other's socket for a dead one's. */
	flock(entry->dir_fd, LOCK_EX);
	for (unsigned int i = 1; ret == -EEXIST && i <= (name ? 1 : MAX_AUTO_NAMES); i++) {
		if (i == 1)
			snprintf(automatic, sizeof(automatic), "guest-%d", (int)getpid());
		else
			snprintf(automatic, sizeof(automatic), "guest-%d-%u", (int)getpid(), i);
		if (name_taken_elsewhere(name ? name : automatic, elsewhere))
			continue;
		ret = listen_as(entry, path, name ? name : automatic, !name);
	}
	flock(entry->dir_fd, LOCK_UN);
	return ret;
}

int registry_add(struct registry_entry *entry, const char *name)
{
	bool usable = false; /* a directory before */
	char path[DIR_BYTES];
	int ret = -ENOENT;

	*entry = REGISTRY_ENTRY_NONE;
	if (name && strlen(name) >= REGISTRY_NAME_BYTES)
		return -ENAMETOOLONG;
	for (unsigned int i = 0; i < MAX_DIRS; i++) {
		if (!dir_path(i, path, sizeof(path)))
			continue;
		entry->dir_fd = dir_open(path, true);
		if (entry->dir_fd < 0) {
			ret = entry->dir_fd;
			continue;
		}
		ret = add_in(entry, path, name, usable ? 0 : i + 1);
		usable = true;
		if (!ret)
			return 0;
		close(entry->dir_fd);
		*entry = REGISTRY_ENTRY_NONE;
		if (ret == -EEXIST)
			return ret;
	}
	return ret;
}

void registry_remove(struct registry_entry *entry)
{
	char file[REGISTRY_NAME_BYTES + sizeof(SUFFIX)];
	uint64_t inode;

	if (entry->dir_fd < 0)
		return;
	/* It stands for this process until it ends. Only if somebody removed it can another have taken the name. */
	if (entry->inode)
		flock(entry->dir_fd, LOCK_EX);
	snprintf(file, sizeof(file), "%s" SUFFIX, entry->name);
	if (!entry->inode || (!find_inode(entry->dir_fd, entry->name, &inode) && inode == entry->inode))
		unlinkat(entry->dir_fd, file, 0);
	close(entry->fd);
	close(entry->dir_fd);
	*entry = REGISTRY_ENTRY_NONE;
}

int registry_connect(const char *name)
{
	char path[DIR_BYTES];
	int ret = -ENOENT;

	if (!name[0] || name[0] == '.' || strchr(name, '/') || strlen(name) >= REGISTRY_NAME_BYTES)
		return -ENOENT;
	for (unsigned int i = 0; i < MAX_DIRS && ret == -ENOENT; i++) {
		int dir_fd;

		if (!dir_path(i, path, sizeof(path)))
			continue;
		dir_fd = dir_open(path, false);
		if (dir_fd < 0)
			continue;
		ret = connect_in(path, dir_fd, name, 0);
		if (ret == -ECONNREFUSED) {
			/* Looked at again with the lock held: somebody may just be starting. */
			flock(dir_fd, LOCK_EX);
			ret = name_taken(path, dir_fd, name) ? connect_in(path, dir_fd, name, 0) : -ENOENT;
		}
		close(dir_fd);
	}
	return ret;
}

/* ---- all names ---------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(char ***names, size_t *nr, const char *name, size_t len)
{
	char **more;

	for (size_t i = 0; i < *nr; i++)
		if (strlen((*names)[i]) == len && !memcmp((*names)[i], name, len))
			return 0;
	more = realloc(*names, (*nr + 2) * sizeof(**names));
	if (!more)
		return -ENOMEM;
	*names = more;
	more[*nr] = strndup(name, len);
	if (!more[*nr])
		return -ENOMEM;
	more[++*nr] = NULL;
	return 0;
}

static int add_names_in(char ***names, size_t *nr, const char *path)
{
	int fd = dir_open(path, false);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	int ret = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (!ret && (d = readdir(dir))) {
		size_t len = strlen(d->d_name);
		size_t suffix = strlen(SUFFIX);

		if (len > suffix && d->d_name[0] != '.' && !strcmp(d->d_name + len - suffix, SUFFIX))
			ret = add_name(names, nr, d->d_name, len - suffix);
	}
	closedir(dir);
	return ret;
}

int registry_names(char ***names)
{
	char path[DIR_BYTES];
	size_t nr = 0;
	int ret = 0;

	*names = calloc(1, sizeof(**names));
	if (!*names)
		return -ENOMEM;
	for (unsigned int i = 0; i < MAX_DIRS && !ret; i++)
		if (dir_path(i, path, sizeof(path)))
			ret = add_names_in(names, &nr, path);
	if (ret) {
		registry_free_names(*names);
		*names = NULL;
		return ret;
	}
	qsort(*names, nr, sizeof(**names), compare_names);
	return 0;
}

void registry_free_names(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}
