// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/backtrace.h"

#include <string.h>

#include "lkvm/byteorder.h"

/* How far up the stack return addresses are looked for, and frames may be apart. */
#define SCAN_BYTES      4096u
#define MAX_FRAME_BYTES 0x10000u

struct walker {
	struct backtrace              *bt;
	const struct reg_set          *regs;
	const struct backtrace_memory *mem;
	const struct symbols          *symbols;
	unsigned int                   word; /* bytes */
};

static bool read_word(const struct walker *w, uint64_t va, uint64_t *v)
{
	uint8_t raw[8];

	if (w->mem->read(w->mem->ctx, va, raw, w->word))
		return false;
	*v = w->regs->big_endian ? get_be(raw, w->word) : get_le(raw, w->word);
	return true;
}

/* Bit 55 tells the halves of arm64's address space apart; above the address bits of each may be a signature. */
static uint64_t strip_signature(const struct reg_set *regs, uint64_t pc)
{
	bool upper = pc >> 55 & 1;
	unsigned int bits = regs->signed_bits[upper];
	uint64_t above;

	if (!bits || bits >= 64)
		return pc;
	above = UINT64_MAX << bits;
	return upper ? pc | above : pc & ~above;
}

/* False when there is no room for more. */
static bool add_frame(struct walker *w, uint64_t pc, bool guess)
{
	if (w->bt->nr == BACKTRACE_MAX) {
		w->bt->more = true;
		return false;
	}
	w->bt->frames[w->bt->nr++] = (struct backtrace_frame){ pc, guess };
	return true;
}

/* Does the return address @pc lead into what Linux on riscv runs on a trap (arch/riscv/kernel/entry.S)? */
static bool in_riscv_trap(const struct walker *w, uint64_t pc)
{
	char name[SYMBOLS_NAME_BYTES];
	uint64_t offset, size;

	return w->regs->frames == FRAMES_RISCV && symbols_lookup(w->symbols, pc - 1, name, &offset, &size) &&
	       (!strcmp(name, "handle_exception") || !strcmp(name, "ret_from_exception"));
}

static bool in_function(const struct walker *w, uint64_t pc)
{
	char name[SYMBOLS_NAME_BYTES];
	uint64_t offset, size;

	return symbols_lookup(w->symbols, pc, name, &offset, &size);
}

/* Where Linux keeps what was interrupted, struct pt_regs: offsets in bytes. */
struct trap_regs {
	unsigned int pc, link, fp, status;
	uint64_t     kernel_bits; /* in status: one of them is set in kernel mode */
};

/*
 * Adds the frames of what was interrupted, whose registers are at @at; its frame pointer goes to @fp, 0 at the end.
 * False if they can't be read.
 */
static bool leave_trap(struct walker *w, const struct trap_regs *t, uint64_t at, uint64_t *fp)
{
	uint64_t pc, link, status;

	if (!read_word(w, at + t->pc, &pc) || !read_word(w, at + t->link, &link) ||
	    !read_word(w, at + t->fp, fp) || !read_word(w, at + t->status, &status))
		return false;
	if (!(status & t->kernel_bits))
		*fp = 0;
	link = strip_signature(w->regs, link);
	/* As for pc itself: where it is no code, the link register says who jumped. */
	if (!add_frame(w, pc, false) || (*fp && !in_function(w, pc) && !add_frame(w, link, false)))
		*fp = 0;
	return true;
}

/*
 * Linux's code for traps makes no frame of its own on riscv, but its callee's lies right below the registers that
 * it saved, at @fp: arch/riscv/include/asm/ptrace.h. With SPP clear it was user mode.
 */
static bool leave_riscv_trap(struct walker *w, uint64_t fp, uint64_t *next)
{
	const struct trap_regs regs = { 0, w->word, 8 * w->word, 32 * w->word, 0x100 };

	return leave_trap(w, &regs, fp, next);
}

/*
 * On arm64 it makes one that is part of the registers, at @fp (arch/arm64/include/asm/ptrace.h,
 * stacktrace/frame.h). Until 6.12 it is one like any other, with pc for the return address, and only a pc of 0
 * needs more; since then it is all zeros, and a word behind it says what it is. False if @fp is not of that sort,
 * or can't be read.
 */
static bool leave_arm_trap(struct walker *w, uint64_t fp, uint64_t *next)
{
	enum { META_PT_REGS = 2, FRAME = 296, FRAME_6_12 = 304 };
	const struct trap_regs regs = { 32 * 8, 30 * 8, 29 * 8, 33 * 8, 0xf };
	uint64_t type, at = fp - FRAME_6_12;

	if (w->regs->frames != FRAMES_UP || w->word != 8 || !reg_find(w->regs, ROLE_LR))
		return false;
	if (!*next) {
		at = fp - FRAME;
		if (!read_word(w, fp + 16, &type) || type != META_PT_REGS)
			return false;
	}
	return leave_trap(w, &regs, at, next);
}

/* Frames that the arch links: the stack grows down, so each lies above the one before. */
static void follow_links(struct walker *w, uint64_t fp, int64_t next_at, int64_t return_at, bool return_in_next)
{
	uint64_t next, pc;

	while (fp) {
		if (fp & (w->word - 1)) {
			w->bt->end = "the frame pointer is misaligned";
			return;
		}
		if (!read_word(w, fp + (uint64_t)next_at, &next) ||
		    (!return_in_next && !read_word(w, fp + (uint64_t)return_at, &pc)) ||
		    (return_in_next && next && !read_word(w, next + (uint64_t)return_at, &pc))) {
			w->bt->end = "the stack can't be read further";
			return;
		}
		if (return_in_next && !next)
			return;
		if (!pc) { /* how kernels mark the outermost frame */
			if (!leave_arm_trap(w, fp, &next))
				return;
		} else {
			pc = strip_signature(w->regs, pc);
			/* What was called last may have its return address in the register, too. */
			if (!(w->bt->nr == 2 && w->bt->frames[1].pc == pc) && !add_frame(w, pc, false))
				return;
			if (in_riscv_trap(w, pc) && !leave_riscv_trap(w, fp, &next)) {
				w->bt->end = "the stack can't be read further";
				return;
			}
		}
		if (!next)
			return;
		if (next <= fp || next - fp > MAX_FRAME_BYTES) {
			w->bt->end = "the next frame is not above this one";
			return;
		}
		fp = next;
	}
}

/* Does a call end where @pc returns to? x86: e8 rel32, or ff /2 with its lengths. */
static bool follows_call(const struct walker *w, uint64_t pc)
{
	static const unsigned int indirect[] = { 2, 3, 4, 6, 7 };
	uint8_t b[7];

	if (w->mem->read(w->mem->ctx, pc - sizeof(b), b, sizeof(b)))
		return false;
	if (b[2] == 0xe8)
		return true;
	for (unsigned int i = 0; i < ARRAY_SIZE(indirect); i++) {
		unsigned int at = (unsigned int)sizeof(b) - indirect[i];

		if (b[at] == 0xff && (b[at + 1] >> 3 & 7) == 2)
			return true;
	}
	return false;
}

static void scan_stack(struct walker *w, uint64_t sp)
{
	w->bt->method = "return addresses on the stack";
	sp &= ~(uint64_t)(w->word - 1);
	for (unsigned int at = 0; at < SCAN_BYTES; at += w->word) {
		uint64_t pc;

		if (!read_word(w, sp + at, &pc)) {
			w->bt->end = "the stack can't be read further";
			return;
		}
		/* Without symbols any place behind a call must do. */
		if (symbols_count(w->symbols) ? !in_function(w, pc) : pc <= 4096)
			continue;
		if (follows_call(w, pc) && !add_frame(w, pc, true))
			return;
	}
}

/* Is there a frame at @fp that returns into code? Kernels without frame pointers use the register as they like. */
static bool frame_makes_sense(const struct walker *w, uint64_t fp, uint64_t sp)
{
	uint64_t pc;

	return fp >= sp && fp - sp < MAX_FRAME_BYTES && !(fp & (w->word - 1)) && read_word(w, fp + w->word, &pc) &&
	       follows_call(w, pc);
}

void backtrace_take(struct backtrace *bt, const struct reg_set *regs, bool pc_works,
		    const struct backtrace_memory *mem, const struct symbols *symbols)
{
	struct walker w = { bt, regs, mem, symbols, regs->bits == 64 ? 8 : 4 };
	const struct reg *lr = reg_find(regs, ROLE_LR);
	uint64_t fp = reg_value(regs, ROLE_FP), sp = reg_value(regs, ROLE_SP), pc;

	memset(bt, 0, sizeof(*bt));
	bt->method = bt->end = "";
	if (!reg_find(regs, ROLE_PC))
		return;
	add_frame(&w, reg_value(regs, ROLE_PC) + regs->code_base, false);
	/*
	 * Where pc itself is no code, the link register says who jumped. Elsewhere it is the caller
	 * of a function that calls nothing, or stale.
	 */
	if (lr && lr->value && !pc_works)
		add_frame(&w, strip_signature(regs, lr->value), false);
	else if (!lr && !pc_works && read_word(&w, sp, &pc) && follows_call(&w, pc))
		add_frame(&w, pc, false); /* x86's call has pushed it */

	switch (regs->frames) {
	case FRAMES_RISCV:
		bt->method = "frame pointers";
		follow_links(&w, fp, -2 * (int64_t)w.word, -(int64_t)w.word, false);
		break;
	case FRAMES_PPC:
		bt->method = "back chain";
		/* ELFv2 §2.3.2: LR save doubleword; 32-bit SysV: LR save word, in the caller's frame. */
		follow_links(&w, sp, 0, w.word == 8 ? 16 : 4, true);
		break;
	case FRAMES_UP:
		bt->method = "frame pointers";
		/* x86, the only one here without a link register, often has none. */
		if (lr || frame_makes_sense(&w, fp, sp)) {
			follow_links(&w, fp, 0, w.word, false);
			break;
		}
		scan_stack(&w, sp);
		break;
	case FRAMES_NONE:
		break;
	}
}
