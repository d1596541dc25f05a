// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/options.h"

#define MAX_RETRIES 20

/* Keys whose arrays are a matrix, and the option of `lkvm run` for each. */
static const struct {
	const char *key, *option;
	bool        number; /* may be one: others would be a file called 3 */
} axes[] = {
	{ "kernel", "--kernel", false }, { "firmware", "--firmware", false }, { "initrd", "--initrd", false },
	{ "params", "--params", false }, { "cpus", "--cpus", true }, { "mem", "--mem", true },
	{ "timeout", "--timeout", true },
};

/* Keys whose arrays are lists: the option is given for each. */
static const struct {
	const char *key, *option;
} lists[] = {
	{ "add", "--add" }, { "env", "--env" }, { "fail-on", "--fail-on" }, { "allow", "--allow" },
};

struct builder {
	struct suite *suite;
	struct toml   toml;
	unsigned int  table;
	char         *error;
};

static int out_of_memory(struct builder *b)
{
	snprintf(b->error, SUITE_ERROR_BYTES, "out of memory");
	return -ENOMEM;
}

/* The entry of the case, else the default at the top of the file. */
static const struct toml_entry *lookup(struct builder *b, const char *key)
{
	const struct toml_entry *e = toml_find(&b->toml, b->table, key);
	const struct toml_entry *top = toml_find(&b->toml, 0, key);

	return e ? e : top;
}

static int check_type(struct builder *b, const struct toml_entry *e, bool number)
{
	if (e->type == TOML_STRING || (number && e->type == TOML_INTEGER) || !e->nr)
		return 0;
	snprintf(b->error, SUITE_ERROR_BYTES, "line %u: '%.60s' is made of %sstrings, in quotes: %.60s is none", e->line,
		 e->key, number ? "numbers or " : "", e->values[0]);
	return -EINVAL;
}

static int add_arg(struct builder *b, struct suite_case *c, const char *arg)
{
	char **more = realloc(c->argv, (c->nr_args + 2) * sizeof(*more));

	if (!more)
		return out_of_memory(b);
	c->argv = more;
	more[c->nr_args] = strdup(arg);
	more[c->nr_args + 1] = NULL;
	return more[c->nr_args++] ? 0 : out_of_memory(b);
}

static int add_option(struct builder *b, struct suite_case *c, const char *option, const char *value)
{
	int ret = add_arg(b, c, option);

	return ret ? ret : add_arg(b, c, value);
}

static int set_expect(struct builder *b, struct suite_case *c)
{
	const struct toml_entry *e = lookup(b, "expect");
	uint64_t status;

	c->expect_status = 0;
	if (!e)
		return 0;
	if (!e->array && e->type == TOML_INTEGER && !parse_u64(e->values[0], &status) && status < 256) {
		c->expect_status = (int)status;
		return 0;
	}
	if (!e->array && e->type == TOML_STRING) {
		if (!strcmp(e->values[0], "ok"))
			return 0;
		c->expect_outcome = outcome_kind_by_word(e->values[0]);
		if (c->expect_outcome != OUTCOME_KINDS)
			return 0;
	}
	snprintf(b->error, SUITE_ERROR_BYTES,
		 "line %u: expect is \"ok\", an exit status, or an outcome such as \"panic\" or \"hung\" (docs/exit-codes.md)",
		 e->line);
	return -EINVAL;
}

static int set_retries(struct builder *b, struct suite_case *c)
{
	const struct toml_entry *e = lookup(b, "retries");
	uint64_t n = 0;

	if (e && (e->array || e->type != TOML_INTEGER || parse_u64(e->values[0], &n) || n > MAX_RETRIES)) {
		snprintf(b->error, SUITE_ERROR_BYTES, "line %u: retries is a number, %d at most", e->line, MAX_RETRIES);
		return -EINVAL;
	}
	c->retries = (unsigned int)n;
	return 0;
}

static int add_lists(struct builder *b, struct suite_case *c)
{
	const struct toml_entry *args = lookup(b, "args"), *command = lookup(b, "command");
	int ret = args ? check_type(b, args, false) : 0;

	if (!ret && command)
		ret = check_type(b, command, false);
	for (size_t i = 0; i < ARRAY_SIZE(lists) && !ret; i++) {
		const struct toml_entry *e = lookup(b, lists[i].key);

		if (e)
			ret = check_type(b, e, false);
		for (unsigned int k = 0; e && k < e->nr && !ret; k++)
			ret = add_option(b, c, lists[i].option, e->values[k]);
	}
	for (unsigned int k = 0; args && k < args->nr && !ret; k++)
		ret = add_arg(b, c, args->values[k]);
	if (!ret && command)
		ret = add_arg(b, c, "--");
	for (unsigned int k = 0; command && k < command->nr && !ret; k++)
		ret = add_arg(b, c, command->values[k]);
	return ret;
}

/* Of a matrix's values, which one this case has, is part of its name; of a path only the end. */
static void name_axis(char *name, size_t size, const char *key, const char *value)
{
	const char *slash = strrchr(value, '/');
	size_t len = strlen(name);

	snprintf(name + len, size - len, "%s%s=%s", strchr(name, '[') ? "," : "[", key,
		 slash && slash[1] && key[0] != 'p' ? slash + 1 : value);
}

static int check_name(struct builder *b, const char *name)
{
	for (unsigned int i = 0; i + 1 < b->suite->nr; i++)
		if (!strcmp(b->suite->cases[i].name, name)) {
			snprintf(b->error, SUITE_ERROR_BYTES, "two cases are called '%.150s'", name);
			return -EINVAL;
		}
	return 0;
}

/* One point of the matrix: value number @at[i] of axis i. */
static int add_case(struct builder *b, const char *base, const struct toml_entry *const *axis,
		    const unsigned int *at)
{
	struct suite *suite = b->suite;
	struct suite_case *more, *c;
	char name[512];
	int ret;

	if (suite->nr == SUITE_MAX_CASES) {
		snprintf(b->error, SUITE_ERROR_BYTES, "more than %d cases", SUITE_MAX_CASES);
		return -EINVAL;
	}
	more = realloc(suite->cases, (suite->nr + 1) * sizeof(*more));
	if (!more)
		return out_of_memory(b);
	suite->cases = more;
	c = &more[suite->nr++];
	*c = (struct suite_case){ 0 };
	snprintf(name, sizeof(name), "%.200s", base);
	ret = add_arg(b, c, "run");
	for (size_t i = 0; i < ARRAY_SIZE(axes) && !ret; i++) {
		if (!axis[i])
			continue;
		ret = add_option(b, c, axes[i].option, axis[i]->values[at[i]]);
		if (axis[i]->nr > 1)
			name_axis(name, sizeof(name) - 2, axes[i].key, axis[i]->values[at[i]]);
	}
	if (strchr(name, '['))
		strcat(name, "]");
	if (!ret)
		ret = set_expect(b, c);
	if (!ret)
		ret = set_retries(b, c);
	if (!ret)
		ret = add_lists(b, c);
	if (ret)
		return ret;
	c->name = strdup(name);
	return c->name ? check_name(b, c->name) : out_of_memory(b);
}

static int add_matrix(struct builder *b)
{
	const struct toml_entry *axis[ARRAY_SIZE(axes)], *name = toml_find(&b->toml, b->table, "name");
	const struct toml_entry *skip = toml_find(&b->toml, b->table, "skip");
	unsigned int at[ARRAY_SIZE(axes)] = { 0 }, first = b->suite->nr;
	size_t i;
	int ret;

	if (!name || name->array || name->type != TOML_STRING || !name->values[0][0] ||
	    strpbrk(name->values[0], "[]/")) {
		snprintf(b->error, SUITE_ERROR_BYTES, "line %u: a case needs a name, a string without '[', ']' and '/'",
			 b->toml.tables[b->table].line);
		return -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(axes); i++) {
		axis[i] = lookup(b, axes[i].key);
		if (axis[i] && !axis[i]->nr) {
			snprintf(b->error, SUITE_ERROR_BYTES, "line %u: '%s' is empty, so there is no case", axis[i]->line,
				 axes[i].key);
			return -EINVAL;
		}
		ret = axis[i] ? check_type(b, axis[i], axes[i].number) : 0;
		if (ret)
			return ret;
	}
	if (skip && (skip->array || skip->type != TOML_BOOLEAN)) {
		snprintf(b->error, SUITE_ERROR_BYTES, "line %u: skip is true or false, without quotes", skip->line);
		return -EINVAL;
	}
	/* Counts through all points, the last axis fastest. */
	do {
		ret = add_case(b, name->values[0], axis, at);
		for (i = ARRAY_SIZE(axes); i-- > 0;) {
			if (!axis[i])
				continue;
			if (++at[i] < axis[i]->nr)
				break;
			at[i] = 0;
		}
	} while (!ret && i < ARRAY_SIZE(axes));
	for (unsigned int k = first; skip && k < b->suite->nr; k++)
		b->suite->cases[k].skip = !strcmp(skip->values[0], "true");
	return ret;
}

/* Nothing in the file is ignored in silence. */
static int check_used(struct builder *b)
{
	const char *known[ARRAY_SIZE(axes) + ARRAY_SIZE(lists) + 7] = { "name", "skip", "expect", "retries", "args", "command" };
	const char *near;
	size_t n = 6;

	for (size_t i = 0; i < ARRAY_SIZE(axes); i++)
		known[n++] = axes[i].key;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		known[n++] = lists[i].key;
	known[n] = NULL;
	for (unsigned int i = 0; i < b->toml.nr_entries; i++) {
		const struct toml_entry *e = &b->toml.entries[i];

		if (e->used)
			continue;
		near = nearest_word(e->key, known);
		snprintf(b->error, SUITE_ERROR_BYTES, "line %u: unknown key '%.60s'%s%s%s", e->line, e->key,
			 near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
		return -EINVAL;
	}
	return 0;
}

int suite_parse(struct suite *suite, const char *text, char error[SUITE_ERROR_BYTES])
{
	struct builder b = { .suite = suite, .error = error };
	int ret;

	*suite = (struct suite){ 0 };
	error[0] = '\0';
	ret = toml_parse(&b.toml, text, error);
	for (unsigned int i = 1; i < b.toml.nr_tables && !ret; i++) {
		if (strcmp(b.toml.tables[i].name, "case") || !b.toml.tables[i].array) {
			snprintf(error, SUITE_ERROR_BYTES, "line %u: unknown table '%.60s': cases are [[case]]",
				 b.toml.tables[i].line, b.toml.tables[i].name);
			ret = -EINVAL;
			break;
		}
		b.table = i;
		ret = add_matrix(&b);
	}
	if (!ret && !suite->nr) {
		snprintf(error, SUITE_ERROR_BYTES, "there is no [[case]]");
		ret = -EINVAL;
	}
	if (!ret)
		ret = check_used(&b);
	toml_free(&b.toml);
	return ret;
}

static void case_free(struct suite_case *c)
{
	for (unsigned int i = 0; i < c->nr_args; i++)
		free(c->argv[i]);
	free(c->argv);
	free(c->name);
}

void suite_free(struct suite *suite)
{
	for (unsigned int i = 0; i < suite->nr; i++)
		case_free(&suite->cases[i]);
	free(suite->cases);
	*suite = (struct suite){ 0 };
}

void suite_shard(struct suite *suite, unsigned int index, unsigned int count)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < suite->nr; i++) {
		if (i % count == index - 1)
			suite->cases[kept++] = suite->cases[i];
		else
			case_free(&suite->cases[i]);
	}
	suite->nr = kept;
}

const char *suite_expected(const struct suite_case *c)
{
	static char text[32];

	if (c->expect_outcome != OUTCOME_NONE)
		return outcome_word(c->expect_outcome);
	snprintf(text, sizeof(text), "%d of the command", c->expect_status);
	return text;
}

bool suite_passed(const struct suite_case *c, const char *outcome, int status)
{
	if (c->expect_outcome != OUTCOME_NONE)
		return outcome && !strcmp(outcome, outcome_word(c->expect_outcome));
	if (status != c->expect_status)
		return false;
	/* A status of lkvm's own is not the command's. */
	return !outcome || status == 0 || !strcmp(outcome, "command");
}
