// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/cmd.h"

#include <linux/version.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/arch.h"
#include "lkvm/log.h"
#include "lkvm/outcome.h"

#ifdef HAVE_ZLIB
#define WITH_ZLIB true
#else
#define WITH_ZLIB false
#endif
#ifdef HAVE_ZSTD
#define WITH_ZSTD true
#else
#define WITH_ZSTD false
#endif
#ifdef HAVE_LZMA
#define WITH_LZMA true
#else
#define WITH_LZMA false
#endif
#ifdef HAVE_JANSSON
#define WITH_JANSSON true
#else
#define WITH_JANSSON false
#endif
#ifdef HAVE_CAPSTONE
#define WITH_CAPSTONE true
#else
#define WITH_CAPSTONE false
#endif

static const struct {
	const char *name;
	const char *purpose;
	bool        built_in;
} libraries[] = {
	{ "zlib", "gzip-compressed kernels", WITH_ZLIB },
	{ "zstd", "zstd-compressed kernels", WITH_ZSTD },
	{ "xz", "xz-compressed kernels", WITH_LZMA },
	{ "jansson", "--json", WITH_JANSSON },
	{ "capstone", "disassembly", WITH_CAPSTONE },
};

struct version_args {
	bool json;
};

static const struct option_spec version_options[] = {
	{ .long_name = "json", .arches = OPT_ALL, .section = "Options", .parse = option_parse_bool,
	  .offset = offsetof(struct version_args, json), .help = "print JSON" },
};

static const size_t version_options_nr = ARRAY_SIZE(version_options);

/* The version of the kernel headers that lkvm was built with: what it can know of KVM. */
static const char *uapi_version(char *buf, size_t size)
{
	snprintf(buf, size, "%d.%d.%d", LINUX_VERSION_CODE >> 16, LINUX_VERSION_CODE >> 8 & 0xff,
		 LINUX_VERSION_CODE & 0xff);
	return buf;
}

static void print_text(void)
{
	char uapi[24];

	printf("lkvm %s for %s guests\n", LKVM_VERSION, arch_name);
	printf("  %-14s %s\n", "kernel headers", uapi_version(uapi, sizeof(uapi)));
	for (size_t i = 0; i < ARRAY_SIZE(libraries); i++)
		printf("  %-14s %s (%s)\n", libraries[i].name,
		       libraries[i].built_in ? "built in" : "not built in", libraries[i].purpose);
}

#ifdef HAVE_JANSSON
static int print_json(void)
{
	json_t *libs = json_object();
	json_t *root;
	char uapi[24];
	int ret = -1;

	for (size_t i = 0; i < ARRAY_SIZE(libraries); i++)
		json_object_set_new(libs, libraries[i].name, json_boolean(libraries[i].built_in));
	root = json_pack("{s:s, s:s, s:s, s:o}", "version", LKVM_VERSION, "arch", arch_name,
			 "kernel_headers", uapi_version(uapi, sizeof(uapi)), "libraries", libs);
	if (root)
		ret = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	json_decref(root);
	putchar('\n');
	return ret ? EXIT_STATUS_START_FAILED : 0;
}
#else
static int print_json(void)
{
	log_error("--json: jansson is not built into this lkvm");
	return EXIT_STATUS_START_FAILED;
}
#endif

static int cmd_version_main(int argc, char **argv)
{
	struct version_args args = { false };
	int status;

	if (!cmd_parse(&cmd_version, argc, argv, &args, &status))
		return status;
	if (args.json)
		return print_json();
	print_text();
	return 0;
}

const struct cmd cmd_version = {
	.name = "version",
	.summary = "print the version and what is built in",
	.usage = "version [--json]",
	.description = "Prints lkvm's version, the architecture of its guests, the version of the kernel "
		       "headers that it was built with, and which optional libraries are built in.",
	.run = cmd_version_main,
	.options = version_options,
	.nr_options = &version_options_nr,
};
