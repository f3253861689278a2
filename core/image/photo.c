#include "config.h"

#include "core/image/photo.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <stb/stb_image.h>

#include "core/file.h"
#include "core/image/stb_memory.h"

enum { PHOTO_MAX_BYTES = 512 << 20, MAX_SCANS = 64, HEADER_MEMORY = 1 << 16 };

static bool is_jpeg(const uint8_t *data, size_t size)
{
	return size >= 3 && !memcmp(data, "\xff\xd8\xff", 3);
}

static bool is_png(const uint8_t *data, size_t size)
{
	return size >= 8 && !memcmp(data, "\x89PNG\r\n\x1a\n", 8);
}

/* A segment of Huffman tables: pairs of a byte and 16 counts, then as many values as the counts add up to. stb_image 2.27 writes past its
 * tables where that is more than 256; a count beyond the end of the data reads as 0 there and here. */
static bool huffman_fits(const uint8_t *segment, size_t length, size_t available)
{
	for (size_t at = 0; at < length;) {
		size_t values = 0;
		for (size_t i = at + 1; i <= at + 16 && i < available; i++)
			values += segment[i];
		if (values > 256)
			return false;
		at += 17 + values;
	}
	return true;
}

/* Walks over a JPEG's markers as stb_image does: what it cannot decode, or not safely; NULL where there is nothing of the kind. */
static const char *jpeg_complaint(const uint8_t *data, size_t size)
{
	bool adobe = false;
	int scans = 0;
	for (size_t at = 2; at + 4 <= size;) {
		uint8_t marker = data[at + 1];
		/* In a scan FF is followed by 0 or a restart marker; fill bytes can come before any marker. */
		if (data[at] != 0xff || marker == 0xff || marker == 0 || (marker >= 0xd0 && marker <= 0xd7)) {
			at++;
			continue;
		}
		size_t length = (size_t)data[at + 2] << 8 | data[at + 3];
		const uint8_t *segment = data + at + 4;
		size_t available = size - at - 4;
		if (marker == 0xd9 || length < 2)
			return NULL;
		if (marker == 0xee && available >= 5 && !memcmp(segment, "Adobe", 5))
			adobe = true;
		/* Each may cost as much as a photograph does, and takes a few bytes. */
		if (marker == 0xda && ++scans > MAX_SCANS)
			return "a JPEG of more than 64 scans";
		if (marker == 0xc4 && !huffman_fits(segment, length - 2, available))
			return "a JPEG with a damaged Huffman table";
		if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && available >= 6) {
			if (marker >= 0xc9)
				return "an arithmetic-coded JPEG";
			if (marker > 0xc2)
				return "a lossless or hierarchical JPEG";
			if (segment[0] != 8)
				return "a JPEG of more than 8 bits";
			/* Without Adobe's marker nothing says whether the inks are inverted, and stb_image takes them for something else. */
			if (segment[5] == 4 && !adobe)
				return "a CMYK JPEG without Adobe's marker";
		}
		at += 2 + length;
	}
	return NULL;
}

/* A whole JPEG ends in EOI; cameras may pad with zeros after it. */
static bool jpeg_ends(const uint8_t *data, size_t size)
{
	while (size && !data[size - 1])
		size--;
	return size >= 2 && data[size - 2] == 0xff && data[size - 1] == 0xd9;
}

static uint32_t big_endian(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* PNG's checksum, of ISO 3309. */
static uint32_t checksum(const uint32_t table[256], const uint8_t *data, size_t size)
{
	uint32_t sum = UINT32_MAX;
	for (size_t i = 0; i < size; i++)
		sum = table[(sum ^ data[i]) & 0xff] ^ sum >> 8;
	return ~sum;
}

/* stb_image looks at no checksum, and takes memory for a chunk of any size. */
static const char *png_complaint(const uint8_t *data, size_t size)
{
	uint32_t table[256];
	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] & 1 ? 0xedb88320 ^ table[i] >> 1 : table[i] >> 1;
	}
	/* A chunk is a length, a type, as many bytes, and the checksum of these and the type. */
	for (size_t at = 8; size - at >= 8;) {
		size_t length = big_endian(data + at);
		const uint8_t *type = data + at + 4;
		if (!memcmp(type, "IEND", 4))
			return NULL;
		if (size - at < 12 || length > size - at - 12)
			break;
		if (big_endian(type + 4 + length) != checksum(table, type, 4 + length))
			return "damaged PNG (a checksum is wrong)";
		at += 12 + length;
	}
	return "truncated PNG";
}

int photo_decode(struct photo *p, const uint8_t *data, size_t size, const char *name, struct error *e)
{
	*p = (struct photo){0};
	int width = 0, height = 0, channels = 0;
	if (!size)
		return error_set(e, LSDN_ERROR_INPUT, "%s: an empty file: copy it again", name);
	bool jpeg = is_jpeg(data, size);
	if (!jpeg && !is_png(data, size))
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "%s: neither JPEG nor PNG: convert it to PNG", name);
	if (size > PHOTO_MAX_BYTES)
		return error_set(e, LSDN_ERROR_INPUT, "%s: larger than %d MiB: shrink the photograph", name, PHOTO_MAX_BYTES >> 20);
	const char *complaint = jpeg ? jpeg_complaint(data, size) : NULL;
	if (complaint)
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "%s: %s cannot be decoded: convert it to PNG or baseline JPEG", name, complaint);
	stb_memory_most = HEADER_MEMORY;
	int known = stbi_info_from_memory(data, (int)size, &width, &height, &channels);
	if (known && (width < 1 || height < 1 || width > PHOTO_MAX_SIDE || height > PHOTO_MAX_SIDE || (long long)width * height > PHOTO_MAX_PIXELS))
		return error_set(e, LSDN_ERROR_INPUT, "%s: %d x %d pixels, more than %d a side or %d in all: shrink the photograph", name, width, height,
			PHOTO_MAX_SIDE, PHOTO_MAX_PIXELS);
	/* A block of 8 x 8 pixels takes a bit in a JPEG, and nothing shrinks to less than 1/1032 in a PNG. */
	if (known && (double)width * height > (double)size * (jpeg ? 8 * 64 : 8 * 1032))
		return error_set(e, LSDN_ERROR_INPUT, "%s: %d x %d pixels in %zu bytes: a truncated or damaged %s: copy the file again", name, width, height, size,
			jpeg ? "JPEG" : "PNG");
	complaint = known && !jpeg ? png_complaint(data, size) : NULL;
	if (complaint)
		return error_set(e, LSDN_ERROR_INPUT, "%s: a %s: copy the file again", name, complaint);
	/* No piece needs more than the file, or than its pixels in 16 bits of four channels, in blocks of up to 64; twice that, for what grows by doubling. */
	stb_memory_most = 16 * ((size_t)width + 64) * ((size_t)height + 64) + size + HEADER_MEMORY;
	/* Where the header is bad, only loading says why; it stops there. */
	p->rgb = stbi_load_from_memory(data, (int)size, &width, &height, &channels, 3);
	if (!p->rgb) {
		const char *reason = stbi_failure_reason();
		if (reason && !strcmp(reason, "outofmem"))
			return error_set(e, LSDN_ERROR_INPUT, "%s: out of memory, or it holds more than its %d x %d pixels: copy it again, or convert it", name, width,
				height);
		if (reason && !strcmp(reason, "too large"))
			return error_set(e, LSDN_ERROR_INPUT, "%s: more than %d pixels a side: shrink the photograph", name, PHOTO_MAX_SIDE);
		bool truncated = jpeg && !jpeg_ends(data, size);
		return error_set(e, LSDN_ERROR_INPUT, "%s: a %s %s (%s): copy the file again, or convert it to PNG", name, truncated ? "truncated" : "damaged",
			jpeg ? "JPEG" : "PNG", reason ? reason : "no reason given");
	}
	p->width = width;
	p->height = height;
	return LSDN_OK;
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
