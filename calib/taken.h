/* Work on images in the order of a seed (lsdn-calibrate's), until as many as are wanted count. */
#ifndef LSDN_CALIB_TAKEN_H
#define LSDN_CALIB_TAKEN_H

#include "calib/crew.h"
#include "calib/source.h"

struct taken_image {
	uint32_t index; /* in the source */
	bool counts;
	char *why; /* where it could not be used (owned) */
};

struct taken {
	struct taken_image *images; /* owned; in the order of the seed */
	size_t taken, count;        /* how many were tried, and how many of them count */
};

/* Work on one image, the i-th that is taken; what it writes belongs to i alone. counts is true beforehand. An error is a reason why the image cannot be
 * used, but for LSDN_ERROR_MEMORY and where the work sets fatal: these end all. */
struct taking {
	const struct source *source;
	const struct photo *photo;
	const struct annotation *truth;
	uint32_t index;
	size_t i;
	bool counts, fatal;
};
typedef int taken_work(void *context, struct explainer *x, struct taking *t, struct error *e);

struct taking_job {
	const struct crew *crew;
	const struct source *source;
	const bool *left_out; /* of each of the source's images, whether it is not taken; NULL: none */
	uint64_t seed;
	size_t wanted;
	taken_work *work;
	void *context;
};

/* The result depends on nothing but images, seed and work. With LSDN_ERROR_INTERRUPTED t holds what was taken until then. */
int taken_run(struct taken *t, const struct taking_job *job, struct error *e);
void taken_close(struct taken *t);

#endif
