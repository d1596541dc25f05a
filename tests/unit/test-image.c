// SPDX-License-Identifier: GPL-2.0-only
/* Opening, ELF planning, loading, initrds. The arches' own formats have their own suites. */
#include "lkvm/image.h"

#include <errno.h>
#include <fcntl.h>

#include "tests/unit/image-util.h"
#include "tests/unit/test.h"

#define EM_TEST 243

static uint64_t page_bytes(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- opening ---- */

static void test_open_plain(void)
{
	int fds = test_open_fds();
	struct image_file img;
	uint8_t data[5000];
	uint8_t *map;
	int fd;

	util_pattern(data, sizeof(data), 1);
	fd = util_memfd(data, sizeof(data));
	CHECK_EQ(image_open(&img, util_fd_path(fd), "kernel"), 0);
	close(fd);
	CHECK_EQ(img.size_bytes, sizeof(data));
	CHECK(!memcmp(img.data, data, sizeof(data)));
	CHECK_STR(img.packing, "");
	/* The same bytes are to be had through img.fd. */
	map = mmap(NULL, sizeof(data), PROT_READ, MAP_PRIVATE, img.fd, 0);
	CHECK(map != MAP_FAILED && !memcmp(map, data, sizeof(data)));
	munmap(map, sizeof(data));
	image_close(&img);
	CHECK_EQ(img.fd, -1);
	image_close(&img);
	CHECK_EQ(test_open_fds(), fds);
}

static void open_fails(const char *path, const char *what, int err, const char *said)
{
	int fds = test_open_fds();
	struct image_file img;
	const char *text, *newline;

	test_stderr_begin();
	CHECK_EQ(image_open(&img, path, what), err);
	text = test_stderr_end();
	if (!strstr(text, said))
		test_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", text, said);
	newline = strchr(text, '\n');
	CHECK(newline && !newline[1]);
	CHECK_EQ(img.fd, -1);
	image_close(&img);
	CHECK_EQ(test_open_fds(), fds);
}

static void test_open_errors(void)
{
	int fd = util_memfd("", 0);

	/* Scripts look for these words. */
	open_fails("/nonexistent/vmlinux", "kernel", -ENOENT,
		   "Fatal: Unable to open kernel /nonexistent/vmlinux: No such file or directory");
	open_fails("/nonexistent/fw", "firmware", -ENOENT, "Unable to open firmware /nonexistent/fw");
	open_fails("/proc", "kernel", -EISDIR, "kernel /proc: Is a directory");
	open_fails(util_fd_path(fd), "kernel", -EINVAL, "is empty");
	open_fails("/dev/null", "kernel", -EINVAL, "is empty");
	close(fd);
}

static void test_open_pipe(void)
{
	struct image_file img;
	uint8_t data[3000];
	int pipes[2];

	util_pattern(data, sizeof(data), 4);
	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(write(pipes[1], data, sizeof(data)), sizeof(data));
	close(pipes[1]);
	CHECK_EQ(image_open_fd(&img, pipes[0], "pipe", "kernel", MIB(1)), 0);
	CHECK_EQ(img.size_bytes, sizeof(data));
	CHECK(!memcmp(img.data, data, sizeof(data)));
	image_close(&img);
}

/* A pipe that is kept can be opened twice; others stay what they are. */
static void test_keep(void)
{
	struct image_file img;
	uint8_t data[3000];
	int pipes[2], fd;
	char *path;

	util_pattern(data, sizeof(data), 4);
	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(write(pipes[1], data, sizeof(data)), sizeof(data));
	close(pipes[1]);
	CHECK(asprintf(&path, "/proc/self/fd/%d", pipes[0]) > 0);
	CHECK_EQ(image_keep(&path, "kernel"), 0);
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_EQ(image_open(&img, path, "kernel"), 0);
		CHECK_EQ(img.size_bytes, sizeof(data));
		CHECK(!memcmp(img.data, data, sizeof(data)));
		image_close(&img);
	}
	/* It is a file now. */
	CHECK_EQ(sscanf(path, "/proc/self/fd/%d", &fd), 1);
	CHECK(fd != pipes[0]);
	CHECK_EQ(image_keep(&path, "kernel"), 0);
	CHECK_STR(path, util_fd_path(fd));
	free(path);
	close(fd);
	close(pipes[0]);

	path = strdup("/no/such/file");
	CHECK_EQ(image_keep(&path, "kernel"), 0);
	CHECK_STR(path, "/no/such/file");
	free(path);
}

/* ---- ELF ---- */

static int plan_elf(const struct image_file *img, const struct machine *m, struct image_plan *plan)
{
	int ret = image_plan_elf(img, EM_TEST, 0, plan);

	return ret ? ret : image_plan_check(img, m, plan);
}

/* Two segments with a BSS, a note and a segment without memory between them. */
static struct util_elf sample(bool is64, bool big_endian)
{
	uint64_t high = is64 ? 0xc000000000000000 : 0xc0000000;

	return (struct util_elf){
		.is64 = is64, .big_endian = big_endian, .type = 2, .machine = EM_TEST,
		.entry = high + 0x10010, .nr = 4,
		.segments = {
			{ 1, 0x1000, high, 0, 0x400, 0x400, 0x1000 },
			{ 4, 0x1000, high, 0, 0x100, 0x100, 4 },
			{ 1, 0, 0, 0x77, 0, 0, 0x1000 },
			{ 1, 0x1400, high + 0x10000, 0x20000, 0x300, 0x5000, 0x1000 },
		},
	};
}

#define SAMPLE_BYTES 0x1700

static void test_elf(void)
{
	struct machine m = util_machine(0, MIB(1));

	for (unsigned int variant = 0; variant < 4; variant++) {
		struct util_elf e = sample(variant & 1, variant & 2);
		uint8_t buf[SAMPLE_BYTES] = { 0 };
		struct image_plan plan;
		struct image_file img;

		util_elf(&e, buf);
		CHECK_EQ(util_plan(plan_elf, buf, sizeof(buf), &m, &plan), 0);
		CHECK_EQ(plan.nr_segments, 2);
		CHECK_EQ(plan.segments[0].file_offset, 0x1000);
		CHECK_EQ(plan.segments[0].file_bytes, 0x400);
		CHECK_EQ(plan.segments[0].gpa, 0);
		CHECK_EQ(plan.segments[1].file_offset, 0x1400);
		CHECK_EQ(plan.segments[1].gpa, 0x20000);
		CHECK_EQ(plan.segments[1].mem_bytes, 0x5000);
		CHECK_EQ(plan.entry, 0x20010);
		CHECK_EQ(plan.start, 0);
		CHECK_EQ(plan.size_bytes, 0x25000);
		CHECK_EQ(plan.big_endian, e.big_endian);

		util_image(&img, buf, sizeof(buf));
		CHECK(image_is_elf(&img));
		CHECK_EQ(image_elf_bits(&img), e.is64 ? 64 : 32);
		CHECK_EQ(image_elf_machine(&img), EM_TEST);
		CHECK_EQ(image_plan_elf(&img, EM_TEST, 0x80000000, &plan), 0);
		CHECK_EQ(plan.segments[1].gpa, 0x80020000);
		CHECK_EQ(plan.entry, 0x80020010);
		CHECK_EQ(plan.start, 0x80000000);
		/* A bias below zero. */
		CHECK_EQ(image_plan_elf(&img, EM_TEST, -(uint64_t)0x1000, &plan), 0);
		CHECK_EQ(plan.segments[1].gpa, 0x1f000);
		util_image_free(&img);
	}
}

static void test_elf_truncated(void)
{
	struct machine m = util_machine(0, MIB(1));

	for (unsigned int variant = 0; variant < 4; variant++) {
		struct util_elf e = sample(variant & 1, variant & 2);
		uint8_t buf[SAMPLE_BYTES] = { 0 };
		struct image_plan plan;
		size_t step;

		util_elf(&e, buf);
		for (size_t len = 4; len < sizeof(buf); len += step) {
			CHECK_EQ(util_plan(plan_elf, buf, len, &m, &plan), -EINVAL);
			CHECK(util_said("cut off") || util_said("truncated"));
			/* All lengths of the headers, then some. */
			step = len < 400 ? 1 : 61;
		}
		for (size_t len = 0; len < 4; len++) {
			struct image_file img;

			util_image(&img, buf, len);
			CHECK_EQ(image_plan_elf(&img, EM_TEST, 0, &plan), -ENOEXEC);
			CHECK(!image_is_elf(&img));
			CHECK_EQ(image_elf_bits(&img), 0);
			CHECK_EQ(image_elf_machine(&img), 0);
			util_image_free(&img);
		}
	}
}

/* Plans @e as 64-bit little-endian and wants -EINVAL with @said. */
static void refuse_elf(const struct util_elf *e, const char *said)
{
	struct machine m = util_machine(0, MIB(1));
	static uint8_t buf[0x4000];
	struct image_plan plan;

	memset(buf, 0, sizeof(buf));
	util_elf(e, buf);
	CHECK_EQ(util_plan(plan_elf, buf, sizeof(buf), &m, &plan), -EINVAL);
	if (!util_said(said))
		test_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", util_log, said);
}

static void test_elf_hostile(void)
{
	struct util_elf e;

	e = sample(true, false);
	e.machine = 62;
	refuse_elf(&e, "is an ELF file for x86-64 (machine 62), and this guest is RISC-V");
	e.machine = 9999;
	refuse_elf(&e, "machine 9999");
	e = sample(true, false);
	e.type = 1;
	refuse_elf(&e, "an ELF object file, not a linked kernel");
	e.type = 4;
	refuse_elf(&e, "core dump");
	e.type = 0;
	refuse_elf(&e, "unknown type");

	e = sample(true, false);
	e.nr = 0;
	refuse_elf(&e, "no program headers");
	e = sample(true, false);
	e.nr = 3;
	e.segments[0].type = 2;
	refuse_elf(&e, "nothing to load");
	e = sample(true, false);
	e.segments[3].file_bytes = 0x5001;
	refuse_elf(&e, "impossible sizes");
	e = sample(true, false);
	e.segments[3].offset = 0x4000 - 0x2ff;
	refuse_elf(&e, "truncated");
	e.segments[3].offset = UINT64_MAX - 0x10;
	refuse_elf(&e, "truncated");
	e.segments[3].offset = (uint64_t)1 << 63;
	refuse_elf(&e, "truncated");
	e = sample(true, false);
	e.segments[3].file_bytes = UINT64_MAX;
	e.segments[3].mem_bytes = UINT64_MAX;
	refuse_elf(&e, "impossible sizes");
	e = sample(true, false);
	e.segments[3].mem_bytes = UINT64_MAX;
	refuse_elf(&e, "impossible sizes");
	e = sample(true, false);
	e.segments[3].paddr = UINT64_MAX - 0x2000;
	refuse_elf(&e, "impossible sizes");
	/* Overlaps: by one byte, whole, same start. */
	e = sample(true, false);
	e.segments[3].paddr = 0x3ff;
	refuse_elf(&e, "overlap");
	e.segments[3].paddr = 0;
	refuse_elf(&e, "overlap");
	e = sample(true, false);
	e.segments[0].mem_bytes = 0x20001;
	refuse_elf(&e, "overlap");

	e = sample(true, false);
	e.entry = 0x1234567;
	refuse_elf(&e, "lies in no loadable segment");
	e.entry = 0xc000000000010000 + 0x5000;
	refuse_elf(&e, "lies in no loadable segment");

	e = sample(true, false);
	e.nr = 20;
	for (unsigned int i = 0; i < e.nr; i++)
		e.segments[i] = (struct util_segment){ 1, 0x1000, i * 16, i * 16, 16, 16, 1 };
	refuse_elf(&e, "more than the 16 loadable");
}

/* Fields of the file header that the builder does not get wrong. */
static void test_elf_bad_header(void)
{
	static const struct {
		unsigned int offset, len;
		uint64_t value;
	} bad[] = {
		{ 4, 1, 0 }, { 4, 1, 3 }, { 5, 1, 0 }, { 5, 1, 3 }, { 6, 1, 0 }, { 6, 1, 2 },
		{ 32, 8, UINT64_MAX }, { 32, 8, SAMPLE_BYTES }, { 32, 8, SAMPLE_BYTES - 100 },
		{ 54, 2, 0 }, { 54, 2, 55 }, { 54, 2, 0xffff }, /* e_phentsize */
		{ 56, 2, 0xffff }, { 56, 2, 257 }, { 56, 2, 120 }, /* e_phnum */
	};
	struct machine m = util_machine(0, MIB(1));
	struct util_elf e = sample(true, false);

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t buf[SAMPLE_BYTES] = { 0 };
		struct image_plan plan;

		util_elf(&e, buf);
		put_le(buf + bad[i].offset, bad[i].len, bad[i].value);
		if (util_plan(plan_elf, buf, sizeof(buf), &m, &plan) != -EINVAL)
			test_fail(__FILE__, __LINE__, "bad header %u is not refused", i);
	}
}

/* As in x86-64's vmlinux: e_entry is physical, and no virtual address matches. */
static void test_elf_physical_entry(void)
{
	struct machine m = util_machine(0, MIB(1));
	struct util_elf e = sample(true, false);
	uint8_t buf[SAMPLE_BYTES] = { 0 };
	struct image_plan plan;

	e.entry = 0x20020;
	util_elf(&e, buf);
	CHECK_EQ(util_plan(plan_elf, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, 0x20020);
}

static void test_elf_movable(void)
{
	struct machine m = util_machine(0x80000000, MIB(4));
	struct util_elf e = sample(true, false);
	uint8_t buf[SAMPLE_BYTES] = { 0 };
	struct image_plan plan;
	struct image_file img;

	/* Linked to 0x4000 in the high half: keeps its offset within the alignment. */
	e.segments[0].paddr = 0xffffffff80004000;
	e.segments[3].paddr = 0xffffffff80024000;
	util_elf(&e, buf);
	util_image(&img, buf, sizeof(buf));
	CHECK_EQ(image_plan_elf_movable(&img, EM_TEST, &m, 0x80200000, MIB(2), &plan), 0);
	CHECK_EQ(plan.start, 0x80204000);
	CHECK_EQ(plan.segments[1].gpa, 0x80224000);
	CHECK_EQ(plan.entry, 0x80224010);
	util_image_free(&img);

	/* In RAM as it is: stays. */
	e.segments[0].paddr = 0x80001000;
	e.segments[3].paddr = 0x80031000;
	util_elf(&e, buf);
	util_image(&img, buf, sizeof(buf));
	CHECK_EQ(image_plan_elf_movable(&img, EM_TEST, &m, 0x80200000, MIB(2), &plan), 0);
	CHECK_EQ(plan.start, 0x80001000);
	CHECK_EQ(plan.entry, 0x80031010);
	util_image_free(&img);

	/* Segments so far apart that they wrap when moved. */
	e.segments[0].paddr = 0;
	e.segments[3].paddr = UINT64_MAX - 0x8000;
	util_elf(&e, buf);
	util_image(&img, buf, sizeof(buf));
	test_stderr_begin();
	CHECK_EQ(image_plan_elf_movable(&img, EM_TEST, &m, 0x80200000, MIB(2), &plan), -ENOMEM);
	CHECK(strstr(test_stderr_end(), "give the guest more memory (-m)") != NULL);
	util_image_free(&img);
}

static void test_elf_note(void)
{
	/* name "Xen", type 18; before it one of another type and one of another name */
	static const uint32_t words[] = { 4, 4, 6, 0, 0x11111111, 6, 3, 18, 0, 0, 0x22222222,
					  4, 8, 18, 0, 0x33333333, 0x44444444 };
	struct util_elf e = sample(true, false);
	uint8_t buf[SAMPLE_BYTES] = { 0 };
	struct image_file img;
	const uint8_t *desc;
	uint32_t len;

	util_elf(&e, buf);
	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		put_le32(buf + 0x1000 + i * 4, words[i]);
	memcpy(buf + 0x1000 + 12, "Xen", 4);
	memcpy(buf + 0x1000 + 32, "Linux", 6);
	memcpy(buf + 0x1000 + 56, "Xen", 4);
	util_image(&img, buf, sizeof(buf));
	CHECK_EQ(image_elf_note(&img, "Xen", 18, &desc, &len), 0);
	CHECK_EQ(len, 8);
	CHECK_EQ(get_le64(desc), 0x4444444433333333);
	CHECK_EQ(image_elf_note(&img, "Linux", 18, &desc, &len), 0);
	CHECK_EQ(len, 3);
	CHECK_EQ(image_elf_note(&img, "Xen", 19, &desc, &len), -ENOENT);
	CHECK_EQ(image_elf_note(&img, "Xe", 18, &desc, &len), -ENOENT);
	util_image_free(&img);

	/* Sizes that point outside of the segment. */
	put_le32(buf + 0x1000 + 4, UINT32_MAX);
	util_image(&img, buf, sizeof(buf));
	CHECK_EQ(image_elf_note(&img, "Xen", 18, &desc, &len), -ENOENT);
	util_image_free(&img);
	put_le32(buf + 0x1000, UINT32_MAX);
	put_le32(buf + 0x1000 + 4, 4);
	util_image(&img, buf, sizeof(buf));
	CHECK_EQ(image_elf_note(&img, "Xen", 18, &desc, &len), -ENOENT);
	util_image_free(&img);

	/* Every length of the segment, at the end of the file. */
	for (unsigned int bytes = 0; bytes < 68; bytes++) {
		uint8_t small[0x200] = { 0 };

		e.nr = 2;
		e.segments[1] = (struct util_segment){ 4, 0x180, 0, 0, bytes, bytes, 4 };
		util_elf(&e, small);
		memcpy(small + 0x180, buf + 0x1000, bytes);
		util_image(&img, small, 0x180 + bytes);
		CHECK_EQ(image_elf_note(&img, "Xen", 18, &desc, &len), -ENOENT);
		util_image_free(&img);
	}
}

/* ---- what it may be instead ---- */

static void test_describe(void)
{
	uint8_t buf[0x800] = { 1 };
	struct image_file img;

	util_image(&img, buf, sizeof(buf));
	CHECK(image_describe(&img) == NULL);
	test_stderr_begin();
	CHECK_EQ(image_refuse(&img, "a foo Image"), -ENOEXEC);
	CHECK_STR(test_stderr_end(),
		  "lkvm: test.img is not a foo Image, nor anything else that lkvm knows (flat images are run with --firmware)\n");
	util_image_free(&img);

	memcpy(buf + 0x202, "HdrS", 4);
	util_image(&img, buf, sizeof(buf));
	CHECK_STR(image_describe(&img), "an x86 bzImage");
	snprintf(img.packing, sizeof(img.packing), "gzip");
	test_stderr_begin();
	CHECK_EQ(image_refuse(&img, "a foo Image"), -ENOEXEC);
	CHECK_STR(test_stderr_end(),
		  "lkvm: test.img is not a foo Image: it looks like an x86 bzImage packed with gzip "
		  "(an x86-64 host runs it, or give a kernel for this one)\n");
	util_image_free(&img);

	util_image(&img, "070701001", 9);
	CHECK_STR(image_describe(&img), "an initramfs (cpio archive)");
	util_image_free(&img);
	util_image(&img, "hello\n", 6);
	CHECK_STR(image_describe(&img), "a text file");
	util_image_free(&img);
	for (unsigned int len = 0; len < 4; len++) {
		util_image(&img, "\x01\x02\x03", len);
		CHECK(image_describe(&img) == NULL);
		util_image_free(&img);
	}
}

/* ---- loading ---- */

static int load(const struct image_file *img, const struct image_plan *plan, struct memory *mem)
{
	int ret;

	test_stderr_begin();
	ret = image_load_plan(img, plan, mem);
	snprintf(util_log, sizeof(util_log), "%s", test_stderr_end());
	CHECK_EQ(util_log[0] != 0, ret != 0);
	return ret;
}

static void test_load_plan(void)
{
	uint64_t page = page_bytes(), size = 12 * page; /* too large to be read at once */
	uint8_t *data = malloc((size_t)size);
	struct image_plan plan = { .nr_segments = 2 };
	struct image_file img;
	struct memory mem;
	uint8_t *host;
	bool zero = true;
	int fd;

	util_pattern(data, (size_t)size, 8);
	fd = util_memfd(data, (size_t)size);
	CHECK_EQ(image_open(&img, util_fd_path(fd), "kernel"), 0);
	memory_init(&mem);
	CHECK_EQ(memory_add(&mem, "ram", MIB(1), 16 * page, false, NULL), 0);
	host = mem.regions[0].host;
	memset(host, 0xee, (size_t)(16 * page));

	plan.segments[0] = (struct image_segment){ page, 2 * page + 5, MIB(1) + page, 4 * page };
	plan.segments[1] = (struct image_segment){ 3 * page + 5, 100, MIB(1) + 5 * page, 100 };
	CHECK_EQ(load(&img, &plan, &mem), 0);
	CHECK(!memcmp(host + page, data + page, (size_t)(2 * page + 5)));
	for (uint64_t i = 3 * page + 5; i < 5 * page; i++)
		zero = zero && host[i] == 0;
	CHECK(zero);
	CHECK(!memcmp(host + 5 * page, data + 3 * page + 5, 100));
	CHECK_EQ(host[page - 1], 0xee);
	CHECK_EQ(host[5 * page + 100], 0xee);

	/* Outside of the file, outside of memory: refused, whatever a planner says. */
	plan.nr_segments = 1;
	plan.segments[0] = (struct image_segment){ 0, size + 1, MIB(1), size + 1 };
	CHECK_EQ(load(&img, &plan, &mem), -EINVAL);
	plan.segments[0] = (struct image_segment){ UINT64_MAX, 2, MIB(1), 2 };
	CHECK_EQ(load(&img, &plan, &mem), -EINVAL);
	plan.segments[0] = (struct image_segment){ 0, 2, MIB(1), 1 };
	CHECK_EQ(load(&img, &plan, &mem), -EINVAL);
	plan.segments[0] = (struct image_segment){ 0, 1, MIB(1) - 1, 1 };
	CHECK_EQ(load(&img, &plan, &mem), -EFAULT);
	plan.segments[0] = (struct image_segment){ 0, 1, MIB(1), 16 * page + 1 };
	CHECK_EQ(load(&img, &plan, &mem), -EFAULT);
	CHECK(util_said("(-m)"));
	plan.segments[0] = (struct image_segment){ 0, 1, MIB(1), UINT64_MAX };
	CHECK_EQ(load(&img, &plan, &mem), -EFAULT);

	/* The file shrinks under our feet. */
	CHECK_EQ(ftruncate(fd, (off_t)page), 0);
	plan.segments[0] = (struct image_segment){ 0, 2 * page, MIB(1), 2 * page };
	CHECK_EQ(load(&img, &plan, &mem), -EIO);
	CHECK(util_said("ends too early"));
	image_close(&img);
	close(fd);

	/* A small file has been read. */
	fd = util_memfd(data, 1000);
	CHECK_EQ(image_open(&img, util_fd_path(fd), "kernel"), 0);
	CHECK_EQ(ftruncate(fd, 0), 0);
	plan.segments[0] = (struct image_segment){ 10, 990, MIB(1), 1000 };
	CHECK_EQ(load(&img, &plan, &mem), 0);
	CHECK(!memcmp(host, data + 10, 990) && host[990] == 0 && host[999] == 0);
	image_close(&img);
	close(fd);
	memory_exit(&mem);
	free(data);
}

/* ---- initrds ---- */

struct initrd_case {
	struct machine m;
	struct memory  mem;
	struct place   place;
	gpa_t          gpa;
	uint64_t       size_bytes;
};

static void initrd_begin(struct initrd_case *c, uint64_t ram)
{
	c->m = util_machine(0x80000000, ram);
	memory_init(&c->mem);
	CHECK_EQ(memory_add(&c->mem, "ram", 0x80000000, ram, false, NULL), 0);
	place_init(&c->place, &c->m);
	CHECK_EQ(place_reserve(&c->place, "kernel", 0x80200000, MIB(1)), 0);
}

static int initrd_load(struct initrd_case *c, char *const paths[], unsigned int nr, gpa_t limit)
{
	int fds = test_open_fds();
	int ret;

	test_stderr_begin();
	ret = image_load_initrds(paths, nr, -1, &c->mem, &c->place, limit, &c->gpa, &c->size_bytes);
	snprintf(util_log, sizeof(util_log), "%s", test_stderr_end());
	CHECK_EQ(util_log[0] != 0, ret != 0);
	CHECK_EQ(test_open_fds(), fds);
	return ret;
}

static void test_initrd_single(void)
{
	uint64_t page = page_bytes();
	struct initrd_case c;
	uint8_t data[12345];
	char *path;
	int fd;

	util_pattern(data, sizeof(data), 2);
	fd = util_memfd(data, sizeof(data));
	path = strdup(util_fd_path(fd));
	initrd_begin(&c, MIB(8));
	CHECK_EQ(initrd_load(&c, &path, 1, 0), 0);
	/* At the top, page aligned, and not a byte longer than the file. */
	CHECK_EQ(c.gpa, 0x80000000 + MIB(8) - align_up(sizeof(data), page));
	CHECK_EQ(c.size_bytes, sizeof(data));
	CHECK(!memcmp(memory_ptr(&c.mem, c.gpa, sizeof(data)), data, sizeof(data)));
	CHECK_EQ(c.place.nr_taken, 2);
	/* Below a limit. */
	CHECK_EQ(initrd_load(&c, &path, 1, 0x80200000), 0);
	CHECK(c.gpa + c.size_bytes <= 0x80200000);
	/* None at all. */
	CHECK_EQ(initrd_load(&c, NULL, 0, 0), 0);
	CHECK_EQ(c.size_bytes, 0);
	memory_exit(&c.mem);
	free(path);
	close(fd);
}

static void test_initrd_concat(void)
{
	static const size_t sizes[] = { 5, 8, 70000, 3, 70001, 1 };
	uint64_t page = page_bytes(), at = 0;
	char *paths[ARRAY_SIZE(sizes)];
	int fds[ARRAY_SIZE(sizes)];
	static uint8_t data[80000];
	struct initrd_case c;
	const uint8_t *host;

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		util_pattern(data, sizes[i], i);
		fds[i] = util_memfd(data, sizes[i]);
		paths[i] = malloc(64);
		snprintf(paths[i], 64, "/proc/self/fd/%d", fds[i]);
	}
	initrd_begin(&c, MIB(8));
	CHECK_EQ(initrd_load(&c, paths, ARRAY_SIZE(sizes), 0), 0);
	host = memory_ptr(&c.mem, c.gpa, c.size_bytes);
	CHECK(host != NULL);
	for (unsigned int i = 0; host && i < ARRAY_SIZE(sizes); i++) {
		uint64_t next = align_up(at, sizes[i] >= KIB(64) ? page : 4);

		for (; at < next; at++)
			if (host[at])
				test_fail(__FILE__, __LINE__, "padding before file %u is not zero", i);
		util_pattern(data, sizes[i], i);
		CHECK(!memcmp(host + at, data, sizes[i]));
		at += sizes[i];
	}
	CHECK_EQ(c.size_bytes, at);
	memory_exit(&c.mem);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		free(paths[i]);
		close(fds[i]);
	}
}

static void test_initrd_errors(void)
{
	static uint8_t data[1 << 20];
	struct initrd_case c;
	char *paths[3];
	int fd, empty;

	util_pattern(data, sizeof(data), 6);
	fd = util_memfd(data, sizeof(data));
	empty = util_memfd("", 0);
	for (unsigned int i = 0; i < 3; i++) {
		paths[i] = malloc(64);
		snprintf(paths[i], 64, "/proc/self/fd/%d", fd);
	}
	initrd_begin(&c, MIB(4));
	/* 2 MiB below the kernel, 1 MiB above it. */
	CHECK_EQ(initrd_load(&c, paths, 3, 0), -ENOMEM);
	CHECK(util_said("(3 MiB) does not fit"));
	CHECK(util_said("in 4 MiB of RAM: give the guest more memory (-m)"));
	CHECK_EQ(initrd_load(&c, paths, 2, 0x80100000), -ENOMEM);
	CHECK(util_said("below 0x80100000"));
	CHECK_EQ(c.place.nr_taken, 1);

	snprintf(paths[1], 64, "/proc/self/fd/%d", empty);
	CHECK_EQ(initrd_load(&c, paths, 2, 0), -EINVAL);
	CHECK(util_said("is empty"));
	snprintf(paths[1], 64, "/nonexistent");
	CHECK_EQ(initrd_load(&c, paths, 2, 0), -ENOENT);
	CHECK(util_said("initrd /nonexistent"));
	snprintf(paths[1], 64, "/proc");
	CHECK_EQ(initrd_load(&c, paths, 2, 0), -EISDIR);
	memory_exit(&c.mem);
	for (unsigned int i = 0; i < 3; i++)
		free(paths[i]);
	close(fd);
	close(empty);
}

static void test_initrd_pipe(void)
{
	struct initrd_case c;
	uint8_t data[1000];
	char path[64], *paths[] = { path };
	int pipes[2];

	util_pattern(data, sizeof(data), 11);
	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(write(pipes[1], data, sizeof(data)), sizeof(data));
	close(pipes[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipes[0]);
	initrd_begin(&c, MIB(4));
	CHECK_EQ(initrd_load(&c, paths, 1, 0), 0);
	CHECK_EQ(c.size_bytes, sizeof(data));
	CHECK(!memcmp(memory_ptr(&c.mem, c.gpa, c.size_bytes), data, sizeof(data)));
	memory_exit(&c.mem);
	close(pipes[0]);
}

const struct test image_tests[] = {
	{ "open_plain", test_open_plain },
	{ "open_errors", test_open_errors },
	{ "open_pipe", test_open_pipe },
	{ "keep", test_keep },
	{ "elf", test_elf },
	{ "elf_truncated", test_elf_truncated },
	{ "elf_hostile", test_elf_hostile },
	{ "elf_bad_header", test_elf_bad_header },
	{ "elf_physical_entry", test_elf_physical_entry },
	{ "elf_movable", test_elf_movable },
	{ "elf_note", test_elf_note },
	{ "describe", test_describe },
	{ "load_plan", test_load_plan },
	{ "initrd_single", test_initrd_single },
	{ "initrd_concat", test_initrd_concat },
	{ "initrd_errors", test_initrd_errors },
	{ "initrd_pipe", test_initrd_pipe },
	{ 0 },
};
