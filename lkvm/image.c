// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"
#include "lkvm/size.h"
#include "lkvm/unpack.h"

/* Against decompression bombs, and far above any kernel. */
#define IMAGE_MAX_UNPACKED GIB(4)
/* A zboot inside a gzip is plausible; more layers than this are a game. */
#define IMAGE_MAX_LAYERS 3

/* A kernel has about ten program headers. Bounds what a hostile file can make us look at. */
#define ELF_MAX_PHDRS 256

/*
 * From this size on, a file that follows another initrd starts on a page of its own, to be mapped.
 */
#define INITRD_MAP_BYTES KIB(64)

/* Files up to this size are read: that takes a quarter of the time of mapping and unmapping a page. */
#define IMAGE_READ_BYTES KIB(32)

/* ---- opening --------------------------------------------------------------------------------- */

/* All of it in memory of our own. 0, -EIO if the file is shorter, or -errno. */
static int image_read(struct image_file *img)
{
	uint8_t *p = malloc((size_t)img->size_bytes);
	ssize_t n;

	if (!p)
		return -ENOMEM;
	n = pread(img->fd, p, (size_t)img->size_bytes, 0);
	if (n != (ssize_t)img->size_bytes) {
		free(p);
		return n < 0 ? -errno : -EIO;
	}
	img->data = p;
	img->in_memory = true;
	return 0;
}

/* Makes its bytes readable at img->data. */
static int image_map(struct image_file *img)
{
	void *p;

	if (img->size_bytes <= IMAGE_READ_BYTES && !image_read(img))
		return 0;
	if (img->size_bytes > SIZE_MAX)
		return -EFBIG;
	p = mmap(NULL, (size_t)img->size_bytes, PROT_READ, MAP_PRIVATE, img->fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	img->data = p;
	return 0;
}

static void image_unmap(struct image_file *img)
{
	/* Nobody writes there; but these want no const. */
	void *data = (void *)(uintptr_t)img->data;

	if (img->in_memory)
		free(data);
	else if (data)
		munmap(data, (size_t)img->size_bytes);
	img->data = NULL;
	img->in_memory = false;
}

/*
 * Copies a pipe or another thing that can't be mapped into a memfd, which replaces *@fd. 0 or
 * -errno.
 */
static int image_slurp(int *fd, uint64_t limit_bytes)
{
	uint64_t total = 0;
	size_t chunk = MIB(1);
	uint8_t *buf;
	int mem, ret = 0;

	buf = malloc(chunk);
	mem = memfd_create("lkvm-image", MFD_CLOEXEC);
	if (!buf || mem < 0) {
		ret = buf ? -errno : -ENOMEM;
		goto fail;
	}
	for (;;) {
		ssize_t n = read(*fd, buf, chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			ret = -errno;
			goto fail;
		}
		if (!n)
			break;
		total += (uint64_t)n;
		if (total > limit_bytes) {
			ret = -EFBIG;
			goto fail;
		}
		for (ssize_t done = 0; done < n;) {
			ssize_t w = write(mem, buf + done, (size_t)(n - done));

			if (w < 0 && errno == EINTR)
				continue;
			if (w < 0) {
				ret = -errno;
				goto fail;
			}
			done += w;
		}
	}
	free(buf);
	close(*fd);
	*fd = mem;
	return 0;
fail:
	free(buf);
	if (mem >= 0)
		close(mem);
	return ret;
}

/*
 * Makes sure that *@fd is something that has a size and can be mapped. 0 with @size_bytes, or
 * -errno (reported).
 */
static int image_settle_fd(int *fd, const char *path, const char *what, uint64_t *size_bytes)
{
	struct stat st;
	int ret = 0;

	if (fstat(*fd, &st) < 0) {
		ret = -errno;
	} else if (S_ISDIR(st.st_mode)) {
		ret = -EISDIR;
	} else if (!S_ISREG(st.st_mode)) {
		ret = image_slurp(fd, IMAGE_MAX_UNPACKED);
		if (!ret && fstat(*fd, &st) < 0)
			ret = -errno;
	}
	if (ret) {
		log_error("cannot read %s %s: %s", what, path, strerror(-ret));
		return ret;
	}
	if (!st.st_size) {
		log_error("%s %s is empty: was it built, or copied, to the end?", what, path);
		return -EINVAL;
	}
	*size_bytes = (uint64_t)st.st_size;
	return 0;
}

/* Records another layer in img->packing: outermost first, "zboot/gzip". */
static void image_note_packing(struct image_file *img, const struct unpack_layer *layer)
{
	const char *parts[2] = { layer->wrapper, unpack_name(layer->format) };

	for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++) {
		size_t used = strlen(img->packing);

		if (parts[i])
			snprintf(img->packing + used, sizeof(img->packing) - used, "%s%s",
				 used ? "/" : "", parts[i]);
	}
}

/* Unpacks the outermost layer: 1 if there was one, 0 if none, or -errno (reported). */
static int image_unpack(struct image_file *img, const char *what, uint64_t limit_bytes)
{
	char cause[UNPACK_CAUSE_BYTES] = "";
	struct unpack_layer layer;
	uint64_t size;
	int fd, ret;

	ret = unpack_probe(img->data, img->size_bytes, &layer, cause);
	if (!ret)
		return 0;
	if (ret > 0)
		ret = unpack_layer(img->data, &layer, limit_bytes, &fd, &size, cause);
	if (ret < 0) {
		log_error("%s %s: %s", what, img->path, cause);
		return ret;
	}
	image_note_packing(img, &layer);
	image_unmap(img);
	close(img->fd);
	img->fd = fd;
	img->size_bytes = size;
	if (!size) {
		log_error("%s %s: nothing is left after unpacking it", what, img->path);
		return -EINVAL;
	}
	ret = image_map(img);
	if (ret) {
		log_error("cannot map %s %s: %s", what, img->path, strerror(-ret));
		return ret;
	}
	return 1;
}

int image_open_fd(struct image_file *img, int fd, const char *path, const char *what,
		  uint64_t limit_bytes)
{
	int ret;

	memset(img, 0, sizeof(*img));
	img->path = path;
	img->fd = fd;
	ret = image_settle_fd(&img->fd, path, what, &img->size_bytes);
	if (ret)
		goto fail;
	ret = image_map(img);
	if (ret) {
		log_error("cannot map %s %s: %s", what, path, strerror(-ret));
		goto fail;
	}
	for (unsigned int i = 0;; i++) {
		ret = image_unpack(img, what, limit_bytes);
		if (ret < 0)
			goto fail;
		if (!ret)
			return 0;
		if (i + 1 == IMAGE_MAX_LAYERS) {
			log_error("%s %s is packed more than %d times over (%s)", what, path,
				  IMAGE_MAX_LAYERS, img->packing);
			ret = -EINVAL;
			goto fail;
		}
	}
fail:
	image_close(img);
	return ret;
}

int image_open(struct image_file *img, const char *path, const char *what)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		int ret = -errno;

		memset(img, 0, sizeof(*img));
		img->fd = -1;
		log_fatal("Unable to open %s %s: %s", what, path, strerror(-ret));
		return ret;
	}
	return image_open_fd(img, fd, path, what, IMAGE_MAX_UNPACKED);
}

int image_keep(char **path, const char *what)
{
	char *kept = NULL;
	struct stat st;
	int fd, ret;

	if (stat(*path, &st) || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return 0;
	fd = open(*path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ret = image_slurp(&fd, IMAGE_MAX_UNPACKED);
	if (!ret && asprintf(&kept, "/proc/self/fd/%d", fd) < 0)
		ret = -ENOMEM;
	if (ret) {
		log_error("cannot read %s %s: %s", what, *path, strerror(-ret));
		close(fd);
		return ret;
	}
	/* The descriptor stays open. */
	free(*path);
	*path = kept;
	return 0;
}

void image_close(struct image_file *img)
{
	image_unmap(img);
	if (img->fd >= 0)
		close(img->fd);
	img->fd = -1;
	img->size_bytes = 0;
}

/* ---- ELF ------------------------------------------------------------------------------------- */

/* The file header, checked: all program headers lie within the file. */
struct elf_view {
	const uint8_t *data;
	uint64_t       size_bytes;
	bool           is64;
	bool           big_endian;
	uint16_t       type;
	uint16_t       machine;
	uint64_t       entry;
	uint64_t       phoff;
	uint16_t       phentsize;
	uint16_t       phnum;
};

struct elf_segment {
	uint32_t type;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t file_bytes;
	uint64_t mem_bytes;
	uint64_t align;
};

/* @len bytes at @off, which lie within the file. */
static uint64_t elf_get(const struct elf_view *elf, uint64_t off, unsigned int len)
{
	return elf->big_endian ? get_be(elf->data + off, len) : get_le(elf->data + off, len);
}

/* A member of an ELF structure at file offset @base, whichever class the file has. */
#define ELF_GET(elf, base, kind, member)                                                         \
	((elf)->is64 ? elf_get(elf, (base) + offsetof(Elf64_##kind, member),                     \
			       sizeof(((Elf64_##kind *)0)->member))                              \
		     : elf_get(elf, (base) + offsetof(Elf32_##kind, member),                     \
			       sizeof(((Elf32_##kind *)0)->member)))

/* 0, -ENOEXEC if this is no ELF file, or -EINVAL with @cause. */
static int elf_view_init(struct elf_view *elf, const struct image_file *img, const char **cause)
{
	uint64_t size;

	*cause = "";
	memset(elf, 0, sizeof(*elf));
	if (!image_is_elf(img))
		return -ENOEXEC;
	elf->data = img->data;
	elf->size_bytes = img->size_bytes;
	*cause = "its ELF header is cut off";
	if (img->size_bytes < EI_NIDENT)
		return -EINVAL;
	elf->is64 = img->data[EI_CLASS] == ELFCLASS64;
	elf->big_endian = img->data[EI_DATA] == ELFDATA2MSB;
	*cause = "its ELF header names an unknown class, byte order or version";
	if ((!elf->is64 && img->data[EI_CLASS] != ELFCLASS32) ||
	    (!elf->big_endian && img->data[EI_DATA] != ELFDATA2LSB) ||
	    img->data[EI_VERSION] != EV_CURRENT)
		return -EINVAL;
	*cause = "its ELF header is cut off";
	size = elf->is64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	if (img->size_bytes < size)
		return -EINVAL;

	elf->type = (uint16_t)ELF_GET(elf, 0, Ehdr, e_type);
	elf->machine = (uint16_t)ELF_GET(elf, 0, Ehdr, e_machine);
	elf->entry = ELF_GET(elf, 0, Ehdr, e_entry);
	elf->phoff = ELF_GET(elf, 0, Ehdr, e_phoff);
	elf->phentsize = (uint16_t)ELF_GET(elf, 0, Ehdr, e_phentsize);
	elf->phnum = (uint16_t)ELF_GET(elf, 0, Ehdr, e_phnum);

	*cause = "it has no program headers: an object file instead of a linked kernel?";
	if (!elf->phnum)
		return -EINVAL;
	*cause = "its ELF program headers are malformed";
	if (elf->phentsize < (elf->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) ||
	    elf->phnum > ELF_MAX_PHDRS)
		return -EINVAL;
	*cause = "its ELF program headers lie beyond the end of the file: it is truncated";
	if (!range_within(elf->phoff, (uint64_t)elf->phnum * elf->phentsize, 0, elf->size_bytes))
		return -EINVAL;
	*cause = "";
	return 0;
}

static void elf_segment_get(const struct elf_view *elf, unsigned int i, struct elf_segment *seg)
{
	uint64_t base = elf->phoff + (uint64_t)i * elf->phentsize;

	seg->type = (uint32_t)ELF_GET(elf, base, Phdr, p_type);
	seg->offset = ELF_GET(elf, base, Phdr, p_offset);
	seg->vaddr = ELF_GET(elf, base, Phdr, p_vaddr);
	seg->paddr = ELF_GET(elf, base, Phdr, p_paddr);
	seg->file_bytes = ELF_GET(elf, base, Phdr, p_filesz);
	seg->mem_bytes = ELF_GET(elf, base, Phdr, p_memsz);
	seg->align = ELF_GET(elf, base, Phdr, p_align);
}

/* e_machine as people say it; NULL if not among those that a user of lkvm may meet. */
static const char *elf_machine_name(uint16_t machine)
{
	switch (machine) {
	case EM_386:
		return "i386";
	case EM_MIPS:
		return "MIPS";
	case EM_PPC:
		return "32-bit PowerPC";
	case EM_PPC64:
		return "64-bit PowerPC";
	case EM_S390:
		return "s390";
	case EM_ARM:
		return "32-bit ARM";
	case EM_X86_64:
		return "x86-64";
	case EM_AARCH64:
		return "arm64";
	case EM_RISCV:
		return "RISC-V";
	case 258: /* EM_LOONGARCH, not in older elf.h */
		return "LoongArch";
	default:
		return NULL;
	}
}

bool image_is_elf(const struct image_file *img)
{
	return img->size_bytes >= SELFMAG && !memcmp(img->data, ELFMAG, SELFMAG);
}

unsigned int image_elf_bits(const struct image_file *img)
{
	if (!image_is_elf(img) || img->size_bytes < EI_NIDENT)
		return 0;
	return img->data[EI_CLASS] == ELFCLASS64 ? 64 : img->data[EI_CLASS] == ELFCLASS32 ? 32 : 0;
}

uint16_t image_elf_machine(const struct image_file *img)
{
	const uint8_t *p;

	if (!image_elf_bits(img) || img->size_bytes < offsetof(Elf32_Ehdr, e_version))
		return 0;
	p = img->data + offsetof(Elf32_Ehdr, e_machine); /* the same place in both classes */
	return img->data[EI_DATA] == ELFDATA2MSB ? get_be16(p) : get_le16(p);
}

/* Appends @seg to @plan after checking it. 0 or -EINVAL (reported). */
static int image_plan_add_elf(const struct image_file *img, const struct elf_segment *seg, uint64_t bias,
			      struct image_plan *plan)
{
	struct image_segment *out = &plan->segments[plan->nr_segments];

	if (plan->nr_segments == IMAGE_MAX_SEGMENTS) {
		log_error("%s has more than the %d loadable ELF segments that lkvm takes", img->path,
			  IMAGE_MAX_SEGMENTS);
		return -EINVAL;
	}
	out->file_offset = seg->offset;
	out->file_bytes = seg->file_bytes;
	out->gpa = seg->paddr + bias;
	out->mem_bytes = seg->mem_bytes;
	if (seg->file_bytes > seg->mem_bytes || out->mem_bytes > UINT64_MAX - out->gpa) {
		log_error("%s: the ELF segment at %#" PRIx64 " has impossible sizes (%" PRIu64 " bytes in the file, %" PRIu64 " in memory)",
			  img->path, seg->paddr, seg->file_bytes, seg->mem_bytes);
		return -EINVAL;
	}
	if (!range_within(seg->offset, seg->file_bytes, 0, img->size_bytes)) {
		log_error("%s is truncated: the ELF segment at %#" PRIx64 " lies beyond the end of the file",
			  img->path, seg->paddr);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < plan->nr_segments; i++) {
		const struct image_segment *s = &plan->segments[i];

		if (!range_overlaps(out->gpa, out->mem_bytes, s->gpa, s->mem_bytes))
			continue;
		log_error("%s: its ELF segments at %#" PRIx64 " and %#" PRIx64 " overlap", img->path,
			  s->gpa, out->gpa);
		return -EINVAL;
	}
	plan->nr_segments++;
	return 0;
}

/*
 * Where e_entry lies in physical memory: by virtual addresses, as the ELF specification has it,
 * else by physical ones, as x86-64's vmlinux has it.
 */
static bool elf_entry(const struct elf_view *elf, gpa_t *entry)
{
	struct elf_segment seg;

	for (unsigned int by_paddr = 0; by_paddr < 2; by_paddr++) {
		for (unsigned int i = 0; i < elf->phnum; i++) {
			uint64_t start;

			elf_segment_get(elf, i, &seg);
			start = by_paddr ? seg.paddr : seg.vaddr;
			if (seg.type != PT_LOAD || elf->entry < start ||
			    elf->entry - start >= seg.mem_bytes)
				continue;
			*entry = elf->entry - start + seg.paddr;
			return true;
		}
	}
	return false;
}

int image_plan_elf(const struct image_file *img, uint16_t machine, uint64_t bias,
		   struct image_plan *plan)
{
	uint64_t start = UINT64_MAX, end = 0;
	struct elf_segment seg;
	struct elf_view elf;
	const char *cause;
	int ret;

	memset(plan, 0, sizeof(*plan));
	ret = elf_view_init(&elf, img, &cause);
	if (ret == -ENOEXEC)
		return ret;
	if (ret) {
		log_error("%s can't be booted: %s", img->path, cause);
		return ret;
	}
	if (elf.machine != machine) {
		const char *is = elf_machine_name(elf.machine), *want = elf_machine_name(machine);

		log_error("%s is an ELF file for %s (machine %u), and this guest is %s: take a kernel of the guest's architecture",
			  img->path, is ? is : "another architecture", elf.machine,
			  want ? want : "not");
		return -EINVAL;
	}
	if (elf.type != ET_EXEC && elf.type != ET_DYN) {
		log_error("%s is an ELF %s, not a linked kernel", img->path,
			  elf.type == ET_REL	? "object file"
			  : elf.type == ET_CORE ? "core dump"
						: "file of an unknown type");
		return -EINVAL;
	}

	plan->format = "ELF";
	plan->big_endian = elf.big_endian;
	for (unsigned int i = 0; i < elf.phnum; i++) {
		elf_segment_get(&elf, i, &seg);
		if (seg.type != PT_LOAD || (!seg.mem_bytes && !seg.file_bytes))
			continue;
		ret = image_plan_add_elf(img, &seg, bias, plan);
		if (ret)
			return ret;
		start = MIN(start, plan->segments[plan->nr_segments - 1].gpa);
		end = MAX(end, plan->segments[plan->nr_segments - 1].gpa + seg.mem_bytes);
	}
	if (!plan->nr_segments) {
		log_error("%s has nothing to load: no ELF segment of it goes to memory", img->path);
		return -EINVAL;
	}
	if (!elf_entry(&elf, &plan->entry)) {
		log_error("%s: its ELF entry point %#" PRIx64 " lies in no loadable segment", img->path,
			  elf.entry);
		return -EINVAL;
	}
	plan->entry += bias;
	plan->start = start;
	plan->size_bytes = end - start;
	return 0;
}

int image_elf_note(const struct image_file *img, const char *name, uint32_t type, const uint8_t **desc,
		   uint32_t *desc_bytes)
{
	uint64_t name_bytes = strlen(name) + 1;
	struct elf_segment seg;
	struct elf_view elf;
	const char *cause;

	if (elf_view_init(&elf, img, &cause))
		return -ENOENT;
	for (unsigned int i = 0; i < elf.phnum; i++) {
		uint64_t at, end, align;

		elf_segment_get(&elf, i, &seg);
		if (seg.type != PT_NOTE ||
		    !range_within(seg.offset, seg.file_bytes, 0, elf.size_bytes))
			continue;
		/* gABI chapter 5, "Note section": padding to 4 bytes, or 8 where p_align is 8. */
		align = seg.align == 8 ? 8 : 4;
		end = seg.offset + seg.file_bytes;
		for (at = seg.offset; end - at >= sizeof(Elf64_Nhdr);) {
			uint64_t namesz = elf_get(&elf, at, 4);
			uint64_t descsz = elf_get(&elf, at + 4, 4);
			uint64_t desc_off = align_up(sizeof(Elf64_Nhdr) + namesz, align);
			uint64_t total = desc_off + align_up(descsz, align);

			/* The last descriptor need not be padded. */
			if (desc_off + descsz > end - at)
				break;
			if (elf_get(&elf, at + 8, 4) == type && namesz == name_bytes &&
			    !memcmp(elf.data + at + sizeof(Elf64_Nhdr), name, name_bytes)) {
				*desc = elf.data + at + desc_off;
				*desc_bytes = (uint32_t)descsz;
				return 0;
			}
			if (total > end - at)
				break;
			at += total;
		}
	}
	return -ENOENT;
}

/* ---- help for planners ----------------------------------------------------------------------- */

void image_plan_flat(const struct image_file *img, const char *format, gpa_t gpa,
		     struct image_plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	plan->format = format;
	plan->segments[0].file_bytes = img->size_bytes;
	plan->segments[0].mem_bytes = img->size_bytes;
	plan->segments[0].gpa = gpa;
	plan->nr_segments = 1;
	plan->entry = gpa;
	plan->start = gpa;
	plan->size_bytes = img->size_bytes;
}

int image_plan_check(const struct image_file *img, const struct machine *machine,
		     const struct image_plan *plan)
{
	char size[SIZE_TEXT_BYTES], ram[SIZE_TEXT_BYTES];
	bool fits = false;

	for (unsigned int i = 0; i < machine->nr_ram; i++)
		if (range_within(plan->start, plan->size_bytes, machine->ram[i].base,
				 machine->ram[i].size_bytes))
			fits = true;
	if (!fits) {
		log_error("%s (%s) takes %s of memory at %#" PRIx64 ", and the guest has %s of RAM from %#" PRIx64 ": give the guest more memory (-m)",
			  img->path, plan->format, size_text(size, plan->size_bytes), plan->start,
			  size_text(ram, machine_ram_bytes(machine)),
			  machine->nr_ram ? machine->ram[0].base : 0);
		return -ENOMEM;
	}
	if (!range_within(plan->entry, 1, plan->start, plan->size_bytes)) {
		log_error("%s (%s): its entry point %#" PRIx64 " lies outside of what it loads",
			  img->path, plan->format, plan->entry);
		return -EINVAL;
	}
	return 0;
}

int image_plan_elf_movable(const struct image_file *img, uint16_t elf_machine,
			   const struct machine *machine, gpa_t base, uint64_t align,
			   struct image_plan *plan)
{
	bool in_ram = false;
	gpa_t start;
	int ret;

	ret = image_plan_elf(img, elf_machine, 0, plan);
	if (ret)
		return ret;
	plan->format = "ELF vmlinux";
	for (unsigned int i = 0; i < machine->nr_ram; i++)
		if (range_within(plan->start, 1, machine->ram[i].base, machine->ram[i].size_bytes))
			in_ram = true;
	start = base + plan->start % align;
	/* Where it would wrap it can't fit: the check below says so. */
	if (!in_ram && start >= base && plan->size_bytes <= UINT64_MAX - start) {
		uint64_t delta = start - plan->start;

		for (unsigned int i = 0; i < plan->nr_segments; i++)
			plan->segments[i].gpa += delta;
		plan->entry += delta;
		plan->start = start;
	}
	return image_plan_check(img, machine, plan);
}

#define OR_ANOTHER ", or give a kernel for this one"

/* What a file may be that is taken for a kernel by mistake, most telling first. */
static const struct image_magic {
	uint64_t     offset;
	const char  *bytes;
	unsigned int len;
	const char  *is;
	const char  *way_out;
} image_magics[] = {
	{ 0x202, "HdrS", 4, "an x86 bzImage", "an x86-64 host runs it" OR_ANOTHER },
	{ 56, "RSC\x05", 4, "a riscv Image", "a riscv64 host runs it" OR_ANOTHER },
	{ 48, "RISCV\0\0\0", 8, "a riscv Image", "a riscv64 host runs it" OR_ANOTHER },
	{ 56, "ARM\x64", 4, "an arm64 Image", "an arm64 host runs it" OR_ANOTHER },
	{ 0x24, "\x18\x28\x6f\x01", 4, "a 32-bit ARM zImage", "an arm64 host runs it, with --aarch32" OR_ANOTHER },
	{ 0, "\x27\x05\x19\x56", 4, "a U-Boot image (uImage)", "give the kernel that it was made from" },
	{ 0, "\xd0\x0d\xfe\xed", 4, "a device tree or a U-Boot FIT image", "give the kernel that is in it" },
	{ 0, "070701", 6, "an initramfs (cpio archive)", "that is for --initrd" },
	{ 0, "070702", 6, "an initramfs (cpio archive)", "that is for --initrd" },
	{ 0, "QFI\xfb", 4, "a qcow2 disk image", "give the kernel that is on it" },
	{ 0, "hsqs", 4, "a squashfs file system", "that is for --disk" },
	{ 0x438, "\x53\xef", 2, "an ext2/3/4 file system", "that is for --disk" },
	{ 257, "ustar", 5, "a tar archive", "unpack it" },
	{ 0, "!<arch>\n", 8, "an ar archive (a Debian package?)", "unpack it" },
	{ 0, "\xed\xab\xee\xdb", 4, "an RPM package", "unpack it" },
	{ 0, "#!", 2, "a script", "give a kernel" },
	{ 0, "MZ", 2, "an EFI program", "give the kernel that it starts" },
};

static const struct image_magic text_magic = { .is = "a text file", .way_out = "give a kernel" };

/* True if the file starts like text: then it is no code of any arch. */
static bool image_is_text(const struct image_file *img)
{
	uint64_t len = MIN(img->size_bytes, 64);

	for (uint64_t i = 0; i < len; i++) {
		uint8_t c = img->data[i];

		if ((c < ' ' || c > '~') && c != '\n' && c != '\t' && c != '\r')
			return false;
	}
	return len != 0;
}

static const struct image_magic *image_magic(const struct image_file *img)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(image_magics); i++)
		if (range_within(image_magics[i].offset, image_magics[i].len, 0, img->size_bytes) &&
		    !memcmp(img->data + image_magics[i].offset, image_magics[i].bytes,
			    image_magics[i].len))
			return &image_magics[i];
	return image_is_text(img) ? &text_magic : NULL;
}

const char *image_describe(const struct image_file *img)
{
	const struct image_magic *magic = image_magic(img);

	return magic ? magic->is : NULL;
}

int image_refuse(const struct image_file *img, const char *wanted)
{
	const struct image_magic *magic = image_magic(img);

	if (image_is_elf(img)) {
		const char *machine = elf_machine_name(image_elf_machine(img));

		log_error("%s is not %s: it is a %u-bit ELF file for %s", img->path, wanted,
			  image_elf_bits(img), machine ? machine : "another architecture");
	} else if (magic) {
		log_error("%s is not %s: it looks like %s%s%s (%s)", img->path, wanted, magic->is,
			  img->packing[0] ? " packed with " : "", img->packing, magic->way_out);
	} else {
		log_error("%s%s%s is not %s, nor anything else that lkvm knows (flat images are run with --firmware)",
			  img->path, img->packing[0] ? ", unpacked from " : "", img->packing, wanted);
	}
	return -ENOEXEC;
}

/* ---- to guest memory ------------------------------------------------------------------------- */

int image_load_plan(const struct image_file *img, const struct image_plan *plan, struct memory *mem)
{
	for (unsigned int i = 0; i < plan->nr_segments; i++) {
		const struct image_segment *s = &plan->segments[i];
		int ret;

		if (!range_within(s->file_offset, s->file_bytes, 0, img->size_bytes) ||
		    s->file_bytes > s->mem_bytes) {
			log_error("%s: segment %u (%#" PRIx64 " bytes from %#" PRIx64 ") lies outside of the file",
				  img->path, i, s->file_bytes, s->file_offset);
			return -EINVAL;
		}
		if (!memory_ptr(mem, s->gpa, s->mem_bytes)) {
			log_error("%s: the guest has no memory for %#" PRIx64 " bytes at %#" PRIx64 ": give it more (-m)",
				  img->path, s->mem_bytes, s->gpa);
			return -EFAULT;
		}
		ret = img->in_memory ? memory_write(mem, s->gpa, img->data + s->file_offset, s->file_bytes) :
				       memory_load_file(mem, s->gpa, img->fd, (off_t)s->file_offset, s->file_bytes);
		if (!ret)
			ret = memory_zero(mem, s->gpa + s->file_bytes, s->mem_bytes - s->file_bytes);
		if (ret) {
			log_error("cannot load %s into guest memory: %s", img->path,
				  ret == -EIO ? "the file ends too early (is it still being written?)"
					      : strerror(-ret));
			return ret;
		}
	}
	return 0;
}

struct initrd {
	const char *path;
	int         fd;
	uint64_t    size_bytes;
	uint64_t    offset; /* in the concatenation */
};

/* Finds a place for @rd, which is open, behind what ends at @end. 0 or -errno (reported). */
static int initrd_lay_out(struct initrd *rd, uint64_t page, uint64_t *end)
{
	int ret = image_settle_fd(&rd->fd, rd->path, "initrd", &rd->size_bytes);

	if (ret)
		return ret;
	rd->offset = align_up(*end, rd->size_bytes >= INITRD_MAP_BYTES ? page : 4);
	if (rd->size_bytes > (uint64_t)INT64_MAX - rd->offset) {
		log_error("initrd %s is too large", rd->path);
		return -EFBIG;
	}
	*end = rd->offset + rd->size_bytes;
	return 0;
}

/* Opens those that are not open yet. 0 with @total, or -errno (reported). */
static int initrds_open(struct initrd *rds, unsigned int nr, uint64_t page, uint64_t *total)
{
	int ret = 0;

	*total = 0;
	for (unsigned int i = 0; i < nr && !ret; i++) {
		struct initrd *rd = &rds[i];

		if (rd->fd < 0)
			rd->fd = open(rd->path, O_RDONLY | O_CLOEXEC);
		if (rd->fd < 0) {
			ret = -errno;
			log_fatal("Unable to open initrd %s: %s", rd->path, strerror(-ret));
			return ret;
		}
		ret = initrd_lay_out(rd, page, total);
	}
	return ret;
}

int image_load_initrds(char *const paths[], unsigned int nr, int extra_fd, struct memory *mem, struct place *place,
		       gpa_t limit, gpa_t *gpa, uint64_t *size_bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char size[SIZE_TEXT_BYTES], ram[SIZE_TEXT_BYTES], below[64] = "";
	struct initrd *rds;
	uint64_t total = 0;
	gpa_t at = 0;
	int ret = 0;

	*gpa = 0;
	*size_bytes = 0;
	if (!nr && extra_fd < 0)
		return 0;
	rds = calloc(nr + 1, sizeof(*rds));
	if (!rds) {
		log_error("out of memory for %u initrds", nr);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < nr; i++)
		rds[i] = (struct initrd){ .path = paths[i], .fd = -1 };
	if (extra_fd >= 0) {
		rds[nr++] = (struct initrd){ .path = "of lkvm's own", .fd = fcntl(extra_fd, F_DUPFD_CLOEXEC, 0) };
		if (rds[nr - 1].fd < 0) {
			ret = -errno;
			log_error("cannot load the guest's files: %s", strerror(-ret));
			goto out;
		}
	}

	ret = initrds_open(rds, nr, page, &total);
	if (ret)
		goto out;
	ret = place_find(place, "initrd", total, page, 0, limit, true, &at);
	if (ret) {
		if (limit)
			snprintf(below, sizeof(below), " below %#" PRIx64, limit);
		log_error("initrd %s%s (%s) does not fit%s beside the kernel in %s of RAM: give the guest more memory (-m)",
			  rds[0].path, nr > 1 ? " and what follows it" : "", size_text(size, total), below,
			  size_text(ram, machine_ram_bytes(place->machine)));
		goto out;
	}
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t end = rds[i].offset + rds[i].size_bytes;
		uint64_t next = i + 1 < nr ? rds[i + 1].offset : total;

		ret = memory_load_file(mem, at + rds[i].offset, rds[i].fd, 0, rds[i].size_bytes);
		if (!ret)
			ret = memory_zero(mem, at + end, next - end);
		if (ret) {
			log_error("cannot load initrd %s into guest memory: %s", rds[i].path,
				  ret == -EIO ? "the file ends too early (is it still being written?)"
					      : strerror(-ret));
			goto out;
		}
	}
	*gpa = at;
	*size_bytes = total;
out:
	for (unsigned int i = 0; i < nr; i++)
		if (rds[i].fd >= 0)
			close(rds[i].fd);
	free(rds);
	return ret;
}
