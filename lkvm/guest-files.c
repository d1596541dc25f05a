// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/guest-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guest/frame.h"
#include "guest/init-image.h"
#include "lkvm/cpio.h"
#include "lkvm/elf-needs.h"
#include "lkvm/log.h"
#include "lkvm/modules.h"

/* Without the slash: names in an archive have none. */
#define DIR_IN_ARCHIVE (GUEST_DIR + 1)

/* Where a command without a slash goes: on the PATH that it gets. */
#define BIN_DIR "/usr/bin"

/* Interpreters of interpreters, links to links ... end somewhere. */
#define MAX_DEPTH 16
#define MAX_DIRS_DEEP 64

struct pack {
	const struct config *cfg;
	const struct guest_root *root; /* NULL: none */
	struct cpio  cpio;
	FILE        *list;     /* what init is to do: see place_files() in guest/init.c */
	char        *list_text;
	size_t       list_len;
	unsigned int nr_files;
	char       **done;     /* paths in the guest that have been packed */
	size_t       nr_done;
};

static int out_of_memory(void)
{
	log_error("out of memory for the guest's files");
	return -ENOMEM;
}

int guest_files_path(const char *workdir, const char *file, char *path, size_t size)
{
	char joined[PATH_MAX];
	char *save = NULL, *word;
	size_t len = 0;
	int n;

	n = snprintf(joined, sizeof(joined), "%s/%s", file[0] == '/' ? "" : workdir, file);
	if (n < 0 || (size_t)n >= sizeof(joined) || !size)
		return -ENAMETOOLONG;
	path[0] = '\0';
	for (word = strtok_r(joined, "/", &save); word; word = strtok_r(NULL, "/", &save)) {
		if (!strcmp(word, "."))
			continue;
		if (!strcmp(word, "..")) {
			while (len && path[--len] != '/')
				;
			path[len] = '\0';
			continue;
		}
		n = snprintf(path + len, size - len, "/%s", word);
		if (n < 0 || (size_t)n >= size - len)
			return -ENAMETOOLONG;
		len += (size_t)n;
	}
	if (!len)
		return snprintf(path, size, "/") < (int)size ? 0 : -ENAMETOOLONG;
	return 0;
}

/* ---- the list for init -------------------------------------------------------------------------- */

/* Whether @path is packed already; marks it so. */
static int pack_once(struct pack *p, const char *path, bool *again)
{
	char **more;

	*again = true;
	for (size_t i = 0; i < p->nr_done; i++)
		if (!strcmp(p->done[i], path))
			return 0;
	*again = false;
	more = realloc(p->done, (p->nr_done + 1) * sizeof(*more));
	if (!more)
		return out_of_memory();
	p->done = more;
	more[p->nr_done] = strdup(path);
	if (!more[p->nr_done])
		return out_of_memory();
	p->nr_done++;
	return 0;
}

static void list_add(struct pack *p, char what, const char *how, const char *path)
{
	fprintf(p->list, "%c%c%s%c%s%c", what, 0, how, 0, path, 0);
}

static int cannot(const char *what, const char *file, int err)
{
	log_error("%s%s: %s", what, file, strerror(err));
	return -err;
}

static int pack_elf(struct pack *p, const char *file, const uint8_t *data, uint64_t size, unsigned int depth);
static int pack_host_file(struct pack *p, const char *file, const char *path, unsigned int depth);

/* "#! /bin/sh -e": the interpreter is needed, too. */
static int pack_script(struct pack *p, const uint8_t *data, uint64_t size, unsigned int depth)
{
	char line[256];
	size_t len = (size_t)MIN(size, (uint64_t)sizeof(line) - 1);
	char *start, *save;

	memcpy(line, data, len);
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	start = strtok_r(line + 2, " \t", &save);
	if (!start || start[0] != '/' || access(start, R_OK))
		return 0; /* it may be in the user's initrd */
	return pack_host_file(p, start, start, depth);
}

/* What the program or script in @fd needs besides itself. */
static int pack_needs(struct pack *p, const char *file, int fd, uint64_t size, unsigned int depth)
{
	const uint8_t *data;
	int ret = 0;

	if (size < 4)
		return 0;
	data = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return cannot("cannot read ", file, errno);
	/* With an initrd, the interpreter of a script is expected there. */
	if (data[0] == '#' && data[1] == '!' && !p->cfg->nr_initrds)
		ret = pack_script(p, data, size, depth + 1);
	else if (data[0] == 0x7f)
		ret = pack_elf(p, file, data, size, depth + 1);
	munmap((void *)(uintptr_t)data, (size_t)size);
	return ret;
}

/* The regular file in @fd, as @path. */
static int pack_regular(struct pack *p, const char *file, int fd, const struct stat *st, const char *path,
			unsigned int depth)
{
	char number[16], name[sizeof(GUEST_DIR) + sizeof(number)];
	int ret;

	snprintf(number, sizeof(number), "%u", p->nr_files++);
	snprintf(name, sizeof(name), "%s/%s", DIR_IN_ARCHIVE, number);
	ret = cpio_add_file(&p->cpio, name, st->st_mode, fd, (uint64_t)st->st_size);
	if (ret)
		return cannot("cannot pack ", file, -ret);
	list_add(p, 'f', number, path);
	/* A root has libraries and interpreters of its own. */
	return st->st_mode & 0111 && !p->root ? pack_needs(p, file, fd, (uint64_t)st->st_size, depth) : 0;
}

/* A file, following links: @path gets the contents. */
static int pack_host_file(struct pack *p, const char *file, const char *path, unsigned int depth)
{
	struct stat st;
	bool again;
	int fd, ret;

	ret = pack_once(p, path, &again);
	if (ret || again)
		return ret;
	if (depth > MAX_DEPTH)
		return cannot("cannot pack ", file, ELOOP);
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return cannot("cannot open ", file, errno);
	if (fstat(fd, &st))
		ret = cannot("cannot read ", file, errno);
	else if (!S_ISREG(st.st_mode))
		ret = cannot("cannot pack ", file, EINVAL);
	else
		ret = pack_regular(p, file, fd, &st, path, depth);
	close(fd);
	return ret;
}

/* ---- shared libraries --------------------------------------------------------------------------- */

/* Where dynamic loaders look without being told (ld.so(8)), for all arches: the wrong kind is passed over. */
static const char *const library_dirs[] = {
	"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu",
	"/usr/lib/aarch64-linux-gnu", "/lib/riscv64-linux-gnu", "/usr/lib/riscv64-linux-gnu",
	"/lib/powerpc64le-linux-gnu", "/usr/lib/powerpc64le-linux-gnu", "/lib/powerpc-linux-gnu",
	"/usr/lib/powerpc-linux-gnu", "/lib64/lp64d", "/usr/lib64/lp64d", "/lib64", "/usr/lib64", "/lib",
	"/usr/lib", "/usr/local/lib",
};

/* Whether @path is a library for programs like @kind. */
static bool is_library_for(const char *path, const struct elf_needs *kind)
{
	struct elf_needs needs;
	bool good = false;
	void *data;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0) {
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (data != MAP_FAILED) {
			good = !elf_needs_read(data, (uint64_t)st.st_size, &needs) &&
			       elf_needs_same_kind(&needs, kind);
			munmap(data, (size_t)st.st_size);
		}
	}
	close(fd);
	return good;
}

/* Looks in the directories of @list, parted by colons, with $ORIGIN being the directory of @file. */
static bool find_in_list(const char *list, const char *file, const char *name, const struct elf_needs *kind,
			 char *path, size_t size)
{
	static const char *const origins[] = { "$ORIGIN", "${ORIGIN}" };
	const char *slash = strrchr(file, '/');
	int dir_len = slash ? (int)(slash - file) : 1;

	while (list && *list) {
		size_t len = strcspn(list, ":");
		size_t skip = 0;
		int n;

		for (size_t i = 0; i < ARRAY_SIZE(origins); i++)
			if (len >= strlen(origins[i]) && !memcmp(list, origins[i], strlen(origins[i])))
				skip = strlen(origins[i]);
		if (skip)
			n = snprintf(path, size, "%.*s%.*s/%s", dir_len, slash ? file : ".", (int)(len - skip),
				     list + skip, name);
		else
			n = snprintf(path, size, "%.*s/%s", (int)len, list, name);
		if (len && n > 0 && (size_t)n < size && is_library_for(path, kind))
			return true;
		list += len + (list[len] == ':');
	}
	return false;
}

static bool find_standard(const char *name, const struct elf_needs *kind, char *path, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(library_dirs); i++) {
		snprintf(path, size, "%s/%s", library_dirs[i], name);
		if (is_library_for(path, kind))
			return true;
	}
	return false;
}

/* The directories in /etc/ld.so.conf and what it includes, which is *.conf in a directory on all systems. */
static bool find_configured(const char *conf, const char *name, const struct elf_needs *kind, char *path,
			    size_t size)
{
	char line[PATH_MAX];
	bool found = false;
	FILE *f = fopen(conf, "re");

	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "#\n \t")] = '\0';
		if (line[0] == '/')
			found = snprintf(path, size, "%s/%s", line, name) < (int)size && is_library_for(path, kind);
	}
	if (f)
		fclose(f);
	return found;
}

static bool find_in_conf_dir(const char *name, const struct elf_needs *kind, char *path, size_t size)
{
	DIR *dir = opendir("/etc/ld.so.conf.d");
	struct dirent *d;
	bool found = find_configured("/etc/ld.so.conf", name, kind, path, size);

	while (dir && !found && (d = readdir(dir))) {
		char conf[PATH_MAX];

		snprintf(conf, sizeof(conf), "/etc/ld.so.conf.d/%s", d->d_name);
		found = strstr(d->d_name, ".conf") && find_configured(conf, name, kind, path, size);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* A library from a place of which the guest's loader knows nothing: it goes where the C library is. */
static int pack_displaced(struct pack *p, const char *file, const char *name, const struct elf_needs *kind,
			  unsigned int depth)
{
	char libc[PATH_MAX], path[PATH_MAX + NAME_MAX];

	if (find_standard("libc.so.6", kind, libc, sizeof(libc)))
		*strrchr(libc, '/') = '\0';
	else
		snprintf(libc, sizeof(libc), "/lib");
	snprintf(path, sizeof(path), "%s/%s", libc, name);
	return pack_host_file(p, file, path, depth);
}

static int pack_library(struct pack *p, const char *file, const char *name, const struct elf_needs *needs,
			unsigned int depth)
{
	char path[PATH_MAX], where[PATH_MAX];

	if (strlen(name) > NAME_MAX)
		return cannot("cannot pack a library of ", file, ENAMETOOLONG);
	if (strchr(name, '/'))
		return pack_host_file(p, name, name, depth);
	if (find_in_list(needs->runpath, file, name, needs, path, sizeof(path))) {
		/* Found again in the guest by the same way, if the program keeps its place. */
		if (guest_files_path(p->cfg->workdir, path, where, sizeof(where)))
			return cannot("cannot pack ", path, ENAMETOOLONG);
		return pack_host_file(p, path, where, depth);
	}
	if (find_in_list(getenv("LD_LIBRARY_PATH"), file, name, needs, path, sizeof(path)))
		return pack_displaced(p, path, name, needs, depth);
	if (find_standard(name, needs, path, sizeof(path)))
		return pack_host_file(p, path, path, depth);
	if (find_in_conf_dir(name, needs, path, sizeof(path)))
		return pack_displaced(p, path, name, needs, depth);
	log_error("%s needs the shared library %s, which this host does not have (install it, or link statically)",
		  file, name);
	return -ENOENT;
}

static int pack_elf(struct pack *p, const char *file, const uint8_t *data, uint64_t size, unsigned int depth)
{
	struct elf_needs needs;
	int ret;

	if (elf_needs_read(data, size, &needs))
		return 0; /* no program that could run; the guest will say so */
	ret = needs.interp ? pack_host_file(p, needs.interp, needs.interp, depth) : 0;
	for (unsigned int i = 0; i < needs.nr_needed && !ret; i++)
		ret = pack_library(p, file, needs.needed[i], &needs, depth);
	return ret;
}

/* ---- files and directories ---------------------------------------------------------------------- */

static int pack_tree(struct pack *p, int parent, const char *name, const char *file, const char *path,
		     unsigned int depth);

/* Takes @fd. */
static int pack_directory(struct pack *p, int fd, const char *file, const char *path, unsigned int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *d;
	int ret = 0;

	if (!dir) {
		ret = cannot("cannot read ", file, errno);
		close(fd);
		return ret;
	}
	while (!ret && (errno = 0, d = readdir(dir))) {
		char below_file[PATH_MAX], below_path[PATH_MAX];

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (snprintf(below_file, sizeof(below_file), "%s/%s", file, d->d_name) >= (int)sizeof(below_file) ||
		    snprintf(below_path, sizeof(below_path), "%s/%s", strcmp(path, "/") ? path : "", d->d_name) >=
			    (int)sizeof(below_path))
			ret = cannot("cannot pack ", file, ENAMETOOLONG);
		else
			ret = pack_tree(p, dirfd(dir), d->d_name, below_file, below_path, depth + 1);
	}
	closedir(dir);
	return ret;
}

/*
 * @name in the directory @parent, as @path. Links are followed only where the user named the file; below a
 * directory they stay links.
 */
static int pack_tree(struct pack *p, int parent, const char *name, const char *file, const char *path,
		     unsigned int depth)
{
	char target[PATH_MAX], mode[16];
	struct stat st;
	bool again;
	ssize_t n;
	int fd, ret;

	if (depth > MAX_DIRS_DEEP)
		return cannot("cannot pack ", file, ELOOP);
	if (fstatat(parent, name, &st, depth ? AT_SYMLINK_NOFOLLOW : 0))
		return cannot("cannot pack ", file, errno);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode)) {
		log_warning("%s is no file and no directory: left out", file);
		return 0;
	}
	ret = pack_once(p, path, &again);
	if (ret || (again && !S_ISDIR(st.st_mode)))
		return ret;
	if (S_ISLNK(st.st_mode)) {
		n = readlinkat(parent, name, target, sizeof(target) - 1);
		if (n < 0)
			return cannot("cannot read ", file, errno);
		target[n] = '\0';
		list_add(p, 'l', target, path);
		return 0;
	}
	fd = openat(parent, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return cannot("cannot open ", file, errno);
	if (S_ISDIR(st.st_mode)) {
		snprintf(mode, sizeof(mode), "%o", (unsigned int)st.st_mode & 07777);
		list_add(p, 'd', mode, path);
		return pack_directory(p, fd, file, path, depth);
	}
	ret = pack_regular(p, file, fd, &st, path, 0);
	close(fd);
	return ret;
}

static int pack_add(struct pack *p, const struct config_add *add)
{
	const char *where = add->path ? add->path : add->file;
	char path[PATH_MAX];

	if (guest_files_path(add->path ? "/" : p->cfg->workdir, where, path, sizeof(path))) {
		log_error("--add: '%s' is too long for a path in the guest", where);
		return -ENAMETOOLONG;
	}
	return pack_tree(p, AT_FDCWD, add->file, add->file, path, 0);
}

/* ---- the command -------------------------------------------------------------------------------- */

/* Finds @name as the host's shell would. */
static bool find_on_path(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH");

	for (dirs = dirs ? dirs : "/usr/bin:/bin"; *dirs; dirs += strspn(dirs, ":")) {
		size_t len = strcspn(dirs, ":");
		struct stat st;

		if (len && snprintf(path, size, "%.*s/%s", (int)len, dirs, name) < (int)size && !access(path, X_OK) &&
		    !stat(path, &st) && S_ISREG(st.st_mode))
			return true;
		dirs += len;
	}
	return false;
}

/*
 * A command that is a file of the host is packed by itself: with a path relative to here (./test) always,
 * otherwise (ls, /bin/ls) only if no initrd could have it. A root has its own.
 */
static int pack_command(struct pack *p)
{
	const char *name = p->cfg->command[0];
	char file[PATH_MAX], path[PATH_MAX];
	struct stat st;

	if (p->root)
		return 0;
	if (!strchr(name, '/')) {
		if (p->cfg->nr_initrds || !find_on_path(name, file, sizeof(file)))
			return 0;
		if (snprintf(path, sizeof(path), BIN_DIR "/%s", name) >= (int)sizeof(path))
			return 0;
	} else {
		if ((name[0] == '/' && p->cfg->nr_initrds) || stat(name, &st) || !S_ISREG(st.st_mode))
			return 0;
		if (snprintf(file, sizeof(file), "%s", name) >= (int)sizeof(file) ||
		    guest_files_path(p->cfg->workdir, name, path, sizeof(path)))
			return cannot("cannot pack ", name, ENAMETOOLONG);
	}
	return pack_host_file(p, file, path, 0);
}

/* ---- modules ------------------------------------------------------------------------------------ */

static int pack_module(void *opaque, const char *file, int fd, uint64_t size)
{
	struct pack *p = opaque;
	char number[16], name[sizeof(GUEST_DIR) + sizeof(number)];
	int ret;

	snprintf(number, sizeof(number), "%u", p->nr_files++);
	snprintf(name, sizeof(name), "%s/%s", DIR_IN_ARCHIVE, number);
	ret = cpio_add_file(&p->cpio, name, 0644, fd, size);
	if (ret)
		return cannot("cannot pack ", file, -ret);
	list_add(p, 'm', number, file);
	return 0;
}

/* What the directories of the host take; those of the machine's devices are known already. */
static int pack_modules(struct pack *p)
{
	const char *more[16];
	unsigned int n = 0;
	bool virtiofs = false, p9 = false;

	for (unsigned int i = 0; p->root && p->root->modules[i]; i++)
		more[n++] = p->root->modules[i];
	for (unsigned int i = 0; i < p->cfg->nr_shares; i++) {
		virtiofs |= p->cfg->shares[i].virtiofs;
		p9 |= !p->cfg->shares[i].virtiofs;
	}
	if (virtiofs)
		more[n++] = "virtiofs";
	if (p9) {
		more[n++] = "9pnet_virtio";
		more[n++] = "9p";
	}
	more[n] = NULL;
	return modules_find(p->cfg, more, pack_module, p);
}

/* ---- all of it ---------------------------------------------------------------------------------- */

static int pack_all(struct pack *p)
{
	char list_name[sizeof(GUEST_DIR) + 8], init_name[sizeof(GUEST_INIT)];
	int ret;

	snprintf(init_name, sizeof(init_name), "%s", GUEST_INIT + 1);
	snprintf(list_name, sizeof(list_name), "%s/list", DIR_IN_ARCHIVE);
	ret = cpio_add(&p->cpio, DIR_IN_ARCHIVE, S_IFDIR | 0755, 0, NULL, 0);
	if (!ret)
		ret = cpio_add(&p->cpio, init_name, S_IFREG | 0755, 0, guest_init_start,
			       (size_t)(guest_init_end - guest_init_start));
	if (!ret)
		ret = cpio_add(&p->cpio, "dev", S_IFDIR | 0755, 0, NULL, 0);
	/* What the kernel opens as init's standard streams. */
	if (!ret)
		ret = cpio_add(&p->cpio, "dev/console", S_IFCHR | 0600, makedev(5, 1), NULL, 0);
	if (ret)
		return cannot("cannot make the guest's init", "", -ret);
	if (p->cfg->modules)
		ret = pack_modules(p);
	/* Behind its modules, and before what goes into it. */
	if (!ret && p->root)
		list_add(p, 'r', p->root->fs, p->cfg->root_rw ? "rw" : "ro");
	/* The user's own come first: what they put somewhere is not replaced by a command's library. */
	for (unsigned int i = 0; i < p->cfg->nr_adds && !ret; i++)
		ret = pack_add(p, &p->cfg->adds[i]);
	if (!ret)
		ret = pack_command(p);
	if (ret)
		return ret;
	if (fflush(p->list))
		return out_of_memory();
	ret = cpio_add(&p->cpio, list_name, S_IFREG | 0644, 0, p->list_text, p->list_len);
	return ret ? cannot("cannot make the guest's files", "", -ret) : 0;
}

int guest_files_pack(const struct config *cfg, const struct guest_root *root, int *fd)
{
	struct pack p = { .cfg = cfg, .root = root };
	int ret;

	ret = cpio_create(&p.cpio);
	if (ret)
		return cannot("cannot make the guest's files", "", -ret);
	p.list = open_memstream(&p.list_text, &p.list_len);
	ret = p.list ? pack_all(&p) : out_of_memory();
	if (!ret) {
		ret = cpio_finish(&p.cpio, fd);
		if (ret)
			cannot("cannot make the guest's files", "", -ret);
	}
	if (p.list)
		fclose(p.list);
	free(p.list_text);
	for (size_t i = 0; i < p.nr_done; i++)
		free(p.done[i]);
	free(p.done);
	cpio_destroy(&p.cpio);
	return ret;
}
