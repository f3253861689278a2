/* Rewards: is the box that is explained under a setting right (IoU > 0.5 with an annotated one)? A setting is all choices of an explanation; what several
 * settings share is computed once an image (calib/batch.h). */
#ifndef LSDN_CALIB_REWARDS_H
#define LSDN_CALIB_REWARDS_H

#include "calib/crew.h"
#include "calib/ranks.h"
#include "calib/source.h"
#include "calib/study.h"
#include "core/choices.h"

enum { REWARD_UNKNOWN = 255 };

/* The trivial boxes that every calibration is held against. */
enum trivial { TRIVIAL_CENTER, TRIVIAL_WHOLE, TRIVIAL_COUNT };

struct reward_row {
	uint32_t index;    /* of the image in its source */
	bool usable;       /* it can be read and has what is asked for; known from the first computation on */
	char *why;         /* where it is not (owned) */
	uint8_t *rewards;  /* one a setting: 0, 1 or REWARD_UNKNOWN (owned) */
	uint8_t trivial[TRIVIAL_COUNT];
	uint8_t digest[SOURCE_DIGEST]; /* source_digest, where the job asks for it */
};

/* Work that was done, in seconds of all threads together. */
struct reward_costs {
	uint64_t forwards, rewards;
	double read, forward, walk, box;
	double waited; /* of reading: while the thread did not run, which is what slow disks cost */
};

struct reward_job {
	struct crew crew;
	const struct source *source;
	const struct choices *settings;
	struct ranks *ranks; /* other processes that work on it; NULL: none */
	bool digests;        /* rows get the digests of their images, as a study needs them */
	struct study *study; /* has rewards, and gets those that are computed; NULL: none */
	bool labelled; /* only images whose annotated class is one of the network's are usable: some setting has target = annotated */
	struct reward_costs costs;
};

/* Fills rows (whose index is set) that are not known to be unusable, and lack one of them, with the rewards of the settings that `wanted` names; with none
 * it finds out which images are usable. An image that cannot be read or has no annotation is not usable, which is no error. Images are shared among
 * threads; results depend on nothing but the image. What the job's study has is not computed again, and all of the results are durable in it on return. */
int rewards_compute(struct reward_job *job, struct reward_row *rows, size_t row_count, const int *wanted, int count, struct error *e);

/* In a rank other than the first: computes what it asks for, until it asks for no more. job has a crew and a source, or failure says why it has not. */
void rewards_serve(struct reward_job *job, const struct identity *identity, const struct error *failure);

/* Makes sure that the images of the job's study are those of its source. path is the study's, for messages. */
int rewards_check_images(struct reward_job *job, const char *path, struct error *e);

/* True where rewards_compute would compute the row. */
bool reward_row_lacks(const struct reward_row *row, const int *wanted, int count);

void reward_rows_free(struct reward_row *rows, size_t count);

#endif
