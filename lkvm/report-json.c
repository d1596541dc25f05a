// SPDX-License-Identifier: GPL-2.0-only
/* The format is docs/report.md: change both together. Numbers that may need 64 bits are strings of hex. */
#include "lkvm/report-data.h"

#ifdef HAVE_JANSSON

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "lkvm/json.h"

static json_t *hex(uint64_t v)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "0x%" PRIx64, v);
	return json_string(buf);
}

static json_t *hex_bytes(const uint8_t *bytes, size_t len)
{
	char buf[2 * 64 + 1] = "";

	for (size_t i = 0; i < MIN(len, (size_t)64); i++)
		snprintf(buf + 2 * i, 3, "%02x", bytes[i]);
	return json_string(buf);
}

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value ? value : json_null());
}

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text && text[0])
		set(object, key, json_text(text));
}

static void set_symbol(json_t *object, const struct report *r, uint64_t addr, bool is_return)
{
	char name[SYMBOLS_NAME_BYTES];
	uint64_t offset, size;

	/* A return address belongs to the call before it. */
	if (!symbols_lookup(r->symbols, addr - is_return, name, &offset, &size))
		return;
	set_text(object, "symbol", name);
	set(object, "offset", json_integer((json_int_t)(offset + is_return)));
}

static json_t *failure_json(const struct report *r)
{
	const struct exit_record *rec = &r->failure;
	json_t *j = json_object(), *fields = json_array();
	const char *err = rec->run_errno ? exit_errno_name(rec->run_errno) : NULL;

	set(j, "vcpu", json_integer(r->vcpus[0].index));
	if (rec->reason != EXIT_REASON_NOT_WRITTEN)
		set(j, "reason", json_integer(rec->reason));
	set_text(j, "exit", rec->name);
	if (rec->run_errno)
		set(j, "errno", err ? json_string(err) : json_integer(rec->run_errno));
	set_text(j, "cause", exit_cause_word(rec->cause));
	set_text(j, "what", rec->what);
	set_text(j, "advice", rec->advice);
	for (unsigned int i = 0; i < rec->nr_fields; i++) {
		json_t *f = json_object();

		set_text(f, "name", rec->fields[i].name);
		set_text(f, "value", rec->fields[i].value);
		set_text(f, "meaning", rec->fields[i].meaning);
		json_array_append_new(fields, f);
	}
	set(j, "fields", fields);
	if (rec->insn_len)
		set(j, "instruction", hex_bytes(rec->insn, MIN(rec->insn_len, sizeof(rec->insn))));
	return j;
}

static json_t *registers_json(const struct reg_set *regs, enum reg_group group)
{
	json_t *j = json_object();

	for (unsigned int i = 0; i < regs->nr; i++)
		if (regs->regs[i].group == group)
			set(j, regs->regs[i].name, regs->regs[i].known ? hex(regs->regs[i].value) : NULL);
	return j;
}

static json_t *notes_json(const struct reg_set *regs)
{
	json_t *j = json_array();

	for (unsigned int i = 0; i < regs->nr_notes; i++)
		json_array_append_new(j, json_text(regs->notes[i]));
	return j;
}

static json_t *place_json(const struct report_place *p)
{
	const struct walk *w = &p->walk;
	json_t *j = json_object(), *steps = json_array();
	char perm[4];

	set(j, "address", hex(w->va));
	set_text(j, "mode", w->mode);
	for (unsigned int i = 0; i < w->nr_steps; i++) {
		const struct walk_step *s = &w->steps[i];
		json_t *step = json_object();

		set_text(step, "table", s->table);
		set(step, s->is_index ? "index" : "entry_at", hex(s->entry_gpa));
		set(step, "entry", s->read ? hex(s->entry) : NULL);
		if (s->entry_bytes == 16)
			set(step, "entry2", hex(s->entry2));
		json_array_append_new(steps, step);
	}
	set(j, "steps", steps);
	set_text(j, "result", walk_result_word(w->result));
	set_text(j, "why", w->why);
	if (w->result != WALK_MAPPED)
		return j;
	set(j, "physical", hex(w->gpa));
	set(j, "page_bytes", json_integer((json_int_t)w->page_bytes));
	set_text(j, "kernel", walk_permissions_text(w->kernel, perm));
	set_text(j, "user", walk_permissions_text(w->user, perm));
	set_text(j, "behind", fetch_behind_word(p->place.kind));
	set_text(j, "behind_name", p->place.name);
	return j;
}

static json_t *code_json(const struct report_vcpu *v)
{
	json_t *j = json_array();

	for (unsigned int i = 0; i < v->nr_insns; i++) {
		json_t *insn = json_object();

		set(insn, "address", hex(v->insns[i].va));
		set(insn, "bytes", hex_bytes(v->insns[i].bytes, v->insns[i].len));
		set_text(insn, "text", v->insns[i].text);
		json_array_append_new(j, insn);
	}
	return j;
}

static json_t *backtrace_json(const struct report *r, const struct report_vcpu *v)
{
	const struct backtrace *bt = &v->backtrace;
	json_t *j = json_object(), *frames = json_array();

	set_text(j, "method", bt->method);
	set_text(j, "end", bt->end);
	for (unsigned int i = 0; i < bt->nr; i++) {
		json_t *f = json_object();

		set(f, "address", hex(bt->frames[i].pc));
		set_symbol(f, r, bt->frames[i].pc, i > 0);
		set(f, "guess", json_boolean(bt->frames[i].guess));
		json_array_append_new(frames, f);
	}
	set(j, "frames", frames);
	return j;
}

static json_t *vcpu_json(const struct report *r, const struct report_vcpu *v)
{
	json_t *j = json_object(), *registers;

	set(j, "index", json_integer(v->index));
	set(j, "reached", json_boolean(v->reached));
	if (!v->reached)
		return j;
	set_text(j, "mode", v->regs.user ? "user" : "kernel");
	set(j, "halted", json_boolean(v->regs.halted));
	set(j, "pc", hex(v->pc));
	set_symbol(j, r, v->pc, false);
	set(j, "pc_walk", place_json(&v->pc_place));
	if (v->fault.known)
		set(j, "fault_walk", place_json(&v->fault));
	set(j, "code", code_json(v));
	set(j, "backtrace", backtrace_json(r, v));
	registers = json_object();
	set(registers, "general", registers_json(&v->regs, REG_GENERAL));
	set(registers, "system", registers_json(&v->regs, REG_SYSTEM));
	set(j, "registers", registers);
	set(j, "notes", notes_json(&v->regs));
	return j;
}

static json_t *symbols_json(const struct report *r)
{
	json_t *j = json_object();

	set_text(j, "from", r->symbols_from);
	set(j, "count", json_integer((json_int_t)symbols_count(r->symbols)));
	if (r->symbols)
		set(j, "slide", hex(symbols_slide(r->symbols)));
	set_text(j, "note", r->symbols_note);
	return j;
}

/* The object of vCPU @index in the array @vcpus, made if it is not there yet. */
static json_t *find_vcpu(json_t *vcpus, unsigned int index)
{
	json_t *j = NULL;

	for (size_t i = 0; i < json_array_size(vcpus); i++) {
		j = json_array_get(vcpus, i);
		if (json_integer_value(json_object_get(j, "index")) == (json_int_t)index)
			return j;
	}
	j = json_object();
	set(j, "index", json_integer(index));
	json_array_append_new(vcpus, j);
	return j;
}

void report_merge_json(const struct report *r, json_t *root)
{
	json_t *vcpus = json_object_get(root, "vcpus"), *host = json_object_get(root, "host"), *dmesg = json_array();

	if (r->has_failure && r->nr_vcpus)
		set(root, "failure", failure_json(r));
	for (unsigned int i = 0; i < r->nr_vcpus; i++) {
		json_t *j = vcpu_json(r, &r->vcpus[i]);

		json_object_update(find_vcpu(vcpus, r->vcpus[i].index), j);
		json_decref(j);
	}
	if (r->nr_vcpus)
		set(root, "symbols", symbols_json(r));
	for (const char *const *line = report_dmesg_lines(r->arch); *line; line++)
		json_array_append_new(dmesg, json_string(*line));
	set(host, "dmesg", dmesg);
}

#endif
