#include "config.h"

#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLOTS = 4 };

/* libconfig loses the string that it was reading where a file ends in an error. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

void fuzz_lie(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
	abort();
}

int fuzz_answer(int code, const struct error *e)
{
	if (!code)
		return code;
	FUZZ_TRUE(code == (int)e->code && code < 0);
	FUZZ_TRUE(*e->message && memchr(e->message, 0, sizeof e->message));
	for (const char *at = e->message; *at; at++)
		FUZZ_TRUE((unsigned char)*at >= ' ' && *at != 0x7f);
	return code;
}

void fuzz_read(const void *data, size_t size)
{
	const volatile uint8_t *at = data;
	for (size_t i = 0; i < size; i++)
		(void)at[i];
}

const char *fuzz_file(int slot, const uint8_t *data, size_t size)
{
	static int files[SLOTS];
	static char names[SLOTS][40];
	if (!files[slot]) {
		files[slot] = memfd_create("fuzz", MFD_CLOEXEC);
		snprintf(names[slot], sizeof names[slot], "/proc/self/fd/%d", files[slot]);
	}
	if (files[slot] < 0 || ftruncate(files[slot], 0) < 0 || pwrite(files[slot], data, size, 0) != (ssize_t)size) {
		perror("a file in memory");
		exit(EXIT_FAILURE);
	}
	return names[slot];
}

char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = strndup(size ? (const char *)data : "", size);
	if (!text) {
		perror("a text");
		exit(EXIT_FAILURE);
	}
	return text;
}

struct fuzz_part fuzz_cut(const uint8_t **data, size_t *size)
{
	const uint8_t *end = *size ? memchr(*data, '\f', *size) : NULL;
	struct fuzz_part part = {*data, end ? (size_t)(end - *data) : *size};
	size_t used = part.size + (end != NULL);
	*data = *size ? *data + used : *data;
	*size -= used;
	return part;
}
