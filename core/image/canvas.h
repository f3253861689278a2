/* What is drawn with cairo, as a file whose format its name says. */
#ifndef LSDN_CORE_IMAGE_CANVAS_H
#define LSDN_CORE_IMAGE_CANVAS_H

#include <cairo.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

/* Draws on a fresh canvas; its background is the drawing's own. */
typedef cairo_status_t canvas_draw(cairo_t *cr, const void *context);

/* True where path ends in .png, .svg or .pdf. */
bool canvas_named(const char *path);

/* Writes PNG, SVG or PDF by the ending of path, of width x height pixels (or points). Whole or not at all; the same drawing is the same file. */
int canvas_write(const char *path, int width, int height, canvas_draw *draw, const void *context, struct error *e);

/* The same drawing as width x height x 3 bytes, red green blue. */
int canvas_pixels(int width, int height, canvas_draw *draw, const void *context, uint8_t *rgb, struct error *e);

#endif
