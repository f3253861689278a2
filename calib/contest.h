/* Methods that explain by maps, beside boxes and points that look at nothing, measured on the same annotated photographs. */
#ifndef LSDN_CALIB_CONTEST_H
#define LSDN_CALIB_CONTEST_H

#include "calib/crew.h"
#include "calib/evidence.h"
#include "calib/probe.h"
#include "calib/randomize.h"
#include "calib/source.h"
#include "core/methods/methods.h"

enum contest_row {
	ROW_POINTING,      /* the map's maximum lies in an annotated box */
	ROW_POINTING_NEAR, /* or at most 15 pixels from it */
	ROW_KNOWN,         /* the box of the annotated class has IoU > 0.5 */
	ROW_PREDICTED,     /* the box of the predicted class has */
	ROW_ERROR,         /* not both that and the right class */
	ROW_MAX_BOX,       /* MaxBoxAcc and MaxBoxAccV2, known when all images are */
	ROW_MAX_BOX_V2,
	ROW_RISE,          /* with all but the box covered the probability is higher */
	ROW_DROP,          /* what it has lost, as a share of itself, 0 where it is higher */
	ROW_INSERTION,     /* area under the curve */
	ROW_DELETION,
	ROW_CLASSES,       /* rank correlation of the first and the second class's maps */
	ROW_SANITY,        /* rank correlation with the map of a network whose layers from the top on are drawn anew, at every level */
	ROWS = ROW_SANITY + RANDOMIZE_LEVELS
};

enum { CONTEST_TOLERANCE = 15, CONTEST_CENTER_BOX = 0, CONTEST_CENTER_POINT, CONTEST_WHOLE, CONTEST_TRIVIAL };

/* A method, or one of the three that look at nothing, which come last. */
struct entrant {
	const char *name;
	const struct map_method *method; /* NULL: trivial */
	int layer;                       /* of the plan, or -1 */
	int trivial;
	double seconds;                  /* of a thread, for so many explanations: map and box */
	size_t explained;
};

struct contest_image {
	bool taken, usable;
	char *why;      /* where it was taken and is not usable (owned) */
	int predicted;  /* class, and the second */
	int second;
	double covered, open; /* the predicted class's probability with all and with nothing covered */
	double *values; /* owned: entrants x ROWS; NAN where nothing is said */
	uint8_t *hits;  /* owned: entrants x SCORE_THRESHOLDS */
	double *curves; /* owned, NULL where there are none: entrants x (insertion, deletion) x PROBE_CURVE; NAN where an entrant has none */
	float **maps;   /* owned, while the sanity check lasts: one an entrant, on the network's input */
	char **failed;  /* owned: one an entrant, NULL or why it explained nothing */
};

struct contest_job {
	struct crew crew;
	const struct source *source;
	const struct choices *choices;
	const struct map_method *const *methods; /* ends with NULL */
	size_t images;        /* usable ones, of each draw, */
	size_t costly, check; /* of which the first so many serve for the curves and what is costly, and for the sanity check */
	bool check_costly;    /* also methods that are */
	int draws;            /* draw n is in the order of seed + n */
	uint64_t seed;
	const bool *left_out; /* NULL: none */
};

struct worker;

struct contest {
	const struct contest_job *job;
	struct entrant *entrants; /* owned */
	size_t entrant_count;
	struct contest_image *images; /* owned: of the source's */
	uint32_t *taken;              /* owned: which were, in that order */
	size_t taken_count, usable;
	uint32_t **draws;             /* owned: the usable ones of each draw */
	size_t *draw_counts;
	struct linear_weights *linear;
	struct worker *workers;       /* one a thread */
	struct random_levels levels;
	double feed_seconds;          /* of a thread, for so many forward passes of a photograph */
	size_t fed;
};

int contest_open(struct contest *c, const struct contest_job *job, struct error *e);
void contest_close(struct contest *c);

/* Measures. With LSDN_ERROR_INTERRUPTED c has what was measured until then. The result does not depend on the threads. `say` is told of each part as it
 * begins, and that it has ended. */
struct contest_listener {
	void (*begins)(void *context, const char *what, size_t steps);
	void (*ends)(void *context);
	void *context;
};
int contest_run(struct contest *c, const struct contest_listener *listener, struct error *e);

/* Fills ROW_MAX_BOX and ROW_MAX_BOX_V2 of every image, and says at which thresholds the entrant's maxima are: of MaxBoxAcc, and at IoU 0.3, 0.5, 0.7. */
void contest_maxima(struct contest *c, size_t entrant, int thresholds[4]);

/* What a row is. */
struct contest_measure {
	const char *name, *rule; /* tolerance, normalisation, threshold */
	bool mean;               /* of numbers from `least` to 1; else a share of images */
	double least;
	bool low_is_good;
};
struct contest_measure contest_measure(const struct contest *c, int row, char text[256]);

struct contest_figure {
	size_t images, count; /* that the row says something about; of a share those with it */
	double value;
	struct interval interval;
	bool tested;          /* against the first entrant on the same images: */
	size_t pairs, better, worse; /* of a share: where only this one, only the first has it */
	double p;
};

/* draw: -1 for all images that were measured, each once. */
int contest_figure(const struct contest *c, size_t entrant, int row, int draw, struct contest_figure *f, struct error *e);

/* Mean curves over the images that have them; how many those are. */
size_t contest_curve(const struct contest *c, size_t entrant, double insertion[PROBE_CURVE], double deletion[PROBE_CURVE]);

#endif
