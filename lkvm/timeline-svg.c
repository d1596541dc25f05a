// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/timeline-svg.h"

#include <inttypes.h>
#include <string.h>

#include "lkvm/svg.h"

#define WIDTH      960
#define LEFT       230 /* of the bars; names are before them */
#define RIGHT      120 /* behind them, for numbers */
#define TOP        72
#define ROW        30
#define BAR        18
#define EXIT_ROW   24
#define EXIT_BAR   12
#define AXIS       56
#define PLOT_WIDTH (WIDTH - LEFT - RIGHT)

/* What begins with each event, and is over with the next one that happened. Hues as in stat-svg.c. */
static const struct {
	const char *name;
	const char *colour;
} phases[TIMELINE_EVENTS] = {
	[TIMELINE_LKVM]          = { "lkvm sets the guest up", "#7f8790" },
	[TIMELINE_GUEST_START]   = { "guest starts, in silence", "#e07b1a" },
	[TIMELINE_FIRST_LINE]    = { "guest speaks on its console", "#3b82d0" },
	[TIMELINE_INIT]          = { "guest's init", "#a5a51f" },
	[TIMELINE_COMMAND_START] = { "command", "#2f9e58" },
	[TIMELINE_COMMAND_END]   = { "guest ends", "#9a6fd0" },
	[TIMELINE_GUEST_END]     = { "lkvm takes it apart", "#7f8790" },
};

void timeline_add_exits(struct timeline *t, const char *name, uint64_t count)
{
	unsigned int at;

	if (!count)
		return;
	for (at = t->nr_exits; at && t->exits[at - 1].count < count; at--)
		;
	if (at == TIMELINE_EXITS)
		return;
	if (t->nr_exits < TIMELINE_EXITS)
		t->nr_exits++;
	memmove(&t->exits[at + 1], &t->exits[at], (t->nr_exits - 1 - at) * sizeof(t->exits[0]));
	t->exits[at].name = name;
	t->exits[at].count = count;
}

static void text_at(FILE *out, const char *class, double x, double y, const char *anchor, const char *text)
{
	fprintf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", class, x, y, anchor);
	svg_text(out, text);
	fputs("</text>\n", out);
}

static void bar(FILE *out, const char *colour, double from, double to, int y, int height)
{
	/* What was too short to be seen is there, all the same. */
	fprintf(out, "<rect fill=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n", colour, from, y,
		MAX(to - from, 1.0), height);
}

/* When what begins with @event is over: the next event of all, in whatever order they came. */
static double phase_end(const struct timeline *t, unsigned int event, double end)
{
	for (unsigned int next = event + 1; next < TIMELINE_EVENTS; next++)
		if (t->at[next] >= t->at[event])
			return MIN(t->at[next], end);
	return end;
}

static unsigned int nr_phases(const struct timeline *t)
{
	unsigned int n = 0;

	for (unsigned int event = 0; event < TIMELINE_EVENTS; event++)
		n += t->at[event] >= 0;
	return n;
}

static void draw_axis(FILE *out, double end, int bottom)
{
	double step = svg_mark_distance(end);
	char mark[32];

	for (unsigned int i = 0; i * step <= end * 1.0001; i++) {
		double x = LEFT + PLOT_WIDTH * i * step / end;

		fprintf(out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n", x, x, TOP - 6,
			bottom);
		snprintf(mark, sizeof(mark), "%g", i * step);
		text_at(out, "mark", x, bottom + 18, "middle", mark);
	}
	text_at(out, "name", LEFT + PLOT_WIDTH / 2.0, bottom + 40, "middle", "seconds since lkvm was started");
}

static void draw_phases(FILE *out, const struct timeline *t, double end)
{
	int y = TOP;
	char took[32];

	for (unsigned int event = 0; event < TIMELINE_EVENTS; event++) {
		double from = t->at[event], to;

		if (from < 0)
			continue;
		to = phase_end(t, event, t->end);
		text_at(out, "name", LEFT - 12, y + BAR - 4, "end", phases[event].name);
		bar(out, phases[event].colour, LEFT + PLOT_WIDTH * from / end, LEFT + PLOT_WIDTH * to / end, y,
		    BAR);
		snprintf(took, sizeof(took), to - from < 1 ? "%.0f ms" : "%.2f s",
			 to - from < 1 ? (to - from) * 1000 : to - from);
		text_at(out, "mark", LEFT + PLOT_WIDTH * to / end + 8, y + BAR - 5, "start", took);
		y += ROW;
	}
}

static void draw_exits(FILE *out, const struct timeline *t, int y)
{
	char count[32];

	text_at(out, "title", LEFT, y, "start", "How often its CPUs left it, by KVM's reason");
	y += 16;
	for (unsigned int i = 0; i < t->nr_exits; i++) {
		double to = LEFT + PLOT_WIDTH * ((double)t->exits[i].count / (double)t->exits[0].count);

		text_at(out, "name", LEFT - 12, y + EXIT_BAR - 1, "end", t->exits[i].name);
		bar(out, "#23a8b8", LEFT, to, y, EXIT_BAR);
		snprintf(count, sizeof(count), "%" PRIu64, t->exits[i].count);
		text_at(out, "mark", to + 8, y + EXIT_BAR - 1, "start", count);
		y += EXIT_ROW;
	}
}

void timeline_svg_write(const struct timeline *t, FILE *out)
{
	int bottom = TOP + (int)nr_phases(t) * ROW;
	int height = bottom + AXIS + (t->nr_exits ? 52 + (int)t->nr_exits * EXIT_ROW : 0);
	double end = t->end > 0 ? t->end : 0.001;

	svg_begin(out, WIDTH, height);
	svg_title(out, LEFT, t->title);
	text_at(out, "name", LEFT, 50, "start", t->outcome);
	draw_axis(out, end, bottom);
	draw_phases(out, t, end);
	if (t->nr_exits)
		draw_exits(out, t, bottom + AXIS + 24);
	svg_end(out);
}
