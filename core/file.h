/* Whole files in memory. */
#ifndef LSDN_CORE_FILE_H
#define LSDN_CORE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* Maps a regular, non-empty file for reading; *data is given back by file_unmap. */
int file_map(const char *path, const uint8_t **data, size_t *size, struct error *e);
void file_unmap(const uint8_t *data, size_t size);

/* A part of a mapped file that has been read: its pages no longer count as this program's memory. To be read again it is fetched again. */
void file_release(const uint8_t *data, size_t size);

/* Reads a file of at most `most` bytes as text with a final NUL; the caller frees it. Returns NULL after an error (errno says ENOENT where there is none). */
char *file_text(const char *path, size_t most, struct error *e);

#endif
