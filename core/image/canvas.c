#include "config.h"

#include "core/image/canvas.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <string.h>
#include <strings.h>

#include "core/output.h"

static cairo_status_t write_bytes(void *closure, const unsigned char *data, unsigned int length)
{
	return fwrite(data, 1, length, closure) == length ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static bool ends_with(const char *path, const char *suffix)
{
	size_t length = strlen(path), want = strlen(suffix);
	return length > want && path[length - want - 1] != '/' && strcasecmp(path + length - want, suffix) == 0;
}

bool canvas_named(const char *path)
{
	return ends_with(path, ".png") || ends_with(path, ".svg") || ends_with(path, ".pdf");
}

int canvas_write(const char *path, int width, int height, canvas_draw *draw, const void *context, struct error *e)
{
	struct output out;
	bool png = ends_with(path, ".png"), svg = ends_with(path, ".svg");
	if (!canvas_named(path))
		return error_set(e, LSDN_ERROR_INPUT, "%s: a picture's name must end in .png, .svg or .pdf: name another", path);
	int code = output_open(&out, path, e);
	if (code)
		return code;
	cairo_surface_t *surface = png ? cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height)
		: svg ? cairo_svg_surface_create_for_stream(write_bytes, out.file, width, height)
		: cairo_pdf_surface_create_for_stream(write_bytes, out.file, width, height);
	if (!png && !svg)
		cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00"); /* the same picture is the same file */
	cairo_t *cr = cairo_create(surface);
	cairo_status_t status = draw(cr, context);
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
	if (status == CAIRO_STATUS_NO_MEMORY)
		return error_memory(e, "a picture");
	if (status == CAIRO_STATUS_INVALID_STRING)
		return error_set(e, LSDN_ERROR_INPUT, "%s: its caption is not UTF-8: mend the list of classes", path);
	return error_set(e, LSDN_ERROR_IO, "%s: cairo cannot draw it: %s: try another format", path, cairo_status_to_string(status));
}

int canvas_pixels(int width, int height, canvas_draw *draw, const void *context, uint8_t *rgb, struct error *e)
{
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
	cairo_t *cr = cairo_create(surface);
	cairo_status_t status = draw(cr, context);
	cairo_destroy(cr);
	cairo_surface_flush(surface);
	const uint8_t *rows = status == CAIRO_STATUS_SUCCESS ? cairo_image_surface_get_data(surface) : NULL;
	for (int y = 0; rows && y < height; y++) {
		const uint32_t *row = (const uint32_t *)(const void *)(rows + (size_t)y * (size_t)cairo_image_surface_get_stride(surface));
		for (int x = 0; x < width; x++, rgb += 3) {
			rgb[0] = (uint8_t)(row[x] >> 16);
			rgb[1] = (uint8_t)(row[x] >> 8);
			rgb[2] = (uint8_t)row[x];
		}
	}
	cairo_surface_destroy(surface);
	if (rows)
		return LSDN_OK;
	return status == CAIRO_STATUS_INVALID_STRING ? error_set(e, LSDN_ERROR_INPUT, "a picture's caption is not UTF-8: mend the list of classes")
		: error_memory(e, "a picture");
}
