// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/cfi-flash.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lkvm/log.h"
#include "lkvm/size.h"

/* Commands, the same to both chips (Intel 290737, table 5). */
#define CMD_PROGRAM_ALT   0x10
#define CMD_ERASE         0x20
#define CMD_PROGRAM       0x40
#define CMD_CLEAR_STATUS  0x50
#define CMD_LOCK_SETUP    0x60
#define CMD_READ_STATUS   0x70
#define CMD_READ_ID       0x90
#define CMD_QUERY         0x98
#define CMD_BUFFER        0xe8
#define CMD_READ_ARRAY    0xff

#define CONFIRM           0xd0 /* of erase and buffer; unlock */
#define LOCK              0x01
#define LOCK_DOWN         0x2f

/* Status register (table 8). */
#define SR_READY          0x80
#define SR_ERASE_ERROR    0x20
#define SR_PROGRAM_ERROR  0x10
#define SR_LOCKED         0x02
#define SR_BAD_SEQUENCE   (SR_ERASE_ERROR | SR_PROGRAM_ERROR)

/* What READ_ID tells: Intel's manufacturer code, and a device code of that family. */
#define ID_MANUFACTURER   0x89
#define ID_DEVICE         0x18
#define ID_LOCK           2    /* offset in the block: bit 0 */

#define CHIPS             2
#define BUS_BYTES         4
#define CHIP_BUFFER_SHIFT 8    /* write buffer of a chip, 2^n bytes */
#define BUFFER_BYTES      (CHIPS << CHIP_BUFFER_SHIFT)

/* CFI data starts here; its last byte is QUERY_FIRST + QUERY_BYTES - 1. */
#define QUERY_FIRST       0x10
#define QUERY_BYTES       0x30
#define QUERY_PRIMARY     0x31 /* where the vendor's own table is */

enum cfi_state {
	CFI_ARRAY,
	CFI_STATUS,
	CFI_ID,
	CFI_QUERY,
	/* The next write is ... These read as CFI_STATUS. */
	CFI_PROGRAM,       /* the data */
	CFI_ERASE,         /* the confirmation of an erase */
	CFI_LOCK,          /* what to do with the lock */
	CFI_BUFFER_COUNT,  /* the number of data writes to come, less one */
	CFI_BUFFER_DATA,
	CFI_BUFFER_CONFIRM,
};

struct cfi_flash {
	struct cfi_flash_options opt;
	pthread_mutex_t lock;
	enum cfi_state  state;
	bool            mapped;
	uint8_t         status;
	bool           *locked;      /* of each block */
	uint8_t         query[QUERY_BYTES];

	/* A buffered write: these bytes from buffer_base on. Programming only clears bits: ones change nothing. */
	uint8_t         buffer[BUFFER_BYTES];
	uint64_t        buffer_base;
	uint64_t        buffer_block; /* the block that the command named */
	unsigned int    buffer_left;  /* data writes to come */
	bool            buffer_begun;
};

/* JESD68.01 §4.3, for one chip; the vendor's table: Intel 290737, appendix B. */
static void make_query(uint8_t *query, uint64_t chip_bytes, uint64_t chip_block_bytes)
{
	uint64_t blocks = chip_bytes / chip_block_bytes;
	uint8_t size_shift = 0;
	const uint8_t fixed[] = {
		[0x10 - QUERY_FIRST] = 'Q', 'R', 'Y',
		[0x13 - QUERY_FIRST] = 0x01, 0x00, /* command set */
		[0x15 - QUERY_FIRST] = QUERY_PRIMARY, 0x00,
		[0x1b - QUERY_FIRST] = 0x27, 0x36, /* Vcc from 2.7 to 3.6 V */
		[0x1f - QUERY_FIRST] = 4, 4, 4, 0, /* typical times, 2^n us, us, ms */
		[0x23 - QUERY_FIRST] = 4, 4, 4, 0, /* the longest: 2^n times that */
		[0x28 - QUERY_FIRST] = 0x01, 0x00, /* 16-bit interface */
		[0x2a - QUERY_FIRST] = CHIP_BUFFER_SHIFT, 0x00,
		[0x2c - QUERY_FIRST] = 1, /* all blocks are of one size */
		[QUERY_PRIMARY - QUERY_FIRST] = 'P', 'R', 'I', '1', '0',
	};

	while (chip_bytes >> size_shift > 1)
		size_shift++;
	memset(query, 0, QUERY_BYTES);
	memcpy(query, fixed, sizeof(fixed));
	query[0x27 - QUERY_FIRST] = size_shift;
	query[0x2d - QUERY_FIRST] = (uint8_t)(blocks - 1);
	query[0x2e - QUERY_FIRST] = (uint8_t)((blocks - 1) >> 8);
	query[0x2f - QUERY_FIRST] = (uint8_t)(chip_block_bytes >> 8);
	query[0x30 - QUERY_FIRST] = (uint8_t)(chip_block_bytes >> 16);
}

/* ---- contents: all with the lock held ------------------------------------------------------------ */

/* What memory has, the file gets. A file that can't be written is the same to the guest as worn-out cells. */
static bool save(struct cfi_flash *f, uint64_t offset, uint64_t len)
{
	while (len) {
		ssize_t n = pwrite(f->opt.fd, f->opt.array + offset, (size_t)len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			log_error("cannot write to the flash's file: %s", strerror(n ? errno : EIO));
			return false;
		}
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return true;
}

static bool check_lock(struct cfi_flash *f, uint64_t offset, uint8_t error)
{
	if (!f->locked[offset / CFI_FLASH_BLOCK_BYTES])
		return true;
	f->status |= SR_LOCKED | error;
	return false;
}

static void program(struct cfi_flash *f, uint64_t offset, const uint8_t *data, uint64_t len)
{
	if (!check_lock(f, offset, SR_PROGRAM_ERROR))
		return;
	for (uint64_t i = 0; i < len; i++)
		f->opt.array[offset + i] &= data[i];
	if (!save(f, offset, len))
		f->status |= SR_PROGRAM_ERROR;
}

static void erase(struct cfi_flash *f, uint64_t offset)
{
	offset = align_down(offset, CFI_FLASH_BLOCK_BYTES);
	if (!check_lock(f, offset, SR_ERASE_ERROR))
		return;
	memset(f->opt.array + offset, 0xff, CFI_FLASH_BLOCK_BYTES);
	if (!save(f, offset, CFI_FLASH_BLOCK_BYTES))
		f->status |= SR_ERASE_ERROR;
}

/* ---- commands: all with the lock held ------------------------------------------------------------ */

static void set_state(struct cfi_flash *f, enum cfi_state state)
{
	bool mapped = state == CFI_ARRAY;

	f->state = state;
	if (mapped == f->mapped)
		return;
	f->mapped = mapped;
	f->opt.set_mapped(f->opt.ctx, mapped);
}

static void begin_command(struct cfi_flash *f, uint64_t offset, uint8_t command)
{
	switch (command) {
	case CMD_READ_STATUS:
		set_state(f, CFI_STATUS);
		break;
	case CMD_CLEAR_STATUS:
		f->status = SR_READY;
		break;
	case CMD_READ_ID:
		set_state(f, CFI_ID);
		break;
	case CMD_QUERY:
		set_state(f, CFI_QUERY);
		break;
	case CMD_PROGRAM:
	case CMD_PROGRAM_ALT:
		set_state(f, CFI_PROGRAM);
		break;
	case CMD_ERASE:
		set_state(f, CFI_ERASE);
		break;
	case CMD_LOCK_SETUP:
		set_state(f, CFI_LOCK);
		break;
	case CMD_BUFFER:
		f->buffer_block = offset / CFI_FLASH_BLOCK_BYTES;
		set_state(f, CFI_BUFFER_COUNT);
		break;
	case CMD_READ_ARRAY:
	default: /* among them the reset command of other vendors' chips, 0xf0, with which drivers look for them */
		set_state(f, CFI_ARRAY);
		break;
	}
}

static void bad_sequence(struct cfi_flash *f)
{
	f->status |= SR_BAD_SEQUENCE;
	set_state(f, CFI_STATUS);
}

static void lock_block(struct cfi_flash *f, uint64_t offset, uint8_t what)
{
	if (what != LOCK && what != LOCK_DOWN && what != CONFIRM) {
		bad_sequence(f);
		return;
	}
	f->locked[offset / CFI_FLASH_BLOCK_BYTES] = what != CONFIRM;
	set_state(f, CFI_STATUS);
}

static void begin_buffer(struct cfi_flash *f, uint16_t count)
{
	if (count >= BUFFER_BYTES / BUS_BYTES) {
		bad_sequence(f);
		return;
	}
	memset(f->buffer, 0xff, sizeof(f->buffer));
	f->buffer_left = count + 1u;
	f->buffer_begun = false;
	set_state(f, CFI_BUFFER_DATA);
}

/* The first data write says which piece of the array the buffer is for; all must go to the block of the command. */
static void fill_buffer(struct cfi_flash *f, uint64_t offset, const uint8_t *data, unsigned int len)
{
	if (!f->buffer_begun) {
		f->buffer_base = align_down(offset, BUFFER_BYTES);
		f->buffer_begun = true;
	}
	if (!range_within(offset, len, f->buffer_base, BUFFER_BYTES) ||
	    offset / CFI_FLASH_BLOCK_BYTES != f->buffer_block) {
		bad_sequence(f);
		return;
	}
	memcpy(f->buffer + (offset - f->buffer_base), data, len);
	if (!--f->buffer_left)
		set_state(f, CFI_BUFFER_CONFIRM);
}

static void write_locked(struct cfi_flash *f, uint64_t offset, unsigned int size, uint64_t value)
{
	uint8_t data[8];
	uint8_t command = (uint8_t)value;

	for (unsigned int i = 0; i < size; i++)
		data[i] = (uint8_t)(value >> 8 * i);
	switch (f->state) {
	case CFI_PROGRAM:
		program(f, offset, data, size);
		set_state(f, CFI_STATUS);
		break;
	case CFI_ERASE:
		if (command != CONFIRM) {
			bad_sequence(f);
			break;
		}
		erase(f, offset);
		set_state(f, CFI_STATUS);
		break;
	case CFI_LOCK:
		lock_block(f, offset, command);
		break;
	case CFI_BUFFER_COUNT:
		begin_buffer(f, (uint16_t)value);
		break;
	case CFI_BUFFER_DATA:
		fill_buffer(f, offset, data, size);
		break;
	case CFI_BUFFER_CONFIRM:
		if (command != CONFIRM) {
			bad_sequence(f);
			break;
		}
		program(f, f->buffer_base, f->buffer, BUFFER_BYTES);
		set_state(f, CFI_STATUS);
		break;
	default:
		begin_command(f, offset, command);
		break;
	}
}

/* What each chip puts on its half of the bus at bus word @word. */
static uint8_t read_chip(const struct cfi_flash *f, uint64_t word)
{
	uint64_t block = word * BUS_BYTES / CFI_FLASH_BLOCK_BYTES;

	switch (f->state) {
	case CFI_ID:
		word %= CFI_FLASH_BLOCK_BYTES / BUS_BYTES;
		return word == 0 ? ID_MANUFACTURER : word == 1 ? ID_DEVICE : word == ID_LOCK ? f->locked[block] : 0;
	case CFI_QUERY:
		return word >= QUERY_FIRST && word < QUERY_FIRST + QUERY_BYTES ? f->query[word - QUERY_FIRST] : 0;
	default:
		return f->status;
	}
}

static uint64_t flash_read(void *dev, uint64_t offset, unsigned int size)
{
	struct cfi_flash *f = dev;
	uint64_t value = 0;

	pthread_mutex_lock(&f->lock);
	for (unsigned int i = 0; i < size; i++) {
		uint64_t at = offset + i;
		uint8_t byte;

		if (f->state == CFI_ARRAY)
			byte = f->opt.array[at];
		else /* eight bits of sixteen */
			byte = at % 2 ? 0 : read_chip(f, at / BUS_BYTES);
		value |= (uint64_t)byte << 8 * i;
	}
	pthread_mutex_unlock(&f->lock);
	return value;
}

static void flash_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	struct cfi_flash *f = dev;

	pthread_mutex_lock(&f->lock);
	write_locked(f, offset, size, value);
	pthread_mutex_unlock(&f->lock);
}

const struct bus_ops cfi_flash_bus_ops = {
	.read = flash_read,
	.write = flash_write,
};

/* ---- life --------------------------------------------------------------------------------------- */

/* Two guests that write to one flash would spoil it. */
static int lock_file(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (!fcntl(fd, F_OFD_SETLK, &lock))
		return 0;
	/* A file system without locks; its users have to look out for themselves. */
	return errno == EAGAIN || errno == EACCES ? -EBUSY : 0;
}

int cfi_flash_open(const char *path, uint64_t max_bytes, uint64_t *size_bytes)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char max[SIZE_TEXT_BYTES];
	struct stat st;
	int ret;

	if (fd < 0 || fstat(fd, &st)) {
		ret = -errno;
		log_error("--flash: cannot open %s for writing: %s", path, strerror(-ret));
		goto err;
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < CFI_FLASH_BLOCK_BYTES ||
	    (uint64_t)st.st_size > max_bytes || !is_power_of_two((uint64_t)st.st_size)) {
		log_error("--flash: %s is no flash: that is a file of 256K, 512K, 1M, 2M ... up to %s (truncate -s 1M %s makes one)",
			  path, size_text(max, max_bytes), path);
		ret = -EINVAL;
		goto err;
	}
	ret = lock_file(fd);
	if (ret) {
		log_error("--flash: %s is in use by another guest", path);
		goto err;
	}
	*size_bytes = (uint64_t)st.st_size;
	return fd;
err:
	if (fd >= 0)
		close(fd);
	return ret;
}

int cfi_flash_create(struct cfi_flash **out, const struct cfi_flash_options *opt)
{
	struct cfi_flash *f = calloc(1, sizeof(*f));

	if (f)
		f->locked = calloc(opt->size_bytes / CFI_FLASH_BLOCK_BYTES, sizeof(*f->locked));
	if (!f || !f->locked) {
		log_error("out of memory for the flash");
		close(opt->fd);
		free(f);
		return -ENOMEM;
	}
	f->opt = *opt;
	f->mapped = true;
	f->status = SR_READY;
	make_query(f->query, opt->size_bytes / CHIPS, CFI_FLASH_BLOCK_BYTES / CHIPS);
	pthread_mutex_init(&f->lock, NULL);
	*out = f;
	return 0;
}

static void flash_destroy(void *dev)
{
	struct cfi_flash *f = dev;

	close(f->opt.fd);
	pthread_mutex_destroy(&f->lock);
	free(f->locked);
	free(f);
}

const struct device_ops cfi_flash_device_ops = {
	.destroy = flash_destroy,
};
