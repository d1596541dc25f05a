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
/* Pieces of files that are mapped; what is more is read. */
#define MEMORY_MAX_FILES 32

struct memory_region {
	gpa_t       gpa;
	uint64_t    size_bytes;
	uint8_t    *host;
	const char *name;     /* "ram", "flash0": for messages and reports; not owned */
	bool        readonly; /* KVM_MEM_READONLY memslot: writes become MMIO exits */
	bool        hugetlb;
	int         fd;       /* the file that the memory is, from offset 0; -1: other processes cannot have it */
	uint64_t    head_bytes; /* mapped below and above @host, for its alignment */
	uint64_t    tail_bytes;
};

/* Pages that are still those of a file that others may change; fd holds a lease on it. */
struct memory_file {
	int      fd;
	uint8_t *host;
	uint64_t len;
};

/* Where pages of a file were mapped, with a lease or without. */
struct memory_mapped {
	uint8_t *host;
	uint64_t len;
};

struct memory {
	struct memory_region regions[MEMORY_MAX_REGIONS]; /* sorted by gpa, never overlapping */
	unsigned int         nr_regions;
	/* Files are read, not mapped: every page must be one that can hold tags (arm64's MTE). */
	bool                 copy_files;
	/*
	 * What the guest may write is added as files, which can be given to other processes (vhost-user). Nothing
	 * is mapped over them then, for others would not see it.
	 */
	bool                 share;
	/*
	 * Signal, blocked in all threads, that comes before somebody changes a mapped file; he waits until
	 * memory_keep_files() is called, so do it at once. 0: nobody would, so files are mapped without.
	 */
	int                  lease_signal;
	struct memory_file   files[MEMORY_MAX_FILES];
	unsigned int         nr_files;
	struct memory_mapped mapped[MEMORY_MAX_FILES];
	unsigned int         nr_mapped;
};

void memory_init(struct memory *mem);
/*
 * Puts copies in the place of files on which there is a lease, and gives the leases back: the guest
 * keeps what it was loaded with. Nobody may write to guest memory meanwhile. 0 or -errno. Main thread.
 */
int memory_keep_files(struct memory *mem) LKVM_MUST_CHECK;
/* Gives the leases back: the guest will see what happens to its files. */
void memory_let_files_go(struct memory *mem);
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
 * privately over guest memory (cost independent of @len); edges, and all of it in hugetlbfs or shared
 * memory, are read. Before the vCPUs start only. Returns 0, -EFAULT (no such guest memory), -EIO (file too
 * short) or -errno. Silent: the caller knows the file's name.
 */
int memory_load_file(struct memory *mem, gpa_t gpa, int fd, off_t offset, uint64_t len) LKVM_MUST_CHECK;

/*
 * Makes [@gpa, @gpa + @len) read as zeros; whole pages are replaced by untouched ones. Before the
 * vCPUs start only. Returns 0 or -EFAULT. Silent.
 */
int memory_zero(struct memory *mem, gpa_t gpa, uint64_t len) LKVM_MUST_CHECK;

/*
 * Gives the whole host pages [@gpa, @gpa + @len), which the guest does not use, back to the host: what they
 * hold is lost, and they read as zeros when they are touched again. While the guest runs, but not during
 * memory_keep_files(). Returns 0; -EFAULT: not memory of one region that the guest may write; -EINVAL: not
 * whole pages; -EOPNOTSUPP: hugetlbfs memory; or -errno (locked in memory ...), with which some of it may be
 * left. Silent.
 */
int memory_discard(const struct memory *mem, gpa_t gpa, uint64_t len) LKVM_MUST_CHECK;

#endif
