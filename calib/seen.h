/* What a weights file has to do with the images that an explainer is measured on. Parts of the program: they print. */
#ifndef LSDN_CALIB_SEEN_H
#define LSDN_CALIB_SEEN_H

#include "calib/source.h"
#include "core/weights_file.h"

struct seen {
	const char *path; /* of the weights file; NULL: there is none */
	const struct weights_file *weights;
	bool *left_out;   /* of each of the source's images; NULL: none is (owned) */
	size_t left_out_count;
	size_t tuned_on, held_out; /* of those that were measured */
};

/* Marks what the weights were tuned on, where that is to be left out. */
int seen_leave_out(struct seen *seen, const struct source *source, struct error *e);

/* An image was measured. */
void seen_count(struct seen *seen, const struct source *source, uint32_t index);

/* On standard error, for whoever reads JSON. */
void seen_warn(const struct seen *seen, const char *program, size_t measured);

void seen_print(const struct seen *seen, size_t measured);

#endif
