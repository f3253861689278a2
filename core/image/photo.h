/* A decoded photograph. */
#ifndef LSDN_CORE_IMAGE_PHOTO_H
#define LSDN_CORE_IMAGE_PHOTO_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum { PHOTO_MAX_SIDE = 30000, PHOTO_MAX_PIXELS = 200000000 };

struct photo {
	int width, height;
	uint8_t *rgb; /* owned: height x width x 3, row after row, red green blue, sRGB as stored in the file */
};

/* Reads a JPEG or PNG (by content, whatever the suffix says): grayscale, CMYK, progressive, palette, alpha (over black: dropped), 16 bits
 * (reduced to 8) all become 8-bit RGB. Bounds on size are checked before memory is taken. p is zero after a failure. */
int photo_read(struct photo *p, const char *path, struct error *e);

/* The same from size bytes at data; name is used in messages only. */
int photo_decode(struct photo *p, const uint8_t *data, size_t size, const char *name, struct error *e);

void photo_free(struct photo *p);

#endif
