#include "config.h"

#include "core/image/picture.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <cairo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/output.h"

enum { PANEL = 420, GAP = 12, CAPTION = 34 };

static cairo_status_t write_bytes(void *closure, const unsigned char *data, unsigned int length)
{
	return fwrite(data, 1, length, closure) == length ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* The "inferno" look in five stops: from transparent black over purple and orange to pale yellow. Rising lightness reads the same in gray print. */
static void color_of(double v, double rgba[4])
{
	static const double STOPS[5][3] = {{0, 0, 0.02}, {0.34, 0.06, 0.43}, {0.73, 0.22, 0.33}, {0.98, 0.55, 0.04}, {0.99, 1.0, 0.64}};
	double at = fmin(fmax(v, 0), 1) * 4;
	int low = at >= 4 ? 3 : (int)at;
	for (int c = 0; c < 3; c++)
		rgba[c] = STOPS[low][c] + (at - low) * (STOPS[low + 1][c] - STOPS[low][c]);
	rgba[3] = 0.25 + 0.5 * fmin(1, 2 * v);
}

/* A surface of the photograph, with the map over it where that is not NULL; the caller destroys it. */
static cairo_surface_t *surface_of(const struct photo *photo, const float *map)
{
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, photo->width, photo->height);
	if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
		return surface;
	unsigned char *pixels = cairo_image_surface_get_data(surface);
	int stride = cairo_image_surface_get_stride(surface);
	for (int y = 0; y < photo->height; y++)
		for (int x = 0; x < photo->width; x++) {
			size_t at = (size_t)y * (size_t)photo->width + (size_t)x;
			double over[4] = {0};
			uint32_t value = 0;
			if (map)
				color_of(map[at], over);
			for (int c = 0; c < 3; c++) {
				double v = photo->rgb[at * 3 + (size_t)c] * (1 - over[3]) + 255 * over[c] * over[3];
				value = value << 8 | (uint32_t)lround(v);
			}
			memcpy(pixels + (size_t)y * (size_t)stride + (size_t)x * 4, &value, sizeof value);
		}
	cairo_surface_mark_dirty(surface);
	return surface;
}

static void draw_photo(cairo_t *cr, const struct photo *photo, const float *map, double scale)
{
	cairo_surface_t *surface = surface_of(photo, map);
	cairo_save(cr);
	cairo_scale(cr, scale, scale);
	cairo_set_source_surface(cr, surface, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_GOOD);
	cairo_paint(cr);
	cairo_restore(cr);
	cairo_surface_destroy(surface);
}

/* Points that stay are filled, outliers are rings; each with a dark edge, to be seen on any photograph. */
static void draw_points(cairo_t *cr, const struct picture *p, double scale)
{
	for (size_t i = 0; i < p->count; i++) {
		cairo_new_path(cr);
		cairo_arc(cr, (p->points[i].x + 0.5) * scale, (p->points[i].y + 0.5) * scale, 3, 0, 2 * 3.14159265358979);
		if (p->keep[i]) {
			cairo_set_source_rgb(cr, 1, 0.85, 0.1);
			cairo_fill_preserve(cr);
		}
		cairo_set_line_width(cr, 1);
		cairo_set_source_rgba(cr, p->keep[i] ? 0 : 1, p->keep[i] ? 0 : 1, p->keep[i] ? 0 : 1, 0.8);
		cairo_stroke(cr);
	}
}

static void draw_box(cairo_t *cr, const struct box *b, double scale)
{
	cairo_rectangle(cr, b->xmin * scale, b->ymin * scale, (b->xmax - b->xmin + 1) * scale, (b->ymax - b->ymin + 1) * scale);
	cairo_set_source_rgba(cr, 0, 0, 0, 0.7);
	cairo_set_line_width(cr, 5);
	cairo_stroke_preserve(cr);
	cairo_set_source_rgb(cr, 0.2, 0.95, 0.4);
	cairo_set_line_width(cr, 2.5);
	cairo_stroke(cr);
}

/* One line, made smaller where it does not fit. */
static void draw_caption(cairo_t *cr, const char *text, double width, double y)
{
	cairo_text_extents_t extents;
	double size = 17;
	cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, size);
	cairo_text_extents(cr, text, &extents);
	if (extents.x_advance > width)
		cairo_set_font_size(cr, size * width / extents.x_advance);
	cairo_text_extents(cr, text, &extents);
	cairo_set_source_rgb(cr, 0, 0, 0);
	cairo_move_to(cr, (width - extents.x_advance) / 2, y);
	cairo_show_text(cr, text);
}

static void draw(cairo_t *cr, const struct picture *p, double scale, double width, double height)
{
	double panel = p->photo->width * scale;
	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	draw_photo(cr, p->photo, NULL, scale);
	draw_points(cr, p, scale);
	if (p->box)
		draw_box(cr, p->box, scale);
	cairo_save(cr);
	cairo_translate(cr, panel + GAP, 0);
	draw_photo(cr, p->photo, p->map, scale);
	cairo_restore(cr);
	draw_caption(cr, p->caption, width, height - CAPTION / 3.0);
}

static bool ends_with(const char *path, const char *suffix)
{
	size_t length = strlen(path), want = strlen(suffix);
	return length > want && strcasecmp(path + length - want, suffix) == 0;
}

int picture_write(const struct picture *p, const char *path, struct error *e)
{
	struct output out;
	double scale = fmax(1, PANEL / fmax(p->photo->width, p->photo->height));
	double width = ceil(2 * p->photo->width * scale + GAP), height = ceil(p->photo->height * scale + CAPTION);
	bool png = ends_with(path, ".png"), svg = ends_with(path, ".svg");
	if (!png && !svg && !ends_with(path, ".pdf"))
		return error_set(e, LSDN_ERROR_INPUT, "%s: a picture's name must end in .png, .svg or .pdf", path);
	int code = output_open(&out, path, e);
	if (code)
		return code;
	cairo_surface_t *surface = png ? cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height)
		: svg ? cairo_svg_surface_create_for_stream(write_bytes, out.file, width, height)
		: cairo_pdf_surface_create_for_stream(write_bytes, out.file, width, height);
	if (!png && !svg)
		cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00"); /* the same picture is the same file */
	cairo_t *cr = cairo_create(surface);
	draw(cr, p, scale, width, height);
	cairo_status_t status = cairo_status(cr);
	cairo_destroy(cr);
	if (png && status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_write_to_png_stream(surface, write_bytes, out.file);
	cairo_surface_finish(surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status(surface);
	cairo_surface_destroy(surface);
	if (status == CAIRO_STATUS_SUCCESS || ferror(out.file))
		return output_close(&out, e);
	output_abandon(&out);
	return error_set(e, LSDN_ERROR_IO, "%s: cairo cannot draw it: %s", path, cairo_status_to_string(status));
}
