#include "config.h"

#include "core/image/photo.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_MAX_DIMENSIONS 30000
#include <stb/stb_image.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

enum { MAX_FILE = 1 << 28 };

/* stb_image fills what a cut JPEG lacks with gray and calls it done; a whole one ends with EOI after its last scan. (In a scan FF is always followed by
 * 00 or a restart marker, and a thumbnail's markers come before the picture's own.) */
static bool jpeg_is_cut(const uint8_t *data, size_t size)
{
	if (size < 4 || data[0] != 0xff || data[1] != 0xd8)
		return false;
	size_t scan = 0, end = 0;
	for (size_t i = 2; i + 1 < size; i++) {
		if (data[i] == 0xff && data[i + 1] == 0xda)
			scan = i;
		if (data[i] == 0xff && data[i + 1] == 0xd9)
			end = i;
	}
	return !scan || end < scan;
}

int photo_decode(struct photo *p, const uint8_t *data, size_t size, const char *name, struct error *e)
{
	int width, height, channels;
	*p = (struct photo){0};
	if (size > MAX_FILE || size > INT_MAX)
		return error_set(e, LSDN_ERROR_INPUT, "%s: has %zu bytes: more than an image can have here", name, size);
	if (!stbi_info_from_memory(data, (int)size, &width, &height, &channels))
		return error_set(e, LSDN_ERROR_INPUT, "%s: not a JPEG or PNG, or damaged (%s): save it again as one", name, stbi_failure_reason());
	if (width < 1 || height < 1 || width > PHOTO_MAX_SIDE || height > PHOTO_MAX_SIDE || (int64_t)width * height > PHOTO_MAX_PIXELS)
		return error_set(e, LSDN_ERROR_INPUT, "%s: says it has %d x %d pixels: at most %d a side and %d in all are read", name, width, height,
			PHOTO_MAX_SIDE, PHOTO_MAX_PIXELS);
	if (jpeg_is_cut(data, size))
		return error_set(e, LSDN_ERROR_INPUT, "%s: is cut short (no end of image): fetch it again", name);
	p->rgb = stbi_load_from_memory(data, (int)size, &p->width, &p->height, &channels, 3);
	if (p->rgb)
		return LSDN_OK;
	*p = (struct photo){0};
	return error_set(e, LSDN_ERROR_INPUT, "%s: cannot be decoded (%s): save it again as a baseline JPEG or PNG", name, stbi_failure_reason());
}

int photo_read(struct photo *p, const char *path, struct error *e)
{
	const uint8_t *data;
	size_t size;
	*p = (struct photo){0};
	int code = file_map(path, &data, &size, e);
	if (code)
		return code;
	code = photo_decode(p, data, size, path, e);
	file_unmap(data, size);
	return code;
}

void photo_free(struct photo *p)
{
	free(p->rgb);
	*p = (struct photo){0};
}
