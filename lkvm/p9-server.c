// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages and numbers: Linux include/net/9p/9p.h, and the description of 9P2000.L that diod has
 * (protocol.md).
 *
 * A fid is remembered as a path below the directory and not as an open descriptor, because guests keep one
 * for each name that they cache. A path is resolved anew for each request, without following any link: with
 * openat2(2), or component by component where that is missing.
 */
#include "lkvm/p9-server.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"

#define VERSION "9P2000.L"
/* Linux refuses less. */
#define MIN_MESSAGE 4096u
#define MAX_WALK    16 /* P9_MAXWELEM */

#define MAX_FIDS       (1u << 20)
#define MAX_PATH_BYTES MIB(128) /* of all fids together */
#define BUCKETS        8192u

#define QID_BYTES 13
/* Rread and Rreaddir up to their data. */
#define DATA_HEADER_BYTES (P9_HEADER_BYTES + 4)

enum {
	RLERROR      = 7,
	TSTATFS      = 8,
	TLOPEN       = 12,
	TLCREATE     = 14,
	TSYMLINK     = 16,
	TMKNOD       = 18,
	TRENAME      = 20,
	TREADLINK    = 22,
	TGETATTR     = 24,
	TSETATTR     = 26,
	TXATTRWALK   = 30,
	TXATTRCREATE = 32,
	TREADDIR     = 40,
	TFSYNC       = 50,
	TLOCK        = 52,
	TGETLOCK     = 54,
	TLINK        = 70,
	TMKDIR       = 72,
	TRENAMEAT    = 74,
	TUNLINKAT    = 76,
	TVERSION     = 100,
	TAUTH        = 102,
	TATTACH      = 104,
	TFLUSH       = 108,
	TWALK        = 110,
	TREAD        = 116,
	TWRITE       = 118,
	TCLUNK       = 120,
	TREMOVE      = 122,
};

enum { QT_DIR = 0x80, QT_SYMLINK = 0x02, QT_FILE = 0x00 };

/* P9_DOTL_*: the numbers of the generic arch, whatever this host's are. */
enum {
	DOTL_WRONLY  = 01,
	DOTL_ACCMODE = 03,
	DOTL_EXCL    = 0200,
	DOTL_TRUNC   = 01000,
	DOTL_DSYNC   = 010000,
	DOTL_SYNC    = 04000000,
};

#define DOTL_REMOVEDIR 0x200

/* P9_SETATTR_* */
enum {
	SET_MODE      = 1 << 0,
	SET_UID       = 1 << 1,
	SET_GID       = 1 << 2,
	SET_SIZE      = 1 << 3,
	SET_ATIME     = 1 << 4,
	SET_MTIME     = 1 << 5,
	SET_ATIME_SET = 1 << 7,
	SET_MTIME_SET = 1 << 8,
};

#define GETATTR_BASIC UINT64_C(0x7ff)
#define NO_ID         UINT32_MAX
#define LOCK_UNLCK    2

struct fid {
	struct fid *next;
	uint32_t    id;
	uint32_t    uid;  /* who the guest says that it is */
	int         fd;   /* -1: not open */
	bool        dir;  /* with @fd */
	char       *path; /* below the directory: "usr/bin", "" for itself */
};

struct p9_server {
	int         root; /* O_PATH */
	dev_t       dev;
	bool        readonly;
	bool        by_component; /* there is no openat2(2) */
	bool        give_away;    /* as root: files belong to whom the guest says */
	uint32_t    msize;
	uint32_t    max_open, nr_open;
	uint32_t    nr_fids;
	size_t      path_bytes;
	struct fid *fids[BUCKETS];
};

/* ---- messages ----------------------------------------------------------------------------------- */

struct reader {
	const uint8_t *at;
	size_t         left;
	bool           bad; /* it ended too soon */
};

static const uint8_t *take(struct reader *r, size_t len)
{
	const uint8_t *at = r->at;

	if (r->bad || len > r->left) {
		r->bad = true;
		return NULL;
	}
	r->at += len;
	r->left -= len;
	return at;
}

static uint64_t take_number(struct reader *r, unsigned int bytes)
{
	const uint8_t *at = take(r, bytes);

	return at ? get_le(at, bytes) : 0;
}

static uint16_t take16(struct reader *r)
{
	return (uint16_t)take_number(r, 2);
}

static uint32_t take32(struct reader *r)
{
	return (uint32_t)take_number(r, 4);
}

static uint64_t take64(struct reader *r)
{
	return take_number(r, 8);
}

/* A string, which has no NUL. 0, -ENAMETOOLONG, -EINVAL. */
static int take_text(struct reader *r, char *text, size_t size)
{
	size_t len = take16(r);
	const uint8_t *at = take(r, len);

	text[0] = '\0';
	if (!at)
		return -EINVAL;
	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(text, at, len);
	text[len] = '\0';
	return memchr(text, 0, len) ? -EINVAL : 0;
}

/* Whether it is one in a directory, and stays in it. */
static bool is_name(const char *name)
{
	return name[0] && strcmp(name, ".") && strcmp(name, "..") && !strchr(name, '/');
}

static int take_name(struct reader *r, char name[NAME_MAX + 1])
{
	int ret = take_text(r, name, NAME_MAX + 1);

	return ret || is_name(name) ? ret : -EINVAL;
}

struct writer {
	uint8_t *at;
	size_t   left;
	bool     full; /* more would have been written than there is room for */
};

static void put(struct writer *w, unsigned int bytes, uint64_t v)
{
	if (w->full || bytes > w->left) {
		w->full = true;
		return;
	}
	put_le(w->at, bytes, v);
	w->at += bytes;
	w->left -= bytes;
}

static void put_text(struct writer *w, const char *text, size_t len)
{
	put(w, 2, len);
	if (w->full || len > w->left) {
		w->full = true;
		return;
	}
	memcpy(w->at, text, len);
	w->at += len;
	w->left -= len;
}

/*
 * Guests take equal numbers for the same file, and an inode number is one within its file system only. What
 * is mounted below the directory is told apart in the topmost bits, which few file systems use.
 */
static void put_qid_of(struct writer *w, const struct p9_server *s, uint8_t type, uint32_t version, dev_t dev,
		       ino_t ino)
{
	uint64_t path = (uint64_t)ino;

	if (dev != s->dev)
		path ^= ((uint64_t)dev * UINT64_C(0x9e3779b97f4a7c15) >> 48 | 1) << 48;
	put(w, 1, type);
	put(w, 4, version);
	put(w, 8, path);
}

static void put_qid(struct writer *w, const struct p9_server *s, const struct stat *st)
{
	uint8_t type = S_ISDIR(st->st_mode) ? QT_DIR : S_ISLNK(st->st_mode) ? QT_SYMLINK : QT_FILE;
	uint32_t version = (uint32_t)st->st_mtim.tv_sec ^ (uint32_t)st->st_mtim.tv_nsec ^
			   (uint32_t)st->st_size << 8;

	put_qid_of(w, s, type, version, st->st_dev, st->st_ino);
}

/* ---- paths -------------------------------------------------------------------------------------- */

#define WALK_FLAGS (O_PATH | O_NOFOLLOW | O_CLOEXEC)

static int open_by_component(int root, const char *path, int flags)
{
	int fd = fcntl(root, F_DUPFD_CLOEXEC, 0);
	char name[NAME_MAX + 1];

	if (fd < 0)
		return -errno;
	while (*path) {
		size_t len = strcspn(path, "/");
		int next;

		if (len > NAME_MAX) {
			close(fd);
			return -ENAMETOOLONG;
		}
		memcpy(name, path, len);
		name[len] = '\0';
		next = openat(fd, name, WALK_FLAGS | (path[len] ? O_DIRECTORY : flags));
		if (next < 0)
			next = -errno;
		close(fd);
		if (next < 0)
			return next;
		fd = next;
		path += len + (path[len] == '/');
	}
	return fd;
}

/* Opens @path as O_PATH, and as a directory if @flags is O_DIRECTORY. A descriptor or -errno. */
static int open_path(struct p9_server *s, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(WALK_FLAGS | flags),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	if (*path && !s->by_component) {
		fd = syscall(SYS_openat2, s->root, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		/* EPERM: a container's filter that does not know it. EAGAIN: something is being renamed. */
		if (errno != ENOSYS && errno != EPERM && errno != EAGAIN)
			return -errno;
		s->by_component = errno == ENOSYS;
	}
	return open_by_component(s->root, path, flags);
}

/*
 * Whether what is in the directory @fd is no files but the host's kernel itself: through /proc a guest would
 * get at the memory of lkvm, and of others. Where such a file system is mounted there is a directory for the
 * guest, and nothing in it. 0 or -EACCES.
 */
static int check_files(int fd)
{
	static const uint32_t kernels_own[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, CGROUP_SUPER_MAGIC,
		CGROUP2_SUPER_MAGIC, SECURITYFS_MAGIC, SELINUX_MAGIC, SMACK_MAGIC, BPF_FS_MAGIC, PSTOREFS_MAGIC,
		EFIVARFS_MAGIC, NSFS_MAGIC,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(kernels_own); i++)
		if ((uint32_t)fs.f_type == kernels_own[i])
			return -EACCES;
	return 0;
}

/* Opens the directory @path, as O_PATH, for what is in it. A descriptor or -errno. */
static int open_dir(struct p9_server *s, const char *path)
{
	int fd = open_path(s, path, O_DIRECTORY), ret;

	if (fd < 0)
		return fd;
	ret = check_files(fd);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

/*
 * Where a file is: a directory and a name in it, which are what system calls take that must not follow
 * links.
 */
struct place {
	int         dir;  /* O_PATH */
	const char *name; /* part of the path that it was made of; "." for the top */
};

static int place_open(struct p9_server *s, const char *path, struct place *place)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 0, path);
	place->name = slash ? slash + 1 : *path ? path : ".";
	place->dir = open_dir(s, parent);
	return place->dir < 0 ? place->dir : 0;
}

static void place_close(struct place *place)
{
	close(place->dir);
}

/* "usr" and "bin" are "usr/bin". 0, -ENOMEM or -ENAMETOOLONG. */
static int join(const char *dir, const char *name, char **path)
{
	if (strlen(dir) + 1 + strlen(name) >= PATH_MAX)
		return -ENAMETOOLONG;
	return asprintf(path, "%s%s%s", dir, *dir ? "/" : "", name) < 0 ? -ENOMEM : 0;
}

/* A name for what @fd is, O_PATH or not, for system calls that take no descriptor of that kind. */
struct fd_path { char text[32]; };

static struct fd_path fd_path(int fd)
{
	struct fd_path path;

	snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
	return path;
}

/* ---- fids --------------------------------------------------------------------------------------- */

static struct fid **fid_slot(struct p9_server *s, uint32_t id)
{
	struct fid **slot = &s->fids[(id * UINT32_C(0x9e3779b1)) >> 16 & (BUCKETS - 1)];

	while (*slot && (*slot)->id != id)
		slot = &(*slot)->next;
	return slot;
}

/* NULL: there is none. */
static struct fid *fid_find(struct p9_server *s, uint32_t id)
{
	return *fid_slot(s, id);
}

static struct fid *take_fid(struct p9_server *s, struct reader *r)
{
	return fid_find(s, take32(r));
}

/* Whether @bytes more of paths can be remembered. */
static bool room_for_path(const struct p9_server *s, size_t bytes)
{
	return s->path_bytes + bytes <= MAX_PATH_BYTES;
}

/* Takes @path, also when it fails. */
static int fid_add(struct p9_server *s, uint32_t id, char *path, uint32_t uid)
{
	struct fid **slot = fid_slot(s, id);
	size_t bytes = strlen(path) + 1;
	struct fid *fid = NULL;
	int ret = 0;

	if (*slot || id == NO_ID)
		ret = -EBADF;
	else if (s->nr_fids == MAX_FIDS || !room_for_path(s, bytes))
		ret = -ENFILE;
	else if (!(fid = malloc(sizeof(*fid))))
		ret = -ENOMEM;
	if (ret) {
		free(path);
		return ret;
	}
	*fid = (struct fid){ .id = id, .uid = uid, .fd = -1, .path = path };
	*slot = fid;
	s->nr_fids++;
	s->path_bytes += bytes;
	return 0;
}

static void fid_set_path(struct p9_server *s, struct fid *fid, char *path)
{
	s->path_bytes += strlen(path) - strlen(fid->path);
	free(fid->path);
	fid->path = path;
}

static void fid_close(struct p9_server *s, struct fid *fid)
{
	if (fid->fd < 0)
		return;
	close(fid->fd);
	fid->fd = -1;
	s->nr_open--;
}

static void fid_remove(struct p9_server *s, struct fid **slot)
{
	struct fid *fid = *slot;

	*slot = fid->next;
	fid_close(s, fid);
	s->nr_fids--;
	s->path_bytes -= strlen(fid->path) + 1;
	free(fid->path);
	free(fid);
}

void p9_server_reset(struct p9_server *s)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (s->fids[i])
			fid_remove(s, &s->fids[i]);
	assert(!s->nr_fids && !s->nr_open && !s->path_bytes);
	s->msize = 0;
}

/*
 * What was @from is @to now, and so is all below it. Should there be no room for that, then a fid stays
 * where nothing is any more.
 */
static void fids_renamed(struct p9_server *s, const char *from, const char *to)
{
	size_t len = strlen(from);

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct fid *fid = s->fids[i]; fid; fid = fid->next) {
			char *path;

			if (strncmp(fid->path, from, len) || (fid->path[len] && fid->path[len] != '/') ||
			    strlen(to) + strlen(fid->path + len) >= PATH_MAX ||
			    !room_for_path(s, strlen(to)) || asprintf(&path, "%s%s", to, fid->path + len) < 0)
				continue;
			fid_set_path(s, fid, path);
		}
}

/* ---- the session -------------------------------------------------------------------------------- */

static int do_version(struct p9_server *s, struct reader *r, struct writer *w)
{
	uint32_t wanted = take32(r), msize = MIN(wanted, P9_MAX_MESSAGE);
	char version[32];
	bool known;

	if (take_text(r, version, sizeof(version)) && r->bad)
		return -EINVAL;
	known = !strcmp(version, VERSION);
	if (known && msize < MIN_MESSAGE)
		return -EMSGSIZE;
	p9_server_reset(s);
	s->msize = known ? msize : 0;
	put(w, 4, msize);
	if (known)
		put_text(w, VERSION, strlen(VERSION));
	else
		put_text(w, "unknown", strlen("unknown"));
	return 0;
}

static int do_attach(struct p9_server *s, struct reader *r, struct writer *w)
{
	uint32_t id = take32(r);
	struct stat st;
	uint32_t uid;
	char *path;
	int ret;

	take32(r);            /* no authentication: the guest has all of the directory, or none of it */
	take(r, take16(r));   /* a user's name means nothing here */
	take(r, take16(r));   /* there is one tree */
	uid = take32(r);
	if (r->bad)
		return -EINVAL;
	if (fstat(s->root, &st))
		return -errno;
	path = strdup("");
	ret = path ? fid_add(s, id, path, uid) : -ENOMEM;
	if (!ret)
		put_qid(w, s, &st);
	return ret;
}

static int do_not_supported(struct p9_server *s LKVM_UNUSED, struct reader *r LKVM_UNUSED,
			    struct writer *w LKVM_UNUSED)
{
	return -EOPNOTSUPP;
}

/* Requests are answered one after the other: what is to be flushed has been answered already. */
static int do_flush(struct p9_server *s LKVM_UNUSED, struct reader *r, struct writer *w LKVM_UNUSED)
{
	take16(r);
	return r->bad ? -EINVAL : 0;
}

static int do_clunk(struct p9_server *s, struct reader *r, struct writer *w LKVM_UNUSED)
{
	struct fid **slot = fid_slot(s, take32(r));

	if (r->bad || !*slot)
		return -EBADF;
	fid_remove(s, slot);
	return 0;
}

/* ---- walking ------------------------------------------------------------------------------------ */

static void strip_last(char *path)
{
	char *slash = strrchr(path, '/');

	*(slash ? slash : path) = '\0';
}

/* One step from *@path, which it replaces. */
static int walk_step(struct p9_server *s, struct reader *r, char **path, struct stat *st)
{
	char name[NAME_MAX + 1];
	struct place place;
	char *next = NULL;
	int ret;

	ret = take_text(r, name, sizeof(name));
	if (!ret && !strcmp(name, "..")) {
		next = strdup(*path);
		if (!next)
			return -ENOMEM;
		strip_last(next);
	} else if (!ret) {
		ret = is_name(name) ? join(*path, name, &next) : -EINVAL;
	}
	if (ret)
		return ret;
	ret = place_open(s, next, &place);
	if (!ret) {
		ret = fstatat(place.dir, place.name, st, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
		place_close(&place);
	}
	if (ret) {
		free(next);
		return ret;
	}
	free(*path);
	*path = next;
	return 0;
}

static int do_walk(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);
	uint32_t new_id = take32(r);
	uint16_t nr = take16(r), done;
	struct writer count = *w;
	struct stat st;
	char *path;
	int ret = 0;

	if (r->bad || nr > MAX_WALK)
		return -EINVAL;
	if (!fid || fid->fd >= 0) /* an open one is no place to walk from (walk(5)) */
		return -EBADF;
	path = strdup(fid->path);
	if (!path)
		return -ENOMEM;
	put(w, 2, 0);
	for (done = 0; done < nr; done++) {
		ret = walk_step(s, r, &path, &st);
		if (ret)
			break;
		put_qid(w, s, &st);
	}
	/*
	 * The first name must be there. When a later one is not, then what was found is said, and no fid is
	 * made.
	 */
	if (ret && !done) {
		free(path);
		return ret;
	}
	put(&count, 2, done);
	/* An answer that has no room makes no fid either. */
	if (ret || w->full) {
		free(path);
		return w->full ? -EMSGSIZE : 0;
	}
	if (new_id != fid->id)
		return fid_add(s, new_id, path, fid->uid);
	if (!room_for_path(s, strlen(path))) {
		free(path);
		return -ENFILE;
	}
	fid_set_path(s, fid, path);
	return 0;
}

/* ---- opening ------------------------------------------------------------------------------------ */

/* 0 with a descriptor for what the guest may have open, or -errno. */
static int open_file(struct p9_server *s, const struct place *place, int flags, mode_t mode, int *fd,
		     struct stat *st)
{
	int ret = 0;

	if (s->nr_open == s->max_open)
		return -EMFILE;
	/* O_NONBLOCK: should it be a FIFO after all, or a file of /proc that waits. */
	*fd = openat(place->dir, place->name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode);
	if (*fd < 0)
		return -errno;
	if (fstat(*fd, st))
		ret = -errno;
	else if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		ret = -EOPNOTSUPP;
	else
		ret = check_files(*fd);
	if (ret)
		close(*fd);
	return ret;
}

static int host_flags(uint32_t flags)
{
	static const int access[] = { O_RDONLY, O_WRONLY, O_RDWR };

	/* No O_APPEND: the guest says where each write goes. */
	return access[flags & DOTL_ACCMODE] | (flags & DOTL_TRUNC ? O_TRUNC : 0) |
		(flags & DOTL_SYNC ? O_SYNC : 0) | (flags & DOTL_DSYNC ? O_DSYNC : 0);
}

static int open_existing(struct p9_server *s, const struct place *place, uint32_t flags, int *fd,
			 struct stat *st)
{
	if ((flags & DOTL_ACCMODE) == DOTL_ACCMODE)
		return -EINVAL;
	if (s->readonly && (flags & (DOTL_ACCMODE | DOTL_TRUNC)))
		return -EROFS;
	/* Looked at before, because opening a device can do something. */
	if (fstatat(place->dir, place->name, st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (S_ISLNK(st->st_mode))
		return -ELOOP;
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return -EOPNOTSUPP;
	return open_file(s, place, host_flags(flags), 0, fd, st);
}

static void fid_opened(struct p9_server *s, struct fid *fid, int fd, const struct stat *st,
		       struct writer *w)
{
	fid->fd = fd;
	fid->dir = S_ISDIR(st->st_mode);
	s->nr_open++;
	put_qid(w, s, st);
	put(w, 4, 0); /* iounit: as much as fits in a message */
}

static int do_lopen(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);
	uint32_t flags = take32(r);
	struct place place;
	struct stat st;
	int ret, fd;

	if (r->bad)
		return -EINVAL;
	if (!fid || fid->fd >= 0)
		return -EBADF;
	ret = place_open(s, fid->path, &place);
	if (ret)
		return ret;
	ret = open_existing(s, &place, flags, &fd, &st);
	place_close(&place);
	if (!ret)
		fid_opened(s, fid, fd, &st, w);
	return ret;
}

/* Without what would let others on this host act as the file's owner. */
static mode_t host_mode(uint32_t mode, bool dir)
{
	return mode & (dir ? 03777 : 01777);
}

/*
 * A file was made: it is to have the mode that the guest said, whatever our umask, and as root also the
 * owner. What can't be had is not missed: an ordinary user's files are the user's.
 */
static void settle_new(const struct p9_server *s, int fd, const struct fid *dir, uint32_t gid, mode_t mode)
{
	struct stat st;

	if (s->give_away && fchownat(fd, "", dir->uid, gid, AT_EMPTY_PATH))
		log_debug("9p: cannot give a new file to %u: %s", dir->uid, strerror(errno));
	if (!fstat(fd, &st) && !S_ISLNK(st.st_mode) && (st.st_mode & 07777) != mode &&
	    chmod(fd_path(fd).text, mode))
		log_debug("9p: cannot set the mode of a new file: %s", strerror(errno));
}

static int do_lcreate(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);
	char name[NAME_MAX + 1];
	int bad_name = take_name(r, name);
	uint32_t flags = take32(r), mode = take32(r), gid = take32(r);
	struct place place;
	struct stat st;
	char *path;
	int ret, fd;

	if (r->bad || bad_name)
		return r->bad ? -EINVAL : bad_name;
	if (!fid || fid->fd >= 0)
		return -EBADF;
	if ((flags & DOTL_ACCMODE) == DOTL_ACCMODE)
		return -EINVAL;
	ret = join(fid->path, name, &path);
	if (ret)
		return ret;
	ret = room_for_path(s, strlen(path)) ? place_open(s, path, &place) : -ENFILE;
	if (ret) {
		free(path);
		return ret;
	}
	/* Either it is new, or it is opened like any that exists. */
	ret = open_file(s, &place, host_flags(flags) | O_CREAT | O_EXCL, host_mode(mode, false), &fd, &st);
	if (!ret)
		settle_new(s, fd, fid, gid, host_mode(mode, false));
	else if (ret == -EEXIST && !(flags & DOTL_EXCL))
		ret = open_existing(s, &place, flags, &fd, &st);
	place_close(&place);
	if (ret) {
		free(path);
		return ret;
	}
	fid_set_path(s, fid, path);
	fid_opened(s, fid, fd, &st, w);
	return 0;
}

static int do_read(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);
	uint64_t offset = take64(r);
	uint32_t count = take32(r);
	ssize_t n;

	if (r->bad)
		return -EINVAL;
	if (!fid || fid->fd < 0)
		return -EBADF;
	if (fid->dir)
		return -EISDIR;
	if (offset > INT64_MAX || w->left < 4)
		return -EINVAL;
	n = pread(fid->fd, w->at + 4, MIN((size_t)count, w->left - 4), (off_t)offset);
	if (n < 0)
		return -errno;
	put(w, 4, (uint64_t)n);
	w->at += n;
	w->left -= (size_t)n;
	return 0;
}

static int do_write(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);
	uint64_t offset = take64(r);
	uint32_t count = take32(r);
	const uint8_t *data = take(r, count);
	ssize_t n;

	if (r->bad || offset > INT64_MAX)
		return -EINVAL;
	if (!fid || fid->fd < 0)
		return -EBADF;
	n = pwrite(fid->fd, data, count, (off_t)offset);
	if (n < 0)
		return -errno;
	put(w, 4, (uint64_t)n);
	return 0;
}

static int do_fsync(struct p9_server *s, struct reader *r, struct writer *w LKVM_UNUSED)
{
	struct fid *fid = take_fid(s, r);
	bool data_only = r->left >= 4 && take32(r);

	if (r->bad || !fid || fid->fd < 0)
		return -EBADF;
	return (data_only ? fdatasync(fid->fd) : fsync(fid->fd)) ? -errno : 0;
}

/* ---- attributes --------------------------------------------------------------------------------- */

/*
 * Opens what @fid is, for looking at it and for what is done to attributes. A descriptor that may be
 * O_PATH, or -errno.
 */
static int fid_open_path(struct p9_server *s, const struct fid *fid)
{
	int fd;

	if (!fid)
		return -EBADF;
	if (fid->fd < 0)
		return open_path(s, fid->path, 0);
	/* What is open may have no name any more. */
	fd = fcntl(fid->fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static void put_time(struct writer *w, const struct timespec *ts)
{
	put(w, 8, (uint64_t)ts->tv_sec);
	put(w, 8, (uint64_t)ts->tv_nsec);
}

static int do_getattr(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);
	struct stat st;
	uint32_t dev;
	int fd, ret;

	take64(r); /* what it wants to know: it gets all */
	if (r->bad)
		return -EINVAL;
	fd = fid_open_path(s, fid);
	if (fd < 0)
		return fd;
	ret = fstat(fd, &st) ? -errno : 0;
	close(fd);
	if (ret)
		return ret;
	/* As Linux encodes device numbers in 32 bits (include/linux/kdev_t.h: new_encode_dev). */
	dev = (minor(st.st_rdev) & 0xff) | major(st.st_rdev) << 8 | (minor(st.st_rdev) & ~0xffu) << 12;
	put(w, 8, GETATTR_BASIC);
	put_qid(w, s, &st);
	put(w, 4, st.st_mode);
	put(w, 4, st.st_uid);
	put(w, 4, st.st_gid);
	put(w, 8, st.st_nlink);
	put(w, 8, dev);
	put(w, 8, (uint64_t)st.st_size);
	put(w, 8, (uint64_t)st.st_blksize);
	put(w, 8, (uint64_t)st.st_blocks);
	put_time(w, &st.st_atim);
	put_time(w, &st.st_mtim);
	put_time(w, &st.st_ctim);
	for (int i = 0; i < 4; i++) /* birth, generation, version: not among the basic ones */
		put(w, 8, 0);
	return 0;
}

struct attributes {
	uint32_t valid, mode, uid, gid;
	uint64_t size;
	struct timespec times[2];
};

static void take_time(struct reader *r, struct timespec *ts, bool set, bool to)
{
	uint64_t sec = take64(r), nsec = take64(r);

	ts->tv_sec = (time_t)sec;
	ts->tv_nsec = !set ? UTIME_OMIT : !to ? UTIME_NOW : (long)(nsec % 1000000000);
}

static int set_size(struct p9_server *s, struct fid *fid, uint64_t size)
{
	struct place place;
	struct stat st;
	int ret, fd;

	if (size > INT64_MAX)
		return -EINVAL;
	if (fid->fd >= 0)
		return ftruncate(fid->fd, (off_t)size) ? -errno : 0;
	ret = place_open(s, fid->path, &place);
	if (ret)
		return ret;
	ret = open_existing(s, &place, DOTL_WRONLY, &fd, &st);
	place_close(&place);
	if (ret)
		return ret;
	ret = ftruncate(fd, (off_t)size) ? -errno : 0;
	close(fd);
	return ret;
}

/* @fd may be O_PATH. */
static int set_others(int fd, const struct attributes *a)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (a->valid & (SET_UID | SET_GID) &&
	    fchownat(fd, "", a->valid & SET_UID ? a->uid : NO_ID, a->valid & SET_GID ? a->gid : NO_ID,
		     AT_EMPTY_PATH))
		return -errno;
	if (a->valid & SET_MODE) {
		if (S_ISLNK(st.st_mode))
			return -EOPNOTSUPP;
		if (chmod(fd_path(fd).text, host_mode(a->mode, S_ISDIR(st.st_mode))))
			return -errno;
	}
	/* Through the magic link: it ends at the file itself, even if that is a symbolic link. */
	if (a->valid & (SET_ATIME | SET_MTIME) && utimensat(AT_FDCWD, fd_path(fd).text, a->times, 0))
		return -errno;
	return 0;
}

static int do_setattr(struct p9_server *s, struct reader *r, struct writer *w LKVM_UNUSED)
{
	struct fid *fid = take_fid(s, r);
	struct attributes a = { .valid = take32(r) };
	int ret, fd;

	a.mode = take32(r);
	a.uid = take32(r);
	a.gid = take32(r);
	a.size = take64(r);
	take_time(r, &a.times[0], a.valid & SET_ATIME, a.valid & SET_ATIME_SET);
	take_time(r, &a.times[1], a.valid & SET_MTIME, a.valid & SET_MTIME_SET);
	if (r->bad)
		return -EINVAL;
	fd = fid_open_path(s, fid);
	if (fd < 0)
		return fd;
	/* Where something is mounted it is that file system's own directory that would change. */
	ret = check_files(fd);
	if (!ret && a.valid & SET_SIZE)
		ret = set_size(s, fid, a.size);
	if (!ret)
		ret = set_others(fd, &a);
	close(fd);
	return ret;
}

static int do_statfs(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);
	struct statfs fs;
	int fd, ret;

	if (r->bad)
		return -EINVAL;
	fd = fid_open_path(s, fid);
	if (fd < 0)
		return fd;
	ret = fstatfs(fd, &fs) ? -errno : 0;
	close(fd);
	if (ret)
		return ret;
	put(w, 4, (uint32_t)fs.f_type);
	put(w, 4, (uint32_t)fs.f_bsize);
	put(w, 8, fs.f_blocks);
	put(w, 8, fs.f_bfree);
	put(w, 8, fs.f_bavail);
	put(w, 8, fs.f_files);
	put(w, 8, fs.f_ffree);
	put(w, 8, (uint32_t)fs.f_fsid.__val[0] | (uint64_t)(uint32_t)fs.f_fsid.__val[1] << 32);
	put(w, 4, (uint32_t)fs.f_namelen);
	return 0;
}

/* ---- directories -------------------------------------------------------------------------------- */

/* True if there was room for it. */
static bool put_entry(struct writer *w, const struct p9_server *s, const struct dirent64 *d)
{
	uint8_t type = d->d_type == DT_DIR ? QT_DIR : d->d_type == DT_LNK ? QT_SYMLINK : QT_FILE;
	struct writer next = *w;

	put_qid_of(&next, s, type, 0, s->dev, d->d_ino);
	put(&next, 8, (uint64_t)d->d_off);
	put(&next, 1, d->d_type);
	put_text(&next, d->d_name, strlen(d->d_name));
	if (next.full)
		return false;
	*w = next;
	return true;
}

static int do_readdir(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);
	uint64_t offset = take64(r);
	uint32_t count = take32(r);
	struct writer entries = *w;
	uint64_t buf[1024];
	bool room = true;
	ssize_t n = 0;

	if (r->bad)
		return -EINVAL;
	if (!fid || fid->fd < 0)
		return -EBADF;
	if (!fid->dir)
		return -ENOTDIR;
	if (offset > INT64_MAX || lseek(fid->fd, (off_t)offset, SEEK_SET) < 0)
		return -EINVAL;
	put(&entries, 4, 0);
	entries.left = MIN(entries.left, (size_t)count);
	while (room && (n = getdents64(fid->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; room && at < n;) {
			const struct dirent64 *d = (const void *)((const char *)buf + at);

			room = put_entry(&entries, s, d);
			at += d->d_reclen;
		}
	}
	/* Without room for one entry it would look like the end of the directory. */
	if (entries.full || (!room && entries.at == w->at + 4))
		return -EINVAL;
	if (n < 0 && entries.at == w->at + 4)
		return -errno;
	put(w, 4, (uint64_t)(entries.at - w->at - 4));
	*w = (struct writer){ .at = entries.at };
	return 0;
}

static int do_readlink(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);
	char target[PATH_MAX];
	int fd, ret;
	ssize_t n;

	if (r->bad)
		return -EINVAL;
	fd = fid_open_path(s, fid);
	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", target, sizeof(target));
	/* Where the path is empty, what is no link is not there. */
	ret = n >= 0 ? 0 : errno == ENOENT ? -EINVAL : -errno;
	close(fd);
	if (!ret)
		put_text(w, target, (size_t)n);
	return ret;
}

/* ---- changing directories ----------------------------------------------------------------------- */

/* Opens the directory of @fid. */
static int fid_open_dir(struct p9_server *s, const struct fid *fid)
{
	return fid ? open_dir(s, fid->path) : -EBADF;
}

/* @name was made in @dir: what becomes of it, and its qid. Closes @dir. */
static int finish_new(struct p9_server *s, const struct fid *fid, int dir, const char *name, uint32_t gid,
		      uint32_t mode, struct writer *w)
{
	int fd = openat(dir, name, WALK_FLAGS);
	struct stat st;
	int ret = fd < 0 || fstat(fd, &st) ? -errno : 0;

	if (!ret) {
		settle_new(s, fd, fid, gid, host_mode(mode, S_ISDIR(st.st_mode)));
		put_qid(w, s, &st);
	}
	if (fd >= 0)
		close(fd);
	close(dir);
	return ret;
}

static int do_mkdir(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);
	char name[NAME_MAX + 1];
	int bad_name = take_name(r, name);
	uint32_t mode = take32(r), gid = take32(r);
	int dir;

	if (r->bad || bad_name)
		return r->bad ? -EINVAL : bad_name;
	dir = fid_open_dir(s, fid);
	if (dir < 0)
		return dir;
	if (mkdirat(dir, name, host_mode(mode, true))) {
		int ret = -errno;

		close(dir);
		return ret;
	}
	return finish_new(s, fid, dir, name, gid, mode, w);
}

static int do_symlink(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);
	char name[NAME_MAX + 1], target[PATH_MAX];
	int bad_name = take_name(r, name);
	int bad_target = take_text(r, target, sizeof(target));
	uint32_t gid = take32(r);
	int dir;

	if (r->bad || bad_name || bad_target)
		return r->bad ? -EINVAL : bad_name ? bad_name : bad_target;
	dir = fid_open_dir(s, fid);
	if (dir < 0)
		return dir;
	if (symlinkat(target, dir, name)) {
		int ret = -errno;

		close(dir);
		return ret;
	}
	return finish_new(s, fid, dir, name, gid, 0777, w);
}

static int do_mknod(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);
	char name[NAME_MAX + 1];
	int bad_name = take_name(r, name);
	uint32_t mode = take32(r), gid;
	int dir;

	take64(r); /* major, minor */
	gid = take32(r);
	if (r->bad || bad_name)
		return r->bad ? -EINVAL : bad_name;
	if (!S_ISREG(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode))
		return -EPERM;
	dir = fid_open_dir(s, fid);
	if (dir < 0)
		return dir;
	if (mknodat(dir, name, (mode & S_IFMT) | host_mode(mode, false), 0)) {
		int ret = -errno;

		close(dir);
		return ret;
	}
	return finish_new(s, fid, dir, name, gid, mode, w);
}

static int do_link(struct p9_server *s, struct reader *r, struct writer *w LKVM_UNUSED)
{
	struct fid *to = take_fid(s, r), *from = take_fid(s, r);
	char name[NAME_MAX + 1];
	int bad_name = take_name(r, name);
	struct place place;
	int ret, dir;

	if (r->bad || bad_name)
		return r->bad ? -EINVAL : bad_name;
	if (!from)
		return -EBADF;
	dir = fid_open_dir(s, to);
	if (dir < 0)
		return dir;
	ret = place_open(s, from->path, &place);
	if (!ret) {
		ret = linkat(place.dir, place.name, dir, name, 0) ? -errno : 0;
		place_close(&place);
	}
	close(dir);
	return ret;
}

/* Renames @from, a path, to @name in @to. */
static int rename_to(struct p9_server *s, const char *from, const struct fid *to, const char *name)
{
	struct place place;
	int ret, dir;
	char *path;

	if (!*from)
		return -EBUSY;
	dir = fid_open_dir(s, to);
	if (dir < 0)
		return dir;
	ret = join(to->path, name, &path);
	if (ret) {
		close(dir);
		return ret;
	}
	ret = place_open(s, from, &place);
	if (!ret) {
		ret = renameat(place.dir, place.name, dir, name) ? -errno : 0;
		place_close(&place);
	}
	if (!ret)
		fids_renamed(s, from, path);
	free(path);
	close(dir);
	return ret;
}

static int do_rename(struct p9_server *s, struct reader *r, struct writer *w LKVM_UNUSED)
{
	struct fid *fid = take_fid(s, r), *to = take_fid(s, r);
	char name[NAME_MAX + 1];
	int ret = take_name(r, name);
	char *from;

	if (r->bad || ret)
		return r->bad ? -EINVAL : ret;
	if (!fid)
		return -EBADF;
	from = strdup(fid->path); /* it is renamed as well */
	if (!from)
		return -ENOMEM;
	ret = rename_to(s, from, to, name);
	free(from);
	return ret;
}

static int do_renameat(struct p9_server *s, struct reader *r, struct writer *w LKVM_UNUSED)
{
	struct fid *old = take_fid(s, r), *to;
	char old_name[NAME_MAX + 1], name[NAME_MAX + 1];
	int bad_old = take_name(r, old_name), ret;
	char *from;

	to = take_fid(s, r);
	ret = take_name(r, name);
	if (r->bad || bad_old || ret)
		return r->bad ? -EINVAL : bad_old ? bad_old : ret;
	if (!old)
		return -EBADF;
	ret = join(old->path, old_name, &from);
	if (ret)
		return ret;
	ret = rename_to(s, from, to, name);
	free(from);
	return ret;
}

static int do_unlinkat(struct p9_server *s, struct reader *r, struct writer *w LKVM_UNUSED)
{
	struct fid *fid = take_fid(s, r);
	char name[NAME_MAX + 1];
	int bad_name = take_name(r, name);
	uint32_t flags = take32(r);
	int dir, ret;

	if (r->bad || bad_name)
		return r->bad ? -EINVAL : bad_name;
	dir = fid_open_dir(s, fid);
	if (dir < 0)
		return dir;
	ret = unlinkat(dir, name, flags & DOTL_REMOVEDIR ? AT_REMOVEDIR : 0) ? -errno : 0;
	close(dir);
	return ret;
}

/* The fid is gone whether the file is or not (remove(5)): also where nothing may be changed. */
static int do_remove(struct p9_server *s, struct reader *r, struct writer *w LKVM_UNUSED)
{
	struct fid **slot = fid_slot(s, take32(r));
	struct place place;
	struct stat st;
	int ret;

	if (r->bad || !*slot)
		return -EBADF;
	ret = s->readonly ? -EROFS : !*(*slot)->path ? -EBUSY : place_open(s, (*slot)->path, &place);
	if (!ret) {
		if (fstatat(place.dir, place.name, &st, AT_SYMLINK_NOFOLLOW) ||
		    unlinkat(place.dir, place.name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0))
			ret = -errno;
		place_close(&place);
	}
	fid_remove(s, slot);
	return ret;
}

/* ---- locks -------------------------------------------------------------------------------------- */

/*
 * Locks hold within the guest, whose kernel takes them before it asks here. On the host none are taken: a
 * guest that waits for one would wait for what the thread that serves it has to do.
 */
static int do_lock(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);

	if (r->bad || !fid)
		return -EBADF;
	put(w, 1, 0); /* P9_LOCK_SUCCESS */
	return 0;
}

static int do_getlock(struct p9_server *s, struct reader *r, struct writer *w)
{
	struct fid *fid = take_fid(s, r);
	char client[256];
	uint64_t start, length;
	uint32_t proc;

	take(r, 1); /* type */
	start = take64(r);
	length = take64(r);
	proc = take32(r);
	if (take_text(r, client, sizeof(client)) || r->bad)
		return -EINVAL;
	if (!fid)
		return -EBADF;
	put(w, 1, LOCK_UNLCK);
	put(w, 8, start);
	put(w, 8, length);
	put(w, 4, proc);
	put_text(w, client, strlen(client));
	return 0;
}

/* ---- all of them -------------------------------------------------------------------------------- */

static const struct {
	int (*answer)(struct p9_server *s, struct reader *r, struct writer *w);
	bool changes; /* EROFS where nothing may be changed */
} requests[TREMOVE + 1] = {
	[TSTATFS]      = { do_statfs, false },
	[TLOPEN]       = { do_lopen, false },
	[TLCREATE]     = { do_lcreate, true },
	[TSYMLINK]     = { do_symlink, true },
	[TMKNOD]       = { do_mknod, true },
	[TRENAME]      = { do_rename, true },
	[TREADLINK]    = { do_readlink, false },
	[TGETATTR]     = { do_getattr, false },
	[TSETATTR]     = { do_setattr, true },
	[TXATTRWALK]   = { do_not_supported, false },
	[TXATTRCREATE] = { do_not_supported, false },
	[TREADDIR]     = { do_readdir, false },
	[TFSYNC]       = { do_fsync, false },
	[TLOCK]        = { do_lock, false },
	[TGETLOCK]     = { do_getlock, false },
	[TLINK]        = { do_link, true },
	[TMKDIR]       = { do_mkdir, true },
	[TRENAMEAT]    = { do_renameat, true },
	[TUNLINKAT]    = { do_unlinkat, true },
	[TVERSION]     = { do_version, false },
	[TAUTH]        = { do_not_supported, false },
	[TATTACH]      = { do_attach, false },
	[TFLUSH]       = { do_flush, false },
	[TWALK]        = { do_walk, false },
	[TREAD]        = { do_read, false },
	[TWRITE]       = { do_write, true },
	[TCLUNK]       = { do_clunk, false },
	[TREMOVE]      = { do_remove, false },
};

static int answer(struct p9_server *s, uint8_t type, struct reader *r, struct writer *w)
{
	if (type > TREMOVE || !requests[type].answer)
		return -EOPNOTSUPP;
	if (!s->msize && type != TVERSION)
		return -EPROTO;
	if (s->readonly && requests[type].changes)
		return -EROFS;
	return requests[type].answer(s, r, w);
}

size_t p9_server_answer(struct p9_server *s, const uint8_t *request, size_t len, uint8_t *out, size_t room)
{
	struct writer w = { .at = out + P9_HEADER_BYTES };
	struct reader r;
	uint32_t size;
	uint8_t type;
	int ret = -EINVAL;

	if (room < P9_ERROR_BYTES || len < P9_HEADER_BYTES)
		return 0;
	size = get_le32(request);
	type = request[4];
	if (s->msize)
		room = MIN(room, (size_t)s->msize);
	w.left = room - P9_HEADER_BYTES;
	if (size >= P9_HEADER_BYTES && size <= len && (!s->msize || size <= s->msize)) {
		r = (struct reader){ .at = request + P9_HEADER_BYTES, .left = size - P9_HEADER_BYTES };
		ret = answer(s, type, &r, &w);
	}
	if (!ret && w.full)
		ret = -EMSGSIZE;
	if (ret) {
		type = RLERROR - 1;
		w = (struct writer){ .at = out + P9_HEADER_BYTES, .left = 4 };
		put(&w, 4, (uint64_t)-ret);
	}
	size = (uint32_t)(w.at - out);
	put_le32(out, size);
	out[4] = type + 1;
	memcpy(out + 5, request + 5, 2);
	return size;
}

/* ---- life --------------------------------------------------------------------------------------- */

/* Of the descriptors that this process may have, as many as can be, half of them for the guest. */
static uint32_t open_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 64;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) || getrlimit(RLIMIT_NOFILE, &limit))
			return 64;
	}
	return (uint32_t)MIN((uint64_t)limit.rlim_cur / 2, (uint64_t)MAX_FIDS);
}

int p9_server_create(struct p9_server **out, const char *option, const char *dir, bool readonly)
{
	struct p9_server *s = calloc(1, sizeof(*s));
	struct stat st;
	int ret;

	if (!s) {
		log_error("%s: out of memory for serving %s", option, dir);
		return -ENOMEM;
	}
	s->root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ret = s->root < 0 || fstat(s->root, &st) ? -errno : check_files(s->root);
	if (ret) {
		log_error("%s: cannot share %s: %s", option, dir,
			  ret == -EACCES && s->root >= 0 ? "its file system is one of the kernel's own" : strerror(-ret));
		p9_server_destroy(s);
		return ret;
	}
	s->dev = st.st_dev;
	s->readonly = readonly;
	s->give_away = geteuid() == 0;
	s->max_open = open_files();
	*out = s;
	return 0;
}

void p9_server_destroy(struct p9_server *s)
{
	if (!s)
		return;
	p9_server_reset(s);
	if (s->root >= 0)
		close(s->root);
	free(s);
}
