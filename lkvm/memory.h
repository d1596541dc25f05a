/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest-physical memory. Knows nothing of KVM: vm.c registers each region as a memslot.
 * Regions are added before the vCPUs start and do not change afterwards, so lookups need no lock.
 */
#ifndef LKVM_MEMORY_H
#define LKVM_MEMORY_H

#include <sys/types.h>

#include "lkvm/types.h"
#include "lkvm/walk.h"

#define MEMORY_MAX_REGIONS 16

struct memory_region {
	gpa_t       gpa;
	uint64_t    size_bytes;
	uint8_t    *host;
	const char *name;     /* "ram", "flash0": for messages and reports; not owned */
	bool        readonly; /* KVM_MEM_READONLY memslot: writes become MMIO exits */
	bool        hugetlb;
};

struct memory {
	struct memory_region regions[MEMORY_MAX_REGIONS]; /* sorted by gpa, never overlapping */
	unsigned int         nr_regions;
	/* Files are read, not mapped: every page must be one that can hold tags (arm64's MTE). */
	bool                 copy_files;
};

void memory_init(struct memory *mem);
/* Unmaps all regions. */
void memory_exit(struct memory *mem);

/*
 * Adds @size_bytes of zeroed anonymous memory (MAP_NORESERVE: terabytes cost nothing until touched)
 * at @gpa, or hugetlbfs memory from directory @hugetlbfs if not NULL. Both page aligned. Returns 0;
 * -EEXIST on overlap, -EINVAL, -ENOSPC (too many regions), or mmap's -errno. Reports the error.
 */
int memory_add(struct memory *mem, const char *name, gpa_t gpa, uint64_t size_bytes, bool readonly,
	       const char *hugetlbfs) LKVM_MUST_CHECK;

/*
 * The one place where a guest address becomes a pointer: the host address of [@gpa, @gpa + @len),
 * or NULL unless all of it lies in one region. A pointer for a @len of 0 must not be used. Any
 * thread.
 */
void *memory_ptr(const struct memory *mem, gpa_t gpa, uint64_t len);

/* The region that holds @gpa, or NULL. */
const struct memory_region *memory_find(const struct memory *mem, gpa_t gpa);

/*
 * Copies out of / into guest memory; regions that touch count as one. 0 or -EFAULT (nothing
 * copied).
 */
int memory_read(const struct memory *mem, gpa_t gpa, void *buf, uint64_t len) LKVM_MUST_CHECK;
int memory_write(const struct memory *mem, gpa_t gpa, const void *buf, uint64_t len) LKVM_MUST_CHECK;

/* @mem for page table walks. */
struct walk_memory memory_for_walk(const struct memory *mem);

/*
 * Puts @len bytes of file @fd from @offset at @gpa. Whole pages whose alignment agrees are mapped
 * privately over guest memory (cost independent of @len); edges, and all of it in hugetlbfs memory,
 * are read. Before the vCPUs start only. Returns 0, -EFAULT (no such guest memory), -EIO (file too
 * short) or -errno. Silent: the caller knows the file's name.
 */
int memory_load_file(struct memory *mem, gpa_t gpa, int fd, off_t offset, uint64_t len) LKVM_MUST_CHECK;

/*
 * Makes [@gpa, @gpa + @len) read as zeros; whole pages are replaced by untouched ones. Before the
 * vCPUs start only. Returns 0 or -EFAULT. Silent.
 */
int memory_zero(struct memory *mem, gpa_t gpa, uint64_t len) LKVM_MUST_CHECK;

#endif
