/* What an explainer is worth on annotated photographs: a table of measures, one file each, taken image by image. */
#ifndef LSDN_CALIB_MEASURE_H
#define LSDN_CALIB_MEASURE_H

#include "calib/crew.h"
#include "calib/evidence.h"
#include "calib/taken.h"

/* One image as a measure sees it: the network has run on it, and nobody else walks. */
struct measured {
	struct explainer *x;
	const struct choices *choices;
	const struct annotation *truth;
	int annotated; /* its class, or -1 where the annotation's is none of the network's labels */
};

enum summary {
	SUMMARY_SHARE, /* of images: numbers are 0 or 1 */
	SUMMARY_MEAN   /* of numbers from 0 to 1 */
};

struct measure_row {
	const char *who, *what;
	enum summary summary;
};

enum { MEASURE_MOST_ROWS = 16 };

struct measure {
	const char *title; /* says how to read the rows, too */
	struct measure_row rows[MEASURE_MOST_ROWS];
	size_t row_count;
	/* Writes one number a row; NAN where a row says nothing about this image. */
	int (*take)(const struct measured *m, double *values, struct error *e);
};

extern const struct measure MEASURE_LOCALISATION, MEASURE_SENSITIVITY;

/* All of them; ends with NULL. */
extern const struct measure *const MEASURES[];

/* Explains a class (-1: the predicted ones) by a policy; points and keep are the explainer's. */
int measure_explain(const struct measured *m, const struct policy *policy, int asked, struct explanation *found, struct error *e);

/* Jaccard distance 1 - |A and B| / |A or B| of two sets of points, taken as sets of the photograph's pixels: 0 where both are
 * empty, 1 where one is. */
int measure_distance(const struct point *a, size_t a_count, const struct point *b, size_t b_count, double *distance, struct error *e);

struct measure_job {
	struct crew crew;
	const struct source *source;
	const struct choices *choices;
	size_t images; /* how many are wanted */
	uint64_t seed; /* of their order, which is that of lsdn-calibrate */
	const bool *left_out; /* of each of the source's images, whether it is not taken; NULL: none */
};

struct measurement {
	struct taken of;
	double **values; /* of each that was taken: those of all measures, one after the other (owned) */
};

/* Takes images until the wanted number is usable, or all are taken. With LSDN_ERROR_INTERRUPTED m holds what was measured until then. The result
 * depends on nothing but model, choices and images. */
int measurement_run(struct measurement *m, const struct measure_job *job, struct error *e);
void measurement_close(struct measurement *m);

struct figure {
	uint64_t images, count; /* images that the row says something about; and, of a share, those with it */
	double value;
	struct interval interval;
};

/* Row `row` of a measure over all usable images. */
int measurement_figure(const struct measurement *m, const struct measure *measure, size_t row, struct figure *figure, struct error *e);

#endif
