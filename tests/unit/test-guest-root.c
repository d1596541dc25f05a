// SPDX-License-Identifier: GPL-2.0-only
/* Which way the directory of --root takes into a guest, and the image that is made of it. */
#include "lkvm/guest-root.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/frame.h"
#include "lkvm/program.h"
#include "lkvm/virtiofsd.h"
#include "tests/unit/test.h"

struct fixture {
	char  dir[64]; /* holds "root", "modules", and a mke2fs that is first on PATH */
	char  root[80], modules[80];
	char *path;
	int   fds;
};

static void put_file(const struct fixture *f, const char *name, const char *text, mode_t mode)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	out = fopen(path, "we");
	CHECK(out && fputs(text, out) >= 0 && !fclose(out) && !chmod(path, mode));
}

static void setup(struct fixture *f)
{
	char path[256];

	memset(f, 0, sizeof(*f));
	f->fds = test_open_fds();
	snprintf(f->dir, sizeof(f->dir), "/tmp/lkvm-test-root-XXXXXX");
	if (!mkdtemp(f->dir))
		test_skip("no directory can be made in /tmp");
	snprintf(f->root, sizeof(f->root), "%s/root", f->dir);
	snprintf(f->modules, sizeof(f->modules), "%s/modules", f->dir);
	CHECK(!mkdir(f->root, 0755) && !mkdir(f->modules, 0755));
	f->path = strdup(getenv("PATH") ? getenv("PATH") : "/bin");
	snprintf(path, sizeof(path), "%s:/bin:/usr/bin", f->dir);
	setenv("PATH", path, 1);
	/* Writes the directory's name to the image. */
	put_file(f, "mke2fs", "#!/bin/sh\nfor image; do dir=$before; before=$image; done\nprintf %s \"$dir\" 1<>\"$image\"\n", 0755);
}

static void teardown(struct fixture *f)
{
	char command[128];

	setenv("PATH", f->path, 1);
	free(f->path);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	CHECK_EQ(system(command), 0);
	CHECK_EQ(test_open_fds(), f->fds);
}

/* The file system, and its devices: v, 9, i. */
static void check_virtiofs(const struct config *cfg, const char *no_virtiofs, const char *fs, const char *devices)
{
	struct guest_root root;

	CHECK_EQ(guest_root_choose(&root, cfg, no_virtiofs), 0);
	CHECK_STR(root.fs, fs);
	CHECK_EQ(root.virtiofs, strchr(devices, 'v') != NULL);
	CHECK_EQ(root.p9, strchr(devices, '9') != NULL);
	CHECK_EQ(root.image, strchr(devices, 'i') != NULL);
}

/* Where virtiofsd does not work. */
static void check_way(const struct config *cfg, const char *fs, bool image)
{
	check_virtiofs(cfg, "it cannot", fs, image ? "i" : "9");
}

static void test_choice(void)
{
	struct config cfg = { 0 };
	struct fixture f;

	setup(&f);
	cfg.root = f.root;
	check_way(&cfg, "9p", false);
	cfg.modules = f.modules;
	put_file(&f, "modules/modules.dep", "fs/9p.ko: net/9pnet.ko\nnet/9pnet_virtio.ko: net/9pnet.ko\n", 0644);
	check_way(&cfg, "9p", false);
	put_file(&f, "modules/modules.dep", "fs/ext4.ko:\n", 0644);
	check_way(&cfg, "ext4", true);
	put_file(&f, "modules/modules.builtin", "kernel/net/9p/9pnet_virtio.ko\n", 0644);
	check_way(&cfg, "9p", false);
	/* What is asked for is done, whatever the modules say. */
	cfg.root_type = ROOT_IMAGE;
	check_way(&cfg, "ext4", true);
	cfg.root_type = ROOT_9P;
	put_file(&f, "modules/modules.builtin", "", 0644);
	check_way(&cfg, "9p", false);
	/* An image is a copy. */
	cfg.root_type = ROOT_AUTO;
	cfg.root_rw = true;
	check_way(&cfg, "9p", false);
	teardown(&f);
}

/* Where it is there: what the kernel knows counts. */
static void test_choice_virtiofs(void)
{
	struct config cfg = { 0 };
	struct fixture f;

	setup(&f);
	cfg.root = f.root;
	check_virtiofs(&cfg, NULL, GUEST_ROOT_EITHER, "v9");
	cfg.root_rw = true;
	check_virtiofs(&cfg, NULL, GUEST_ROOT_EITHER, "v9");
	cfg.modules = f.modules;
	put_file(&f, "modules/modules.dep", "net/9pnet_virtio.ko:\n", 0644);
	check_virtiofs(&cfg, NULL, "9p", "9");
	put_file(&f, "modules/modules.dep", "net/9pnet_virtio.ko:\nfs/fuse/virtiofs.ko: fs/fuse.ko\n", 0644);
	check_virtiofs(&cfg, NULL, "virtiofs", "v");
	cfg.root_rw = false;
	check_virtiofs(&cfg, NULL, "virtiofs", "v");
	put_file(&f, "modules/modules.dep", "fs/ext4.ko:\n", 0644);
	check_virtiofs(&cfg, NULL, "ext4", "i");
	put_file(&f, "modules/modules.builtin", "kernel/fs/fuse/virtiofs.ko\n", 0644);
	check_virtiofs(&cfg, NULL, "virtiofs", "v");
	check_virtiofs(&cfg, "it cannot", "ext4", "i");
	cfg.root_type = ROOT_9P;
	check_virtiofs(&cfg, NULL, "9p", "9");
	cfg.root_type = ROOT_VIRTIOFS;
	put_file(&f, "modules/modules.builtin", "", 0644);
	check_virtiofs(&cfg, NULL, "virtiofs", "v");
	teardown(&f);
}

static void test_no_virtiofs(void)
{
	static char top[] = "/", none[] = "/no/such/dir";
	struct config cfg = { .root = top };
	struct rlimit old;
	struct fixture f;

	setup(&f);
	put_file(&f, "virtiofsd", "", 0755);
	/* Where /proc is mounted, if nothing else. */
	CHECK_STR(guest_root_no_virtiofs(&cfg), "there are mounts in it");
	cfg.root = none;
	CHECK_EQ(guest_root_no_virtiofs(&cfg) == NULL, virtiofsd_has_room());
	cfg.root = f.root;
	CHECK_EQ(guest_root_no_virtiofs(&cfg) == NULL, virtiofsd_has_room());
	/* Where files may not be as large as its memory. */
	cfg.ram_bytes = MIB(64);
	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ MIB(63), old.rlim_max }), 0);
	CHECK_STR(guest_root_no_virtiofs(&cfg), "its memory could not be shared (ulimit -f)");
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
	teardown(&f);
}

static void test_image(void)
{
	struct config cfg = { .root_type = ROOT_IMAGE };
	struct iovec iov;
	struct fixture f;
	struct disk *disk;
	char text[512];

	setup(&f);
	cfg.root = f.root;
	CHECK_EQ(guest_root_make_image(&cfg, &disk), 0);
	CHECK(disk_readonly(disk));
	iov = (struct iovec){ text, sizeof(text) };
	CHECK_EQ(disk_read(disk, &iov, 1, 0), 0);
	CHECK_STR(text, f.root);
	disk_close(disk);
	teardown(&f);
}

static void check_failure(const struct config *cfg, int err, const char *line)
{
	struct disk *disk;

	test_stderr_begin();
	CHECK_EQ(guest_root_make_image(cfg, &disk), err);
	CHECK(strstr(test_stderr_end(), line));
}

static void test_failures(void)
{
	struct config cfg = { .root_type = ROOT_IMAGE };
	static char top[] = "/", none[] = "/no/such/dir", file[] = "/dev/null";
	char applet[128], path[4096];
	struct fixture f;

	setup(&f);
	cfg.root = top;
	check_failure(&cfg, -EINVAL, "no image is made of this host's own root");
	cfg.root = none;
	check_failure(&cfg, -ENOENT, "--root /no/such/dir: No such file or directory");
	cfg.root = file;
	check_failure(&cfg, -ENOTDIR, "--root /dev/null: Not a directory");
	/* An applet of busybox is as good as none, and is not run, which would print its usage. */
	snprintf(applet, sizeof(applet), "%s/mke2fs", f.dir);
	put_file(&f, "busybox-1.36", "#!/bin/sh\necho usage >&2\nexit 1\n", 0755);
	CHECK(!unlink(applet) && !symlink("busybox-1.36", applet));
	CHECK(!program_find("mke2fs", (const char *const[]){ f.dir, NULL }, path, sizeof(path)) ||
	      strcmp(path, applet));
	CHECK(!unlink(applet));
	put_file(&f, "mke2fs", "#!/bin/sh\nexit 1\n", 0755);
	cfg.root = f.root;
	check_failure(&cfg, -EIO, "/mke2fs cannot make an image of /tmp/lkvm-test-root-");
	cfg.root_type = ROOT_AUTO;
	cfg.modules = f.modules;
	test_stderr_begin();
	CHECK_EQ(guest_root_choose(&(struct guest_root){ 0 }, &cfg, "it cannot"), -ENOENT);
	CHECK(strstr(test_stderr_end(), "modules.dep"));
	teardown(&f);
}

const struct test guest_root_tests[] = {
	{ "choice", test_choice },
	{ "choice_virtiofs", test_choice_virtiofs },
	{ "no_virtiofs", test_no_virtiofs },
	{ "image", test_image },
	{ "failures", test_failures },
	{ 0 },
};
