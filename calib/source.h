/* Where calibration images come from: a data set, or the generator. */
#ifndef LSDN_CALIB_SOURCE_H
#define LSDN_CALIB_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "calib/dataset.h"
#include "core/image/photo.h"
#include "core/net/net.h"

struct source {
	const struct dataset *dataset; /* NULL: generated images */
	uint64_t seed;                 /* of the generator */
	size_t count;
};

/* Reads image `index` and what is annotated in it; both are the caller's to free. */
int source_load(const struct source *s, uint32_t index, struct photo *photo, struct annotation *truth, struct error *e);

/* SHA-256 of everything that source_load reads: the photograph's file and what is annotated in it. A generated image has its seed and number. */
enum { SOURCE_DIGEST = 32 };
int source_digest(const struct source *s, uint32_t index, uint8_t digest[SOURCE_DIGEST], struct error *e);

/* The class of the first annotated box, or -1 where it is none of the network's labels. */
int annotated_class(const struct net *net, const struct annotation *truth);

/* True where a box of the class is annotated. */
bool annotated_with(const struct net *net, const struct annotation *truth, int class_index);

/* Its name: the file's name, or "generated-INDEX" in buffer. */
const char *source_name(const struct source *s, uint32_t index, char buffer[32]);

/* The image of that name; false where there is none. */
bool source_find(const struct source *s, const char *name, uint32_t *index);

#endif
