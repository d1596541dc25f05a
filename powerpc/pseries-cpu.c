// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/pseries-cpu.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/byteorder.h"
#include "powerpc/options.h"

/* Linux arch/powerpc/include/asm/cputable.h */
#define PPC_FEATURE2_ARCH_3_00 0x00800000u

/* The rate at which all Power server CPUs with a hypervisor mode that Linux supports count time. */
#define TIMEBASE_HZ 512000000u

/* ibm,pa-features, as a guest that is told nothing else needs them: MMU and FPU are there, little-endian works. */
#define PA_MMU          (0u << 8 | 0)
#define PA_FPU          (0u << 8 | 1)
#define PA_NO_EXECUTE   (0u << 8 | 6)
#define PA_TRUE_LE      (5u << 8 | 0)

/* Its length without the two bytes of the head, up to what the architecture level brought (LoPAR appendix C). */
#define PA_BYTES_207 24u
#define PA_BYTES_300 64u

static const char *const copied[] = {
	"timebase-frequency", "clock-frequency", "bus-frequency",
	"d-cache-size", "d-cache-sets", "d-cache-line-size", "d-cache-block-size",
	"i-cache-size", "i-cache-sets", "i-cache-line-size", "i-cache-block-size",
	"d-tlb-size", "d-tlb-sets", "i-tlb-size", "i-tlb-sets",
	"ibm,vmx", "ibm,dfp", "ibm,purr", "ibm,spurr", "ibm,pi-features",
};
_Static_assert(ARRAY_SIZE(copied) <= PSERIES_CPU_MAX_PROPS, "room for all");

/* A property's value; its length, or -errno if there is none or it is longer than @size. */
static int read_prop(int dir, const char *name, void *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	uint8_t more;
	ssize_t n;
	int ret;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size);
	ret = n < 0 ? -errno : (int)n;
	if (n == (ssize_t)size && read(fd, &more, 1) == 1)
		ret = -EMSGSIZE;
	close(fd);
	return ret;
}

static void add_prop(struct pseries_cpu *cpu, const char *name, const void *data, size_t len)
{
	struct pseries_cpu_prop *prop = &cpu->props[cpu->nr_props++];

	prop->name = name;
	prop->len = len;
	memcpy(prop->data, data, len);
}

static void add_u32(struct pseries_cpu *cpu, const char *name, uint32_t v)
{
	uint8_t be[4];

	put_be32(be, v);
	add_prop(cpu, name, be, sizeof(be));
}

static void read_cpu(struct pseries_cpu *cpu, int dir, const char *node)
{
	uint8_t buf[PSERIES_CPU_PROP_BYTES];
	int len;

	snprintf(cpu->name, sizeof(cpu->name), "%.*s", (int)strcspn(node, "@"), node);
	for (unsigned int i = 0; i < ARRAY_SIZE(copied); i++) {
		len = read_prop(dir, copied[i], buf, sizeof(buf));
		if (len >= 0)
			add_prop(cpu, copied[i], buf, (size_t)len);
	}
	len = read_prop(dir, "ibm,pa-features", cpu->pa_features, sizeof(cpu->pa_features));
	/* The first of what may be several lists, each with its length. */
	if (len >= 2 && cpu->pa_features[0] + 2 <= len)
		cpu->pa_bytes = cpu->pa_features[0] + 2u;
}

int pseries_cpu_read(struct pseries_cpu *cpu, const char *cpus)
{
	DIR *d = opendir(cpus);
	struct dirent *entry;
	char type[8];
	int dir, len, ret = -ENOENT;

	if (!d)
		return -ENOENT;
	while (ret && (entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		dir = openat(dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			continue;
		len = read_prop(dir, "device_type", type, sizeof(type));
		if (len >= 3 && !memcmp(type, "cpu", 3)) {
			read_cpu(cpu, dir, entry->d_name);
			ret = 0;
		}
		close(dir);
	}
	closedir(d);
	return ret;
}

void pseries_cpu_guess(struct pseries_cpu *cpu, uint64_t hwcap2)
{
	snprintf(cpu->name, sizeof(cpu->name), "PowerPC,Power");
	cpu->nr_props = 0;
	add_u32(cpu, "timebase-frequency", TIMEBASE_HZ);
	/* The cache line of every CPU that has a hypervisor mode. */
	add_u32(cpu, "d-cache-block-size", 128);
	add_u32(cpu, "i-cache-block-size", 128);
	cpu->pa_bytes = 0;
	pseries_cpu_set_feature(cpu, PA_MMU, true);
	pseries_cpu_set_feature(cpu, PA_FPU, true);
	pseries_cpu_set_feature(cpu, PA_NO_EXECUTE, true);
	pseries_cpu_set_feature(cpu, PA_TRUE_LE, true);
	pseries_cpu_set_feature(cpu, PSERIES_PA_RADIX, hwcap2 & PPC_FEATURE2_ARCH_3_00);
}

void pseries_cpu_set_feature(struct pseries_cpu *cpu, unsigned int bit, bool on)
{
	size_t at = 2 + (bit >> 8);
	uint8_t mask = (uint8_t)(0x80 >> (bit & 7));

	if (at >= cpu->pa_bytes) {
		if (!on)
			return;
		if (cpu->pa_bytes < 2)
			memset(cpu->pa_features, 0, sizeof(cpu->pa_features));
		else
			memset(cpu->pa_features + cpu->pa_bytes, 0, at + 1 - cpu->pa_bytes);
		cpu->pa_bytes = at + 1;
		cpu->pa_features[0] = (uint8_t)(cpu->pa_bytes - 2);
	}
	if (on)
		cpu->pa_features[at] |= mask;
	else
		cpu->pa_features[at] &= (uint8_t)~mask;
}

void pseries_cpu_hold_to(struct pseries_cpu *cpu, uint32_t pvr)
{
	size_t most = PSERIES_PA_BYTES;

	if (pvr < PPC_COMPAT_POWER9)
		most = PA_BYTES_207;
	else if (pvr < PPC_COMPAT_POWER10)
		most = PA_BYTES_300;
	if (cpu->pa_bytes <= 2 + most)
		return;
	cpu->pa_bytes = 2 + most;
	cpu->pa_features[0] = (uint8_t)most;
}

/* As the kernel reads a boolean parameter (lib/kstrtox.c). */
static bool means_yes(const char *value, size_t len)
{
	if (!len)
		return false;
	if (strchr("yY1tT", *value))
		return true;
	return len >= 2 && (value[0] == 'o' || value[0] == 'O') && (value[1] == 'n' || value[1] == 'N');
}

bool pseries_wants_hash(const char *params)
{
	static const char name[] = "disable_radix";
	bool wants = false;

	for (const char *p = params ? params : ""; *p;) {
		size_t len;

		p += strspn(p, " \t\n");
		len = strcspn(p, " \t\n");
		if (len >= sizeof(name) - 1 && !strncmp(p, name, sizeof(name) - 1)) {
			const char *rest = p + sizeof(name) - 1;
			size_t left = len - (sizeof(name) - 1);

			if (!left)
				wants = true;
			else if (*rest == '=')
				wants = means_yes(rest + 1, left - 1);
		}
		p += len;
	}
	return wants;
}

unsigned int pseries_htab_order(uint64_t ram_bytes)
{
	unsigned int order = 0;

	while (order < 63 && (UINT64_C(1) << order) < ram_bytes)
		order++;
	order = order > 7 ? order - 7 : 0;
	return MIN(MAX(order, PSERIES_HTAB_MIN_ORDER), PSERIES_HTAB_MAX_ORDER);
}
