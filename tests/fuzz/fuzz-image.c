// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything that looks into image files: unpackers and wrappers, ELF, and each arch's planner. A
 * plan that is not refused must lie within file and RAM, and load.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arm/image.h"
#include "lkvm/image.h"
#include "lkvm/unpack.h"
#include "powerpc/image.h"
#include "riscv/image.h"
#include "x86/image.h"

void __sanitizer_set_report_fd(void *fd);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Nearly every input is an error with its line. They go to /dev/null while lkvm's code runs; the
 * fuzzer's own words and the sanitizers' reports still come through.
 */
static int real_stderr = -1;
static int null = -1;

int LLVMFuzzerInitialize(int *argc LKVM_UNUSED, char ***argv LKVM_UNUSED)
{
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (real_stderr < 0 || null < 0)
		abort();
	__sanitizer_set_report_fd((void *)(intptr_t)real_stderr);
	return 0;
}

#define RAM_BYTES    MIB(64)
#define LIMIT_BYTES  MIB(4)

typedef int planner(const struct image_file *img, const struct machine *machine, struct image_plan *plan);

static const struct {
	planner *plan;
	gpa_t    ram_base;
} planners[] = {
	{ riscv_image_plan, 0x80000000 },
	{ riscv_firmware_plan, 0x80000000 },
	{ arm_image_plan, 0x80000000 },
	{ arm_firmware_plan, 0x80000000 },
	{ ppc_image_plan, 0 },
	{ ppc_firmware_plan, 0 },
	{ x86_image_plan, 0 },
	{ x86_firmware_plan, 0 },
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void run_planner(const struct image_file *img, planner *plan_image, gpa_t ram_base)
{
	struct machine m = { .nr_ram = 1, .ram[0] = { ram_base, RAM_BYTES } };
	struct image_plan plan;
	struct memory mem;

	if (plan_image(img, &m, &plan))
		return;
	must(plan.nr_segments && plan.nr_segments <= IMAGE_MAX_SEGMENTS && plan.format);
	must(range_within(plan.start, plan.size_bytes, ram_base, RAM_BYTES));
	must(range_within(plan.entry, 1, plan.start, plan.size_bytes));
	for (unsigned int i = 0; i < plan.nr_segments; i++) {
		const struct image_segment *s = &plan.segments[i];

		must(range_within(s->file_offset, s->file_bytes, 0, img->size_bytes));
		must(s->file_bytes <= s->mem_bytes);
		must(range_within(s->gpa, s->mem_bytes, plan.start, plan.size_bytes));
	}
	memory_init(&mem);
	must(!memory_add(&mem, "ram", ram_base, RAM_BYTES, false, NULL));
	must(!image_load_plan(img, &plan, &mem));
	memory_exit(&mem);
}

static void run(const uint8_t *data, size_t size)
{
	char cause[UNPACK_CAUSE_BYTES] = "";
	const uint8_t *desc;
	struct image_file img;
	uint32_t desc_bytes;
	int fd;

	/* On a heap copy, where ASan sees every step beyond the end. */
	img = (struct image_file){ .path = "fuzz", .data = data, .size_bytes = size, .fd = -1 };
	if (!image_elf_note(&img, "Xen", 18, &desc, &desc_bytes))
		must(range_within((uint64_t)(desc - data), desc_bytes, 0, size));
	if (!uimage_check(data, size, cause))
		must(size >= UIMAGE_HEADER_BYTES);
	for (unsigned int i = 0; i < ARRAY_SIZE(planners); i++) {
		struct machine m = { .nr_ram = 1, .ram[0] = { planners[i].ram_base, RAM_BYTES } };
		struct image_plan plan;

		if (!planners[i].plan(&img, &m, &plan))
			must(plan.nr_segments <= IMAGE_MAX_SEGMENTS);
	}

	/* And the way of a real file. */
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	if (image_open_fd(&img, fd, "fuzz", "kernel", LIMIT_BYTES))
		return;
	must(img.size_bytes <= MAX(LIMIT_BYTES, size));
	for (unsigned int i = 0; i < ARRAY_SIZE(planners); i++)
		run_planner(&img, planners[i].plan, planners[i].ram_base);
	image_close(&img);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	dup2(null, STDERR_FILENO);
	run(data, size);
	dup2(real_stderr, STDERR_FILENO);
	return 0;
}
