// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/svg.h"

void svg_begin(FILE *out, int width, int height)
{
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\">\n"
		"<style>\n"
		".back { fill: #fff } .grid { stroke: #ddd } .mark { font-size: 12px; fill: #333 }\n"
		".name { font-size: 13px; fill: #333 } .title { font-size: 16px; fill: #111 }\n"
		".line { fill: none; stroke-width: 2; stroke-linejoin: round }\n"
		"@media (prefers-color-scheme: dark) {\n"
		" .back { fill: #16181c } .grid { stroke: #3a3d44 } .mark, .name { fill: #ccc } .title { fill: #eee }\n"
		"}\n"
		"</style>\n"
		"<rect class=\"back\" width=\"%d\" height=\"%d\"/>\n", width, height, width, height);
}

void svg_end(FILE *out)
{
	fputs("</svg>\n", out);
}

void svg_title(FILE *out, int x, const char *guest)
{
	fprintf(out, "<text class=\"title\" x=\"%d\" y=\"28\">Guest ", x);
	svg_text(out, guest);
	fputs("</text>\n", out);
}

void svg_text(FILE *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		default:
			/* XML knows no control characters. */
			fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
		}
}

double svg_mark_distance(double end)
{
	double power = 1;

	for (; power > end; power /= 10)
		;
	for (; power * 10 <= end; power *= 10)
		;
	return end / power >= 4 ? power : end / power >= 2 ? power / 2 : power / 5;
}
