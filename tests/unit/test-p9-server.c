// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 9P server on a real directory, by messages as a guest sends them; also by those that none should
 * send.
 */
#include "lkvm/p9-server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lkvm/byteorder.h"
#include "tests/unit/test.h"

enum {
	TSTATFS = 8, TLOPEN = 12, TLCREATE = 14, TSYMLINK = 16, TMKNOD = 18, TRENAME = 20, TREADLINK = 22,
	TGETATTR = 24, TSETATTR = 26, TXATTRWALK = 30, TXATTRCREATE = 32, TREADDIR = 40, TFSYNC = 50, TLOCK = 52,
	TGETLOCK = 54, TLINK = 70, TMKDIR = 72, TRENAMEAT = 74, TUNLINKAT = 76, TVERSION = 100, TAUTH = 102,
	TATTACH = 104, TFLUSH = 108, TWALK = 110, TREAD = 116, TWRITE = 118, TCLUNK = 120, TREMOVE = 122,
};

#define RDONLY 0u
#define WRONLY 1u
#define RDWR   2u
#define EXCL   0200u
#define TRUNC  01000u

#define MSIZE 65536u
#define ROOT  0u /* the fid of the directory */

struct fixture {
	struct p9_server *server;
	char     base[64];     /* holds "secret", "export" */
	char     dir[80];
	uint8_t  request[MSIZE];
	size_t   len;
	uint8_t  answer[MSIZE + 64];
	size_t   room;
	const uint8_t *at;     /* in the answer, behind its header */
	const uint8_t *end;
};

/* ---- a message ---------------------------------------------------------------------------------- */

static void begin(struct fixture *f, uint8_t type)
{
	f->request[4] = type;
	put_le16(f->request + 5, 0x1234);
	f->len = P9_HEADER_BYTES;
}

static void add(struct fixture *f, unsigned int bytes, uint64_t v)
{
	put_le(f->request + f->len, bytes, v);
	f->len += bytes;
}

static void add32(struct fixture *f, uint32_t v)
{
	add(f, 4, v);
}

static void add_bytes(struct fixture *f, const void *data, size_t len)
{
	memcpy(f->request + f->len, data, len);
	f->len += len;
}

static void add_text(struct fixture *f, const char *text)
{
	add(f, 2, strlen(text));
	add_bytes(f, text, strlen(text));
}

/* Sends it: 0, or the errno of the answer. */
static uint32_t call(struct fixture *f)
{
	uint8_t type = f->request[4];
	size_t n;

	put_le32(f->request, (uint32_t)f->len);
	memset(f->answer, 0xaa, sizeof(f->answer));
	n = p9_server_answer(f->server, f->request, f->len, f->answer, f->room);
	CHECK(n >= P9_HEADER_BYTES && n <= f->room);
	CHECK_EQ(get_le32(f->answer), n);
	CHECK_EQ(get_le16(f->answer + 5), 0x1234);
	for (size_t i = f->room; i < sizeof(f->answer); i++)
		if (f->answer[i] != 0xaa) {
			test_fail(__FILE__, __LINE__, "byte %zu was written, and there is no room", i);
			break;
		}
	f->at = f->answer + P9_HEADER_BYTES;
	f->end = f->answer + n;
	if (f->answer[4] == 7) {
		CHECK_EQ(n, P9_ERROR_BYTES);
		return get_le32(f->at);
	}
	CHECK_EQ(f->answer[4], type + 1);
	return 0;
}

static uint64_t got(struct fixture *f, unsigned int bytes)
{
	uint64_t v;

	if (f->end - f->at < (ptrdiff_t)bytes) {
		test_fail(__FILE__, __LINE__, "the answer is too short");
		return 0;
	}
	v = get_le(f->at, bytes);
	f->at += bytes;
	return v;
}

/* The type of a qid. */
static uint8_t got_qid(struct fixture *f)
{
	uint8_t type = (uint8_t)got(f, 1);

	got(f, 4);
	got(f, 8);
	return type;
}

static void got_all(struct fixture *f)
{
	CHECK_EQ(f->end - f->at, 0);
}

/* ---- requests ----------------------------------------------------------------------------------- */

static uint32_t version(struct fixture *f, uint32_t msize, const char *text)
{
	begin(f, TVERSION);
	add32(f, msize);
	add_text(f, text);
	return call(f);
}

static uint32_t attach(struct fixture *f, uint32_t fid)
{
	begin(f, TATTACH);
	add32(f, fid);
	add32(f, UINT32_MAX);
	add_text(f, "nobody");
	add_text(f, "/");
	add32(f, (uint32_t)geteuid());
	return call(f);
}

/* @path has slashes between its names. */
static uint32_t walk(struct fixture *f, uint32_t fid, uint32_t new_fid, const char *path)
{
	char copy[PATH_MAX], *save = NULL;
	uint16_t nr = 0;
	size_t at;

	begin(f, TWALK);
	add32(f, fid);
	add32(f, new_fid);
	at = f->len;
	add(f, 2, 0);
	snprintf(copy, sizeof(copy), "%s", path);
	for (char *name = strtok_r(copy, "/", &save); name; name = strtok_r(NULL, "/", &save), nr++)
		add_text(f, name);
	put_le16(f->request + at, nr);
	return call(f);
}

static uint32_t simple(struct fixture *f, uint8_t type, uint32_t fid)
{
	begin(f, type);
	add32(f, fid);
	return call(f);
}

static uint32_t lopen(struct fixture *f, uint32_t fid, uint32_t flags)
{
	begin(f, TLOPEN);
	add32(f, fid);
	add32(f, flags);
	return call(f);
}

static uint32_t lcreate(struct fixture *f, uint32_t fid, const char *name, uint32_t flags, uint32_t mode)
{
	begin(f, TLCREATE);
	add32(f, fid);
	add_text(f, name);
	add32(f, flags);
	add32(f, mode);
	add32(f, (uint32_t)getegid());
	return call(f);
}

static uint32_t io(struct fixture *f, uint8_t type, uint32_t fid, uint64_t offset, uint32_t count)
{
	begin(f, type);
	add32(f, fid);
	add(f, 8, offset);
	add32(f, count);
	return call(f);
}

static uint32_t write_at(struct fixture *f, uint32_t fid, uint64_t offset, const char *text)
{
	begin(f, TWRITE);
	add32(f, fid);
	add(f, 8, offset);
	add32(f, (uint32_t)strlen(text));
	add_bytes(f, text, strlen(text));
	return call(f);
}

static uint32_t getattr(struct fixture *f, uint32_t fid)
{
	begin(f, TGETATTR);
	add32(f, fid);
	add(f, 8, 0x7ff);
	return call(f);
}

static uint32_t setattr(struct fixture *f, uint32_t fid, uint32_t valid, uint32_t mode, uint64_t size,
			uint64_t mtime)
{
	begin(f, TSETATTR);
	add32(f, fid);
	add32(f, valid);
	add32(f, mode);
	add32(f, (uint32_t)geteuid());
	add32(f, (uint32_t)getegid());
	add(f, 8, size);
	add(f, 8, 0);
	add(f, 8, 0);
	add(f, 8, mtime);
	add(f, 8, 5);
	return call(f);
}

static uint32_t make(struct fixture *f, uint8_t type, uint32_t dir, const char *name, uint32_t mode)
{
	begin(f, type);
	add32(f, dir);
	add_text(f, name);
	add32(f, mode);
	if (type == TMKNOD)
		add(f, 8, 0);
	add32(f, (uint32_t)getegid());
	return call(f);
}

static uint32_t make_link(struct fixture *f, uint32_t dir, const char *name, const char *target)
{
	begin(f, TSYMLINK);
	add32(f, dir);
	add_text(f, name);
	add_text(f, target);
	add32(f, (uint32_t)getegid());
	return call(f);
}

static uint32_t unlinkat_(struct fixture *f, uint32_t dir, const char *name, uint32_t flags)
{
	begin(f, TUNLINKAT);
	add32(f, dir);
	add_text(f, name);
	add32(f, flags);
	return call(f);
}

static uint32_t renameat_(struct fixture *f, uint32_t from, const char *name, uint32_t to, const char *new_name)
{
	begin(f, TRENAMEAT);
	add32(f, from);
	add_text(f, name);
	add32(f, to);
	add_text(f, new_name);
	return call(f);
}

/* ---- the directory ------------------------------------------------------------------------------ */

static const char *in_dir(const struct fixture *f, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return path;
}

static void put_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	CHECK(out && fputs(text, out) >= 0 && !fclose(out));
}

/* The file is there, and holds just that. */
static bool file_is(const struct fixture *f, const char *name, const char *text)
{
	char buf[256];
	FILE *in = fopen(in_dir(f, name), "r");
	size_t n = in ? fread(buf, 1, sizeof(buf), in) : 0;
	bool same = in && n == strlen(text) && !memcmp(buf, text, n);

	if (in)
		fclose(in);
	return same;
}

static bool exists(const struct fixture *f, const char *name)
{
	struct stat st;

	return !lstat(in_dir(f, name), &st);
}

static void remove_tree(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, "..")) {
			if (unlinkat(fd, d->d_name, 0))
				remove_tree(fd, d->d_name);
		}
	if (dir)
		closedir(dir);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static void setup(struct fixture *f, bool readonly)
{
	memset(f, 0, sizeof(*f));
	f->room = MSIZE;
	snprintf(f->base, sizeof(f->base), "/tmp/lkvm-test-p9-XXXXXX");
	CHECK(mkdtemp(f->base));
	snprintf(f->dir, sizeof(f->dir), "%s/export", f->base);
	CHECK_EQ(mkdir(f->dir, 0755), 0);
	put_file(in_dir(f, "../secret"), "secret");
	put_file(in_dir(f, "file"), "hello");
	CHECK_EQ(mkdir(in_dir(f, "sub"), 0755), 0);
	put_file(in_dir(f, "sub/inner"), "inner");
	CHECK_EQ(symlink("../secret", in_dir(f, "out")), 0);
	CHECK_EQ(symlink("..", in_dir(f, "up")), 0);
	CHECK_EQ(mkfifo(in_dir(f, "fifo"), 0600), 0);
	CHECK_EQ(p9_server_create(&f->server, "--9p", f->dir, readonly), 0);
	CHECK_EQ(version(f, MSIZE, "9P2000.L"), 0);
	CHECK_EQ(got(f, 4), MSIZE);
	CHECK_EQ(attach(f, ROOT), 0);
	CHECK_EQ(got_qid(f), 0x80);
	got_all(f);
}

static void teardown(struct fixture *f)
{
	p9_server_destroy(f->server);
	remove_tree(AT_FDCWD, f->base);
}

/* ---- tests -------------------------------------------------------------------------------------- */

static void test_version(void)
{
	struct fixture f;

	setup(&f, true);
	CHECK_EQ(version(&f, UINT32_MAX, "9P2000.L"), 0);
	CHECK_EQ(got(&f, 4), P9_MAX_MESSAGE);
	CHECK_EQ(got(&f, 2), 8);
	CHECK(!memcmp(f.at, "9P2000.L", 8));
	/* Fids of the session before are gone. */
	CHECK_EQ(walk(&f, ROOT, 1, ""), EBADF);
	CHECK_EQ(version(&f, 100, "9P2000.L"), EMSGSIZE);
	CHECK_EQ(version(&f, 8192, "9P2000"), 0);
	CHECK_EQ(got(&f, 4), 8192);
	CHECK_EQ(got(&f, 2), 7);
	CHECK(!memcmp(f.at, "unknown", 7));
	/* Without a version there is no session. */
	CHECK_EQ(attach(&f, ROOT), EPROTO);
	teardown(&f);
}

static void test_walk(void)
{
	struct fixture f;

	setup(&f, true);
	CHECK_EQ(walk(&f, ROOT, 1, "sub/inner"), 0);
	CHECK_EQ(got(&f, 2), 2);
	CHECK_EQ(got_qid(&f), 0x80);
	CHECK_EQ(got_qid(&f), 0);
	got_all(&f);
	CHECK_EQ(walk(&f, ROOT, 1, "sub"), EBADF); /* in use */
	CHECK_EQ(walk(&f, ROOT, 2, "nothing"), ENOENT);
	/* What was found is said, and there is no new fid. */
	CHECK_EQ(walk(&f, ROOT, 2, "sub/nothing"), 0);
	CHECK_EQ(got(&f, 2), 1);
	got_qid(&f);
	got_all(&f);
	CHECK_EQ(simple(&f, TCLUNK, 2), EBADF);
	CHECK_EQ(walk(&f, ROOT, 2, "file/x"), 0);
	CHECK_EQ(got(&f, 2), 1);
	/* A clone, and walking in place. */
	CHECK_EQ(walk(&f, ROOT, 3, ""), 0);
	CHECK_EQ(got(&f, 2), 0);
	CHECK_EQ(walk(&f, 3, 3, "sub"), 0);
	CHECK_EQ(walk(&f, 3, 4, "inner"), 0);
	CHECK_EQ(walk(&f, 3, UINT32_MAX, "inner"), EBADF);
	CHECK_EQ(walk(&f, 77, 5, ""), EBADF);
	CHECK_EQ(walk(&f, ROOT, 5, "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"), EINVAL);
	/* No room for the answer: nothing has happened. */
	f.room = P9_HEADER_BYTES + 4 + 13;
	CHECK_EQ(walk(&f, ROOT, 5, "sub/inner"), EMSGSIZE);
	CHECK_EQ(simple(&f, TCLUNK, 5), EBADF);
	teardown(&f);
}

/* No way leads out. */
static void test_beneath(void)
{
	static const char *const names[] = { "../secret", "/etc", "a/b", ".", "" };
	char target[256];
	struct fixture f;

	setup(&f, false);
	CHECK_EQ(walk(&f, ROOT, 1, "../../../.."), 0);
	CHECK_EQ(getattr(&f, 1), 0);
	CHECK_EQ(walk(&f, 1, 2, "file"), 0); /* still here */
	CHECK_EQ(walk(&f, ROOT, 3, "../secret"), 0);
	CHECK_EQ(got(&f, 2), 1); /* ".." is the top itself, and there is no secret in it */
	CHECK_EQ(walk(&f, ROOT, 3, "sub/../../secret"), 0);
	CHECK_EQ(got(&f, 2), 3);
	/* A link is a link: to be read, neither walked through nor opened. */
	CHECK_EQ(walk(&f, ROOT, 3, "up/secret"), 0);
	CHECK_EQ(got(&f, 2), 1);
	CHECK_EQ(got_qid(&f), 2);
	CHECK_EQ(walk(&f, ROOT, 3, "out"), 0);
	CHECK_EQ(simple(&f, TREADLINK, 3), 0);
	CHECK_EQ(got(&f, 2), 9);
	CHECK(!memcmp(f.at, "../secret", 9));
	CHECK_EQ(lopen(&f, 3, RDONLY), ELOOP);
	CHECK_EQ(lcreate(&f, 3, "x", WRONLY, 0600), ENOTDIR);
	CHECK_EQ(walk(&f, ROOT, 4, ""), 0);
	CHECK_EQ(lcreate(&f, 4, "out", WRONLY | TRUNC, 0600), ELOOP);
	CHECK_EQ(setattr(&f, 3, 1 << 3, 0, 0, 0), ELOOP);
	CHECK_EQ(setattr(&f, 3, 1 << 0, 0777, 0, 0), EOPNOTSUPP);
	CHECK_EQ(walk(&f, ROOT, 5, "up"), 0);
	CHECK(make(&f, TMKDIR, 5, "made", 0755) == ENOTDIR || get_le32(f.at) == ELOOP);
	CHECK(renameat_(&f, ROOT, "file", 5, "file") != 0);
	CHECK(unlinkat_(&f, 5, "secret", 0) != 0);
	/* A directory that became a link after the guest had walked to what is in it. */
	CHECK_EQ(walk(&f, ROOT, 6, "sub/inner"), 0);
	snprintf(target, sizeof(target), "%s", in_dir(&f, "moved"));
	CHECK_EQ(rename(in_dir(&f, "sub"), target), 0);
	CHECK_EQ(symlink("..", in_dir(&f, "sub")), 0);
	put_file(in_dir(&f, "../inner"), "outside");
	CHECK(lopen(&f, 6, RDONLY) != 0);
	CHECK(getattr(&f, 6) != 0);
	/* Names that are more than one. */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		begin(&f, TWALK);
		add32(&f, ROOT);
		add32(&f, 9);
		add(&f, 2, 1);
		add_text(&f, names[i]);
		CHECK_EQ(call(&f), EINVAL);
		CHECK_EQ(make(&f, TMKDIR, ROOT, names[i], 0755), EINVAL);
		CHECK_EQ(make_link(&f, ROOT, names[i], "x"), EINVAL);
		CHECK_EQ(unlinkat_(&f, ROOT, names[i], 0), EINVAL);
		CHECK_EQ(renameat_(&f, ROOT, names[i], ROOT, "x"), EINVAL);
		CHECK_EQ(renameat_(&f, ROOT, "file", ROOT, names[i]), EINVAL);
		CHECK_EQ(lcreate(&f, ROOT, names[i], WRONLY, 0644), EINVAL);
	}
	CHECK_EQ(unlinkat_(&f, ROOT, "..", 0x200), EINVAL);
	CHECK(file_is(&f, "../secret", "secret"));
	CHECK(file_is(&f, "file", "hello"));
	teardown(&f);
}

static void test_read(void)
{
	struct fixture f;

	setup(&f, true);
	CHECK_EQ(walk(&f, ROOT, 1, "file"), 0);
	CHECK_EQ(io(&f, TREAD, 1, 0, 10), EBADF); /* not open */
	CHECK_EQ(lopen(&f, 1, RDONLY), 0);
	CHECK_EQ(got_qid(&f), 0);
	got(&f, 4);
	got_all(&f);
	CHECK_EQ(lopen(&f, 1, RDONLY), EBADF); /* open already */
	CHECK_EQ(walk(&f, 1, 2, ""), EBADF);
	CHECK_EQ(io(&f, TREAD, 1, 1, 3), 0);
	CHECK_EQ(got(&f, 4), 3);
	CHECK(!memcmp(f.at, "ell", 3));
	CHECK_EQ(io(&f, TREAD, 1, 0, UINT32_MAX), 0);
	CHECK_EQ(got(&f, 4), 5);
	CHECK_EQ(io(&f, TREAD, 1, 100, 3), 0);
	CHECK_EQ(got(&f, 4), 0);
	CHECK_EQ(io(&f, TREAD, 1, UINT64_MAX, 3), EINVAL);
	/* A short buffer of the guest gets what fits. */
	f.room = P9_HEADER_BYTES + 4 + 2;
	CHECK_EQ(io(&f, TREAD, 1, 0, 5), 0);
	CHECK_EQ(got(&f, 4), 2);
	f.room = MSIZE;
	/* The name may go, what is open stays. */
	CHECK_EQ(unlink(in_dir(&f, "file")), 0);
	CHECK_EQ(io(&f, TREAD, 1, 0, 5), 0);
	CHECK_EQ(getattr(&f, 1), 0);
	CHECK_EQ(simple(&f, TFSYNC, 1), 0);
	CHECK_EQ(simple(&f, TCLUNK, 1), 0);
	CHECK_EQ(simple(&f, TCLUNK, 1), EBADF);
	/* Neither devices nor FIFOs are opened. */
	CHECK_EQ(walk(&f, ROOT, 1, "fifo"), 0);
	CHECK_EQ(lopen(&f, 1, RDONLY), EOPNOTSUPP);
	teardown(&f);
}

static void test_write(void)
{
	struct fixture f;
	struct stat st;
	mode_t mask;

	setup(&f, false);
	CHECK_EQ(walk(&f, ROOT, 1, ""), 0);
	mask = umask(077);
	CHECK_EQ(lcreate(&f, 1, "new", RDWR | EXCL, 06666), 0);
	umask(mask);
	CHECK_EQ(stat(in_dir(&f, "new"), &st), 0);
	CHECK_EQ(st.st_mode & 07777, 0666); /* as the guest said, but nothing that gives rights */
	CHECK_EQ(write_at(&f, 1, 0, "some text"), 0);
	CHECK_EQ(got(&f, 4), 9);
	CHECK_EQ(write_at(&f, 1, 5, "words"), 0);
	CHECK(file_is(&f, "new", "some words"));
	CHECK_EQ(setattr(&f, 1, 1 << 3, 0, 4, 0), 0);
	CHECK(file_is(&f, "new", "some"));
	CHECK_EQ(simple(&f, TCLUNK, 1), 0);
	/* Those that exist: not with O_EXCL, and emptied only if asked to. */
	CHECK_EQ(walk(&f, ROOT, 1, ""), 0);
	CHECK_EQ(lcreate(&f, 1, "new", RDWR | EXCL, 0600), EEXIST);
	CHECK_EQ(lcreate(&f, 1, "new", RDWR, 0600), 0);
	CHECK(file_is(&f, "new", "some"));
	CHECK_EQ(simple(&f, TCLUNK, 1), 0);
	CHECK_EQ(walk(&f, ROOT, 1, "new"), 0);
	CHECK_EQ(lopen(&f, 1, WRONLY | TRUNC), 0);
	CHECK(file_is(&f, "new", ""));
	CHECK_EQ(io(&f, TREAD, 1, 0, 1), EBADF);
	CHECK_EQ(lopen(&f, ROOT, WRONLY), EISDIR);
	CHECK_EQ(lopen(&f, ROOT, 3), EINVAL);
	/* More bytes said than sent. */
	CHECK_EQ(io(&f, TWRITE, 1, 0, 100), EINVAL);
	CHECK(file_is(&f, "new", ""));
	CHECK_EQ(walk(&f, ROOT, 2, ""), 0);
	CHECK_EQ(lcreate(&f, 2, "fifo", WRONLY, 0600), EOPNOTSUPP);
	teardown(&f);
}

static void test_attributes(void)
{
	struct fixture f;
	struct stat st;

	setup(&f, false);
	CHECK_EQ(walk(&f, ROOT, 1, "file"), 0);
	CHECK_EQ(setattr(&f, 1, 1 << 0, 06640, 0, 0), 0);
	CHECK_EQ(setattr(&f, 1, 1 << 5 | 1 << 8, 0, 0, 1000), 0);
	CHECK_EQ(stat(in_dir(&f, "file"), &st), 0);
	CHECK_EQ(st.st_mode & 07777, 0640);
	CHECK_EQ(st.st_mtime, 1000);
	CHECK_EQ(setattr(&f, 1, 1 << 3, 0, 2, 0), 0);
	CHECK(file_is(&f, "file", "he"));
	CHECK_EQ(setattr(&f, 1, 1 << 3, 0, UINT64_MAX, 0), EINVAL);
	CHECK_EQ(setattr(&f, 1, 1 << 1 | 1 << 2, 0, 0, 0), 0); /* to whom it belongs already */
	CHECK_EQ(setattr(&f, 1, 1 << 5 | 1 << 8, 0, 0, 2000), 0);
	CHECK_EQ(getattr(&f, 1), 0);
	CHECK_EQ(got(&f, 8), 0x7ff);
	CHECK_EQ(got_qid(&f), 0);
	CHECK_EQ(got(&f, 4), S_IFREG | 0640);
	CHECK_EQ(got(&f, 4), st.st_uid);
	CHECK_EQ(got(&f, 4), st.st_gid);
	CHECK_EQ(got(&f, 8), 1);
	CHECK_EQ(got(&f, 8), 0);
	CHECK_EQ(got(&f, 8), 2);
	got(&f, 8);
	got(&f, 8);
	got(&f, 8);
	got(&f, 8);
	CHECK_EQ(got(&f, 8), 2000);
	CHECK_EQ(got(&f, 8), 5);
	f.at += 6 * 8;
	got_all(&f);
	/* Of a link, its own times. */
	CHECK_EQ(walk(&f, ROOT, 2, "out"), 0);
	CHECK_EQ(setattr(&f, 2, 1 << 5 | 1 << 8, 0, 0, 3000), 0);
	CHECK_EQ(lstat(in_dir(&f, "out"), &st), 0);
	CHECK_EQ(st.st_mtime, 3000);
	CHECK_EQ(stat(in_dir(&f, "../secret"), &st), 0);
	CHECK(st.st_mtime != 3000);
	CHECK_EQ(simple(&f, TSTATFS, ROOT), 0);
	CHECK_EQ(f.end - f.at, 4 + 4 + 6 * 8 + 4);
	CHECK_EQ(simple(&f, TSTATFS, 99), EBADF);
	CHECK_EQ(simple(&f, TREADLINK, 1), EINVAL);
	teardown(&f);
}

/* All names of the directory @fid, read with at most @count bytes at a time, joined with spaces. */
static unsigned int list(struct fixture *f, uint32_t fid, uint32_t count, char *names, size_t size)
{
	unsigned int nr = 0;
	uint64_t offset = 0;

	names[0] = '\0';
	for (;;) {
		uint32_t bytes;
		uint32_t err = io(f, TREADDIR, fid, offset, count);

		CHECK_EQ(err, 0);
		bytes = err ? 0 : (uint32_t)got(f, 4);
		CHECK(bytes <= count);
		if (!bytes)
			return nr;
		CHECK_EQ(f->end - f->at, bytes);
		while (f->at < f->end) {
			size_t used = strlen(names), len;

			got_qid(f);
			offset = got(f, 8);
			got(f, 1);
			len = (size_t)got(f, 2);
			CHECK(len <= (size_t)(f->end - f->at));
			if (used + len + 3 < size)
				snprintf(names + used, size - used, " %.*s ", (int)len, (const char *)f->at);
			f->at += len;
			nr++;
		}
	}
}

static void test_readdir(void)
{
	static const uint32_t counts[] = { 280, 1000, 8192, 65536 };
	struct fixture f;
	char names[1024];

	setup(&f, true);
	CHECK_EQ(io(&f, TREADDIR, ROOT, 0, 1000), EBADF);
	CHECK_EQ(walk(&f, ROOT, 1, ""), 0);
	CHECK_EQ(lopen(&f, 1, RDONLY), 0);
	CHECK_EQ(list(&f, 1, 4096, names, sizeof(names)), 7);
	CHECK(strstr(names, " file ") && strstr(names, " sub ") && strstr(names, " out ") && strstr(names, " .. "));
	CHECK_EQ(io(&f, TREAD, 1, 0, 10), EISDIR);
	CHECK_EQ(io(&f, TREADDIR, 1, 0, 5), EINVAL);
	CHECK_EQ(io(&f, TREADDIR, 1, UINT64_MAX, 1000), EINVAL);
	for (unsigned int i = 0; i < 500; i++) {
		char name[64];

		snprintf(name, sizeof(name), "sub/a-name-that-is-not-short-%u", i);
		put_file(in_dir(&f, name), "");
	}
	CHECK_EQ(walk(&f, ROOT, 2, "sub"), 0);
	CHECK_EQ(lopen(&f, 2, RDONLY), 0);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		CHECK_EQ(list(&f, 2, counts[i], names, sizeof(names)), 503);
	CHECK_EQ(walk(&f, ROOT, 3, "file"), 0);
	CHECK_EQ(lopen(&f, 3, RDONLY), 0);
	CHECK_EQ(io(&f, TREADDIR, 3, 0, 1000), ENOTDIR);
	teardown(&f);
}

static void test_make(void)
{
	struct fixture f;
	char target[64];
	struct stat st;

	setup(&f, false);
	CHECK_EQ(make(&f, TMKDIR, ROOT, "dir", 02777), 0);
	CHECK_EQ(got_qid(&f), 0x80);
	CHECK_EQ(stat(in_dir(&f, "dir"), &st), 0);
	CHECK_EQ(st.st_mode & 01777, 0777);
	CHECK_EQ(make(&f, TMKDIR, ROOT, "dir", 0777), EEXIST);
	CHECK_EQ(make(&f, TMKDIR, 99, "dir", 0777), EBADF);
	CHECK_EQ(make_link(&f, ROOT, "link", "/no/such/thing"), 0);
	CHECK_EQ(got_qid(&f), 2);
	CHECK_EQ(readlink(in_dir(&f, "link"), target, sizeof(target)), 14);
	CHECK_EQ(make(&f, TMKNOD, ROOT, "pipe", S_IFIFO | 0640), 0);
	CHECK(!stat(in_dir(&f, "pipe"), &st) && S_ISFIFO(st.st_mode));
	CHECK_EQ(make(&f, TMKNOD, ROOT, "plain", S_IFREG | 04755), 0);
	CHECK(!stat(in_dir(&f, "plain"), &st) && S_ISREG(st.st_mode));
	CHECK_EQ(st.st_mode & 07777, 0755);
	CHECK_EQ(make(&f, TMKNOD, ROOT, "null", S_IFCHR | 0666), EPERM);
	CHECK_EQ(make(&f, TMKNOD, ROOT, "disk", S_IFBLK | 0666), EPERM);
	CHECK(!exists(&f, "null") && !exists(&f, "disk"));
	CHECK_EQ(walk(&f, ROOT, 1, "file"), 0);
	begin(&f, TLINK);
	add32(&f, ROOT);
	add32(&f, 1);
	add_text(&f, "hard");
	CHECK_EQ(call(&f), 0);
	CHECK(!stat(in_dir(&f, "hard"), &st) && st.st_nlink == 2);
	CHECK_EQ(unlinkat_(&f, ROOT, "hard", 0), 0);
	CHECK(!exists(&f, "hard"));
	CHECK_EQ(unlinkat_(&f, ROOT, "sub", 0x200), ENOTEMPTY);
	CHECK_EQ(unlinkat_(&f, ROOT, "dir", 0x200), 0);
	CHECK_EQ(simple(&f, TREMOVE, 1), 0);
	CHECK(!exists(&f, "file"));
	CHECK_EQ(getattr(&f, 1), EBADF);
	CHECK_EQ(walk(&f, ROOT, 1, "sub"), 0);
	CHECK_EQ(simple(&f, TREMOVE, 1), ENOTEMPTY);
	CHECK_EQ(getattr(&f, 1), EBADF); /* gone all the same */
	CHECK_EQ(simple(&f, TREMOVE, ROOT), EBUSY);
	teardown(&f);
}

/* Fids go with what they stand for. */
static void test_rename(void)
{
	struct fixture f;

	setup(&f, false);
	CHECK_EQ(walk(&f, ROOT, 1, "sub"), 0);
	CHECK_EQ(walk(&f, ROOT, 2, "sub/inner"), 0);
	CHECK_EQ(make(&f, TMKDIR, ROOT, "subway", 0755), 0);
	CHECK_EQ(walk(&f, ROOT, 3, "subway"), 0);
	CHECK_EQ(make(&f, TMKDIR, ROOT, "to", 0755), 0);
	CHECK_EQ(walk(&f, ROOT, 4, "to"), 0);
	CHECK_EQ(renameat_(&f, ROOT, "sub", 4, "there"), 0);
	CHECK(file_is(&f, "to/there/inner", "inner"));
	CHECK_EQ(getattr(&f, 1), 0);
	CHECK_EQ(lopen(&f, 2, RDONLY), 0);
	CHECK_EQ(getattr(&f, 3), 0);
	begin(&f, TRENAME);
	add32(&f, 1);
	add32(&f, ROOT);
	add_text(&f, "back");
	CHECK_EQ(call(&f), 0);
	CHECK(file_is(&f, "back/inner", "inner"));
	CHECK_EQ(walk(&f, 1, 5, "inner"), 0);
	CHECK_EQ(got(&f, 2), 1);
	CHECK_EQ(renameat_(&f, ROOT, "back", 1, "below"), EINVAL); /* into itself */
	CHECK_EQ(renameat_(&f, ROOT, "nothing", ROOT, "x"), ENOENT);
	begin(&f, TRENAME);
	add32(&f, ROOT);
	add32(&f, ROOT);
	add_text(&f, "x");
	CHECK_EQ(call(&f), EBUSY);
	teardown(&f);
}

static void test_readonly(void)
{
	struct fixture f;

	setup(&f, true);
	CHECK_EQ(walk(&f, ROOT, 1, "file"), 0);
	CHECK_EQ(lopen(&f, 1, RDWR), EROFS);
	CHECK_EQ(lopen(&f, 1, RDONLY | TRUNC), EROFS);
	CHECK_EQ(setattr(&f, 1, 1 << 3, 0, 0, 0), EROFS);
	CHECK_EQ(setattr(&f, 1, 1 << 0, 0777, 0, 0), EROFS);
	CHECK_EQ(lcreate(&f, ROOT, "new", RDONLY, 0600), EROFS);
	CHECK_EQ(make(&f, TMKDIR, ROOT, "dir", 0755), EROFS);
	CHECK_EQ(make(&f, TMKNOD, ROOT, "pipe", S_IFIFO | 0600), EROFS);
	CHECK_EQ(make_link(&f, ROOT, "link", "x"), EROFS);
	CHECK_EQ(renameat_(&f, ROOT, "file", ROOT, "other"), EROFS);
	CHECK_EQ(unlinkat_(&f, ROOT, "file", 0), EROFS);
	CHECK_EQ(write_at(&f, 1, 0, "x"), EROFS);
	begin(&f, TLINK);
	add32(&f, ROOT);
	add32(&f, 1);
	add_text(&f, "hard");
	CHECK_EQ(call(&f), EROFS);
	CHECK_EQ(simple(&f, TREMOVE, 1), EROFS);
	CHECK(file_is(&f, "file", "hello"));
	teardown(&f);
}

static void test_others(void)
{
	struct fixture f;

	setup(&f, true);
	begin(&f, TXATTRWALK);
	add32(&f, ROOT);
	add32(&f, 1);
	add_text(&f, "security.selinux");
	CHECK_EQ(call(&f), EOPNOTSUPP);
	CHECK_EQ(simple(&f, TXATTRCREATE, ROOT), EOPNOTSUPP);
	CHECK_EQ(simple(&f, TAUTH, 1), EOPNOTSUPP);
	CHECK_EQ(simple(&f, 9, 1), EOPNOTSUPP); /* an answer is no request */
	CHECK_EQ(simple(&f, 255, 1), EOPNOTSUPP);
	begin(&f, TFLUSH);
	add(&f, 2, 7);
	CHECK_EQ(call(&f), 0);
	got_all(&f);
	begin(&f, TLOCK);
	add32(&f, ROOT);
	CHECK_EQ(call(&f), 0);
	CHECK_EQ(got(&f, 1), 0);
	begin(&f, TGETLOCK);
	add32(&f, ROOT);
	add(&f, 1, 1);
	add(&f, 8, 10);
	add(&f, 8, 20);
	add32(&f, 30);
	add_text(&f, "guest");
	CHECK_EQ(call(&f), 0);
	CHECK_EQ(got(&f, 1), 2);
	CHECK_EQ(got(&f, 8), 10);
	CHECK_EQ(got(&f, 8), 20);
	CHECK_EQ(got(&f, 4), 30);
	CHECK_EQ(got(&f, 2), 5);
	teardown(&f);
}

/* Every request, cut off at every byte, and with sizes that lie. */
static void test_malformed(void)
{
	struct fixture f;

	setup(&f, false);
	for (unsigned int type = 0; type < 256; type++) {
		for (size_t len = P9_HEADER_BYTES; len < 64; len++) {
			begin(&f, (uint8_t)type);
			memset(f.request + P9_HEADER_BYTES, 0, 64);
			f.len = len;
			call(&f);
			if (type == TVERSION || type == TCLUNK || type == TREMOVE) {
				CHECK_EQ(version(&f, MSIZE, "9P2000.L"), 0);
				CHECK_EQ(attach(&f, ROOT), 0);
			}
		}
	}
	for (uint32_t size = 0; size < 20; size++) {
		begin(&f, TCLUNK);
		add32(&f, 99);
		put_le32(f.request, size);
		CHECK_EQ(p9_server_answer(f.server, f.request, f.len, f.answer, f.room), P9_ERROR_BYTES);
	}
	put_le32(f.request, UINT32_MAX);
	CHECK_EQ(p9_server_answer(f.server, f.request, f.len, f.answer, f.room), P9_ERROR_BYTES);
	CHECK_EQ(p9_server_answer(f.server, f.request, 6, f.answer, f.room), 0);
	CHECK_EQ(p9_server_answer(f.server, f.request, f.len, f.answer, P9_ERROR_BYTES - 1), 0);
	/* No room for the answer. */
	f.room = P9_ERROR_BYTES;
	CHECK_EQ(simple(&f, TSTATFS, ROOT), EMSGSIZE);
	f.room = MSIZE;
	/* A NUL in a name. */
	begin(&f, TMKDIR);
	add32(&f, ROOT);
	add(&f, 2, 3);
	add_bytes(&f, "a\0b", 3);
	add32(&f, 0755);
	add32(&f, 0);
	CHECK_EQ(call(&f), EINVAL);
	CHECK(!exists(&f, "a"));
	begin(&f, TMKDIR);
	add32(&f, ROOT);
	add(&f, 2, 300);
	memset(f.request + f.len, 'a', 300);
	f.len += 300;
	add32(&f, 0755);
	add32(&f, 0);
	CHECK_EQ(call(&f), ENAMETOOLONG);
	teardown(&f);
}

/* Many fids and open files are refused in time, and all is given back. */
static void test_bounds(void)
{
	struct fixture f;
	uint32_t fid = 1, err = 0;

	setup(&f, true);
	for (; !err && fid < 100000; fid++)
		err = walk(&f, ROOT, fid, "");
	CHECK_EQ(err, 0);
	for (fid = 1; fid < 100000; fid += 1000)
		CHECK_EQ(simple(&f, TCLUNK, fid), 0);
	p9_server_reset(f.server);
	CHECK_EQ(version(&f, MSIZE, "9P2000.L"), 0);
	CHECK_EQ(attach(&f, ROOT), 0);
	for (fid = 1; !err && fid < 3000000; fid++) {
		err = walk(&f, ROOT, fid, "file");
		if (!err)
			err = lopen(&f, fid, RDONLY);
	}
	CHECK_EQ(err, EMFILE);
	/* There are descriptors left for others. */
	CHECK_EQ(close(open("/dev/null", O_RDONLY)), 0);
	p9_server_reset(f.server);
	CHECK_EQ(version(&f, MSIZE, "9P2000.L"), 0);
	CHECK_EQ(attach(&f, ROOT), 0);
	CHECK_EQ(walk(&f, ROOT, 1, "file"), 0);
	CHECK_EQ(lopen(&f, 1, RDONLY), 0);
	teardown(&f);
}

/* Where /proc is mounted there is a directory, and that is all. */
static void test_kernels_own(void)
{
	struct fixture f = { .room = MSIZE };
	struct stat st;

	if (stat("/proc/self/mem", &st))
		test_skip("no /proc");
	CHECK_EQ(p9_server_create(&f.server, "--9p", "/", false), 0);
	CHECK_EQ(version(&f, MSIZE, "9P2000.L"), 0);
	CHECK_EQ(attach(&f, ROOT), 0);
	CHECK_EQ(walk(&f, ROOT, 1, "proc"), 0);
	CHECK_EQ(got(&f, 2), 1);
	CHECK_EQ(got_qid(&f), 0x80);
	CHECK_EQ(getattr(&f, 1), 0);
	CHECK_EQ(walk(&f, 1, 2, "self"), EACCES);
	CHECK_EQ(walk(&f, 1, 2, "version"), EACCES);
	CHECK_EQ(walk(&f, ROOT, 2, "proc/1/status"), 0);
	CHECK_EQ(got(&f, 2), 1);
	CHECK_EQ(make(&f, TMKDIR, 1, "made", 0755), EACCES);
	CHECK_EQ(unlinkat_(&f, 1, "version", 0), EACCES);
	CHECK_EQ(lopen(&f, 1, RDONLY), EACCES);
	p9_server_destroy(f.server);
	test_stderr_begin();
	CHECK_EQ(p9_server_create(&f.server, "--9p", "/proc/self", true), -EACCES);
	CHECK(strstr(test_stderr_end(), "--9p: cannot share /proc/self: its file system is one"));
}

static void test_no_directory(void)
{
	struct p9_server *server;

	test_stderr_begin();
	CHECK_EQ(p9_server_create(&server, "--9p", "/no/such/directory", true), -ENOENT);
	CHECK(strstr(test_stderr_end(), "--9p: cannot share /no/such/directory: No such file or directory"));
	test_stderr_begin();
	CHECK_EQ(p9_server_create(&server, "--9p", "/dev/null", true), -ENOTDIR);
	test_stderr_end();
}

const struct test p9_server_tests[] = {
	{ "version", test_version },
	{ "walk", test_walk },
	{ "beneath", test_beneath },
	{ "read", test_read },
	{ "write", test_write },
	{ "attributes", test_attributes },
	{ "readdir", test_readdir },
	{ "make", test_make },
	{ "rename", test_rename },
	{ "readonly", test_readonly },
	{ "others", test_others },
	{ "malformed", test_malformed },
	{ "bounds", test_bounds },
	{ "kernel's own", test_kernels_own },
	{ "no directory", test_no_directory },
	{ 0 },
};
