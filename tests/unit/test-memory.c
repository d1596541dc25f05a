// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory: regions, lookups at every edge, files loaded by mapping and by reading. */
#include "lkvm/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/image-util.h"
#include "tests/unit/test.h"

static uint64_t page_bytes(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static void add(struct memory *mem, gpa_t gpa, uint64_t size)
{
	CHECK_EQ(memory_add(mem, "ram", gpa, size, false, NULL), 0);
}

static int add_quietly(struct memory *mem, const char *name, gpa_t gpa, uint64_t size, const char *dir,
		       const char **said)
{
	int ret;

	test_stderr_begin();
	ret = memory_add(mem, name, gpa, size, false, dir);
	*said = test_stderr_end();
	return ret;
}

static void test_add(void)
{
	uint64_t page = page_bytes();
	struct memory mem;
	const char *said;

	memory_init(&mem);
	add(&mem, GIB(4), 4 * page);
	add(&mem, 0, page);
	add(&mem, GIB(1), MIB(4));
	CHECK_EQ(mem.nr_regions, 3);
	CHECK_EQ(mem.regions[0].gpa, 0);
	CHECK_EQ(mem.regions[1].gpa, GIB(1));
	CHECK_EQ(mem.regions[2].gpa, GIB(4));
	/* Huge pages need both addresses to agree. */
	CHECK_EQ((uintptr_t)mem.regions[1].host & (MIB(2) - 1), 0);

	CHECK_EQ(add_quietly(&mem, "flash", GIB(1) + MIB(4) - page, page, NULL, &said), -EEXIST);
	CHECK(strstr(said, "flash at 0x403ff000") || page != 4096);
	CHECK(strstr(said, "overlaps ram at 0x40000000-0x403fffff") != NULL);
	CHECK_EQ(add_quietly(&mem, "x", GIB(1) - page, 2 * page, NULL, &said), -EEXIST);
	CHECK_EQ(add_quietly(&mem, "x", 0, GIB(8), NULL, &said), -EEXIST);
	CHECK_EQ(add_quietly(&mem, "x", GIB(4) + page, page, NULL, &said), -EEXIST);
	CHECK_EQ(add_quietly(&mem, "x", 0, page, NULL, &said), -EEXIST);
	/* Neighbours are no overlap. */
	add(&mem, page, page);
	add(&mem, GIB(1) - page, page);
	add(&mem, GIB(4) + 4 * page, page);
	CHECK_EQ(mem.nr_regions, 6);

	CHECK_EQ(add_quietly(&mem, "x", GIB(9), 0, NULL, &said), -EINVAL);
	CHECK_EQ(add_quietly(&mem, "x", GIB(9) + 1, page, NULL, &said), -EINVAL);
	CHECK_EQ(add_quietly(&mem, "x", GIB(9), page + 1, NULL, &said), -EINVAL);
	CHECK_EQ(add_quietly(&mem, "x", UINT64_MAX - page + 1, 2 * page, NULL, &said), -EINVAL);
	CHECK_EQ(add_quietly(&mem, "x", page, UINT64_MAX - page + 1, NULL, &said), -EINVAL);

	for (unsigned int i = mem.nr_regions; i < MEMORY_MAX_REGIONS; i++)
		add(&mem, GIB(10) + i * page, page);
	CHECK_EQ(add_quietly(&mem, "vram", GIB(100), page, NULL, &said), -ENOSPC);
	CHECK(strstr(said, "vram") != NULL);
	for (unsigned int i = 1; i < mem.nr_regions; i++)
		CHECK(mem.regions[i - 1].gpa < mem.regions[i].gpa);
	memory_exit(&mem);
	CHECK_EQ(mem.nr_regions, 0);
}

static void test_ptr(void)
{
	uint64_t page = page_bytes();
	struct memory mem;
	uint8_t *host;

	memory_init(&mem);
	CHECK(memory_ptr(&mem, 0, 1) == NULL);
	CHECK(memory_find(&mem, 0) == NULL);
	add(&mem, GIB(2), 2 * page);
	add(&mem, GIB(2) + 2 * page, page);
	host = mem.regions[0].host;

	CHECK(memory_ptr(&mem, GIB(2), 1) == host);
	CHECK(memory_ptr(&mem, GIB(2), 2 * page) == host);
	CHECK(memory_ptr(&mem, GIB(2) + 2 * page - 1, 1) == host + 2 * page - 1);
	CHECK(memory_ptr(&mem, GIB(2) + 2 * page, page) == mem.regions[1].host);
	CHECK(memory_ptr(&mem, GIB(2) - 1, 1) == NULL);
	CHECK(memory_ptr(&mem, GIB(2) - 1, 2) == NULL);
	CHECK(memory_ptr(&mem, GIB(2), 2 * page + 1) == NULL);
	CHECK(memory_ptr(&mem, GIB(2) + 1, 2 * page) == NULL);
	CHECK(memory_ptr(&mem, GIB(2) + 3 * page, 1) == NULL);
	/* Lengths that wrap, in every way. */
	CHECK(memory_ptr(&mem, GIB(2), UINT64_MAX) == NULL);
	CHECK(memory_ptr(&mem, GIB(2) + 1, UINT64_MAX) == NULL);
	CHECK(memory_ptr(&mem, GIB(2), UINT64_MAX - GIB(2) + 1) == NULL);
	CHECK(memory_ptr(&mem, GIB(2) + 1, UINT64_MAX - GIB(2)) == NULL);
	CHECK(memory_ptr(&mem, UINT64_MAX, 1) == NULL);
	CHECK(memory_ptr(&mem, UINT64_MAX, UINT64_MAX) == NULL);

	CHECK(memory_find(&mem, GIB(2)) == &mem.regions[0]);
	CHECK(memory_find(&mem, GIB(2) + 2 * page - 1) == &mem.regions[0]);
	CHECK(memory_find(&mem, GIB(2) + 2 * page) == &mem.regions[1]);
	CHECK(memory_find(&mem, GIB(2) + 3 * page) == NULL);
	CHECK(memory_find(&mem, UINT64_MAX) == NULL);
	memory_exit(&mem);
}

static void test_read_write(void)
{
	uint64_t page = page_bytes();
	uint8_t out[64], in[64];
	struct memory mem;

	memory_init(&mem);
	add(&mem, page, page);
	add(&mem, 2 * page, page);
	add(&mem, 4 * page, page);
	util_pattern(in, sizeof(in), 1);

	/* Across regions that touch. */
	CHECK_EQ(memory_write(&mem, 2 * page - 20, in, sizeof(in)), 0);
	CHECK(!memcmp(memory_ptr(&mem, 2 * page - 20, 20), in, 20));
	CHECK(!memcmp(memory_ptr(&mem, 2 * page, 44), in + 20, 44));
	memset(out, 0, sizeof(out));
	CHECK_EQ(memory_read(&mem, 2 * page - 20, out, sizeof(out)), 0);
	CHECK(!memcmp(in, out, sizeof(in)));

	/* Into the hole behind: nothing is copied. */
	memset(out, 0x5a, sizeof(out));
	CHECK_EQ(memory_read(&mem, 3 * page - 20, out, sizeof(out)), -EFAULT);
	CHECK_EQ(out[0], 0x5a);
	CHECK_EQ(memory_write(&mem, 3 * page - 20, in, sizeof(in)), -EFAULT);
	CHECK_EQ(*(uint8_t *)memory_ptr(&mem, 3 * page - 20, 1), 0);
	CHECK_EQ(memory_read(&mem, 0, out, 1), -EFAULT);
	CHECK_EQ(memory_read(&mem, 5 * page, out, 1), -EFAULT);
	CHECK_EQ(memory_read(&mem, 5 * page - 1, out, 1), 0);
	CHECK_EQ(memory_read(&mem, page, out, UINT64_MAX), -EFAULT);
	CHECK_EQ(memory_write(&mem, page, in, UINT64_MAX - page), -EFAULT);
	CHECK_EQ(memory_read(&mem, UINT64_MAX, out, 1), -EFAULT);
	CHECK_EQ(memory_read(&mem, page, out, 0), 0);
	memory_exit(&mem);
}

/* Loads @len bytes from @offset to @at and checks them, and that nothing around them changed. */
static void check_load(struct memory *mem, int fd, const uint8_t *file, uint64_t at, uint64_t offset,
		       uint64_t len)
{
	struct memory_region *r = &mem->regions[0];
	bool same = true;

	CHECK_EQ(memory_zero(mem, r->gpa, r->size_bytes), 0);
	memset(r->host, 0x77, (size_t)r->size_bytes);
	CHECK_EQ(memory_load_file(mem, r->gpa + at, fd, (off_t)offset, len), 0);
	for (uint64_t i = 0; i < r->size_bytes; i++) {
		uint8_t want = i >= at && i - at < len ? file[offset + i - at] : 0x77;

		same = same && r->host[i] == want;
	}
	if (!same)
		test_fail(__FILE__, __LINE__, "load of %llu bytes from %llu to %llu is wrong",
			  (unsigned long long)len, (unsigned long long)offset, (unsigned long long)at);
}

static void test_load_edges(void)
{
	uint64_t page = page_bytes(), size = 5 * page + 123;
	const uint64_t starts[] = { 0, 1, page - 1, page, page + 5, 2 * page - 1 };
	const uint64_t lens[] = { 0, 1, page - 1, page, page + 1, 2 * page, 2 * page + 7, 3 * page + 123 };
	uint8_t *file = malloc((size_t)size);
	struct memory mem;
	int fd;

	util_pattern(file, (size_t)size, 7);
	fd = util_memfd(file, (size_t)size);
	memory_init(&mem);
	add(&mem, GIB(1), 6 * page);
	for (unsigned int a = 0; a < ARRAY_SIZE(starts); a++)
		for (unsigned int o = 0; o < ARRAY_SIZE(starts); o++)
			for (unsigned int l = 0; l < ARRAY_SIZE(lens); l++)
				check_load(&mem, fd, file, starts[a], starts[o], lens[l]);
	/* Up to the file's last byte, and to the region's. */
	check_load(&mem, fd, file, 0, 0, size);
	check_load(&mem, fd, file, 123, 123, size - 123);
	check_load(&mem, fd, file, 6 * page - size, 0, size);
	memory_exit(&mem);
	close(fd);
	free(file);
}

static void test_load_is_mapping(void)
{
	uint64_t page = page_bytes();
	uint8_t *file = calloc(1, (size_t)(4 * page));
	struct memory mem;
	uint8_t *host, b = 0;
	int fd;

	util_pattern(file, (size_t)(4 * page), 9);
	fd = util_memfd(file, (size_t)(4 * page));
	memory_init(&mem);
	add(&mem, MIB(2), 8 * page);
	host = mem.regions[0].host;
	/* A page not yet written shows the file as it is now: it is mapped. */
	CHECK_EQ(memory_load_file(&mem, MIB(2) + page, fd, 0, 3 * page + 10), 0);
	CHECK_EQ(pwrite(fd, "\0", 1, (off_t)page + 3), 1);
	CHECK_EQ(host[2 * page + 3], 0);
	/* And writing to it does not reach the file. */
	host[page] = 0;
	CHECK_EQ(pread(fd, &b, 1, 0), 1);
	CHECK_EQ(b, file[0]);
	/* Behind the last byte, nothing of the file. */
	CHECK_EQ(host[4 * page + 9], file[3 * page + 9]);
	CHECK_EQ(host[4 * page + 10], 0);
	memory_exit(&mem);
	close(fd);
	free(file);
}

/* As a kernel or initrd does that is built anew in its place. */
static void truncate_and_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	_exit(fd < 0 || write(fd, "new", 3) != 3);
}

/* Somebody changes a file while the guest that was loaded from it runs. */
static void test_file_changes(void)
{
	const struct timespec patience = { .tv_sec = 20 };
	uint64_t page = page_bytes(), size = 4 * page;
	char path[] = "/tmp/lkvm-test-XXXXXX";
	uint8_t *data = malloc((size_t)size);
	int fds = test_open_fds(), writer = mkstemp(path), fd, status = -1;
	struct memory mem;
	sigset_t set, old;
	pid_t pid;

	util_pattern(data, (size_t)size, 3);
	CHECK_EQ(write(writer, data, (size_t)size), size);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	memory_init(&mem);
	mem.lease_signal = SIGRTMIN + 1;
	sigemptyset(&set);
	sigaddset(&set, mem.lease_signal);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	add(&mem, MIB(2), 2 * size);

	/* While somebody can write to it, it is read. */
	CHECK_EQ(memory_load_file(&mem, MIB(2), fd, 0, size), 0);
	CHECK_EQ(pwrite(writer, "\0", 1, (off_t)page), 1);
	CHECK_EQ(mem.regions[0].host[page], data[page]);
	CHECK_EQ(pwrite(writer, data + page, 1, (off_t)page), 1);
	close(writer);

	/* Else it is mapped, in two pieces. */
	CHECK_EQ(memory_load_file(&mem, MIB(2), fd, 0, 2 * page), 0);
	CHECK_EQ(memory_load_file(&mem, MIB(2) + size, fd, (off_t)(2 * page), 2 * page), 0);
	if (mem.nr_files) {
		mem.regions[0].host[1] = 1;
		pid = fork();
		if (pid == 0)
			truncate_and_write(path);
		CHECK_EQ(sigtimedwait(&set, NULL, &patience), mem.lease_signal);
		CHECK_EQ(memory_keep_files(&mem), 0);
		CHECK_EQ(mem.nr_files, 0);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(status, 0);
		data[1] = 1;
		CHECK(!memcmp(mem.regions[0].host, data, (size_t)(2 * page)));
		CHECK(!memcmp(mem.regions[0].host + size, data + 2 * page, (size_t)(2 * page)));
	}
	memory_exit(&mem);
	close(fd);
	unlink(path);
	free(data);
	CHECK_EQ(test_open_fds(), fds);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (status)
		test_skip("there are no leases here");
}

static void test_load_errors(void)
{
	uint64_t page = page_bytes();
	uint8_t data[100];
	struct memory mem;
	int fd, ro, pipes[2];

	util_pattern(data, sizeof(data), 3);
	fd = util_memfd(data, sizeof(data));
	memory_init(&mem);
	add(&mem, page, 2 * page);
	CHECK_EQ(memory_load_file(&mem, page, fd, 0, 101), -EIO);
	CHECK_EQ(memory_load_file(&mem, page, fd, 100, 1), -EIO);
	CHECK_EQ(memory_load_file(&mem, page, fd, 1, 100), -EIO);
	CHECK_EQ(memory_load_file(&mem, page, fd, INT64_MAX, 1), -EIO);
	CHECK_EQ(memory_load_file(&mem, page, fd, -1, 1), -EINVAL);
	CHECK_EQ(memory_load_file(&mem, page, fd, 100, 0), 0);
	CHECK_EQ(*(uint8_t *)memory_ptr(&mem, page, 1), 0);
	CHECK_EQ(memory_load_file(&mem, 0, fd, 0, 1), -EFAULT);
	CHECK_EQ(memory_load_file(&mem, page - 1, fd, 0, 2), -EFAULT);
	CHECK_EQ(memory_load_file(&mem, 3 * page - 50, fd, 0, 100), -EFAULT);
	CHECK_EQ(memory_load_file(&mem, page, fd, 0, UINT64_MAX), -EFAULT);
	CHECK_EQ(memory_load_file(&mem, page, -1, 0, 1), -EBADF);
	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(memory_load_file(&mem, page, pipes[0], 0, 1), -ESPIPE);
	close(pipes[0]);
	close(pipes[1]);

	/* A file that can only be read serves as well. */
	ro = open(util_fd_path(fd), O_RDONLY | O_CLOEXEC);
	CHECK_EQ(memory_load_file(&mem, page, ro, 0, 100), 0);
	CHECK(!memcmp(memory_ptr(&mem, page, 100), data, 100));
	close(ro);
	close(fd);
	memory_exit(&mem);
}

static void test_zero(void)
{
	uint64_t page = page_bytes();
	const uint64_t starts[] = { 0, 1, page - 1, page, page + 9 };
	const uint64_t lens[] = { 0, 1, page - 1, page, 2 * page + 3, 3 * page };
	struct memory mem;
	uint8_t *host;

	memory_init(&mem);
	add(&mem, MIB(1), 5 * page);
	host = mem.regions[0].host;
	for (unsigned int s = 0; s < ARRAY_SIZE(starts); s++) {
		for (unsigned int l = 0; l < ARRAY_SIZE(lens); l++) {
			bool same = true;

			memset(host, 0x33, (size_t)(5 * page));
			CHECK_EQ(memory_zero(&mem, MIB(1) + starts[s], lens[l]), 0);
			for (uint64_t i = 0; i < 5 * page; i++)
				same = same && host[i] == (i >= starts[s] && i - starts[s] < lens[l]
								   ? 0 : 0x33);
			CHECK(same);
		}
	}
	CHECK_EQ(memory_zero(&mem, MIB(1), 5 * page + 1), -EFAULT);
	CHECK_EQ(memory_zero(&mem, 0, 1), -EFAULT);
	CHECK_EQ(memory_zero(&mem, MIB(1), UINT64_MAX), -EFAULT);
	memory_exit(&mem);
}

/* Discarded pages are zeros, also those that came from a file, whatever becomes of it; others stay. */
static void test_discard(void)
{
	char path[] = "/tmp/lkvm-test-XXXXXX";
	const uint64_t page = page_bytes();
	int fd = mkstemp(path);
	const uint8_t *host;
	struct memory mem;
	uint8_t *data;

	data = malloc((size_t)(4 * page));
	memset(data, 0x44, (size_t)(4 * page));
	CHECK_EQ(write(fd, data, (size_t)(4 * page)), (ssize_t)(4 * page));
	memory_init(&mem);
	add(&mem, MIB(2), 16 * page);
	host = mem.regions[0].host;
	memset(mem.regions[0].host, 0x33, (size_t)(16 * page));
	CHECK_EQ(memory_load_file(&mem, MIB(2) + 4 * page, fd, 0, 4 * page), 0);
	CHECK_EQ(mem.nr_mapped, 1);

	/* Two before the file, and two of it. */
	CHECK_EQ(memory_discard(&mem, MIB(2) + 2 * page, 4 * page), 0);
	CHECK_EQ(host[2 * page - 1], 0x33);
	CHECK(!host[4 * page] && !host[6 * page - 1]);
	CHECK_EQ(host[6 * page], 0x44);
	/* Its end, and one behind it. */
	CHECK_EQ(memory_discard(&mem, MIB(2) + 7 * page, 2 * page), 0);
	CHECK(!host[7 * page] && !host[8 * page - 1]);
	CHECK_EQ(host[9 * page], 0x33);
	CHECK_EQ(ftruncate(fd, 0), 0);
	mem.regions[0].host[5 * page] = 1;
	CHECK(!host[4 * page] && host[5 * page] == 1 && !host[7 * page]);
	CHECK_EQ(memory_discard(&mem, MIB(2) + 5 * page, page), 0);
	CHECK(!host[5 * page]);

	CHECK_EQ(memory_discard(&mem, MIB(2), page - 1), -EINVAL);
	CHECK_EQ(memory_discard(&mem, MIB(2) + 1, page), -EINVAL);
	CHECK_EQ(memory_discard(&mem, MIB(2) + 15 * page, 2 * page), -EFAULT);
	CHECK_EQ(memory_discard(&mem, 0, page), -EFAULT);
	CHECK_EQ(host[0], 0x33);
	memory_exit(&mem);
	CHECK_EQ(memory_add(&mem, "rom", MIB(2), page, true, NULL), 0);
	CHECK_EQ(memory_discard(&mem, MIB(2), page), -EFAULT);
	memory_exit(&mem);
	unlink(path);
	close(fd);
	free(data);
}

/*
 * Shared memory is a file that shows what the guest sees: written, loaded, zeroed and discarded. What the guest
 * cannot write is not shared.
 */
static void test_share(void)
{
	const uint64_t page = page_bytes(), size = 3 * MIB(1);
	const unsigned int fds = test_open_fds();
	const struct memory_region *r;
	struct memory mem;
	uint8_t *other, *data = malloc((size_t)(4 * page));
	int fd;

	memset(data, 0x44, (size_t)(4 * page));
	fd = util_memfd(data, (size_t)(4 * page));
	memory_init(&mem);
	mem.share = true;
	add(&mem, MIB(3), size);
	CHECK_EQ(memory_add(&mem, "rom", 0, page, true, NULL), 0);
	CHECK_EQ(mem.regions[0].fd, -1);
	r = &mem.regions[1];
	CHECK_EQ(((uintptr_t)r->host ^ MIB(3)) & (MIB(2) - 1), 0);
	other = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, r->fd, 0);
	CHECK(other != MAP_FAILED);

	r->host[0] = 1;
	r->host[size - 1] = 2;
	CHECK(other[0] == 1 && other[size - 1] == 2);
	/* As aligned as a mapping would have to be, and yet read. */
	CHECK_EQ(memory_load_file(&mem, MIB(3) + 4 * page, fd, 0, 4 * page), 0);
	CHECK_EQ(mem.nr_mapped, 0);
	CHECK(!memcmp(other + 4 * page, data, (size_t)(4 * page)));
	CHECK_EQ(memory_zero(&mem, MIB(3) + 5 * page + 1, 2 * page), 0);
	CHECK(other[5 * page] == 0x44 && !other[5 * page + 1] && !other[7 * page] && other[7 * page + 1] == 0x44);
	CHECK(!r->host[6 * page] && r->host[4 * page] == 0x44);
	r->host[6 * page] = 5;
	CHECK_EQ(other[6 * page], 5);
	CHECK_EQ(memory_discard(&mem, MIB(3) + 4 * page, 3 * page), 0);
	CHECK(!r->host[4 * page] && !other[6 * page] && other[7 * page + 1] == 0x44);
	r->host[4 * page] = 6;
	CHECK_EQ(other[4 * page], 6);
	/* Nobody can cut it off. */
	CHECK(ftruncate(r->fd, (off_t)page) < 0 && errno == EPERM);
	CHECK(ftruncate(r->fd, (off_t)(size + page)) < 0 && errno == EPERM);

	munmap(other, (size_t)size);
	memory_exit(&mem);
	close(fd);
	free(data);
	CHECK_EQ(test_open_fds(), fds);
}

/*
 * User-mode emulators before QEMU 8 keep a record per page, and would need minutes and gigabytes.
 */
static bool mmap_counts_pages(void)
{
	struct timespec a, b;
	void *p;

	clock_gettime(CLOCK_MONOTONIC, &a);
	p = mmap(NULL, (size_t)GIB(1), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (p != MAP_FAILED)
		munmap(p, (size_t)GIB(1));
	return (b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec > 2000000;
}

static void test_terabyte(void)
{
	struct memory mem;
	uint8_t *p;

	if (sizeof(void *) < 8)
		test_skip("the address space is too small for 1 TiB");
	if (mmap_counts_pages())
		test_skip("this emulator takes too long to map 1 TiB");
	memory_init(&mem);
	add(&mem, GIB(4), GIB(1024));
	for (unsigned int i = 0; i < 4; i++) {
		p = memory_ptr(&mem, GIB(4) + i * GIB(300), 1);
		CHECK(p != NULL);
		if (!p)
			continue;
		CHECK_EQ(*p, 0);
		*p = 1;
	}
	CHECK(memory_ptr(&mem, GIB(4) + GIB(1024), 1) == NULL);
	memory_exit(&mem);
}

static void test_too_large(void)
{
	struct memory mem;
	const char *said;

	memory_init(&mem);
	CHECK_EQ(add_quietly(&mem, "ram", 0, UINT64_C(1) << 62, NULL, &said), -ENOMEM);
	CHECK(strstr(said, "4 EiB") != NULL);
	CHECK_EQ(mem.nr_regions, 0);
	memory_exit(&mem);
}

static void test_hugetlbfs_errors(void)
{
	uint64_t page = page_bytes();
	struct memory mem;
	const char *said;
	int fds = test_open_fds();

	memory_init(&mem);
	CHECK_EQ(add_quietly(&mem, "ram", 0, page, "/nonexistent", &said), -ENOENT);
	CHECK(strstr(said, "/nonexistent") != NULL);
	CHECK_EQ(add_quietly(&mem, "ram", 0, page, "/proc", &said), -EINVAL);
	CHECK(strstr(said, "/proc is not a hugetlbfs mount") != NULL);
	/* What it advises is never to mount one over a directory that is something else. */
	CHECK(strstr(said, "hugetlbfs none /proc") == NULL);
	CHECK(strstr(said, " is one)") || strstr(said, "(mkdir -p /dev/hugepages && mount -t hugetlbfs none /dev/hugepages"));
	CHECK_EQ(mem.nr_regions, 0);
	CHECK_EQ(test_open_fds(), fds);
	memory_exit(&mem);
}

/* Uses whatever hugetlbfs is mounted and has pages to spare. */
static void test_hugetlbfs(void)
{
	char dev[256], dir[256], type[64], line[1024];
	uint8_t data[100];
	struct statfs fs;
	struct memory mem;
	FILE *mounts;
	int fd;

	dir[0] = '\0';
	mounts = fopen("/proc/mounts", "re");
	while (mounts && fgets(line, sizeof(line), mounts)) {
		if (sscanf(line, "%255s %255s %63s", dev, dir, type) == 3 &&
		    !strcmp(type, "hugetlbfs") && !statfs(dir, &fs) && fs.f_bsize <= (1 << 21) &&
		    !access(dir, W_OK))
			break;
		dir[0] = '\0';
	}
	if (mounts)
		fclose(mounts);
	if (!dir[0])
		test_skip("no hugetlbfs is mounted that could be written to");
	memory_init(&mem);
	test_stderr_begin();
	if (memory_add(&mem, "ram", 0, (uint64_t)fs.f_bsize, false, dir)) {
		CHECK(strstr(test_stderr_end(), "HugePages_Free") != NULL);
		test_skip("no huge pages are free");
	}
	test_stderr_end();
	CHECK(mem.regions[0].hugetlb);
	/* Nothing can be mapped over huge pages: files are read. */
	util_pattern(data, sizeof(data), 5);
	fd = util_memfd(data, sizeof(data));
	CHECK_EQ(memory_load_file(&mem, 0, fd, 0, sizeof(data)), 0);
	CHECK(!memcmp(mem.regions[0].host, data, sizeof(data)));
	CHECK_EQ(memory_zero(&mem, 10, (uint64_t)fs.f_bsize - 10), 0);
	CHECK_EQ(mem.regions[0].host[9], data[9]);
	CHECK_EQ(mem.regions[0].host[10], 0);
	close(fd);
	memory_exit(&mem);

	test_stderr_begin();
	CHECK_EQ(memory_add(&mem, "ram", 0, (uint64_t)fs.f_bsize / 2, false, dir), -EINVAL);
	CHECK(strstr(test_stderr_end(), "is not a whole number of the") != NULL);
	test_stderr_begin();
	CHECK(memory_add(&mem, "ram", 0, (uint64_t)fs.f_bsize << 20, false, dir) < 0);
	CHECK(strstr(test_stderr_end(), "HugePages_Free") != NULL);
	CHECK_EQ(mem.nr_regions, 0);
}

const struct test memory_tests[] = {
	{ "add", test_add },
	{ "ptr", test_ptr },
	{ "read_write", test_read_write },
	{ "load_edges", test_load_edges },
	{ "load_is_mapping", test_load_is_mapping },
	{ "file_changes", test_file_changes },
	{ "load_errors", test_load_errors },
	{ "zero", test_zero },
	{ "discard", test_discard },
	{ "share", test_share },
	{ "terabyte", test_terabyte },
	{ "too_large", test_too_large },
	{ "hugetlbfs_errors", test_hugetlbfs_errors },
	{ "hugetlbfs", test_hugetlbfs },
	{ 0 },
};
