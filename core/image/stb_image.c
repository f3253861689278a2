/* stb_image's code, for JPEG and PNG in memory. On damaged files its arithmetic overflows, past the end of a scan it shifts a zero by too much, and
 * for an empty chunk it adds 0 to a null pointer. Every compiler here does as meant: core/Makefile.inc has the first defined (-fwrapv) and the
 * sanitizer's checks of the others off, for this file alone. */
#include "config.h"

#include <stdlib.h>

#include "core/image/photo.h"
#include "core/image/stb_memory.h"

_Thread_local size_t stb_memory_most;

static void *take(void *memory, size_t size)
{
	if (size > stb_memory_most)
		return NULL;
	return memory ? realloc(memory, size) : calloc(1, size);
}

/* Zeroed memory makes what a damaged file leaves undecoded the same on every run. */
#define STBI_MALLOC(size) take(NULL, size)
#define STBI_REALLOC(memory, size) take(memory, size)
#define STBI_FREE(memory) free(memory)
#define STBI_MAX_DIMENSIONS PHOTO_MAX_SIDE
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STB_IMAGE_IMPLEMENTATION
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
#include <stb/stb_image.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
