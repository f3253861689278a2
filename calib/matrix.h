/* The rewards of a calibration, images x settings: which settings there are, and what each got on every image that was taken. */
#ifndef LSDN_CALIB_MATRIX_H
#define LSDN_CALIB_MATRIX_H

#include "calib/rewards.h"

struct matrix {
	struct choices *settings; /* no two are equal; each owns its layers */
	int count, room;
	struct reward_row *rows;  /* images as taken, unusable ones among them */
	size_t row_count;
	uint32_t *order;          /* in which images are taken */
	struct reward_job *job;   /* NULL until matrix_begin */
};

/* The index of an equal setting, or count. */
int matrix_find(const struct matrix *m, const struct choices *s);

/* The same, but that a copy is added where there is none; -1 where memory is short. */
int matrix_add(struct matrix *m, const struct choices *s);

/* Neighbours then select alike, which is faster to read; no rows may be there. */
void matrix_sort(struct matrix *m);

/* From now on there are images: in the order of a shuffle by seed. The job's settings are set here. */
int matrix_begin(struct matrix *m, struct reward_job *job, uint64_t seed, struct error *e);

/* Takes images until `usable` are usable; of these `wanted` settings are computed. */
int matrix_take(struct matrix *m, size_t usable, const int *wanted, int count, struct error *e);

/* Makes sure that settings are known on all images that were taken. `title` is of the progress that is shown where some are not. */
int matrix_fill(struct matrix *m, const int *wanted, int count, const char *title, struct error *e);

/* Whether a setting is right on a row, which is computed where it is not known yet. */
int matrix_reward(struct matrix *m, struct reward_row *row, int setting, bool *reward, struct error *e);

/* The first `count` usable rows; the caller frees the list. NULL where memory is short. */
struct reward_row **matrix_usable(const struct matrix *m, size_t count);

void matrix_close(struct matrix *m);

#endif
