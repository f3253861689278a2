#include "config.h"

#include "calib/html.h"

#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>

#include <stb/stb_image_write.h>

#include "core/utf8.h"

enum { QUALITY = 88, CHUNK = 3 * 1024 };

void html_text(FILE *f, const char *text)
{
	char *mended = strdup(text);
	if (!mended) {
		fputc('?', f);
		return;
	}
	utf8_mend(mended);
	for (const char *at = mended; *at; at++)
		switch (*at) {
		case '&': fputs("&amp;", f); break;
		case '<': fputs("&lt;", f); break;
		case '>': fputs("&gt;", f); break;
		case '"': fputs("&quot;", f); break;
		case '\'': fputs("&#39;", f); break;
		default: fputc((unsigned char)*at < ' ' || *at == 127 ? '?' : *at, f);
		}
	free(mended);
}

static void write_base64(FILE *f, const uint8_t *data, size_t size)
{
	char text[BASE64_ENCODE_RAW_LENGTH(CHUNK)];
	for (size_t at = 0; at < size; at += CHUNK) {
		size_t length = size - at < CHUNK ? size - at : CHUNK;
		base64_encode_raw(text, length, data + at);
		fwrite(text, 1, BASE64_ENCODE_RAW_LENGTH(length), f);
	}
}

static void put(void *file, void *bytes, int size)
{
	fwrite(bytes, 1, (size_t)size, file); /* fclose says whether there was room */
}

int html_image(FILE *f, const struct photo *p, bool jpeg, bool scaled, const char *alt, struct error *e)
{
	char *data = NULL;
	size_t size = 0;
	FILE *encoded = open_memstream(&data, &size);
	bool done = encoded && (jpeg ? stbi_write_jpg_to_func(put, encoded, p->width, p->height, 3, p->rgb, QUALITY)
		: stbi_write_png_to_func(put, encoded, p->width, p->height, 3, p->rgb, 3 * p->width));
	if (encoded && fclose(encoded) != 0)
		done = false;
	if (done) {
		fprintf(f, "<img width=\"%d\" height=\"%d\"%s alt=\"", p->width, p->height, scaled ? " class=\"scaled\"" : "");
		html_text(f, alt);
		fprintf(f, "\" src=\"data:image/%s;base64,", jpeg ? "jpeg" : "png");
		write_base64(f, (const uint8_t *)data, size);
		fputs("\">\n", f);
	}
	free(data);
	return done ? LSDN_OK : error_memory(e, "a picture");
}
