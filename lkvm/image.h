/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel images and initrds: from a file to guest memory.
 *
 *   image_open()            file -> bytes, unpacked where compressed (gzip, xz, zstd, EFI zboot)
 *   <arch>_image_plan()     bytes -> struct image_plan: what goes where (pure, one per arch)
 *   image_load_plan()       plan -> guest memory (mapped, not read, where alignment allows)
 *   image_load_initrds()    any number of files, concatenated, placed where they fit
 */
#ifndef LKVM_IMAGE_H
#define LKVM_IMAGE_H

#include "lkvm/machine.h"
#include "lkvm/memory.h"
#include "lkvm/place.h"
#include "lkvm/types.h"

#define IMAGE_MAX_SEGMENTS 16

/* The unpacked bytes of a file. */
struct image_file {
	const char    *path;       /* as given by the user; not owned */
	const uint8_t *data;       /* all of it: a read-only mapping, or a copy of a small file */
	bool           in_memory;  /* it is a copy */
	uint64_t       size_bytes;
	int            fd;         /* the same bytes, mappable: the file itself or a memfd */
	char           packing[24]; /* "", "gzip", "zstd", "xz", "zboot/gzip" ...: for messages */
};

/* One piece of the file and the guest memory it fills; the rest up to mem_bytes is zero. */
struct image_segment {
	uint64_t file_offset;
	uint64_t file_bytes;
	gpa_t    gpa;
	uint64_t mem_bytes;
};

struct image_plan {
	const char          *format;   /* "riscv Image", "ELF vmlinux" ... */
	struct image_segment segments[IMAGE_MAX_SEGMENTS];
	unsigned int         nr_segments;
	gpa_t                entry;
	gpa_t                start;    /* first byte that the kernel occupies ... */
	uint64_t             size_bytes; /* ... and how much, with BSS: nothing else may be put there */
	bool                 big_endian; /* guest's byte order at entry, where the image tells */
	uint64_t             arch[4];  /* for the arch's own use (x86: boot protocol, setup header) */
};

/*
 * Opens @path, and unpacks it if it is compressed. @what names it in errors ("kernel", "firmware").
 * Returns 0 or -errno; every failure is reported in one line; a file that can't be opened reads
 * "Fatal: Unable to open kernel NAME: REASON". The file is closed by image_close(); {.fd = -1} is
 * legal there.
 */
int image_open(struct image_file *img, const char *path, const char *what) LKVM_MUST_CHECK;
/*
 * As image_open() for an open file, owned from here on, even on failure; unpacks to at most
 * @limit_bytes.
 */
int image_open_fd(struct image_file *img, int fd, const char *path, const char *what,
		  uint64_t limit_bytes) LKVM_MUST_CHECK;
void image_close(struct image_file *img);

/*
 * For files that are to be read more than once: if *@path, a string from malloc(), is a pipe or the like, takes
 * all its bytes and makes *@path one that can be opened again for as long as this process lives. What can't be
 * opened is left to image_open(). 0 or -errno (reported).
 */
int image_keep(char **path, const char *what) LKVM_MUST_CHECK;

/*
 * Puts the planned segments into guest memory and zeroes what the plan wants zero. Checks every
 * offset against the file and every address against guest memory. Returns 0 or -errno (reported).
 */
int image_load_plan(const struct image_file *img, const struct image_plan *plan, struct memory *mem)
	LKVM_MUST_CHECK;

/*
 * Concatenates the files into guest memory, in RAM that @place has free and below @limit
 * (exclusive; 0: none), as high as it fits, page aligned. Between files there are zeros, which the
 * kernel's initramfs unpacker skips (Linux
 * Documentation/driver-api/early-userspace/buffer-format.rst): up to the next 4 bytes, or up to the
 * next page before a file that is large enough to be mapped. Nothing follows the last one, so that
 * a bootconfig stays at the end. Behind the files comes @extra_fd, an archive that lkvm has made; -1:
 * none. Reserves it in @place. Returns 0 with @gpa and @size_bytes set, or
 * -errno (reported, with the sizes).
 */
int image_load_initrds(char *const paths[], unsigned int nr, int extra_fd, struct memory *mem, struct place *place,
		       gpa_t limit, gpa_t *gpa, uint64_t *size_bytes) LKVM_MUST_CHECK;

/*
 * ELF: fills @plan with the PT_LOAD segments, their addresses being p_paddr + @bias. Takes 32- and
 * 64-bit files of either byte order; @machine is the e_machine it must have. entry = e_entry
 * translated from virtual to physical by the segment that holds it (or, where none does, taken as
 * physical, as x86-64's vmlinux means it), plus @bias. Returns 0, -ENOEXEC (not ELF: silent), or
 * -EINVAL (reported with what is wrong). Pure.
 */
int image_plan_elf(const struct image_file *img, uint16_t machine, uint64_t bias,
		   struct image_plan *plan) LKVM_MUST_CHECK;

/* True if the file starts with the ELF magic. */
bool image_is_elf(const struct image_file *img);

/* Of an ELF file: 32 or 64, and its e_machine; 0 if it is not (enough of) an ELF file. */
unsigned int image_elf_bits(const struct image_file *img);
uint16_t image_elf_machine(const struct image_file *img);

/*
 * Finds the note @name, @type in the PT_NOTE segments of an ELF file. Returns 0 with @desc pointing
 * into the file, or -ENOENT. Silent: broken notes count as absent. Pure.
 */
int image_elf_note(const struct image_file *img, const char *name, uint32_t type, const uint8_t **desc,
		   uint32_t *desc_bytes) LKVM_MUST_CHECK;

/*
 * For planners, all pure.
 */

/* A file without structure: all of it at @gpa, entered there. */
void image_plan_flat(const struct image_file *img, const char *format, gpa_t gpa,
		     struct image_plan *plan);

/*
 * image_plan_elf() for a kernel that runs wherever it is put: a file that is not linked into the
 * RAM of @machine (Linux's vmlinux often is linked to 0 or to its virtual address) is moved as a
 * whole to @base plus the offset within @align that it is linked to. Returns as image_plan_elf()
 * and image_plan_check(), reported.
 */
int image_plan_elf_movable(const struct image_file *img, uint16_t elf_machine,
			   const struct machine *machine, gpa_t base, uint64_t align,
			   struct image_plan *plan) LKVM_MUST_CHECK;

/*
 * Checks that what @plan occupies lies in one RAM range of @machine and that the entry lies within
 * it. Returns 0, -ENOMEM or -EINVAL, reported with how much memory it takes.
 */
int image_plan_check(const struct image_file *img, const struct machine *machine,
		     const struct image_plan *plan) LKVM_MUST_CHECK;

/*
 * What the file seems to be ("an x86 bzImage", "an initramfs (cpio archive)"), for telling the user
 * which file they took instead of a kernel; NULL if it looks like nothing in particular.
 */
const char *image_describe(const struct image_file *img);

/* Reports that the file is none of @wanted ("a riscv64 Image or ELF vmlinux"). Returns -ENOEXEC. */
int image_refuse(const struct image_file *img, const char *wanted);

#endif
