/* An output file appears whole or not at all: it is written beside its final name, flushed to the disk, then renamed. */
#ifndef LSDN_CORE_OUTPUT_H
#define LSDN_CORE_OUTPUT_H

#include <stdio.h>

#include "core/error.h"

struct output {
	FILE *file;      /* write here, between output_open and output_close */
	char *path;      /* final name (owned) */
	char *temporary; /* name until then (owned); NULL while it has none */
};

/* Opens a temporary file in path's folder, without a name where the file system has such. On failure nothing is left behind and out is zero. */
int output_open(struct output *out, const char *path, struct error *e);

/* Flushes, syncs, renames and frees. If any write failed (disk full), removes the temporary file and says so. */
int output_close(struct output *out, struct error *e);

/* Removes the temporary file and frees; path is left as it was. Harmless on a zero or closed output. */
void output_abandon(struct output *out);

#endif
