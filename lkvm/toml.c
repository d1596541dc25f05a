// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/toml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct toml *toml;
	const char  *p;
	unsigned int line;
	char        *error;
};

static int fail(struct parser *s, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(s->error, TOML_ERROR_BYTES, "line %u: ", s->line);

	va_start(ap, fmt);
	vsnprintf(s->error + n, (size_t)(TOML_ERROR_BYTES - n), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static void skip_blanks(struct parser *s)
{
	s->p += strspn(s->p, " \t");
}

/* Blanks, comments and line ends. */
static void skip_space(struct parser *s)
{
	for (;;) {
		skip_blanks(s);
		if (*s->p == '#')
			s->p += strcspn(s->p, "\n");
		if (*s->p == '\r' && s->p[1] == '\n')
			s->p++;
		if (*s->p != '\n')
			return;
		s->p++;
		s->line++;
	}
}

/* Nothing but a comment may follow on the line. */
static int end_of_line(struct parser *s)
{
	skip_blanks(s);
	if (*s->p == '#')
		s->p += strcspn(s->p, "\n");
	if (*s->p == '\r')
		s->p++;
	if (*s->p && *s->p != '\n')
		return fail(s, "'%.20s' is one thing too much", s->p);
	return 0;
}

/* ---- values ------------------------------------------------------------------------------------- */

static char *put_utf8(char *at, unsigned long c)
{
	if (c < 0x80) {
		*at++ = (char)c;
	} else if (c < 0x800) {
		*at++ = (char)(0xc0 | c >> 6);
		*at++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*at++ = (char)(0xe0 | c >> 12);
		*at++ = (char)(0x80 | (c >> 6 & 0x3f));
		*at++ = (char)(0x80 | (c & 0x3f));
	} else {
		*at++ = (char)(0xf0 | c >> 18);
		*at++ = (char)(0x80 | (c >> 12 & 0x3f));
		*at++ = (char)(0x80 | (c >> 6 & 0x3f));
		*at++ = (char)(0x80 | (c & 0x3f));
	}
	return at;
}

/* \uXXXX and \UXXXXXXXX; s->p is at the letter. */
static int unicode_escape(struct parser *s, char **at)
{
	size_t digits = *s->p == 'u' ? 4 : 8;
	char number[9] = "";
	unsigned long c;

	if (strspn(s->p + 1, "0123456789abcdefABCDEF") < digits)
		return fail(s, "\\%c needs %zu hexadecimal digits", *s->p, digits);
	memcpy(number, s->p + 1, digits);
	c = strtoul(number, NULL, 16);
	if (!c || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return fail(s, "\\%c%s is no character that a string can hold", *s->p, number);
	*at = put_utf8(*at, c);
	s->p += digits + 1;
	return 0;
}

/* "..." or '...', in one line. An escape is never shorter than what it stands for. */
static int parse_string(struct parser *s, char **value)
{
	static const char from[] = "btnfre\"\\", to[] = "\b\t\n\f\r\x1b\"\\";
	char quote = *s->p++;
	char *at = malloc(strcspn(s->p, "\n") + 1);

	*value = at;
	if (!at)
		return -ENOMEM;
	while (*s->p != quote) {
		const char *escape;

		if (!*s->p || *s->p == '\n')
			return fail(s, "a string does not end");
		if (*s->p != '\\' || quote == '\'') {
			*at++ = *s->p++;
			continue;
		}
		s->p++;
		if (*s->p == 'u' || *s->p == 'U') {
			int ret = unicode_escape(s, &at);

			if (ret)
				return ret;
			continue;
		}
		escape = *s->p ? strchr(from, *s->p) : NULL;
		if (!escape)
			return fail(s, "a string has an unknown escape, \\%.1s", s->p);
		*at++ = to[escape - from];
		s->p++;
	}
	s->p++;
	*at = '\0';
	return 0;
}

/* One value that is no array. */
static int parse_scalar(struct parser *s, enum toml_type *type, char **value)
{
	size_t len = strcspn(s->p, " \t\r\n,]#");
	const char *digits = s->p + (*s->p == '-' || *s->p == '+');

	*value = NULL;
	if (!strncmp(s->p, "\"\"\"", 3) || !strncmp(s->p, "'''", 3))
		return fail(s, "strings over several lines are not understood");
	if (*s->p == '"' || *s->p == '\'') {
		*type = TOML_STRING;
		return parse_string(s, value);
	}
	if ((len == 4 && !memcmp(s->p, "true", 4)) || (len == 5 && !memcmp(s->p, "false", 5)))
		*type = TOML_BOOLEAN;
	else if (len && digits < s->p + len && strspn(digits, "0123456789") == len - (size_t)(digits - s->p))
		*type = TOML_INTEGER;
	else
		return fail(s, "'%.*s' is no string, whole number, boolean or array of these", (int)MIN(len, (size_t)40), s->p);
	*value = strndup(s->p, len);
	s->p += len;
	return *value ? 0 : -ENOMEM;
}

static int add_value(struct toml_entry *e, char *value)
{
	char **more = realloc(e->values, (e->nr + 1) * sizeof(*more));

	if (!more) {
		free(value);
		return -ENOMEM;
	}
	e->values = more;
	more[e->nr++] = value;
	return 0;
}

static int parse_one(struct parser *s, struct toml_entry *e)
{
	enum toml_type type = TOML_STRING;
	char *value;
	int ret;

	ret = parse_scalar(s, &type, &value);
	if (ret) {
		free(value);
		return ret;
	}
	ret = add_value(e, value);
	if (!ret && e->nr > 1 && type != e->type)
		return fail(s, "the values of '%s' are not all of one kind", e->key);
	e->type = type;
	return ret;
}

static int parse_value(struct parser *s, struct toml_entry *e)
{
	int ret;

	if (*s->p != '[')
		return parse_one(s, e);
	e->array = true;
	s->p++;
	for (;;) {
		skip_space(s);
		if (*s->p == ']')
			break;
		if (!*s->p)
			return fail(s, "the array '%s' does not end", e->key);
		ret = parse_one(s, e);
		if (ret)
			return ret;
		skip_space(s);
		if (*s->p == ',')
			s->p++;
		else if (*s->p != ']')
			return fail(s, "the array '%s' lacks a comma", e->key);
	}
	s->p++;
	return 0;
}

/* ---- lines -------------------------------------------------------------------------------------- */

static int parse_key(struct parser *s, char **key)
{
	size_t len = strspn(s->p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	*key = NULL;
	if (*s->p == '"' || *s->p == '\'')
		return parse_string(s, key);
	if (!len)
		return fail(s, "'%.20s' is no key", s->p);
	*key = strndup(s->p, len);
	s->p += len;
	return *key ? 0 : -ENOMEM;
}

static int add_table(struct parser *s, char *name, bool array)
{
	struct toml *t = s->toml;
	struct toml_table *more = realloc(t->tables, (t->nr_tables + 1) * sizeof(*more));

	if (!more) {
		free(name);
		return -ENOMEM;
	}
	t->tables = more;
	more[t->nr_tables++] = (struct toml_table){ .name = name, .line = s->line, .array = array };
	for (unsigned int i = 0; i + 1 < t->nr_tables; i++)
		if (!strcmp(more[i].name, name) && !(array && more[i].array))
			return fail(s, "the table '%s' is there already", name);
	return 0;
}

static int parse_header(struct parser *s)
{
	bool array = s->p[1] == '[';
	char *name;
	int ret;

	s->p += 1 + array;
	skip_blanks(s);
	ret = parse_key(s, &name);
	if (ret) {
		free(name);
		return ret;
	}
	skip_blanks(s);
	if (strncmp(s->p, "]]", 1 + array)) {
		free(name);
		return fail(s, "the name of a table is not closed by %s", array ? "]]" : "]");
	}
	s->p += 1 + array;
	return add_table(s, name, array);
}

static int parse_pair(struct parser *s)
{
	struct toml *t = s->toml;
	struct toml_entry *more = realloc(t->entries, (t->nr_entries + 1) * sizeof(*more));
	struct toml_entry *e;
	int ret;

	if (!more)
		return -ENOMEM;
	t->entries = more;
	e = &more[t->nr_entries++];
	*e = (struct toml_entry){ .table = t->nr_tables - 1, .line = s->line };
	ret = parse_key(s, &e->key);
	if (ret)
		return ret;
	for (unsigned int i = 0; i + 1 < t->nr_entries; i++)
		if (more[i].table == e->table && !strcmp(more[i].key, e->key))
			return fail(s, "'%s' is there already", e->key);
	skip_blanks(s);
	if (*s->p != '=')
		return fail(s, "'%s' has no value: a = is missing", e->key);
	s->p++;
	skip_blanks(s);
	return parse_value(s, e);
}

int toml_parse(struct toml *toml, const char *text, char error[TOML_ERROR_BYTES])
{
	struct parser s = { .toml = toml, .p = text, .line = 1, .error = error };
	char *top = strdup("");
	int ret;

	*toml = (struct toml){ 0 };
	error[0] = '\0';
	ret = top ? add_table(&s, top, false) : -ENOMEM;
	for (;;) {
		skip_space(&s);
		if (ret || !*s.p)
			return ret;
		ret = *s.p == '[' ? parse_header(&s) : parse_pair(&s);
		if (!ret)
			ret = end_of_line(&s);
	}
}

void toml_free(struct toml *toml)
{
	for (unsigned int i = 0; i < toml->nr_tables; i++)
		free(toml->tables[i].name);
	free(toml->tables);
	for (unsigned int i = 0; i < toml->nr_entries; i++) {
		struct toml_entry *e = &toml->entries[i];

		for (unsigned int k = 0; k < e->nr; k++)
			free(e->values[k]);
		free(e->values);
		free(e->key);
	}
	free(toml->entries);
	*toml = (struct toml){ 0 };
}

const struct toml_entry *toml_find(struct toml *toml, unsigned int table, const char *key)
{
	for (unsigned int i = 0; i < toml->nr_entries; i++) {
		struct toml_entry *e = &toml->entries[i];

		if (e->table == table && !strcmp(e->key, key)) {
			e->used = true;
			return e;
		}
	}
	return NULL;
}
