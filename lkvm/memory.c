// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lkvm/log.h"
#include "lkvm/size.h"

/*
 * Host and guest addresses agree modulo this, so that KVM can map transparent huge pages into the
 * guest (stage 2 blocks are 2 MiB with 4 KiB pages on riscv64, arm64 and x86-64, radix on powerpc).
 */
#define MEMORY_HUGE_BYTES MIB(2)

void memory_init(struct memory *mem)
{
	memset(mem, 0, sizeof(*mem));
}

void memory_let_files_go(struct memory *mem)
{
	for (unsigned int i = 0; i < mem->nr_files; i++) {
		/* Other pieces of the same file share its lease: closing one does not end it. */
		fcntl(mem->files[i].fd, F_SETLEASE, F_UNLCK);
		close(mem->files[i].fd);
	}
	mem->nr_files = 0;
}

static void unmap(const struct memory_region *r)
{
	if (r->host)
		munmap(r->host - r->head_bytes, (size_t)(r->head_bytes + r->size_bytes + r->tail_bytes));
	if (r->fd >= 0)
		close(r->fd);
}

void memory_exit(struct memory *mem)
{
	memory_let_files_go(mem);
	mem->nr_mapped = 0;
	for (unsigned int i = 0; i < mem->nr_regions; i++)
		unmap(&mem->regions[i]);
	mem->nr_regions = 0;
}

static uint64_t host_page_bytes(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/*
 * Anonymous memory whose address agrees with @gpa modulo MEMORY_HUGE_BYTES. What is mapped beside it for that,
 * @head bytes below and @tail above, stays: nobody touches it, and to unmap it costs more than all of this. 0 or
 * -errno.
 */
static int map_anonymous(gpa_t gpa, uint64_t size_bytes, struct memory_region *r)
{
	uint64_t slack = size_bytes >= MEMORY_HUGE_BYTES ? MEMORY_HUGE_BYTES : 0;
	uint8_t *p;

	if (size_bytes > SIZE_MAX - slack)
		return -ENOMEM;
	p = mmap(NULL, (size_t)(size_bytes + slack), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	r->head_bytes = slack ? (gpa - (uintptr_t)p) & (MEMORY_HUGE_BYTES - 1) : 0;
	r->tail_bytes = slack - r->head_bytes;
	r->host = p + r->head_bytes;
	return 0;
}

/* The same as a file without a name, r->fd. 0 or -errno; then r->fd and what is mapped are the caller's to undo. */
static int map_shared(gpa_t gpa, uint64_t size_bytes, struct memory_region *r)
{
	int ret = map_anonymous(gpa, size_bytes, r);

	if (ret)
		return ret;
	r->fd = memfd_create("lkvm-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	/* Pages are taken when they are touched, as those of memory that is not shared. */
	if (r->fd < 0 || ftruncate(r->fd, (off_t)size_bytes) ||
	    mmap(r->host, (size_t)size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, r->fd,
		 0) == MAP_FAILED)
		ret = -errno;
	if (ret)
		return ret;
	/* Whoever cut the file off would end us: what is mapped beyond its end is SIGBUS. */
	(void)fcntl(r->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	/* Huge pages are rarely given to files that nobody asks them for. */
	madvise(r->host, (size_t)size_bytes, MADV_HUGEPAGE);
	return 0;
}

/* @dir is no hugetlbfs, so it is nothing to mount one on either: names one that is, or how to get one. */
static void report_no_hugetlbfs(const char *dir)
{
	FILE *mounts = setmntent("/proc/mounts", "re");
	char buf[PATH_MAX + 256];
	const char *mounted = NULL;
	struct mntent entry;

	while (mounts && !mounted && getmntent_r(mounts, &entry, buf, sizeof(buf)))
		if (!strcmp(entry.mnt_type, "hugetlbfs"))
			mounted = entry.mnt_dir;
	if (mounted)
		log_error("%s is not a hugetlbfs mount: guest memory can't come from it (%s is one)", dir, mounted);
	else
		log_error("%s is not a hugetlbfs mount: guest memory can't come from it (mkdir -p /dev/hugepages && "
			  "mount -t hugetlbfs none /dev/hugepages, then name that)", dir);
	if (mounts)
		endmntent(mounts);
}

/* Memory from an unlinked file in the hugetlbfs mounted at @dir; r->fd, if @keep. 0 or -errno (reported). */
static int map_hugetlbfs(const char *name, const char *dir, uint64_t size_bytes, bool keep, struct memory_region *r)
{
	char size[SIZE_TEXT_BYTES], page[SIZE_TEXT_BYTES];
	struct statfs fs;
	char *path = NULL;
	int fd, ret;
	void *p;

	if (statfs(dir, &fs) < 0) {
		ret = -errno;
		log_error("cannot use %s for guest memory: %s (name a mounted hugetlbfs)", dir,
			  strerror(-ret));
		return ret;
	}
	if ((uint32_t)fs.f_type != HUGETLBFS_MAGIC) {
		report_no_hugetlbfs(dir);
		return -EINVAL;
	}
	if (size_bytes % (uint64_t)fs.f_bsize) {
		log_error("%s of guest memory (%s) is not a whole number of the %s pages of %s: choose another size (-m)",
			  name, size_text(size, size_bytes), size_text(page, (uint64_t)fs.f_bsize),
			  dir);
		return -EINVAL;
	}
	if (size_bytes > SIZE_MAX) {
		ret = -ENOMEM;
		goto report;
	}
	if (asprintf(&path, "%s/lkvm-XXXXXX", dir) < 0) {
		ret = -ENOMEM;
		goto report;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
		free(path);
		goto report;
	}
	unlink(path);
	free(path);
	if (ftruncate(fd, (off_t)size_bytes) < 0) {
		ret = -errno;
		close(fd);
		goto report;
	}
	/*
	 * Shared, not private: a private mapping would need a page for the file and another for the
	 * copy. The kernel sets the pages aside now, so that a short pool is an error here and not
	 * SIGBUS later.
	 */
	p = mmap(NULL, (size_t)size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ret = p == MAP_FAILED ? -errno : 0;
	if (ret || !keep)
		close(fd);
	if (ret)
		goto report;
	r->host = p;
	if (keep)
		r->fd = fd;
	return 0;
report:
	log_error("cannot take %s of %s from hugetlbfs %s: %s (see HugePages_Free in /proc/meminfo, raise vm.nr_hugepages)",
		  size_text(size, size_bytes), name, dir, strerror(-ret));
	return ret;
}

int memory_add(struct memory *mem, const char *name, gpa_t gpa, uint64_t size_bytes, bool readonly,
	       const char *hugetlbfs)
{
	uint64_t page = host_page_bytes();
	struct memory_region region = {
		.gpa = gpa,
		.size_bytes = size_bytes,
		.name = name,
		.readonly = readonly,
		.hugetlb = hugetlbfs != NULL,
		.fd = -1,
	};
	bool share = mem->share && !readonly;
	char size[SIZE_TEXT_BYTES];
	unsigned int at;
	int ret;

	if (!size_bytes || gpa % page || size_bytes % page || size_bytes > UINT64_MAX - gpa) {
		log_error("%s at %#" PRIx64 " (%" PRIu64 " bytes) is empty, beyond the address space, or not aligned to the host's page of %" PRIu64 " bytes",
			  name, gpa, size_bytes, page);
		return -EINVAL;
	}
	if (mem->nr_regions == MEMORY_MAX_REGIONS) {
		log_error("no room for %s: a guest has at most %d memory regions", name,
			  MEMORY_MAX_REGIONS);
		return -ENOSPC;
	}
	for (at = 0; at < mem->nr_regions && mem->regions[at].gpa < gpa; at++)
		;
	for (unsigned int i = at ? at - 1 : 0; i <= at && i < mem->nr_regions; i++) {
		const struct memory_region *r = &mem->regions[i];

		if (!range_overlaps(gpa, size_bytes, r->gpa, r->size_bytes))
			continue;
		log_error("%s at %#" PRIx64 "-%#" PRIx64 " overlaps %s at %#" PRIx64 "-%#" PRIx64, name,
			  gpa, gpa + size_bytes - 1, r->name, r->gpa, r->gpa + r->size_bytes - 1);
		return -EEXIST;
	}

	if (hugetlbfs) {
		ret = map_hugetlbfs(name, hugetlbfs, size_bytes, share, &region);
	} else {
		ret = share ? map_shared(gpa, size_bytes, &region) : map_anonymous(gpa, size_bytes, &region);
		if (ret)
			log_error("cannot reserve %s of %s for %s: %s (lower -m, or raise the limit: ulimit %s)",
				  size_text(size, size_bytes), share ? "shared memory" : "address space", name,
				  strerror(-ret), ret == -EFBIG ? "-f" : "-v");
	}
	if (ret) {
		unmap(&region);
		return ret;
	}

	memmove(&mem->regions[at + 1], &mem->regions[at],
		(mem->nr_regions - at) * sizeof(mem->regions[0]));
	mem->regions[at] = region;
	mem->nr_regions++;
	return 0;
}

const struct memory_region *memory_find(const struct memory *mem, gpa_t gpa)
{
	for (unsigned int i = 0; i < mem->nr_regions; i++) {
		const struct memory_region *r = &mem->regions[i];

		if (gpa >= r->gpa && gpa - r->gpa < r->size_bytes)
			return r;
	}
	return NULL;
}

void *memory_ptr(const struct memory *mem, gpa_t gpa, uint64_t len)
{
	for (unsigned int i = 0; i < mem->nr_regions; i++) {
		const struct memory_region *r = &mem->regions[i];

		if (range_within(gpa, len, r->gpa, r->size_bytes))
			return r->host + (gpa - r->gpa);
	}
	return NULL;
}

/*
 * The host memory that continues at @gpa, at most @len bytes of it; its length goes to @chunk.
 * NULL if nothing is there.
 */
static uint8_t *memory_chunk(const struct memory *mem, gpa_t gpa, uint64_t len, size_t *chunk)
{
	const struct memory_region *r = memory_find(mem, gpa);

	if (!r)
		return NULL;
	*chunk = (size_t)MIN(len, r->size_bytes - (gpa - r->gpa));
	return r->host + (gpa - r->gpa);
}

/* True if every byte of [@gpa, @gpa + @len) is memory. */
static bool memory_covers(const struct memory *mem, gpa_t gpa, uint64_t len)
{
	size_t chunk;

	if (len > SIZE_MAX || len > UINT64_MAX - gpa)
		return false;
	for (; len; gpa += chunk, len -= chunk)
		if (!memory_chunk(mem, gpa, len, &chunk))
			return false;
	return true;
}

int memory_read(const struct memory *mem, gpa_t gpa, void *buf, uint64_t len)
{
	uint8_t *out = buf;
	size_t chunk = 0;

	if (!memory_covers(mem, gpa, len))
		return -EFAULT;
	for (; len; gpa += chunk, len -= chunk, out += chunk) {
		const uint8_t *host = memory_chunk(mem, gpa, len, &chunk);

		memcpy(out, host, chunk);
	}
	return 0;
}

int memory_write(const struct memory *mem, gpa_t gpa, const void *buf, uint64_t len)
{
	const uint8_t *in = buf;
	size_t chunk = 0;

	if (!memory_covers(mem, gpa, len))
		return -EFAULT;
	for (; len; gpa += chunk, len -= chunk, in += chunk) {
		uint8_t *host = memory_chunk(mem, gpa, len, &chunk);

		memcpy(host, in, chunk);
	}
	return 0;
}

static int read_for_walk(void *ctx, gpa_t gpa, void *buf, uint64_t len)
{
	return memory_read(ctx, gpa, buf, len);
}

struct walk_memory memory_for_walk(const struct memory *mem)
{
	/* The context of a reader is not const, but memory_read() leaves it alone. */
	return (struct walk_memory){ .read = read_for_walk, .ctx = (void *)(uintptr_t)mem };
}

/* pread() all of it. 0, -EIO at the end of the file, or -errno. */
static int read_fully(int fd, uint8_t *buf, uint64_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pread(fd, buf, (size_t)MIN(len, GIB(1)), (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO;
		buf += n;
		len -= (uint64_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* Puts the mapping at @from in the place of the one at @host. 0 or -errno; then @from is gone. */
static int move_over(void *from, uint8_t *host, size_t len)
{
	int ret;

	if (mremap(from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, host) != MAP_FAILED)
		return 0;
	ret = -errno;
	munmap(from, len);
	return ret;
}

/*
 * Replaces the whole pages at @host by a private mapping of the file. Mapped elsewhere first and
 * then moved: a MAP_FIXED mmap() that fails (a file system without mmap) may have punched a hole
 * already.
 */
static int map_over(uint8_t *host, int fd, uint64_t offset, uint64_t len)
{
	void *p = mmap(NULL, (size_t)len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, (off_t)offset);

	return p == MAP_FAILED ? -errno : move_over(p, host, (size_t)len);
}

/*
 * A private mapping shows what others write to the file later, and is gone where they cut it off: a kernel
 * or initrd that is built anew while its guest runs would change that guest, or end it. So a lease is taken
 * of files that others can open. True with @lease, a descriptor or -1 for none, if the file may be mapped.
 */
static bool may_map(const struct memory *mem, int fd, const struct stat *st, int *lease)
{
	bool may;

	*lease = -1;
	if (!mem->lease_signal || !st->st_nlink) /* a memfd has no name */
		return true;
	*lease = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (*lease < 0)
		return false;
	if (!fcntl(*lease, F_SETSIG, mem->lease_signal) && !fcntl(*lease, F_SETLEASE, F_RDLCK))
		return true;
	/*
	 * EAGAIN: somebody has it open for writing. Otherwise there are none to be had, as only the owner gets
	 * them, and not on every file system: such files are rarely under construction.
	 */
	may = errno != EAGAIN;
	close(*lease);
	*lease = -1;
	return may;
}

/* map_over(), with a lease, and noted. 0 or -errno: then the file is to be read. */
static int map_leased(struct memory *mem, uint8_t *host, int fd, const struct stat *st, uint64_t offset,
		      uint64_t len)
{
	int lease, ret;

	if (mem->nr_mapped == MEMORY_MAX_FILES || !may_map(mem, fd, st, &lease))
		return -EAGAIN;
	ret = map_over(host, fd, offset, len);
	if (!ret)
		mem->mapped[mem->nr_mapped++] = (struct memory_mapped){ .host = host, .len = len };
	if (lease < 0)
		return ret;
	if (ret)
		close(lease);
	else
		mem->files[mem->nr_files++] = (struct memory_file){ .fd = lease, .host = host, .len = len };
	return ret;
}

/*
 * A copy takes the place of the mapping. It is not enough to make the pages private by writing to them: a
 * file that is cut off takes such pages along.
 */
int memory_keep_files(struct memory *mem)
{
	int ret = 0;

	for (unsigned int i = 0; i < mem->nr_files && !ret; i++) {
		const struct memory_file *file = &mem->files[i];
		size_t len = (size_t)file->len;
		void *copy = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				  -1, 0);

		if (copy == MAP_FAILED)
			return -errno;
		memcpy(copy, file->host, len);
		ret = move_over(copy, file->host, len);
	}
	if (!ret)
		memory_let_files_go(mem);
	return ret;
}

/*
 * Splits @len bytes at @host into an edge, whole host pages (@middle), and what is left after them.
 * Without a whole page, all of it is edge.
 */
static void split_pages(const uint8_t *host, uint64_t len, uint64_t *edge, uint64_t *middle)
{
	uint64_t page = host_page_bytes();

	*edge = -(uintptr_t)host & (page - 1);
	if (*edge >= len || len - *edge < page) {
		*edge = len;
		*middle = 0;
		return;
	}
	*middle = align_down(len - *edge, page);
}

int memory_load_file(struct memory *mem, gpa_t gpa, int fd, off_t offset, uint64_t len)
{
	uint64_t page = host_page_bytes();
	const struct memory_region *r = memory_find(mem, gpa);
	uint64_t from = (uint64_t)offset;
	uint64_t edge, middle;
	struct stat st;
	uint8_t *host;
	int ret;

	host = memory_ptr(mem, gpa, len);
	if (!host || (!r && len))
		return -EFAULT;
	if (!len)
		return 0;
	if (offset < 0)
		return -EINVAL;
	if (fstat(fd, &st) < 0)
		return -errno;
	/* Checked before mapping: pages beyond the end would be SIGBUS in the guest. */
	if (S_ISREG(st.st_mode) && !range_within(from, len, 0, (uint64_t)st.st_size))
		return -EIO;

	split_pages(host, len, &edge, &middle);
	if (!S_ISREG(st.st_mode) || r->hugetlb || r->fd >= 0 || mem->copy_files ||
	    ((uintptr_t)host ^ from) & (page - 1))
		return read_fully(fd, host, len, from);

	ret = read_fully(fd, host, edge, from);
	if (ret)
		return ret;
	if (middle && map_leased(mem, host + edge, fd, &st, from + edge, middle) < 0) {
		ret = read_fully(fd, host + edge, middle, from + edge);
		if (ret)
			return ret;
	}
	edge += middle;
	return read_fully(fd, host + edge, len - edge, from + edge);
}

/* The file of @r has no pages there any more: they read as zeros, here and in other processes. 0 or -errno. */
static int punch_hole(const struct memory_region *r, const uint8_t *host, uint64_t len)
{
	return fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(host - r->host), (off_t)len) ?
		-errno : 0;
}

/* Untouched pages take the place of those at @host. False: they could not. */
static bool zero_pages(const struct memory_region *r, uint8_t *host, uint64_t len)
{
	if (r->hugetlb)
		return false;
	if (r->fd >= 0)
		return !punch_hole(r, host, len);
	/* Of the same kind as map_anonymous() made, so that the kernel merges them with their neighbours. */
	return mmap(host, (size_t)len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

int memory_zero(struct memory *mem, gpa_t gpa, uint64_t len)
{
	const struct memory_region *r = memory_find(mem, gpa);
	uint64_t edge, middle;
	uint8_t *host;

	host = memory_ptr(mem, gpa, len);
	if (!host || (!r && len))
		return -EFAULT;
	if (!len)
		return 0;
	split_pages(host, len, &edge, &middle);
	memset(host, 0, (size_t)edge);
	if (middle && !zero_pages(r, host + edge, middle))
		memset(host + edge, 0, (size_t)middle);
	edge += middle;
	memset(host + edge, 0, (size_t)(len - edge));
	return 0;
}

/*
 * How many of @len bytes at @host are alike: all in one mapped piece of a file (@file), or all in none. A file's
 * bytes would come back from MADV_DONTNEED, and what somebody did to the file meanwhile.
 */
static uint64_t alike(const struct memory *mem, const uint8_t *host, uint64_t len, bool *file)
{
	uintptr_t at = (uintptr_t)host;

	*file = false;
	for (unsigned int i = 0; i < mem->nr_mapped; i++) {
		uintptr_t start = (uintptr_t)mem->mapped[i].host;

		if (at >= start && at - start < mem->mapped[i].len) {
			*file = true;
			return MIN(len, mem->mapped[i].len - (at - start));
		}
		if (at < start)
			len = MIN(len, start - at);
	}
	return len;
}

/* Untouched pages take the place of those at @host. 0 or -errno. */
static int replace_pages(uint8_t *host, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? -errno : move_over(p, host, len);
}

int memory_discard(const struct memory *mem, gpa_t gpa, uint64_t len)
{
	const struct memory_region *r = memory_find(mem, gpa);
	uint8_t *host = memory_ptr(mem, gpa, len);
	int ret = 0;

	if (!r || !host || r->readonly)
		return -EFAULT;
	if (r->hugetlb)
		return -EOPNOTSUPP;
	if ((gpa | len) & (host_page_bytes() - 1))
		return -EINVAL;
	if (r->fd >= 0)
		return punch_hole(r, host, len);
	while (len && !ret) {
		bool file;
		size_t n = (size_t)alike(mem, host, len, &file);

		if (file)
			ret = replace_pages(host, n);
		else if (madvise(host, n, MADV_DONTNEED))
			ret = -errno;
		host += n;
		len -= n;
	}
	return ret;
}
