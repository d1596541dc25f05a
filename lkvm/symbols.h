/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of a guest kernel's functions: from the ELF file it was built as, or from the kallsyms
 * tables in its memory. Pure but for reading the file. Neither source is trusted.
 */
#ifndef LKVM_SYMBOLS_H
#define LKVM_SYMBOLS_H

#include "lkvm/types.h"

struct symbols;

#define SYMBOLS_NAME_BYTES 128

/* .symtab of the ELF file @path, of any class and byte order. 0 or -errno (reported). */
int symbols_open_elf(struct symbols **symbols, const char *path) LKVM_MUST_CHECK;

/* The same from @len bytes of such a file in memory. 0, -EINVAL: no ELF file with symbols, or -ENOMEM. Silent. */
int symbols_parse_elf(struct symbols **symbols, const uint8_t *file, size_t len) LKVM_MUST_CHECK;

/* What the tables begin with that symbols_parse_kallsyms() looks for: the tokens of the digits. */
#define SYMBOLS_KALLSYMS_MARK "0\0" "1\0" "2\0" "3\0" "4\0" "5\0" "6\0" "7\0" "8\0" "9"
#define SYMBOLS_KALLSYMS_MARK_BYTES 20

/*
 * kallsyms (scripts/kallsyms.c) somewhere in @len bytes of a kernel's memory, which begins at a
 * multiple of 8. The addresses are those at which the kernel runs. For the tables of newer kernels @va has to
 * say where it runs what is at @mem; 0 if nobody knows. @mem is needed only during the call. 0, -ENOENT: there is
 * no such thing (or of a kind that this code does not know), or -ENOMEM. Silent.
 */
int symbols_parse_kallsyms(struct symbols **symbols, const uint8_t *mem, size_t len, uint64_t va, unsigned int bits,
			   bool big_endian) LKVM_MUST_CHECK;

/* NULL is legal. */
void symbols_free(struct symbols *symbols);

size_t symbols_count(const struct symbols *symbols);

/* The kernel runs @slide above the addresses that the symbols have (KASLR). */
void symbols_set_slide(struct symbols *symbols, uint64_t slide);
uint64_t symbols_slide(const struct symbols *symbols);

/* Where symbol @name is at run time. True if there is one. */
bool symbols_address(const struct symbols *symbols, const char *name, uint64_t *addr);

/*
 * The function that holds @addr: its name goes to @name (SYMBOLS_NAME_BYTES), @offset into it and its
 * @size. False if @addr is outside of the kernel's text. NULL symbols are legal.
 */
bool symbols_lookup(const struct symbols *symbols, uint64_t addr, char *name, uint64_t *offset, uint64_t *size);

/*
 * "do_idle+0x90/0x2f0" into @buf, which is returned; "" if @addr is in no function. With @is_return
 * it belongs to the call before it, which may be the last instruction of its function.
 */
const char *symbols_text(const struct symbols *symbols, uint64_t addr, bool is_return, char *buf, size_t size);

#endif
