/* What people think of two networks' maps (the paper's 4.2): a page that asks them, and files of what they answered. */
#ifndef LSDN_CALIB_SURVEY_H
#define LSDN_CALIB_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "calib/evidence.h"
#include "core/error.h"

/* calib/survey.html, text with a final NUL: what is the same on every page. */
extern const unsigned char SURVEY_PAGE[];

enum { SURVEY_NETWORKS = 2, SURVEY_LEAST = 1, SURVEY_MOST = 5 };

struct survey_answer {
	char *image;      /* owned */
	int best;         /* 0 or 1: the network whose map describes the object best */
	int reliability[SURVEY_NETWORKS]; /* SURVEY_LEAST..SURVEY_MOST */
	int left;         /* the network whose map was on the left */
};

/* A person's file. */
struct survey_answers {
	char *survey, *person, *networks[SURVEY_NETWORKS]; /* owned */
	struct survey_answer *answers; /* owned; in order of image, each image once */
	size_t count;
};

/* Reads what the page saved. Anything else, an unknown key or a number out of range included, is an error that names what is wrong. a is freed by
 * survey_answers_free after a success. */
int survey_answers_read(struct survey_answers *a, const char *path, struct error *e);

/* The same from text; path is used in messages. */
int survey_answers_parse(struct survey_answers *a, const char *text, const char *path, struct error *e);
void survey_answers_free(struct survey_answers *a);

/* A mean over persons, each of whom counts once, with the normal approximation's 95% interval; as table rows have it. */
struct survey_mean {
	double value;
	struct interval interval;
};

struct survey_score {
	uint64_t persons, images, answers;
	uint64_t prefer[SURVEY_NETWORKS];             /* persons who found its maps better on more images than the other's */
	double p;                                     /* two-sided exact sign test of these two */
	struct survey_mean votes[SURVEY_NETWORKS];    /* share of a person's answers for it */
	uint64_t left;                                /* answers for the map on the left */
	struct survey_mean reliability[SURVEY_NETWORKS]; /* 1..5 */
	struct survey_mean difference;                /* second less first, -4..4 */
	struct survey_mean normalised[SURVEY_NETWORKS]; /* persons x reliability: the sum over persons, as a mean over images */
	struct survey_mean agreement_votes, agreement_reliability; /* Krippendorff's alpha: nominal; ordinal, of every map. NAN where nothing varies or nobody shares an
		image; the intervals are of images, and NAN where there is one alone too */
};

/* Of files of one survey, each person once. */
int survey_score(struct survey_score *s, const struct survey_answers *files, size_t count, struct error *e);

#endif
