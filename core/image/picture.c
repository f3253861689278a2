#include "config.h"

#include "core/image/picture.h"

#include <math.h>
#include <stdlib.h>

#include "core/image/canvas.h"

/* A panel's longer side in pixels (or points) is the photograph's own between these bounds; small photographs are enlarged. */
enum { PANEL_LEAST = 420, PANEL_MOST = 800, WIDTH_LEAST = 420 };
enum { MARGIN = 8, GAP = 12, CAPTION = 32, FONT = 17 };

struct layout {
	double scale;         /* pixels of the panel for one of the photograph */
	int across, down;     /* a panel */
	int width, height;    /* the picture */
	int left, right, top; /* where the panels begin */
};

static struct layout layout_of(const struct photo *photo)
{
	struct layout l;
	int longer = photo->width > photo->height ? photo->width : photo->height;
	l.scale = fmin(fmax(longer, PANEL_LEAST), PANEL_MOST) / longer;
	l.across = (int)fmax(1, round(photo->width * l.scale));
	l.down = (int)fmax(1, round(photo->height * l.scale));
	l.width = (int)fmax(2 * l.across + GAP + 2 * MARGIN, WIDTH_LEAST);
	l.height = l.down + MARGIN + CAPTION;
	l.left = (l.width - GAP) / 2 - l.across;
	l.right = l.left + l.across + GAP;
	l.top = MARGIN;
	return l;
}

/* A row of the photograph as cairo has it: 32 bits a pixel, red highest. */
static uint32_t *row_of(cairo_surface_t *surface, int y)
{
	return (uint32_t *)(void *)(cairo_image_surface_get_data(surface) + (size_t)y * (size_t)cairo_image_surface_get_stride(surface));
}

static cairo_surface_t *surface_of(const struct photo *photo)
{
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, photo->width, photo->height);
	if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
		return surface;
	cairo_surface_flush(surface);
	const uint8_t *rgb = photo->rgb;
	for (int y = 0; y < photo->height; y++) {
		uint32_t *row = row_of(surface, y);
		for (int x = 0; x < photo->width; x++, rgb += 3)
			row[x] = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
	}
	cairo_surface_mark_dirty(surface);
	return surface;
}

/* The photograph in the panel's own pixels, so that it looks the same in PNG, SVG and PDF, whatever the viewer does to enlarge. */
static cairo_surface_t *panel_of(const struct photo *photo, const struct layout *l)
{
	cairo_surface_t *panel = cairo_image_surface_create(CAIRO_FORMAT_RGB24, l->across, l->down), *whole = surface_of(photo);
	cairo_t *cr = cairo_create(panel);
	cairo_scale(cr, (double)l->across / photo->width, (double)l->down / photo->height);
	cairo_set_source_surface(cr, whole, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_GOOD);
	cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
	cairo_paint(cr);
	cairo_status_t status = cairo_status(cr);
	cairo_destroy(cr);
	cairo_surface_destroy(whole);
	if (status != CAIRO_STATUS_SUCCESS) {
		cairo_surface_destroy(panel);
		return NULL;
	}
	cairo_surface_flush(panel);
	return panel;
}

/* The "inferno" look: lightness rises with the value, so that it reads the same in gray print. */
static void color_of(double v, double rgb[3])
{
	static const double STOPS[][3] = {{0.13, 0.04, 0.33}, {0.34, 0.06, 0.43}, {0.55, 0.13, 0.41}, {0.74, 0.21, 0.33}, {0.89, 0.35, 0.20},
		{0.98, 0.55, 0.04}, {0.98, 0.78, 0.20}, {0.99, 1.0, 0.64}};
	enum { LAST = sizeof STOPS / sizeof *STOPS - 1 };
	double at = v * LAST;
	int low = at >= LAST ? LAST - 1 : (int)at;
	for (int c = 0; c < 3; c++)
		rgb[c] = STOPS[low][c] + (at - low) * (STOPS[low + 1][c] - STOPS[low][c]);
}

/* The map between its pixels, of which (0, 0) is the centre of the first. */
static double map_at(const struct picture *p, double y, double x)
{
	int width = p->photo->width, height = p->photo->height;
	y = fmin(fmax(y, 0), height - 1);
	x = fmin(fmax(x, 0), width - 1);
	int top = (int)y, left = (int)x, below = top + 1 < height ? width : 0, beside = left + 1 < width;
	const float *map = p->map + (size_t)top * (size_t)width + (size_t)left;
	double upper = (double)map[0] * (1 - (x - left)) + (double)map[beside] * (x - left);
	double lower = (double)map[below] * (1 - (x - left)) + (double)map[below + beside] * (x - left);
	return fmin(fmax(upper * (1 - (y - top)) + lower * (y - top), 0), 1);
}

/* The photograph in gray, so that color means the map alone, which covers it the more the higher it is. */
static void heat(cairo_surface_t *panel, const struct picture *p, const struct layout *l)
{
	for (int y = 0; y < l->down; y++) {
		uint32_t *row = row_of(panel, y);
		double from_y = (y + 0.5) * p->photo->height / l->down - 0.5;
		for (int x = 0; x < l->across; x++) {
			double v = map_at(p, from_y, (x + 0.5) * p->photo->width / l->across - 0.5), rgb[3];
			double gray = 0.299 * (row[x] >> 16 & 255) + 0.587 * (row[x] >> 8 & 255) + 0.114 * (row[x] & 255);
			double cover = 0.75 * fmin(1, 4 * v);
			uint32_t value = 0;
			color_of(v, rgb);
			for (int c = 0; c < 3; c++)
				value = value << 8 | (uint32_t)lround((1 - cover) * gray + cover * 255 * rgb[c]);
			row[x] = value;
		}
	}
	cairo_surface_mark_dirty(panel);
}

static void draw_panel(cairo_t *cr, cairo_surface_t *panel, double x, double y)
{
	cairo_set_source_surface(cr, panel, x, y);
	cairo_paint(cr);
}

/* Points that stay are filled, outliers are faint rings; each can be seen on light and on dark. Many points are drawn smaller. */
static void draw_points(cairo_t *cr, const struct picture *p, double scale)
{
	double radius = fmin(fmax(50 / sqrt((double)p->count + 1), 1.5), 3.5);
	for (int kept = 0; kept < 2; kept++)
		for (size_t i = 0; i < p->count; i++) {
			if (p->keep[i] != kept)
				continue;
			cairo_new_path(cr);
			cairo_arc(cr, (p->points[i].x + 0.5) * scale, (p->points[i].y + 0.5) * scale, radius, 0, 2 * 3.14159265358979);
			if (kept) {
				cairo_set_source_rgb(cr, 1, 0.85, 0.1);
				cairo_fill_preserve(cr);
				cairo_set_source_rgba(cr, 0, 0, 0, 0.8);
				cairo_set_line_width(cr, radius / 4);
			} else {
				cairo_set_source_rgba(cr, 0, 0, 0, 0.45);
				cairo_set_line_width(cr, 2);
				cairo_stroke_preserve(cr);
				cairo_set_source_rgba(cr, 1, 1, 1, 0.75);
				cairo_set_line_width(cr, 1);
			}
			cairo_stroke(cr);
		}
}

static void draw_box(cairo_t *cr, struct boxf b, bool annotated, double scale)
{
	static const double DASHES[] = {9, 6};
	cairo_rectangle(cr, b.xmin * scale, b.ymin * scale, (b.xmax - b.xmin + 1) * scale, (b.ymax - b.ymin + 1) * scale);
	cairo_set_source_rgba(cr, 0, 0, 0, 0.7);
	cairo_set_line_width(cr, 4.5);
	cairo_stroke_preserve(cr);
	if (annotated) {
		cairo_set_source_rgb(cr, 1, 1, 1);
		cairo_set_dash(cr, DASHES, 2, 0);
	} else {
		cairo_set_source_rgb(cr, 0.2, 0.95, 0.4);
	}
	cairo_set_line_width(cr, 2.5);
	cairo_stroke(cr);
	cairo_set_dash(cr, NULL, 0, 0);
}

/* One line, made smaller where it does not fit. */
static void draw_caption(cairo_t *cr, const char *text, const struct layout *l)
{
	cairo_text_extents_t extents;
	double room = l->width - 2 * MARGIN;
	cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, FONT);
	cairo_text_extents(cr, text, &extents);
	if (extents.x_advance > room) {
		cairo_set_font_size(cr, FONT * room / extents.x_advance);
		cairo_text_extents(cr, text, &extents);
	}
	cairo_set_source_rgb(cr, 0, 0, 0);
	cairo_move_to(cr, (l->width - extents.x_advance) / 2, l->height - CAPTION / 3.0);
	cairo_show_text(cr, text);
}

static cairo_status_t draw_picture(cairo_t *cr, const struct picture *p, const struct layout *l)
{
	cairo_surface_t *panel = panel_of(p->photo, l);
	if (!panel)
		return CAIRO_STATUS_NO_MEMORY;
	draw_panel(cr, panel, l->left, l->top);
	cairo_save(cr);
	cairo_translate(cr, l->left, l->top);
	for (size_t i = 0; i < p->annotated_count; i++)
		draw_box(cr, p->annotated[i], true, l->scale);
	if (p->box)
		draw_box(cr, box_real(p->box), false, l->scale);
	draw_points(cr, p, l->scale);
	cairo_restore(cr);
	cairo_surface_destroy(panel);

	panel = panel_of(p->photo, l); /* a second one: vector surfaces may still refer to the first */
	if (!panel)
		return CAIRO_STATUS_NO_MEMORY;
	heat(panel, p, l);
	draw_panel(cr, panel, l->right, l->top);
	cairo_surface_destroy(panel);
	draw_caption(cr, p->caption, l);
	return cairo_status(cr);
}

/* What is drawn. */
struct drawing {
	const struct picture *pictures;
	int count;
};

static cairo_status_t draw(cairo_t *cr, const void *context)
{
	const struct drawing *drawing = context;
	cairo_status_t status = CAIRO_STATUS_SUCCESS;
	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	for (int i = 0; i < drawing->count && status == CAIRO_STATUS_SUCCESS; i++) {
		struct layout l = layout_of(drawing->pictures[i].photo);
		status = draw_picture(cr, &drawing->pictures[i], &l);
		cairo_translate(cr, l.width, 0);
	}
	return status;
}

int pictures_write(const struct picture *pictures, int count, const char *path, struct error *e)
{
	int width = 0, height = 0;
	for (int i = 0; i < count; i++) {
		struct layout l = layout_of(pictures[i].photo);
		width += l.width;
		height = l.height > height ? l.height : height;
	}
	return canvas_write(path, width, height, draw, &(struct drawing){pictures, count}, e);
}

int picture_write(const struct picture *picture, const char *path, struct error *e)
{
	return pictures_write(picture, 1, path, e);
}

int picture_panel(const struct photo *photo, const float *map, struct photo *panel, struct error *e)
{
	struct layout l = layout_of(photo);
	struct picture picture = {.photo = photo, .map = map};
	cairo_surface_t *surface = panel_of(photo, &l);
	*panel = (struct photo){.width = l.across, .height = l.down, .rgb = malloc((size_t)l.across * (size_t)l.down * 3)};
	if (surface && panel->rgb && map)
		heat(surface, &picture, &l);
	for (int y = 0; surface && panel->rgb && y < l.down; y++) {
		const uint32_t *row = row_of(surface, y);
		uint8_t *out = panel->rgb + (size_t)y * (size_t)l.across * 3;
		for (int i = 0; i < l.across * 3; i++)
			out[i] = (uint8_t)(row[i / 3] >> (16 - i % 3 * 8));
	}
	int code = surface && panel->rgb ? LSDN_OK : error_memory(e, "a picture");
	cairo_surface_destroy(surface);
	if (code)
		photo_free(panel);
	return code;
}

int picture_pixels(const struct picture *p, struct photo *pixels, struct error *e)
{
	struct layout l = layout_of(p->photo);
	*pixels = (struct photo){.width = l.width, .height = l.height, .rgb = malloc((size_t)l.width * (size_t)l.height * 3)};
	int code = pixels->rgb ? canvas_pixels(l.width, l.height, draw, &(struct drawing){p, 1}, pixels->rgb, e) : error_memory(e, "a picture");
	if (code)
		photo_free(pixels);
	return code;
}
