// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lkvm/log.h"

_Static_assert(sizeof(off_t) == 8, "disks are larger than 2 GiB: build with _FILE_OFFSET_BITS=64");

#define SECTOR_BYTES 512

/* Where the host does not tell what O_DIRECT wants: enough for every disk there is. */
#define DIRECT_ALIGN 4096

/* Copies for O_DIRECT, and the zeros of a host that has no better way, go in pieces of this size. */
#define BOUNCE_BYTES (128 * 1024)

/* One preadv(2) takes so many buffers; below IOV_MAX to keep the array on the stack small. */
#define TRANSFER_IOVS 128
/* ... and so much, because a sum beyond SSIZE_MAX is an error on 32-bit hosts. */
#define TRANSFER_BYTES GIB(1)

struct disk {
	int      fd;
	char    *path;
	bool     readonly;
	bool     is_block;
	uint64_t size_bytes;
	uint32_t block_bytes;

	bool     direct;
	int      open_flags;    /* F_GETFL, with O_DIRECT if direct */
	uint32_t offset_align;  /* of O_DIRECT: file offsets and lengths ... */
	uint32_t memory_align;  /* ... and buffers */
	uint8_t *bounce;        /* allocated when first needed */

	/* What the host has turned out not to have. */
	bool     no_discard;
	bool     no_punch_hole;
	bool     no_zero_range;

	struct log_ratelimit limit;
};

/* ---- opening ------------------------------------------------------------------------------------ */

/* Image formats that would boot as garbage, and be destroyed, if taken for raw. */
static const struct {
	const char *name, *magic;
	uint8_t     len;
} foreign_formats[] = {
	{ "qcow2", "QFI\xfb", 4 },
	{ "QED", "QED\0", 4 },
	{ "VMDK", "KDMV", 4 },
	{ "VHDX", "vhdxfile", 8 },
};

static int check_format(const struct disk *disk)
{
	char head[8];
	ssize_t n = pread(disk->fd, head, sizeof(head), 0);

	for (size_t i = 0; i < ARRAY_SIZE(foreign_formats); i++) {
		if (n < foreign_formats[i].len ||
		    memcmp(head, foreign_formats[i].magic, foreign_formats[i].len))
			continue;
		log_error("disk %s: this is a %s image, and lkvm takes raw ones "
			  "(convert it: qemu-img convert -O raw %s NEW)", disk->path,
			  foreign_formats[i].name, disk->path);
		return -EINVAL;
	}
	return 0;
}

static int open_image(struct disk *disk)
{
	const char *advice = "";
	int err;

	/* Not to wait for the other end of a FIFO, which is refused anyway. */
	disk->fd = open(disk->path, (disk->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	if (disk->fd >= 0)
		return 0;

	err = errno;
	if (err == ENOENT)
		advice = " (to make an empty one: truncate -s SIZE FILE)";
	else if (!disk->readonly && access(disk->path, R_OK) == 0 && err != EISDIR)
		advice = " (add ,ro to use it read-only)";
	log_error("cannot open disk %s: %s%s", disk->path, strerror(err), advice);
	return -err;
}

/*
 * An open file description's lock: it is ours, not the process's, so that two VMs in one process are two
 * users, and no close(2) elsewhere drops it.
 */
static int lock_image(struct disk *disk)
{
	struct flock lock = {
		.l_type = disk->readonly ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	if (fcntl(disk->fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES) {
		/* A file system without locks; its users have to look out for themselves. */
		log_info("disk %s: cannot lock it: %s", disk->path, strerror(errno));
		return 0;
	}
	if (disk->readonly)
		log_error("disk %s is in use by another process that may write to it "
			  "(stop that one, or use a copy)", disk->path);
	else
		log_error("disk %s is in use by another process "
			  "(several can share it if all of them add ,ro)", disk->path);
	return -EBUSY;
}

static int find_size(struct disk *disk, const struct stat *st)
{
	uint64_t rounded;
	int sector;

	disk->block_bytes = SECTOR_BYTES;
	if (disk->is_block) {
		if (ioctl(disk->fd, BLKGETSIZE64, &disk->size_bytes) < 0 ||
		    ioctl(disk->fd, BLKSSZGET, &sector) < 0) {
			int err = errno;

			log_error("disk %s: cannot find out its size: %s", disk->path,
				  strerror(err));
			return -err;
		}
		/* Its partition table counts in these, so the guest must, too. */
		if (sector > SECTOR_BYTES && is_power_of_two((uint64_t)sector))
			disk->block_bytes = (uint32_t)sector;
	} else {
		disk->size_bytes = (uint64_t)st->st_size;
	}

	rounded = align_down(disk->size_bytes, disk->block_bytes);
	if (!rounded) {
		log_error("disk %s: %" PRIu64 " bytes are too few for a disk "
			  "(to resize it: truncate -s SIZE %s)", disk->path, disk->size_bytes, disk->path);
		return -EINVAL;
	}
	if (rounded != disk->size_bytes)
		log_warning("disk %s: its size is not a multiple of %" PRIu32
			    "; the guest does not see the last %" PRIu64 " bytes",
			    disk->path, disk->block_bytes, disk->size_bytes - rounded);
	disk->size_bytes = rounded;
	return 0;
}

static void find_direct_align(struct disk *disk)
{
	disk->offset_align = DIRECT_ALIGN;
	disk->memory_align = DIRECT_ALIGN;
	if (disk->is_block) {
		disk->offset_align = disk->block_bytes;
		disk->memory_align = disk->block_bytes;
		return;
	}
#ifdef STATX_DIOALIGN
	struct statx stx;

	if (statx(disk->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) == 0 &&
	    (stx.stx_mask & STATX_DIOALIGN) && is_power_of_two(stx.stx_dio_offset_align) &&
	    is_power_of_two(stx.stx_dio_mem_align)) {
		disk->offset_align = stx.stx_dio_offset_align;
		disk->memory_align = stx.stx_dio_mem_align;
	}
#endif
}

/* Only now O_DIRECT: reading the first bytes needed no care, and the error is clear. */
static int set_flags(struct disk *disk)
{
	int flags = fcntl(disk->fd, F_GETFL);
	int err;

	if (flags >= 0) {
		flags &= ~O_NONBLOCK;
		if (disk->direct)
			flags |= O_DIRECT;
		disk->open_flags = flags;
		if (fcntl(disk->fd, F_SETFL, flags) == 0)
			return 0;
	}
	err = errno;
	if (disk->direct && err == EINVAL)
		log_error("disk %s: its file system has no direct I/O (leave out ,direct)", disk->path);
	else
		log_error("disk %s: cannot set its flags: %s", disk->path, strerror(err));
	return -err;
}

/* Does the block device say that it discards? */
static bool block_discards(const struct stat *st)
{
	/* A partition's queue is its disk's. */
	static const char *const forms[] = {
		"/sys/dev/block/%u:%u/queue/discard_max_bytes",
		"/sys/dev/block/%u:%u/../queue/discard_max_bytes",
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		char path[96], text[32] = "";
		ssize_t n;
		int fd;

		snprintf(path, sizeof(path), i ? forms[1] : forms[0], major(st->st_rdev),
			 minor(st->st_rdev));
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		return n > 0 && strtoull(text, NULL, 10) > 0;
	}
	return false;
}

int disk_open(struct disk **out, const struct config_disk *cfg)
{
	struct disk *disk;
	struct stat st;
	int err;

	disk = calloc(1, sizeof(*disk));
	if (!disk) {
		log_error("out of memory for disk %s", cfg->path);
		return -ENOMEM;
	}
	disk->fd = -1;
	disk->readonly = cfg->readonly;
	disk->direct = cfg->direct;
	disk->limit.burst = 5;
	disk->path = strdup(cfg->path);
	if (!disk->path) {
		log_error("out of memory for disk %s", cfg->path);
		err = -ENOMEM;
		goto fail;
	}

	err = open_image(disk);
	if (err)
		goto fail;
	if (fstat(disk->fd, &st) < 0) {
		err = -errno;
		log_error("disk %s: %s", disk->path, strerror(-err));
		goto fail;
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		log_error("disk %s is %s", disk->path,
			  S_ISDIR(st.st_mode) ? "a directory (give those to the guest with --root or --9p)" :
						"neither a file nor a block device");
		err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
		goto fail;
	}
	disk->is_block = S_ISBLK(st.st_mode);

	err = lock_image(disk);
	if (!err)
		err = check_format(disk);
	if (!err)
		err = find_size(disk, &st);
	if (!err)
		err = set_flags(disk);
	if (err)
		goto fail;
	if (disk->direct)
		find_direct_align(disk);
	disk->no_discard = disk->readonly || (disk->is_block && !block_discards(&st));

	*out = disk;
	return 0;
fail:
	disk_close(disk);
	return err;
}

void disk_close(struct disk *disk)
{
	if (!disk)
		return;
	if (disk->fd >= 0)
		close(disk->fd);
	free(disk->bounce);
	free(disk->path);
	free(disk);
}

uint64_t disk_size_bytes(const struct disk *disk)
{
	return disk->size_bytes;
}

uint32_t disk_block_bytes(const struct disk *disk)
{
	return disk->block_bytes;
}

bool disk_readonly(const struct disk *disk)
{
	return disk->readonly;
}

bool disk_can_discard(const struct disk *disk)
{
	return !disk->no_discard;
}

/* ---- reading and writing ------------------------------------------------------------------------ */

/* Says what the host did, and hands on @err. */
static int disk_report(struct disk *disk, const char *what, uint64_t offset, uint64_t len, int err)
{
	if (err)
		log_guest(&disk->limit, "disk %s: cannot %s %" PRIu64 " bytes at %" PRIu64 ": %s",
			  disk->path, what, len, offset, strerror(-err));
	return err;
}

/* preadv(2) or pwritev(2) until all of @len bytes are through. */
static int transfer(const struct disk *disk, bool write, const struct iovec *iov, uint64_t len,
		    uint64_t offset)
{
	size_t skip = 0; /* what is done of the first buffer */

	while (len) {
		struct iovec part[TRANSFER_IOVS];
		uint64_t listed = 0;
		ssize_t n;
		int nr = 0;

		/* @len bytes are there, so this stops before the end of the array. */
		for (int i = 0; nr < TRANSFER_IOVS && listed < MIN(len, TRANSFER_BYTES); i++) {
			size_t done = i ? 0 : skip;

			part[nr].iov_base = (uint8_t *)iov[i].iov_base + done;
			part[nr].iov_len = (size_t)MIN(iov[i].iov_len - done, TRANSFER_BYTES - listed);
			listed += part[nr++].iov_len;
		}

		if (write)
			n = pwritev(disk->fd, part, nr, (off_t)offset);
		else
			n = preadv(disk->fd, part, nr, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0 && listed) /* somebody has truncated the file */
			return -EIO;

		len -= (uint64_t)n;
		offset += (uint64_t)n;
		skip += (size_t)n;
		while (len && skip >= iov->iov_len) {
			skip -= iov->iov_len;
			iov++;
		}
	}
	return 0;
}

static int need_bounce(struct disk *disk)
{
	void *buf;
	int err;

	if (disk->bounce)
		return 0;
	err = -posix_memalign(&buf, MAX(disk->memory_align, DIRECT_ALIGN), BOUNCE_BYTES);
	if (!err)
		disk->bounce = buf;
	return err;
}

/* Copies the next @len bytes between @buf and the vector at (*@iov, *@skip), and moves that on. */
static void copy_vector(uint8_t *buf, size_t len, bool to_vector, const struct iovec **iov,
			size_t *skip)
{
	while (len) {
		size_t n = MIN(len, (*iov)->iov_len - *skip);
		uint8_t *at = (uint8_t *)(*iov)->iov_base + *skip;

		if (n && to_vector)
			memcpy(at, buf, n);
		else if (n)
			memcpy(buf, at, n);
		buf += n;
		len -= n;
		*skip += n;
		if (*skip == (*iov)->iov_len) {
			(*iov)++;
			*skip = 0;
		}
	}
}

/* O_DIRECT with buffers that it would refuse, but at an offset and of a length that it takes. */
static int transfer_bounced(struct disk *disk, bool write, const struct iovec *iov, uint64_t len,
			    uint64_t offset)
{
	size_t skip = 0;
	int err = need_bounce(disk);

	while (!err && len) {
		struct iovec one = { .iov_base = disk->bounce,
				     .iov_len = (size_t)MIN(len, BOUNCE_BYTES) };

		if (write)
			copy_vector(disk->bounce, one.iov_len, false, &iov, &skip);
		err = transfer(disk, write, &one, one.iov_len, offset);
		if (!err && !write)
			copy_vector(disk->bounce, one.iov_len, true, &iov, &skip);
		len -= one.iov_len;
		offset += one.iov_len;
	}
	return err;
}

/*
 * O_DIRECT at an offset or of a length that it does not take: leaves this one to the page cache, which
 * the kernel keeps coherent with direct I/O that does not run at the same time. Better than to read,
 * change and write here, which would have to write beyond the end of a file of odd length.
 */
static int transfer_cached(struct disk *disk, bool write, const struct iovec *iov, uint64_t len,
			   uint64_t offset)
{
	int err;

	if (fcntl(disk->fd, F_SETFL, disk->open_flags & ~O_DIRECT) < 0)
		return -errno;
	err = transfer(disk, write, iov, len, offset);
	if (fcntl(disk->fd, F_SETFL, disk->open_flags) < 0 && !err)
		err = -errno;
	return err;
}

static bool is_aligned(const struct disk *disk, const struct iovec *iov, int nr)
{
	for (int i = 0; i < nr; i++)
		if ((uintptr_t)iov[i].iov_base % disk->memory_align ||
		    iov[i].iov_len % disk->offset_align)
			return false;
	return true;
}

static int disk_transfer(struct disk *disk, bool write, const struct iovec *iov, int nr,
			 uint64_t offset)
{
	uint64_t len = 0;
	int err;

	for (int i = 0; i < nr; i++) {
		if (iov[i].iov_len > disk->size_bytes - len)
			return -EINVAL;
		len += iov[i].iov_len;
	}
	if (!range_within(offset, len, 0, disk->size_bytes))
		return -EINVAL;
	if (!len)
		return 0;

	if (disk->direct && (offset | len) % disk->offset_align)
		err = transfer_cached(disk, write, iov, len, offset);
	else if (disk->direct && !is_aligned(disk, iov, nr))
		err = transfer_bounced(disk, write, iov, len, offset);
	else
		err = transfer(disk, write, iov, len, offset);
	return disk_report(disk, write ? "write" : "read", offset, len, err);
}

int disk_read(struct disk *disk, const struct iovec *iov, int nr, uint64_t offset)
{
	return disk_transfer(disk, false, iov, nr, offset);
}

int disk_write(struct disk *disk, const struct iovec *iov, int nr, uint64_t offset)
{
	return disk->readonly ? -EROFS : disk_transfer(disk, true, iov, nr, offset);
}

int disk_flush(struct disk *disk)
{
	int err;

	if (disk->readonly)
		return 0;
	do
		err = fdatasync(disk->fd) < 0 ? -errno : 0;
	while (err == -EINTR);
	return disk_report(disk, "flush", 0, disk->size_bytes, err);
}

/* ---- discarding and zeroing --------------------------------------------------------------------- */

static bool is_unsupported(int err)
{
	return err == -EOPNOTSUPP || err == -ENOSYS || err == -ENOTTY;
}

/* fallocate(2), unless *@missing; sets that if the host turns out not to have it. */
static int try_fallocate(const struct disk *disk, int mode, uint64_t offset, uint64_t len,
			 bool *missing)
{
	int err;

	if (*missing)
		return -EOPNOTSUPP;
	do
		err = fallocate(disk->fd, mode, (off_t)offset, (off_t)len) < 0 ? -errno : 0;
	while (err == -EINTR);
	if (is_unsupported(err)) {
		*missing = true;
		return -EOPNOTSUPP;
	}
	return err;
}

static int punch_hole(struct disk *disk, uint64_t offset, uint64_t len)
{
	return try_fallocate(disk, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len,
			     &disk->no_punch_hole);
}

/* An ioctl of a block device with its usual argument, a range. */
static int block_range(const struct disk *disk, unsigned long request, uint64_t offset, uint64_t len)
{
	uint64_t range[2] = { offset, len };

	return ioctl(disk->fd, request, range) < 0 ? -errno : 0;
}

int disk_discard(struct disk *disk, uint64_t offset, uint64_t len)
{
	int err;

	if (disk->readonly)
		return -EROFS;
	if (!range_within(offset, len, 0, disk->size_bytes))
		return -EINVAL;
	if (disk->no_discard)
		return -EOPNOTSUPP;

	if (disk->is_block) {
		/* A wish, not a command: what is not whole blocks can stay. */
		uint64_t first = align_up(offset, disk->block_bytes);
		uint64_t end = align_down(offset + len, disk->block_bytes);

		err = first < end ? block_range(disk, BLKDISCARD, first, end - first) : 0;
	} else {
		err = len ? punch_hole(disk, offset, len) : 0;
	}
	if (is_unsupported(err)) {
		disk->no_discard = true;
		return -EOPNOTSUPP;
	}
	return disk_report(disk, "discard", offset, len, err);
}

static int write_zeroes(struct disk *disk, uint64_t offset, uint64_t len)
{
	int err = need_bounce(disk);

	if (err)
		return disk_report(disk, "zero", offset, len, err);
	memset(disk->bounce, 0, BOUNCE_BYTES);
	/* An aligned buffer never needs bouncing, so these zeros are safe from disk_transfer(). */
	while (!err && len) {
		struct iovec one = { .iov_base = disk->bounce,
				     .iov_len = (size_t)MIN(len, BOUNCE_BYTES) };

		err = disk_transfer(disk, true, &one, 1, offset);
		offset += one.iov_len;
		len -= one.iov_len;
	}
	return err;
}

int disk_write_zeroes(struct disk *disk, uint64_t offset, uint64_t len, bool may_unmap)
{
	int err = -EOPNOTSUPP;

	if (disk->readonly)
		return -EROFS;
	if (!range_within(offset, len, 0, disk->size_bytes))
		return -EINVAL;
	if (!len)
		return 0;

	if (may_unmap)
		err = punch_hole(disk, offset, len);
	if (err && disk->is_block)
		err = block_range(disk, BLKZEROOUT, offset, len);
	else if (err)
		err = try_fallocate(disk, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, len,
				    &disk->no_zero_range);
	/* Short cuts all of them: whatever they say, plain writes have the last word. */
	return err ? write_zeroes(disk, offset, len) : 0;
}
