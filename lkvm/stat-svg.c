// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/stat-svg.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/svg.h"

#define MAX_SERIES 256 /* kept */
#define MAX_LINES  10  /* drawn */

/* Of the whole picture and of the plot in it. */
#define WIDTH  960
#define HEIGHT 440
#define LEFT   72
#define RIGHT  290
#define TOP    48
#define BOTTOM 56
#define PLOT_WIDTH  (WIDTH - LEFT - RIGHT)
#define PLOT_HEIGHT (HEIGHT - TOP - BOTTOM)

struct series {
	char     name[72];
	double  *rates; /* one for each time; NAN: not counted then */
	double   top;
};

struct stat_svg {
	double       *times;
	size_t        nr, room;
	struct series series[MAX_SERIES];
	size_t        nr_series;
};

/* Hues that are told apart by most people, on white and on black. */
static const char *const colours[MAX_LINES] = {
	"#3b82d0", "#e07b1a", "#2f9e58", "#d0473f", "#9a6fd0", "#9c6a4e", "#d66fb0", "#7f8790", "#a5a51f", "#23a8b8",
};

struct stat_svg *stat_svg_new(void)
{
	return calloc(1, sizeof(struct stat_svg));
}

void stat_svg_free(struct stat_svg *svg)
{
	if (!svg)
		return;
	for (size_t i = 0; i < svg->nr_series; i++)
		free(svg->series[i].rates);
	free(svg->times);
	free(svg);
}

static int grow(struct stat_svg *svg)
{
	size_t room = svg->room ? 2 * svg->room : 64;
	double *p;

	if (svg->nr < svg->room)
		return 0;
	p = realloc(svg->times, room * sizeof(*p));
	if (!p)
		return -ENOMEM;
	svg->times = p;
	for (size_t i = 0; i < svg->nr_series; i++) {
		p = realloc(svg->series[i].rates, room * sizeof(*p));
		if (!p)
			return -ENOMEM;
		svg->series[i].rates = p;
	}
	svg->room = room;
	return 0;
}

/* The series called @name, made if it is not there; NULL when there is no room. */
static struct series *find(struct stat_svg *svg, const char *name)
{
	struct series *s;

	for (size_t i = 0; i < svg->nr_series; i++)
		if (!strcmp(svg->series[i].name, name))
			return &svg->series[i];
	if (svg->nr_series == MAX_SERIES)
		return NULL;
	s = &svg->series[svg->nr_series];
	s->rates = malloc(svg->room * sizeof(*s->rates));
	if (!s->rates)
		return NULL;
	snprintf(s->name, sizeof(s->name), "%s", name);
	for (size_t i = 0; i < svg->nr; i++)
		s->rates[i] = NAN;
	s->top = 0;
	svg->nr_series++;
	return s;
}

static void add_point(struct stat_svg *svg, const char *name, double rate)
{
	struct series *s = find(svg, name);

	if (!s)
		return;
	s->rates[svg->nr] = rate;
	s->top = MAX(s->top, rate);
}

int stat_svg_add(struct stat_svg *svg, const struct stat_table *t, double at_seconds, bool per_vcpu)
{
	char name[72];

	if (grow(svg))
		return -ENOMEM;
	for (size_t i = 0; i < svg->nr_series; i++)
		svg->series[i].rates[svg->nr] = NAN;
	for (unsigned int i = 0; i < t->nr && t->seconds > 0; i++) {
		const struct stat_item *item = &t->items[i];
		struct stat_cell sum = stat_item_sum(t, item);

		/* Times are not rates. */
		if (item->state != STAT_COUNTED || item->instant || *item->unit)
			continue;
		for (unsigned int v = 0; per_vcpu && v < t->nr_vcpus; v++) {
			snprintf(name, sizeof(name), "%s%s, vCPU %u", item->source == STAT_KVM ? "kvm/" : "", item->name,
				 v);
			add_point(svg, name, (double)item->cells[v].value / t->seconds);
		}
		if (!per_vcpu) {
			snprintf(name, sizeof(name), "%s%s", item->source == STAT_KVM ? "kvm/" : "", item->name);
			add_point(svg, name, (double)sum.value / t->seconds);
		}
	}
	svg->times[svg->nr++] = at_seconds;
	return 0;
}

/* ---- drawing ------------------------------------------------------------------------------------ */

/*
 * The picture's frame of reference: time along, powers of ten up; what is below one a second is at
 * the bottom.
 */
struct axes {
	double       end_seconds;
	unsigned int decades;
};

static double x_of(const struct axes *a, double seconds)
{
	return LEFT + PLOT_WIDTH * seconds / a->end_seconds;
}

/*
 * The decimal logarithm of @v, 1 or more, to four digits, which is finer than the chart: whole decades by
 * division, then bits of the rest by squaring. Not the C library's: that would make every start of a static
 * lkvm pay for its tables.
 */
static double decimal_log(double v)
{
	double log = 0;

	for (; v >= 10; v /= 10)
		log++;
	for (double bit = 0.5; bit > 0.00005; bit /= 2) {
		v *= v;
		if (v >= 10) {
			v /= 10;
			log += bit;
		}
	}
	return log;
}

static double y_of(const struct axes *a, double rate)
{
	double up = rate > 1 ? decimal_log(rate) / a->decades : 0;

	return TOP + PLOT_HEIGHT * (1 - up);
}

static void draw_axes(const struct axes *a, FILE *out)
{
	static const char *const words[] = {
		"&#8804; 1", "10", "100", "1 k", "10 k", "100 k", "1 M", "10 M", "100 M", "1 G", "10 G", "100 G", "1 T",
	};
	double step = svg_mark_distance(a->end_seconds);

	for (unsigned int d = 0; d <= a->decades && d < ARRAY_SIZE(words); d++) {
		double y = TOP + PLOT_HEIGHT * (1 - (double)d / a->decades);

		fprintf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n", LEFT,
			LEFT + PLOT_WIDTH, y, y);
		fprintf(out, "<text class=\"mark\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", LEFT - 8, y + 4,
			words[d]);
	}
	for (unsigned int i = 0; i * step <= a->end_seconds * 1.0001; i++) {
		double x = x_of(a, i * step);

		fprintf(out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n", x, x, TOP,
			TOP + PLOT_HEIGHT);
		fprintf(out, "<text class=\"mark\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n", x,
			TOP + PLOT_HEIGHT + 20, i * step);
	}
	fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">time in seconds</text>\n",
		LEFT + PLOT_WIDTH / 2, HEIGHT - 14);
	fprintf(out, "<text class=\"name\" transform=\"translate(18 %d) rotate(-90)\" text-anchor=\"middle\">"
		"per second</text>\n", TOP + PLOT_HEIGHT / 2);
}

static void draw_series(const struct stat_svg *svg, const struct series *s, const struct axes *a, unsigned int line,
			FILE *out)
{
	int y = TOP + 8 + 22 * (int)line;
	bool pen_down = false;

	fprintf(out, "<path class=\"line\" stroke=\"%s\" d=\"", colours[line]);
	for (size_t i = 0; i < svg->nr; i++) {
		if (isnan(s->rates[i])) {
			pen_down = false;
			continue;
		}
		fprintf(out, "%c%.1f %.1f", pen_down ? 'L' : 'M', x_of(a, svg->times[i]), y_of(a, s->rates[i]));
		pen_down = true;
	}
	fprintf(out, "\"/>\n");
	/* A line of one point is none. */
	for (size_t i = 0; i < svg->nr && svg->nr < 60; i++)
		if (!isnan(s->rates[i]))
			fprintf(out, "<circle fill=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>\n", colours[line],
				x_of(a, svg->times[i]), y_of(a, s->rates[i]));
	fprintf(out, "<rect fill=\"%s\" x=\"%d\" y=\"%d\" width=\"14\" height=\"4\"/>\n", colours[line],
		LEFT + PLOT_WIDTH + 18, y - 3);
	fprintf(out, "<text class=\"mark\" x=\"%d\" y=\"%d\">", LEFT + PLOT_WIDTH + 40, y + 4);
	svg_text(out, s->name);
	fputs("</text>\n", out);
}

static int higher_first(const void *a, const void *b)
{
	const struct series *const *x = a, *const *y = b;

	return (*x)->top < (*y)->top ? 1 : (*x)->top > (*y)->top ? -1 : strcmp((*x)->name, (*y)->name);
}

void stat_svg_write(const struct stat_svg *svg, const char *title, FILE *out)
{
	const struct series *order[MAX_SERIES] = { NULL };
	struct axes axes = { .end_seconds = svg->nr ? svg->times[svg->nr - 1] : 1, .decades = 1 };
	size_t lines;

	if (!(axes.end_seconds > 0))
		axes.end_seconds = 1;
	for (size_t i = 0; i < svg->nr_series; i++)
		order[i] = &svg->series[i];
	qsort(order, svg->nr_series, sizeof(order[0]), higher_first);
	lines = MIN(svg->nr_series, (size_t)MAX_LINES);
	while (lines && order[lines - 1]->top <= 0)
		lines--; /* what never happened is no line */
	if (lines)
		for (double top = 10; top < order[0]->top && axes.decades < 12; top *= 10)
			axes.decades++;

	svg_begin(out, WIDTH, HEIGHT);
	svg_title(out, LEFT, title);
	draw_axes(&axes, out);
	for (size_t i = 0; i < lines; i++)
		draw_series(svg, order[i], &axes, (unsigned int)i, out);
	svg_end(out);
}
