#include "config.h"

#include "bandit/plot.h"

#include <math.h>
#include <stdio.h>

#include "core/image/canvas.h"

enum { WIDTH = 1080, HEIGHT = 460, TITLE = 40, LEFT = 70, RIGHT = 30, BOTTOM = 58, FONT = 13, MOST_LABEL = 32 };

static const double PI = 3.14159265358979, Z_95 = 1.96, DASHES[] = {6, 4};

/* Okabe and Ito's colours, which the colour-blind tell apart. */
static const double COLORS[BANDIT_SOLVERS][3] = {{0, 0.45, 0.70}, {0.84, 0.37, 0}, {0, 0.62, 0.45}, {0.80, 0.47, 0.65}, {0.90, 0.62, 0},
	{0.34, 0.71, 0.91}};

/* Where curves are drawn: log10 of the trials from 0 to decades across, values from 0 to most upwards. */
struct panel {
	double left, top, width, height, decades, most, step;
};

static double across(const struct panel *p, uint64_t trials)
{
	return p->left + p->width * log10((double)trials) / p->decades;
}

static double upwards(const struct panel *p, double value)
{
	return p->top + p->height * (1 - value / p->most);
}

/* The step of about five ticks, a round number. */
static double round_step(double most)
{
	double decade = pow(10, floor(log10(most / 5))), ratio = most / 5 / decade;
	return decade * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10);
}

/* Text of which that share lies to the left of x. */
static const double LEFTMOST = 0, MIDDLE = 0.5, RIGHTMOST = 1;

static void draw_text(cairo_t *cr, double x, double y, double share, const char *text)
{
	cairo_text_extents_t extents;
	cairo_text_extents(cr, text, &extents);
	cairo_move_to(cr, x - extents.x_advance * share, y);
	cairo_show_text(cr, text);
}

static void draw_line(cairo_t *cr, double x1, double y1, double x2, double y2)
{
	cairo_move_to(cr, x1, y1);
	cairo_line_to(cr, x2, y2);
	cairo_stroke(cr);
}

/* Grid, ticks and their labels. */
static void draw_axes(cairo_t *cr, const struct panel *p, const char *label)
{
	char text[MOST_LABEL];
	double bottom = p->top + p->height, right = p->left + p->width;
	cairo_set_line_width(cr, 1);
	for (int decade = 0; decade <= p->decades + 1e-9; decade++)
		for (int digit = 1; digit < 10 && decade + log10(digit) <= p->decades + 1e-9; digit++) {
			double x = p->left + p->width * (decade + log10(digit)) / p->decades;
			cairo_set_source_rgb(cr, 0.88, 0.88, 0.88);
			if (digit == 1)
				draw_line(cr, x, p->top, x, bottom);
			cairo_set_source_rgb(cr, 0.2, 0.2, 0.2);
			draw_line(cr, x, bottom, x, bottom + (digit == 1 ? 6 : 3));
			snprintf(text, sizeof text, decade < 7 ? "%.0f" : "%.0e", pow(10, decade));
			if (digit == 1)
				draw_text(cr, x, bottom + 20, MIDDLE, text);
		}
	for (int i = 0; i * p->step <= p->most * (1 + 1e-9); i++) {
		double y = upwards(p, i * p->step);
		cairo_set_source_rgb(cr, 0.88, 0.88, 0.88);
		draw_line(cr, p->left, y, right, y);
		cairo_set_source_rgb(cr, 0.2, 0.2, 0.2);
		draw_line(cr, p->left - 5, y, p->left, y);
		snprintf(text, sizeof text, "%g", i * p->step);
		draw_text(cr, p->left - 9, y + FONT / 3.0, RIGHTMOST, text);
	}
	cairo_rectangle(cr, p->left, p->top, p->width, p->height);
	cairo_stroke(cr);
	draw_text(cr, p->left + p->width / 2, bottom + 42, MIDDLE, "trials");
	cairo_save(cr);
	cairo_translate(cr, p->left - 50, p->top + p->height / 2);
	cairo_rotate(cr, -PI / 2);
	draw_text(cr, 0, 0, MIDDLE, label);
	cairo_restore(cr);
}

static void clip(cairo_t *cr, const struct panel *p)
{
	cairo_save(cr);
	cairo_rectangle(cr, p->left, p->top, p->width, p->height);
	cairo_clip(cr);
}

/* The mean with the band of its 95% interval. */
static void draw_regret(cairo_t *cr, const struct plot *plot, const struct panel *p, int solver)
{
	const struct simulation_point *points = plot->points + (size_t)solver * plot->time_count;
	const double *c = COLORS[solver];
	for (size_t i = 0; i < plot->time_count; i++)
		cairo_line_to(cr, across(p, plot->times[i]), upwards(p, points[i].regret + Z_95 * points[i].regret_error));
	for (size_t i = plot->time_count; i-- > 0;)
		cairo_line_to(cr, across(p, plot->times[i]), upwards(p, points[i].regret - Z_95 * points[i].regret_error));
	cairo_close_path(cr);
	cairo_set_source_rgba(cr, c[0], c[1], c[2], 0.2);
	cairo_fill(cr);
	for (size_t i = 0; i < plot->time_count; i++)
		cairo_line_to(cr, across(p, plot->times[i]), upwards(p, points[i].regret));
	cairo_set_source_rgb(cr, c[0], c[1], c[2]);
	cairo_set_line_width(cr, 2);
	cairo_stroke(cr);
}

static void draw_correct(cairo_t *cr, const struct plot *plot, const struct panel *p, int solver)
{
	const struct simulation_point *points = plot->points + (size_t)solver * plot->time_count;
	for (size_t i = 0; i < plot->time_count; i++)
		cairo_line_to(cr, across(p, plot->times[i]), upwards(p, 100 * points[i].correct));
	cairo_set_source_rgb(cr, COLORS[solver][0], COLORS[solver][1], COLORS[solver][2]);
	cairo_set_line_width(cr, 2);
	cairo_stroke(cr);
}

static void draw_bound(cairo_t *cr, const struct plot *plot, const struct panel *p)
{
	for (size_t i = 0; i < plot->time_count; i++)
		cairo_line_to(cr, across(p, plot->times[i]), upwards(p, plot->lai_robbins * log((double)plot->times[i])));
	cairo_set_source_rgb(cr, 0, 0, 0);
	cairo_set_line_width(cr, 1.5);
	cairo_set_dash(cr, DASHES, 2, 0);
	cairo_stroke(cr);
	cairo_set_dash(cr, NULL, 0, 0);
}

/* In the upper left corner of the regret, where every curve is low. */
static void draw_legend(cairo_t *cr, const struct plot *plot, const struct panel *p)
{
	char bound[MOST_LABEL];
	snprintf(bound, sizeof bound, "Lai-Robbins, %.3g ln t", plot->lai_robbins);
	cairo_rectangle(cr, p->left + 8, p->top + 8, 190, 20 * (plot->solver_count + 1) + 8);
	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_fill_preserve(cr);
	cairo_set_source_rgb(cr, 0.88, 0.88, 0.88);
	cairo_set_line_width(cr, 1);
	cairo_stroke(cr);
	for (int i = 0; i <= plot->solver_count; i++) {
		double x = p->left + 16, y = p->top + 24 + 20 * i;
		bool solver = i < plot->solver_count;
		if (solver)
			cairo_set_source_rgb(cr, COLORS[i][0], COLORS[i][1], COLORS[i][2]);
		else
			cairo_set_source_rgb(cr, 0, 0, 0);
		cairo_set_line_width(cr, solver ? 3 : 1.5);
		cairo_set_dash(cr, DASHES, solver ? 0 : 2, 0);
		draw_line(cr, x, y - 4, x + 28, y - 4);
		cairo_set_source_rgb(cr, 0.1, 0.1, 0.1);
		draw_text(cr, x + 36, y, LEFTMOST, solver ? plot->solvers[i]->name : bound);
	}
	cairo_set_dash(cr, NULL, 0, 0);
}

static double most_regret(const struct plot *plot, bool minding)
{
	double most = 0;
	for (int i = 0; i < plot->solver_count; i++) {
		const struct simulation_point *last = plot->points + (size_t)(i + 1) * plot->time_count - 1;
		if (plot->solvers[i]->minds_regret == minding)
			most = fmax(most, last->regret + Z_95 * last->regret_error);
	}
	return most;
}

static cairo_status_t draw(cairo_t *cr, const void *context)
{
	const struct plot *plot = context;
	double decades = log10((double)plot->times[plot->time_count - 1]), most = most_regret(plot, true);
	if (most <= 0)
		most = most_regret(plot, false);
	most = fmax(most, plot->lai_robbins * decades * log(10));
	most = most > 0 ? 1.04 * most : 1;
	struct panel regret = {LEFT, TITLE, WIDTH / 2.0 - LEFT - RIGHT, HEIGHT - TITLE - BOTTOM, decades, most, round_step(most)}, correct = regret;
	correct.left += WIDTH / 2.0;
	correct.most = 100;
	correct.step = 20;
	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, FONT + 2);
	cairo_set_source_rgb(cr, 0.1, 0.1, 0.1);
	draw_text(cr, WIDTH / 2.0, TITLE * 0.6, MIDDLE, plot->title);
	cairo_set_font_size(cr, FONT);
	draw_axes(cr, &regret, "mean cumulative regret");
	draw_axes(cr, &correct, "answer is the best arm, % of runs");
	cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
	clip(cr, &regret);
	for (int i = 0; i < plot->solver_count; i++)
		draw_regret(cr, plot, &regret, i);
	draw_bound(cr, plot, &regret);
	cairo_restore(cr);
	clip(cr, &correct);
	for (int i = 0; i < plot->solver_count; i++)
		draw_correct(cr, plot, &correct, i);
	cairo_restore(cr);
	draw_legend(cr, plot, &regret);
	return cairo_status(cr);
}

int plot_write(const struct plot *plot, const char *path, struct error *e)
{
	return canvas_write(path, WIDTH, HEIGHT, draw, plot, e);
}
