#include "config.h"

#include "calib/page.h"

#include <math.h>
#include <stdlib.h>

#include "calib/evidence.h"
#include "calib/html.h"

/* Of a plot, in its own units; the page scales it. */
enum { WIDTH = 720, HEIGHT = 300, LEFT = 52, RIGHT = 14, TOP = 14, BOTTOM = 44 };
enum { MOST_LABELS = 10, REGRET_MARKS = 200, MOST_PIXELS_ACROSS = 1000 };

static double across(double share)
{
	return LEFT + share * (WIDTH - LEFT - RIGHT);
}

static double down(double share)
{
	return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP);
}

static void begin_plot(FILE *f, const char *title)
{
	fprintf(f, "<figure>\n<div class=\"plot\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
	html_text(f, title);
	fprintf(f, "\">\n");
}

static void end_plot(FILE *f, const char *caption)
{
	fprintf(f, "</svg></div>\n<figcaption>%s</figcaption>\n</figure>\n", caption);
}

/* A line across the plot with its number on the left. */
static void grid_line(FILE *f, double share, const char *label)
{
	fprintf(f, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" class=\"left\">%s</text>\n", LEFT, WIDTH - RIGHT, down(share),
		down(share), LEFT - 6, down(share) + 4, label);
}

static double step_of(double range)
{
	double step = pow(10, floor(log10(range)));
	return range / step < 2 ? step / 5 : range / step < 5 ? step / 2 : step;
}

static void grid(FILE *f, double low, double high)
{
	double step = step_of(high - low);
	char text[32];
	for (double at = ceil(low / step - 1e-9) * step; at <= high + 1e-9 * step; at += step) {
		snprintf(text, sizeof text, "%.4g", fabs(at) < step / 2 ? 0 : at);
		grid_line(f, (at - low) / (high - low), text);
	}
}

/* -1 where the plan's tables have no such row. */
static double centre_share(const struct calibration *c)
{
	for (int r = 0; r < c->rival_count; r++)
		if (c->rivals[r].setting < 0 && c->rivals[r].trivial == TRIVIAL_CENTER)
			return (double)c->calibrated.hits[r] / (double)c->calibrated.images;
	return -1;
}

void page_arms(FILE *f, const struct calibration *c, const struct tuning *s)
{
	double centre = centre_share(c), low = centre, high = centre;
	for (int i = 0; i < s->count; i++) {
		struct interval in = wilson_interval(s->bandit.arms[i].successes, s->bandit.arms[i].pulls);
		low = fmin(low, in.low);
		high = fmax(high, in.high);
	}
	low = floor(20 * low) / 20;
	high = ceil(20 * high) / 20;
	begin_plot(f, "Every arm's share of right boxes with its 95% interval");
	grid(f, low, high);
	double y = down((centre - low) / (high - low));
	fprintf(f, "<line class=\"centre\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"right\" x=\"%d\" y=\"%.1f\">centre box</text>\n", LEFT, WIDTH - RIGHT, y, y,
		WIDTH - RIGHT, y - 5);
	int every = (s->count + MOST_LABELS - 1) / MOST_LABELS;
	bool numbers = !s->parameter;
	for (int i = 0; i < s->count; i++) {
		const struct bandit_arm *arm = &s->bandit.arms[i];
		struct interval in = wilson_interval(arm->successes, arm->pulls);
		double x = across((i + 0.5) / s->count);
		fprintf(f, "<line class=\"arm\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/><circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%d\"/>\n", x, x,
			down((in.low - low) / (high - low)), down((in.high - low) / (high - low)), i == s->best ? "chosen" : s->arms[i].alike ? "alike" : "apart", x,
			down((bandit_mean(arm) - low) / (high - low)), i == s->best ? 6 : 4);
		if (i % every)
			continue;
		fprintf(f, "<text class=\"middle\" x=\"%.1f\" y=\"%d\">", x, HEIGHT - BOTTOM + 18);
		if (numbers)
			fprintf(f, "%d", i + 1);
		else
			html_text(f, s->arms[i].text);
		fprintf(f, "</text>\n");
	}
	fprintf(f, "<text class=\"middle\" x=\"%.1f\" y=\"%d\">", across(0.5), HEIGHT - 6);
	html_text(f, numbers ? "number of the arm" : s->name);
	fprintf(f, "</text>\n");
	end_plot(f, "Share of images with IoU &gt; 0.5, and its 95% interval. Large: chosen. Filled: not told apart from it by McNemar&#39;s exact test on the same "
		"images at 5%. Hollow: told apart. Dashed: the centre box.");
}

void page_regret(FILE *f, const struct tuning *s)
{
	uint64_t marks[REGRET_MARKS], trials = s->bandit.trials;
	double regret[REGRET_MARKS];
	int count = trials < REGRET_MARKS ? (int)trials : REGRET_MARKS;
	for (int i = 0; i < count; i++)
		marks[i] = trials * (uint64_t)(i + 1) / (uint64_t)count;
	tuning_regret(s, marks, count, regret);
	double in_turn = tuning_regret_in_turn(s) * (double)trials, high = fmax(fmax(in_turn, regret[count - 1]), 1e-3);
	char text[32];
	begin_plot(f, "Cumulative regret over the trials");
	grid(f, 0, high);
	fprintf(f, "<line class=\"centre\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n<polyline class=\"curve\" points=\"%.1f,%.1f", across(0), down(0), across(1),
		down(in_turn / high), across(0), down(0));
	for (int i = 0; i < count; i++)
		fprintf(f, " %.1f,%.1f", across((double)marks[i] / (double)trials), down(regret[i] / high));
	fprintf(f, "\"/>\n");
	for (int i = 0; i <= 4; i++) {
		snprintf(text, sizeof text, "%llu", (unsigned long long)(trials * (uint64_t)i / 4));
		fprintf(f, "<text class=\"%s\" x=\"%.1f\" y=\"%d\">%s</text>\n", i == 4 ? "right" : "middle", across(i / 4.0), HEIGHT - BOTTOM + 18, text);
	}
	fprintf(f, "<text class=\"middle\" x=\"%.1f\" y=\"%d\">trials</text>\n", across(0.5), HEIGHT - 6);
	fprintf(f, "<text x=\"%d\" y=\"%d\">%s</text>\n", LEFT + 10, TOP + 12, s->bandit.rules.solver->name);
	end_plot(f, "Cumulative regret: the best arm&#39;s mean on all images less the pulled arm&#39;s, summed over the trials. Dashed: taking the arms in turn.");
}

/* A column of the picture: an image, and how many arms are right on it. */
struct column {
	const struct reward_row *row;
	int right, place;
};

static int by_right(const void *left, const void *right)
{
	const struct column *a = left, *b = right;
	return a->right != b->right ? b->right - a->right : a->place - b->place;
}

static void paint(const struct tuning *s, const struct column *columns, const struct photo *p)
{
	static const uint8_t COLORS[3][3] = {{222, 143, 5}, {1, 115, 178}, {150, 150, 150}}; /* told apart by the color blind and in gray print */
	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++) {
			uint8_t reward = columns[x].row->rewards[s->arms[y].setting];
			const uint8_t *color = COLORS[reward == REWARD_UNKNOWN ? 2 : reward];
			for (int i = 0; i < 3; i++)
				p->rgb[3 * ((size_t)y * (size_t)p->width + (size_t)x) + (size_t)i] = color[i];
		}
}

int page_rewards(FILE *f, const struct calibration *c, const struct tuning *s, struct error *e)
{
	int count = c->plan.images < MOST_PIXELS_ACROSS ? (int)c->plan.images : MOST_PIXELS_ACROSS;
	struct reward_row **rows = matrix_usable(&c->matrix, (size_t)count);
	struct column *columns = calloc((size_t)count, sizeof *columns);
	struct photo picture = {.width = count, .height = s->count, .rgb = malloc((size_t)count * (size_t)s->count * 3)};
	int code = rows && columns && picture.rgb ? LSDN_OK : error_memory(e, "a picture of rewards");
	for (int i = 0; i < count && !code; i++) {
		columns[i] = (struct column){.row = rows[i], .place = i};
		for (int a = 0; a < s->count; a++)
			columns[i].right += rows[i]->rewards[s->arms[a].setting] == 1;
	}
	if (!code) {
		qsort(columns, (size_t)count, sizeof *columns, by_right);
		paint(s, columns, &picture);
		fprintf(f, "<figure>\n");
		code = html_image(f, &picture, false, true, "Rewards of every arm on every image", e);
		fprintf(f, "<figcaption>Rewards: a row an arm, the first on top; a column for each of %d images, those on which most arms are right on the left. Blue: right; "
			"orange: wrong; gray: not tried.</figcaption>\n</figure>\n", count);
	}
	free(rows);
	free(columns);
	photo_free(&picture);
	return code;
}
