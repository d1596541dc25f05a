// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/options.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/log.h"

/* Longer words are not compared: no option comes near. */
#define WORD_MAX 48

#define HELP_COLUMNS 80
#define HELP_INDENT  29

static const struct {
	const char  *name;
	unsigned int bit;
} arches[] = {
	{ "riscv64", OPT_RISCV64 },
	{ "arm64", OPT_ARM64 },
	{ "ppc64le", OPT_PPC64 },
	{ "ppc", OPT_PPC },
	{ "x86_64", OPT_X86_64 },
};

unsigned int option_arch(const char *arch_name)
{
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++)
		if (!strcmp(arch_name, arches[i].name))
			return arches[i].bit;
	return 0;
}

/* "riscv64, arm64" for a set of OPT_* bits. */
static void arch_list(unsigned int bits, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++)
		if ((bits & arches[i].bit) && n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "",
					      arches[i].name);
}

/* ---- near words ------------------------------------------------------------------------------- */

/*
 * How many keystrokes lie between the words: insertions, deletions, replacements and swaps of neighbours
 * (optimal string alignment).
 */
static unsigned int word_distance(const char *a, size_t alen, const char *b, size_t blen)
{
	uint8_t rows[3][WORD_MAX + 1];
	uint8_t *before = rows[0], *prev = rows[1], *cur = rows[2], *tmp;

	for (size_t j = 0; j <= blen; j++)
		prev[j] = (uint8_t)j;
	for (size_t i = 1; i <= alen; i++) {
		cur[0] = (uint8_t)i;
		for (size_t j = 1; j <= blen; j++) {
			unsigned int d = prev[j - 1] + (a[i - 1] != b[j - 1]);

			d = MIN(d, prev[j] + 1u);
			d = MIN(d, cur[j - 1] + 1u);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = MIN(d, before[j - 2] + 1u);
			cur[j] = (uint8_t)d;
		}
		tmp = before;
		before = prev;
		prev = cur;
		cur = tmp;
	}
	return prev[blen];
}

struct nearest {
	const char  *word; /* what was typed */
	size_t       len;
	const char  *best; /* not NUL-terminated at best_len when it is one of several aliases */
	size_t       best_len;
	unsigned int best_distance;
};

static void nearest_begin(struct nearest *n, const char *word, size_t len)
{
	*n = (struct nearest){ .word = word, .len = len };
	/* One slip in a short word, up to three in a long one; more is another word. */
	n->best_distance = 1 + (len < 2 ? 0 : len <= 3 ? 1 : len <= 6 ? 2 : 3);
}

static void nearest_offer(struct nearest *n, const char *word, size_t len)
{
	unsigned int distance;

	if (len > WORD_MAX || n->len > WORD_MAX)
		return;
	/* The beginning of a word is as near as a slip: the user relied on abbreviations. */
	if (n->len >= 2 && n->len < len && !memcmp(n->word, word, n->len))
		distance = 1;
	else
		distance = word_distance(n->word, n->len, word, len);
	if (distance < n->best_distance) {
		n->best = word;
		n->best_len = len;
		n->best_distance = distance;
	}
}

const char *nearest_word(const char *word, const char *const words[])
{
	struct nearest n;

	nearest_begin(&n, word, strlen(word));
	for (; *words; words++)
		nearest_offer(&n, *words, strlen(*words));
	return n.best;
}

/* ---- numbers ---------------------------------------------------------------------------------- */

/* Reads digits at *@s and leaves it behind them. */
static int parse_digits(const char **s, unsigned int base, uint64_t *v)
{
	const char *p = *s;
	bool overflow = false;
	uint64_t sum = 0;

	for (;; p++) {
		unsigned int digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned int)(*p - '0');
		else if (base == 16 && (*p | 0x20) >= 'a' && (*p | 0x20) <= 'f')
			digit = (unsigned int)((*p | 0x20) - 'a' + 10);
		else
			break;
		if (__builtin_mul_overflow(sum, (uint64_t)base, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)digit, &sum))
			overflow = true;
	}
	if (p == *s)
		return -EINVAL;
	*s = p;
	*v = sum;
	return overflow ? -ERANGE : 0;
}

int parse_u64(const char *s, uint64_t *v)
{
	unsigned int base = 10;
	uint64_t n = 0;
	int ret;

	if (s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		s += 2;
	}
	ret = parse_digits(&s, base, &n);
	if (*s)
		return -EINVAL;
	if (!ret)
		*v = n;
	return ret;
}

int parse_size(const char *s, uint64_t *bytes)
{
	static const char units[] = "BKMGTP"; /* 2^0, 2^10 ... */
	unsigned int shift = 20;
	uint64_t n = 0;
	int ret;

	ret = parse_digits(&s, 10, &n);
	if (ret == -EINVAL)
		return ret;
	if (*s) {
		const char *unit = strchr(units, *s & ~0x20);

		if (!unit || !*unit)
			return -EINVAL;
		s++;
		shift = (unsigned int)(unit - units) * 10;
		if (shift) {
			if (*s == 'i')
				s++;
			if ((*s & ~0x20) == 'B')
				s++;
		}
		if (*s)
			return -EINVAL;
	}
	if (ret || n > UINT64_MAX >> shift)
		return -ERANGE;
	*bytes = n << shift;
	return 0;
}

int parse_duration(const char *s, uint64_t *ms)
{
	static const struct {
		const char *name;
		uint32_t    ms;
	} units[] = {
		{ "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60 * 1000 }, { "h", 3600 * 1000 },
	};
	uint64_t n = 0;
	int ret;

	ret = parse_digits(&s, 10, &n);
	if (ret == -EINVAL)
		return ret;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		uint64_t v;

		if (strcmp(s, units[i].name))
			continue;
		/* Timers count nanoseconds in 63 bits. */
		if (ret || __builtin_mul_overflow(n, (uint64_t)units[i].ms, &v) ||
		    v > INT64_MAX / 1000000)
			return -ERANGE;
		*ms = v;
		return 0;
	}
	return -EINVAL;
}

int parse_on_off(const char *s, bool *v)
{
	static const char *const on[] = { "on", "yes", "true", "1" };
	static const char *const off[] = { "off", "no", "false", "0" };

	for (size_t i = 0; i < ARRAY_SIZE(on); i++) {
		if (!strcmp(s, on[i]) || !strcmp(s, off[i])) {
			*v = !strcmp(s, on[i]);
			return 0;
		}
	}
	return -EINVAL;
}

/* ---- stock parsers ---------------------------------------------------------------------------- */

int options_bad_value(const struct option_use *use, const char *arg, const char *expected)
{
	if (arg && *arg)
		log_error("%s: bad value '%s', expected %s (see lkvm help %s)", use->name, arg,
			  expected, use->set->command);
	else
		log_error("%s: value missing, expected %s (see lkvm help %s)", use->name, expected,
			  use->set->command);
	return -EINVAL;
}

int options_match_word(const struct option_use *use, const char *what, const char *arg,
		       const char *const words[])
{
	const char *near;
	char all[512];
	size_t n = 0;

	for (int i = 0; words[i]; i++)
		if (!strcmp(arg, words[i]))
			return i;

	all[0] = '\0';
	for (int i = 0; words[i] && n < sizeof(all); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", i ? ", " : "", words[i]);
	near = nearest_word(arg, words);
	if (near)
		log_error("%s: unknown %s '%s' (did you mean %s? all: %s; see lkvm help %s)",
			  use->name, what, arg, near, all, use->set->command);
	else
		log_error("%s: unknown %s '%s' (all: %s; see lkvm help %s)", use->name, what, arg, all,
			  use->set->command);
	return -EINVAL;
}

static void *field(void *target, const struct option_use *use)
{
	return (char *)target + use->spec->offset;
}

int option_parse_string(void *target, const struct option_use *use, const char *arg, bool enabled)
{
	char **dst = field(target, use);
	char *copy = NULL;

	if (enabled) {
		if (!arg || !*arg)
			return options_bad_value(use, arg, use->spec->metavar);
		copy = strdup(arg);
		if (!copy) {
			log_error("out of memory");
			return -ENOMEM;
		}
	}
	free(*dst);
	*dst = copy;
	return 0;
}

int option_parse_bool(void *target, const struct option_use *use, const char *arg, bool enabled)
{
	bool *dst = field(target, use);
	bool v = enabled;

	if (arg && parse_on_off(arg, &v))
		return options_bad_value(use, arg, "on or off");
	*dst = v;
	return 0;
}

int option_parse_uint(void *target, const struct option_use *use, const char *arg,
		      bool enabled LKVM_UNUSED)
{
	unsigned int *dst = field(target, use);
	uint64_t v;

	if (!arg || parse_u64(arg, &v) || v > UINT_MAX)
		return options_bad_value(use, arg, "a number");
	*dst = (unsigned int)v;
	return 0;
}

int option_parse_size(void *target, const struct option_use *use, const char *arg,
		      bool enabled LKVM_UNUSED)
{
	uint64_t *dst = field(target, use);
	uint64_t v;

	switch (arg ? parse_size(arg, &v) : -EINVAL) {
	case 0:
		*dst = v;
		return 0;
	case -ERANGE:
		return options_bad_value(use, arg, "less than 16 million terabytes");
	default:
		return options_bad_value(use, arg, "a size such as 512M or 2G, or a number of MiB");
	}
}

int option_parse_duration(void *target, const struct option_use *use, const char *arg,
			  bool enabled LKVM_UNUSED)
{
	uint64_t *dst = field(target, use);
	uint64_t v;

	switch (arg ? parse_duration(arg, &v) : -EINVAL) {
	case 0:
		*dst = v;
		return 0;
	case -ERANGE:
		return options_bad_value(use, arg, "less than 292 years");
	default:
		return options_bad_value(use, arg,
					 "a time such as 90s, 5m, 1h or 250ms, or a number of seconds");
	}
}

/* ---- compound values -------------------------------------------------------------------------- */

static const struct option_key *key_find(const struct option_key *keys, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static int key_unknown(const struct option_use *use, const char *name, const struct option_key *keys,
		       size_t nr)
{
	const char *names[OPTION_MAX_KEYS + 1];

	for (size_t i = 0; i < nr; i++)
		names[i] = keys[i].name;
	names[nr] = NULL;
	return options_match_word(use, "key", name, names);
}

/*
 * Cuts the part that starts at @s off at its comma, in place, and turns doubled commas into single ones.
 * Returns where the next part starts, NULL after the last.
 */
static char *part_cut(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == ',') {
			if (s[1] != ',') {
				*to = '\0';
				return s + 1;
			}
			s++;
		}
		*to++ = *s;
	}
	*to = '\0';
	return NULL;
}

static int part_parse(void *target, const struct option_use *use, char *part, bool first,
		      const struct option_key *keys, size_t nr, uint32_t *seen)
{
	char *eq = strchr(part, '=');
	const struct option_key *key;
	const char *value = NULL;

	if (!*part) {
		log_error("%s: empty key (a comma too many? a comma in a value is written twice; "
			  "see lkvm help %s)", use->name, use->set->command);
		return -EINVAL;
	}
	if (eq) {
		*eq = '\0';
		value = eq + 1;
	}
	key = key_find(keys, nr, part);
	if (first && (eq ? !key && strpbrk(part, "/.") : !key || !key->flag)) {
		/* It is not a key but the value of the first one, all of it. */
		if (eq)
			*eq = '=';
		key = &keys[0];
		value = part;
	}
	if (!key)
		return key_unknown(use, part, keys, nr);
	if (!value && !key->flag) {
		log_error("%s: key '%s' needs a value: %s=... (see lkvm help %s)", use->name, key->name,
			  key->name, use->set->command);
		return -EINVAL;
	}
	if (*seen & (1u << (key - keys))) {
		log_error("%s: key '%s' is given twice (see lkvm help %s)", use->name, key->name,
			  use->set->command);
		return -EINVAL;
	}
	*seen |= 1u << (key - keys);
	return key->parse(target, use, key->name, value);
}

int options_parse_compound(void *target, const struct option_use *use, const char *arg,
			   const struct option_key *keys, size_t nr_keys)
{
	char *copy, *part, *next;
	uint32_t seen = 0;
	bool first = true;
	int ret = 0;

	assert(nr_keys <= OPTION_MAX_KEYS);
	if (!*arg)
		return options_bad_value(use, arg, use->spec->metavar);
	copy = strdup(arg);
	if (!copy) {
		log_error("out of memory");
		return -ENOMEM;
	}
	for (part = copy; part && !ret; part = next, first = false) {
		next = part_cut(part);
		ret = part_parse(target, use, part, first, keys, nr_keys, &seen);
	}
	free(copy);
	return ret;
}

int options_parse_list(void *target, const struct option_use *use, const char *arg,
		       int (*item)(void *target, const struct option_use *use, char *text))
{
	char *copy = strdup(arg), *part, *save;
	int ret = 0;

	if (!copy) {
		log_error("out of memory");
		return -ENOMEM;
	}
	part = strtok_r(copy, ",", &save);
	if (!part)
		ret = options_bad_value(use, arg, use->spec->metavar);
	for (; part && !ret; part = strtok_r(NULL, ",", &save))
		ret = item(target, use, part);
	free(copy);
	return ret;
}

/* ---- argv ------------------------------------------------------------------------------------- */

/* Walks the words of a space-separated list. *@list moves on; false at its end. */
static bool list_next(const char **list, const char **word, size_t *len)
{
	if (!*list)
		return false;
	*list += strspn(*list, " ");
	*word = *list;
	*len = strcspn(*list, " ");
	*list += *len;
	return *len;
}

static bool spec_has_name(const struct option_spec *spec, const char *name, size_t len)
{
	const char *list = spec->aliases;
	const char *word;
	size_t n;

	if (spec->prefix)
		return len > strlen(spec->long_name) &&
		       !strncmp(name, spec->long_name, strlen(spec->long_name));
	/* Most names differ in the first letter, and every start looks at all of them. */
	if (spec->long_name[0] == name[0] && strlen(spec->long_name) == len && !memcmp(spec->long_name, name, len))
		return true;
	while (list_next(&list, &word, &n))
		if (n == len && !memcmp(word, name, len))
			return true;
	return false;
}

/*
 * The spec of a long name. A full name counts more than a prefix, also one of another arch: that arch's name
 * is what the user should read. Then this arch counts more than others, and the table's order decides.
 */
static const struct option_spec *spec_find(const struct option_set *set, const char *name, size_t len)
{
	const struct option_spec *found = NULL;
	unsigned int best = 0;

	for (size_t i = 0; i < set->nr && best < 1 + 2 + 1; i++) {
		const struct option_spec *spec = &set->specs[i];
		unsigned int rank = 1 + 2 * !spec->prefix + !!(spec->arches & set->arch);

		if (rank > best && spec_has_name(spec, name, len)) {
			found = spec;
			best = rank;
		}
	}
	return found;
}

static const struct option_spec *spec_find_short(const struct option_set *set, char c)
{
	const struct option_spec *found = NULL;

	for (size_t i = 0; i < set->nr; i++) {
		if (set->specs[i].short_name != c)
			continue;
		found = &set->specs[i];
		if (found->arches & set->arch)
			break;
	}
	return found;
}

static int unknown_option(const struct option_set *set, const char *dashed, const char *name, size_t len)
{
	struct nearest n;

	nearest_begin(&n, name, len);
	for (size_t i = 0; i < set->nr; i++) {
		const struct option_spec *spec = &set->specs[i];
		const char *list = spec->aliases;
		const char *word;
		size_t wlen;

		if (!(spec->arches & set->arch) || spec->refused || spec->prefix)
			continue;
		nearest_offer(&n, spec->long_name, strlen(spec->long_name));
		while (list_next(&list, &word, &wlen))
			nearest_offer(&n, word, wlen);
	}
	if (n.best)
		log_error("unknown option %s (did you mean --%.*s? see lkvm help %s)", dashed,
			  (int)n.best_len, n.best, set->command);
	else
		log_error("unknown option %s (see lkvm help %s)", dashed, set->command);
	return -EINVAL;
}

static int apply(const struct option_use *use, const char *arg, bool enabled, void *target)
{
	const struct option_spec *spec = use->spec;
	char list[64], own[64];

	if (!(spec->arches & use->set->arch)) {
		arch_list(spec->arches, list, sizeof(list));
		arch_list(use->set->arch, own, sizeof(own));
		log_error("%s exists on %s only; this lkvm is for %s guests (see lkvm help %s)",
			  use->name, list, own, use->set->command);
		return -EINVAL;
	}
	if (spec->refused) {
		log_error("%s: %s (see lkvm help %s)", use->name, spec->refused, use->set->command);
		return -EINVAL;
	}
	return spec->parse(target, use, arg, enabled);
}

/*
 * The value of an option that wants one: @attached (behind '=' or in the same word), or the next word.
 * *@index moves on when the next word is taken.
 */
static int take_value(const struct option_use *use, const char *attached, int argc, char **argv,
		      int *index, const char **value)
{
	*value = attached;
	if (attached || !use->spec->metavar || use->spec->optional_arg || use->spec->refused)
		return 0;
	/* "--" ends the options: nobody names a file so, but "--kernel -- CMD" is soon written. */
	if (*index + 1 >= argc || !strcmp(argv[*index + 1], "--")) {
		log_error("%s needs a value: %s (see lkvm help %s)", use->name, use->spec->metavar,
			  use->set->command);
		return -EINVAL;
	}
	*value = argv[++*index];
	return 0;
}

static int parse_long(const struct option_set *set, int argc, char **argv, int *index, void *target)
{
	const char *word = argv[*index];
	const char *name = word + 2;
	const char *eq = strchr(name, '=');
	size_t len = eq ? (size_t)(eq - name) : strlen(name);
	struct option_use use = { .set = set };
	bool enabled = true;
	const char *value;
	char *dashed;
	int ret;

	use.spec = spec_find(set, name, len);
	if (!use.spec && len > 3 && !memcmp(name, "no-", 3)) {
		use.spec = spec_find(set, name + 3, len - 3);
		if (use.spec && !use.spec->negatable)
			use.spec = NULL;
		enabled = !use.spec;
	}
	if (!use.spec && len == 4 && !memcmp(name, "help", 4))
		return -ECANCELED;

	dashed = strndup(word, len + 2);
	if (!dashed) {
		log_error("out of memory");
		return -ENOMEM;
	}
	use.name = dashed;
	if (!use.spec) {
		ret = unknown_option(set, dashed, name, len);
		goto out;
	}
	value = eq ? eq + 1 : NULL;
	if (use.spec->prefix) {
		value = name + strlen(use.spec->long_name);
	} else if (eq && (!enabled || (!use.spec->metavar && !use.spec->negatable)) &&
		   !use.spec->refused) {
		log_error("%s takes no value, but '%s' was given (see lkvm help %s)", dashed, eq + 1,
			  set->command);
		ret = -EINVAL;
		goto out;
	} else if (enabled) {
		ret = take_value(&use, value, argc, argv, index, &value);
		if (ret)
			goto out;
	}
	ret = apply(&use, value, enabled, target);
out:
	free(dashed);
	return ret;
}

static int parse_shorts(const struct option_set *set, int argc, char **argv, int *index, void *target)
{
	const char *word = argv[*index];
	size_t len = strcspn(word + 1, "=");
	const struct option_spec *spec = len > 1 ? spec_find(set, word + 1, len) : NULL;

	/* "-kernel F" would otherwise read as the kernel "ernel". */
	if (spec && !spec->prefix) {
		log_error("%.*s: long options begin with two dashes: --%.*s (see lkvm help %s)",
			  (int)len + 1, word, (int)len, word + 1, set->command);
		return -EINVAL;
	}
	for (const char *p = word + 1; *p; p++) {
		struct option_use use = { .spec = spec_find_short(set, *p), .set = set };
		const char dashed[] = { '-', *p, '\0' };
		const char *value = NULL;
		int ret;

		use.name = dashed;
		if (!use.spec) {
			if (*p == 'h')
				return -ECANCELED;
			log_error("unknown option %s%s%s (see lkvm help %s)", dashed,
				  word[2] ? " in " : "", word[2] ? word : "", set->command);
			return -EINVAL;
		}
		if (use.spec->metavar && p[1])
			value = p + 1;
		ret = take_value(&use, value, argc, argv, index, &value);
		if (!ret)
			ret = apply(&use, value, true, target);
		if (ret)
			return ret;
		if (use.spec->metavar)
			break;
	}
	return 0;
}

int options_parse(const struct option_set *set, int argc, char **argv, void *target)
{
	int i;

	for (i = 1; i < argc; i++) {
		const char *word = argv[i];
		int ret;

		if (word[0] != '-' || !word[1] || !strcmp(word, "--"))
			break;
		if (word[1] == '-')
			ret = parse_long(set, argc, argv, &i, target);
		else
			ret = parse_shorts(set, argc, argv, &i, target);
		if (ret)
			return ret;
	}
	return i;
}

/* ---- help ------------------------------------------------------------------------------------- */

/* The left column: "-k, --kernel FILE". */
static void help_head(const struct option_spec *spec, char *buf, size_t size)
{
	const char *open = "", *mid = "", *arg = "", *close = "";

	if (spec->prefix) {
		arg = spec->metavar;
	} else if (spec->metavar) {
		open = spec->optional_arg ? "[" : "";
		mid = spec->optional_arg ? "=" : " ";
		arg = spec->metavar;
		close = spec->optional_arg ? "]" : "";
	}
	if (spec->short_name)
		snprintf(buf, size, "-%c, --%s%s%s%s%s", spec->short_name, spec->long_name, open, mid,
			 arg, close);
	else
		snprintf(buf, size, "    --%s%s%s%s%s", spec->long_name, open, mid, arg, close);
}

/* The text: what it does (or why it does nothing) and its other names. */
static void help_text(const struct option_spec *spec, char *buf, size_t size)
{
	const char *list = spec->aliases;
	const char *word;
	size_t len;
	size_t n = (size_t)snprintf(buf, size, "%s", spec->refused ? spec->refused : spec->help);
	const char *sep = " (also ";

	while (list_next(&list, &word, &len) && n < size) {
		n += (size_t)snprintf(buf + n, size - n, "%s--%.*s", sep, (int)len, word);
		sep = ", ";
	}
	if (spec->aliases && n < size)
		snprintf(buf + n, size - n, ")");
}

/* Prints @text from column @column on, broken at spaces, continued at @indent. */
static void print_wrapped(FILE *out, const char *text, int column, int indent)
{
	bool first = true;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (!first && column + 1 + len > HELP_COLUMNS) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
			first = true;
		}
		column += fprintf(out, "%s%.*s", first ? "" : " ", len, text);
		first = false;
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

void options_print_help(const struct option_set *set, FILE *out)
{
	const char *section = NULL;
	char head[96], text[512];

	for (size_t i = 0; i < set->nr; i++) {
		const struct option_spec *spec = &set->specs[i];
		int column;

		if (!(spec->arches & set->arch))
			continue;
		if (!section || strcmp(section, spec->section)) {
			section = spec->section;
			fprintf(out, "\n%s:\n", section);
		}
		help_head(spec, head, sizeof(head));
		help_text(spec, text, sizeof(text));
		column = fprintf(out, "  %s", head);
		if (column + 2 > HELP_INDENT) {
			fprintf(out, "\n%*s", HELP_INDENT, "");
			column = HELP_INDENT;
		} else {
			column += fprintf(out, "%*s", HELP_INDENT - column, "");
		}
		print_wrapped(out, text, column, HELP_INDENT);
	}
}

/*
 * roff takes a dash for a hyphen, a backslash for an escape, and a dot or quote at a line's start for a
 * request.
 */
static void man_text(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '-')
			fputs("\\-", out);
		else if (*text == '\\')
			fputs("\\e", out);
		else
			fputc(*text, out);
	}
}

void options_print_man(const struct option_set *set, FILE *out)
{
	const char *section = NULL;
	char head[96], text[512], list[64];

	for (size_t i = 0; i < set->nr; i++) {
		const struct option_spec *spec = &set->specs[i];

		if (!section || strcmp(section, spec->section)) {
			section = spec->section;
			fputs(".PP\n.I ", out);
			man_text(out, section);
			fputc('\n', out);
		}
		help_head(spec, head, sizeof(head));
		help_text(spec, text, sizeof(text));
		fputs(".TP\n.B ", out);
		man_text(out, head + strspn(head, " "));
		fputc('\n', out);
		man_text(out, text);
		if (spec->arches != OPT_ALL) {
			arch_list(spec->arches, list, sizeof(list));
			fprintf(out, " (%s)", list);
		}
		fputs(".\n", out);
	}
}
