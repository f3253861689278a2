/* Where calibration images come from: a data set, or the generator. */
#ifndef LSDN_CALIB_SOURCE_H
#define LSDN_CALIB_SOURCE_H

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

/* The class of the first annotated box, or -1 where it is none of the network's labels. */
int annotated_class(const struct net *net, const struct annotation *truth);

/* Its name: the file's name, or "generated-INDEX" in buffer. */
const char *source_name(const struct source *s, uint32_t index, char buffer[32]);

#endif
