/* NumPy's format, versions 1 and 2: magic, version, length of the header (2 or 4 bytes, little-endian), a Python dictionary, numbers. */
#include "config.h"

#include "core/image/npy.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NPY_MAX_HEADER = 65536, NPY_MAX_RANK = 8 };

struct npy_header {
	char type[16];
	char order[8]; /* "True" is Fortran's */
	long shape[NPY_MAX_RANK];
	int rank;
};

static const char *skip_spaces(const char *at)
{
	return at + strspn(at, " \t\n\r");
}

/* A quoted string or a bare word into text; the place after it, or NULL. */
static const char *read_word(const char *at, char *text, size_t size)
{
	char quote = *at == '\'' || *at == '"' ? *at : 0;
	size_t length = quote ? strcspn(++at, quote == '"' ? "\"" : "'") : strspn(at, "TrueFals");
	if (length >= size || (quote && at[length] != quote))
		return NULL;
	memcpy(text, at, length);
	text[length] = 0;
	return at + length + (quote != 0);
}

static const char *read_shape(const char *at, struct npy_header *header)
{
	if (*at++ != '(')
		return NULL;
	for (at = skip_spaces(at); *at != ')'; at = skip_spaces(at)) {
		char *end;
		if (header->rank == NPY_MAX_RANK || *at < '0' || *at > '9')
			return NULL;
		errno = 0;
		header->shape[header->rank++] = strtol(at, &end, 10);
		at = skip_spaces(end);
		if (errno || (*at != ',' && *at != ')'))
			return NULL;
		at += *at == ',';
	}
	return at + 1;
}

static bool header_parse(const char *at, struct npy_header *header)
{
	bool shaped = false;
	at = skip_spaces(at);
	if (*at++ != '{')
		return false;
	for (at = skip_spaces(at); *at != '}'; at = skip_spaces(at)) {
		char key[16];
		at = read_word(at, key, sizeof key);
		if (!at || *(at = skip_spaces(at)) != ':')
			return false;
		at = skip_spaces(at + 1);
		if (!strcmp(key, "descr"))
			at = read_word(at, header->type, sizeof header->type);
		else if (!strcmp(key, "fortran_order"))
			at = read_word(at, header->order, sizeof header->order);
		else if (!strcmp(key, "shape") && !shaped && (shaped = true))
			at = read_shape(at, header);
		else
			return false;
		if (!at || (*(at = skip_spaces(at)) != ',' && *at != '}'))
			return false;
		at += *at == ',';
	}
	return shaped && *skip_spaces(at + 1) == 0 && *header->type && (!strcmp(header->order, "True") || !strcmp(header->order, "False"));
}

static int header_read(FILE *file, const char *path, struct npy_header *header, struct error *e)
{
	unsigned char start[12];
	if (fread(start, 1, 10, file) != 10 || memcmp(start, "\x93NUMPY", 6) != 0)
		return error_set(e, LSDN_ERROR_INPUT, "%s: not a .npy file: save one with numpy.save", path);
	if (start[6] != 1 && start[6] != 2)
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "%s: .npy version %d: versions 1 and 2 are read", path, start[6]);
	size_t length = start[8] | (size_t)start[9] << 8;
	if (start[6] == 2) {
		if (fread(start + 10, 1, 2, file) != 2)
			return error_set(e, LSDN_ERROR_INPUT, "%s: truncated in its header: copy the file again", path);
		length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
	}
	if (length > NPY_MAX_HEADER)
		return error_set(e, LSDN_ERROR_INPUT, "%s: a header of %zu bytes, more than any array needs (%d): the file is damaged", path, length,
			NPY_MAX_HEADER);
	char *text = malloc(length + 1);
	if (!text)
		return error_memory(e, "a .npy header");
	int result = LSDN_OK;
	if (fread(text, 1, length, file) != length) {
		result = error_set(e, LSDN_ERROR_INPUT, "%s: truncated in its header: copy the file again", path);
	} else {
		text[length] = 0;
		if (strlen(text) != length || !header_parse(text, header))
			result = error_set(e, LSDN_ERROR_INPUT, "%s: header is not a dictionary of descr, fortran_order and shape: save with numpy.save", path);
	}
	free(text);
	return result;
}

/* The header must say exactly what is needed. */
static int header_check(const struct npy_header *header, const char *path, int height, int width, struct error *e)
{
	if (strcmp(header->type, "<f4") != 0)
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "%s: numbers of type %s: save as little-endian float32 (<f4)", path, header->type);
	if (!strcmp(header->order, "True"))
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "%s: in Fortran's order: save numpy.ascontiguousarray of it", path);
	const long *shape = header->shape;
	int rank = header->rank;
	if (rank == 4 && shape[0] == 1) {
		shape++;
		rank--;
	}
	if (rank == 3 && shape[0] == 3 && shape[1] == height && shape[2] == width)
		return LSDN_OK;
	char found[256] = "";
	for (int i = 0; i < header->rank; i++)
		snprintf(found + strlen(found), sizeof found - strlen(found), "%s%ld", i ? ", " : "", header->shape[i]);
	return error_set(e, LSDN_ERROR_INPUT, "%s: shape (%s): the network needs (3, %d, %d)", path, found, height, width);
}

/* The planes of the file become the last axis of the tensor. */
static int values_read(FILE *file, const char *path, size_t pixels, float *tensor, struct error *e)
{
	unsigned char bytes[4096];
	size_t count = 3 * pixels, done = 0;
	while (done < count) {
		size_t wanted = count - done < sizeof bytes / 4 ? count - done : sizeof bytes / 4;
		size_t got = fread(bytes, 4, wanted, file);
		if (got != wanted) {
			if (ferror(file))
				return error_set(e, LSDN_ERROR_IO, "%s: cannot be read: %s: check the disk", path, strerror(errno));
			return error_set(e, LSDN_ERROR_INPUT, "%s: truncated: %zu of %zu numbers: copy the file again", path, done + got, count);
		}
		for (size_t i = 0; i < got; i++, done++) {
			const unsigned char *b = bytes + 4 * i;
			uint32_t bits = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
			float value;
			memcpy(&value, &bits, sizeof value);
			if (!isfinite(value))
				return error_set(e, LSDN_ERROR_INPUT, "%s: number %zu is not finite: no network can be explained on it", path, done);
			tensor[done % pixels * 3 + done / pixels] = value;
		}
	}
	if (fgetc(file) != EOF)
		return error_set(e, LSDN_ERROR_INPUT, "%s: longer than its header says: save one array a file", path);
	return LSDN_OK;
}

int npy_read(const char *path, int height, int width, float *tensor, struct error *e)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return error_set(e, LSDN_ERROR_IO, "%s: cannot be opened: %s: check name and permissions", path, strerror(errno));
	struct npy_header header = {0};
	int result = header_read(file, path, &header, e);
	if (result == LSDN_OK)
		result = header_check(&header, path, height, width, e);
	if (result == LSDN_OK)
		result = values_read(file, path, (size_t)height * (size_t)width, tensor, e);
	fclose(file);
	return result;
}
