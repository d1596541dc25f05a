// SPDX-License-Identifier: GPL-2.0-only
/* Calls one function of every library that lkvm may use: proves that a
 * sysroot links statically and runs. */
#include <stdio.h>
#include <string.h>
#include <linux/kvm.h>
#include <libfdt.h>
#include <jansson.h>
#include <capstone/capstone.h>
#include <zlib.h>
#include <zstd.h>
#include <lzma.h>

int main(void)
{
	static const char text[] = "lkvm lkvm lkvm lkvm lkvm";
	unsigned char packed[256], unpacked[256];
	char fdt[512];
	size_t n, in_pos = 0, out_pos = 0;
	uint64_t memlimit = UINT64_MAX;
	uLongf zn = sizeof(packed), un = sizeof(unpacked);
	json_t *json;
	csh cs;

	if (fdt_create_empty_tree(fdt, sizeof(fdt)) || fdt_check_header(fdt))
		return 1;
	json = json_pack("{s:i}", "api", KVM_API_VERSION);
	if (!json || json_integer_value(json_object_get(json, "api")) != 12)
		return 2;
	json_decref(json);
#if CS_API_MAJOR >= 5
	if (cs_open(CS_ARCH_RISCV, CS_MODE_RISCV64, &cs) != CS_ERR_OK)
#else /* knows no RISC-V; each lkvm disassembles its own arch only */
	if (cs_open(CS_ARCH_PPC, CS_MODE_64, &cs) != CS_ERR_OK)
#endif
		return 3;
	cs_close(&cs);
	if (compress(packed, &zn, (const void *)text, sizeof(text)) != Z_OK ||
	    uncompress(unpacked, &un, packed, zn) != Z_OK ||
	    memcmp(unpacked, text, sizeof(text)))
		return 4;
	n = ZSTD_compress(packed, sizeof(packed), text, sizeof(text), 1);
	if (ZSTD_isError(n) ||
	    ZSTD_decompress(unpacked, sizeof(unpacked), packed, n) != sizeof(text))
		return 5;
	if (lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (const void *)text,
				    sizeof(text), packed, &out_pos, sizeof(packed)))
		return 6;
	n = out_pos;
	out_pos = 0;
	if (lzma_stream_buffer_decode(&memlimit, 0, NULL, packed, &in_pos, n,
				      unpacked, &out_pos, sizeof(unpacked)) ||
	    memcmp(unpacked, text, sizeof(text)))
		return 7;
	puts("all libraries work");
	return 0;
}
