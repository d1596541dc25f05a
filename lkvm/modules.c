// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lkvm/byteorder.h"
#include "lkvm/image.h"
#include "lkvm/log.h"

#define MAX_MODULES 64
#define MAX_MODULE_BYTES MIB(64)
/* A name of a version or of a module; longer ones are none. */
#define MAX_NAME 128

/* What may stand between a guest and its channel, disks ... Only those that are modules get loaded. */
static const char *const wanted[] = {
	"virtio_pci", "virtio_mmio", "virtio_console", "virtio_blk", "virtio_rng", "virtio_balloon",
};

struct search {
	const char *dir;
	char       *dep;   /* modules.dep */
	size_t      len;
	char       *done[MAX_MODULES]; /* paths below dir */
	unsigned int nr_done;
	modules_take_fn *take;
	void       *opaque;
};

/* ---- modules.dep -------------------------------------------------------------------------------- */

/* The module's name in a path: "kernel/fs/ext4.ko.xz" is ext4. Whether that is @name. */
static bool path_is_module(const char *path, size_t len, const char *name)
{
	const char *base = memrchr(path, '/', len);
	size_t i = 0;

	base = base ? base + 1 : path;
	len -= (size_t)(base - path);
	for (; name[i]; i++) {
		char a = i < len ? base[i] : '\0';

		if ((a == '-' ? '_' : a) != (name[i] == '-' ? '_' : name[i]))
			return false;
	}
	return len - i >= 3 && !memcmp(base + i, ".ko", 3) && (len - i == 3 || base[i + 3] == '.');
}

bool modules_dep_line(const char *text, size_t len, const char *name, const char **line, size_t *line_len)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t this_len = end ? (size_t)(end - text) : len;
		const char *colon = memchr(text, ':', this_len);

		if (colon && path_is_module(text, (size_t)(colon - text), name)) {
			*line = text;
			*line_len = this_len;
			return true;
		}
		this_len += end != NULL;
		text += this_len;
		len -= this_len;
	}
	return false;
}

/* ---- one module --------------------------------------------------------------------------------- */

static int take_file(struct search *s, const char *path, size_t len)
{
	char file[PATH_MAX];
	struct image_file img;
	int fd, ret;

	for (unsigned int i = 0; i < s->nr_done; i++)
		if (strlen(s->done[i]) == len && !memcmp(s->done[i], path, len))
			return 0;
	if (snprintf(file, sizeof(file), "%s/%.*s", s->dir, (int)len, path) >= (int)sizeof(file) ||
	    s->nr_done == MAX_MODULES) {
		log_error("--modules %s: too many modules, or paths that are too long", s->dir);
		return -EINVAL;
	}
	s->done[s->nr_done] = strndup(path, len);
	if (!s->done[s->nr_done]) {
		log_error("out of memory");
		return -ENOMEM;
	}
	s->nr_done++;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
		log_error("--modules: cannot open %s, which modules.dep names: %s", file, strerror(-ret));
		return ret;
	}
	ret = image_open_fd(&img, fd, file, "module", MAX_MODULE_BYTES);
	if (ret)
		return ret;
	ret = s->take(s->opaque, file, img.fd, img.size_bytes);
	image_close(&img);
	return ret;
}

/*
 * A line lists all that the module needs, the nearest first (depmod(8), modules.dep(5)): taken from its end,
 * each comes after what it needs itself.
 */
static int take_line(struct search *s, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	const char *end = line + len;
	int ret = 0;

	while (!ret && end > colon + 1) {
		const char *start = end;

		while (start > colon + 1 && start[-1] != ' ')
			start--;
		if (start < end)
			ret = take_file(s, start, (size_t)(end - start));
		end = start > colon + 1 ? start - 1 : start;
	}
	return ret ? ret : take_file(s, line, (size_t)(colon - line));
}

/* ---- the directory ------------------------------------------------------------------------------ */

/* A version may be anything but blanks and slashes. */
static bool copy_version(const uint8_t *from, uint64_t len, char *version, size_t size)
{
	size_t n = 0;

	while (n < len && from[n] > ' ' && from[n] < 0x7f && from[n] != '/' && n < size - 1) {
		version[n] = (char)from[n];
		n++;
	}
	version[n] = '\0';
	return n && n < size - 1 && version[0] >= '0' && version[0] <= '9';
}

bool modules_kernel_version(const uint8_t *data, uint64_t size_bytes, char *version, size_t size)
{
	static const char words[] = "Linux version ";
	const uint8_t *at = data, *end = data + size_bytes;

	/* Linux Documentation/arch/x86/boot.rst: kernel_version, at 0x20e, from 0x200. */
	if (size_bytes > 0x210 && !memcmp(data + 0x202, "HdrS", 4)) {
		uint64_t pos = (uint64_t)get_le16(data + 0x20e) + 0x200;

		return pos < size_bytes && copy_version(data + pos, size_bytes - pos, version, size);
	}
	while ((at = memmem(at, (size_t)(end - at), words, strlen(words)))) {
		at += strlen(words);
		if (copy_version(at, (uint64_t)(end - at), version, size))
			return true;
	}
	return false;
}

static int find_auto_dir(const struct config *cfg, char *dir, size_t size)
{
	char version[MAX_NAME];
	struct image_file img;
	bool found;
	int ret;

	ret = image_open(&img, cfg->kernel, "kernel");
	if (ret)
		return ret;
	found = modules_kernel_version(img.data, img.size_bytes, version, sizeof(version));
	image_close(&img);
	if (!found) {
		log_error("--modules auto: %s does not say its version: give the directory, /lib/modules/VERSION", cfg->kernel);
		return -EINVAL;
	}
	snprintf(dir, size, "/lib/modules/%s", version);
	return 0;
}

/* Reads @name of the directory. 0 with the text, the caller's, or -errno, reported unless it is @optional. */
static int read_list(const struct search *s, const char *name, bool optional, char **text, size_t *len)
{
	char file[PATH_MAX + 32];
	struct stat st;
	ssize_t n;
	int fd, ret;

	*text = NULL;
	*len = 0;
	snprintf(file, sizeof(file), "%s/%s", s->dir, name);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		if (!optional)
			log_error("--modules: cannot read %s: %s (is this the directory of the kernel's version? see "
				  "depmod(8))", file, strerror(-ret));
		return ret;
	}
	*text = malloc((size_t)st.st_size + 1);
	n = *text ? read(fd, *text, (size_t)st.st_size) : -1;
	ret = n < 0 ? -errno : 0;
	close(fd);
	if (ret) {
		log_error("--modules: cannot read %s: %s", file, strerror(-ret));
		free(*text);
		*text = NULL;
		return ret;
	}
	*len = (size_t)n;
	return 0;
}

/* Finds the directory, whose name for "auto" goes to @dir, and reads its modules.dep. */
static int search_begin(struct search *s, const struct config *cfg, char dir[PATH_MAX])
{
	int ret = 0;

	s->dir = cfg->modules;
	if (!strcmp(cfg->modules, "auto")) {
		ret = find_auto_dir(cfg, dir, PATH_MAX);
		s->dir = dir;
	}
	return ret ? ret : read_list(s, "modules.dep", false, &s->dep, &s->len);
}

static int take_module(struct search *s, const char *name)
{
	const char *line;
	size_t len;

	return modules_dep_line(s->dep, s->len, name, &line, &len) ? take_line(s, line, len) : 0;
}

int modules_find(const struct config *cfg, const char *const *more, modules_take_fn *take, void *opaque)
{
	struct search s = { .take = take, .opaque = opaque };
	char dir[PATH_MAX];
	int ret = search_begin(&s, cfg, dir);

	for (size_t i = 0; i < ARRAY_SIZE(wanted) && !ret; i++)
		ret = take_module(&s, wanted[i]);
	for (; more && *more && !ret; more++)
		ret = take_module(&s, *more);
	for (unsigned int i = 0; i < s.nr_done; i++)
		free(s.done[i]);
	free(s.dep);
	return ret;
}

/* modules.builtin has a path in each line. */
static bool is_builtin(const char *text, size_t len, const char *name)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t this_len = end ? (size_t)(end - text) : len;

		if (path_is_module(text, this_len, name))
			return true;
		this_len += end != NULL;
		text += this_len;
		len -= this_len;
	}
	return false;
}

int modules_offer(const struct config *cfg, const char *name)
{
	struct search s = { 0 };
	char dir[PATH_MAX];
	const char *line;
	char *builtin;
	size_t len;
	int ret = search_begin(&s, cfg, dir);

	if (!ret && modules_dep_line(s.dep, s.len, name, &line, &len))
		ret = 1;
	else if (!ret && !read_list(&s, "modules.builtin", true, &builtin, &len)) {
		ret = is_builtin(builtin, len, name);
		free(builtin);
	}
	free(s.dep);
	return ret;
}
