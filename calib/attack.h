/* How far explanations move when an image is changed so little that the network sees another class. */
#ifndef LSDN_CALIB_ATTACK_H
#define LSDN_CALIB_ATTACK_H

#include "calib/deepfool.h"
#include "calib/evidence.h"
#include "calib/taken.h"
#include "core/choices.h"

enum attack_row {
	ATTACK_FOOLED,  /* 1 or 0; all others are of images that were fooled, else NAN */
	ATTACK_WHOLE,   /* so is the changed image when its pixels are rounded to whole numbers */
	ATTACK_BY_NOISE, /* so is the image when random noise of the same size is added */
	ATTACK_RELATIVE, ATTACK_ITERATIONS,
	ATTACK_ORIGINAL_BEFORE, ATTACK_ORIGINAL_AFTER, ATTACK_NEW_BEFORE, ATTACK_NEW_AFTER, /* probabilities of the two classes */
	/* How alike two explanations are: maps, points, boxes. */
	ATTACK_PREDICTED, /* original class on the original image, new class on the changed one */
	ATTACK_ORIGINAL = ATTACK_PREDICTED + 3, /* the original class on both */
	ATTACK_NEW = ATTACK_ORIGINAL + 3,       /* the new class on both */
	ATTACK_NOISE = ATTACK_NEW + 3,          /* the original class, without and with random noise of the same size */
	ATTACK_ROWS = ATTACK_NOISE + 3
};

struct attack_what {
	const char *who, *what;
	bool share;       /* numbers are 0 or 1 */
	double low, high; /* what a number can be */
};

extern const struct attack_what ATTACK_WHATS[ATTACK_ROWS];

struct attack {
	const struct net *net;
	const struct choices *choices;
	const struct deepfool *how;
	const struct crew *crew;
	struct linear_weights *linear; /* for one thread each */
	struct backward **backwards;   /* one a thread of the crew, open from its first image on */
	uint64_t seed;                 /* of the noise */
	const char *pictures;          /* a folder for pictures of what was fooled, NAME.png each; NULL: none */
	double (*values)[ATTACK_ROWS]; /* one a taken image */
};

/* Room for that many images. The view must be one crop. crew and choices must outlive it. */
int attack_open(struct attack *a, const struct crew *crew, const struct choices *choices, size_t images, struct error *e);
void attack_close(struct attack *a);

/* taken_run's work; the context is the attack. */
int attack_take(void *attack, struct explainer *x, struct taking *t, struct error *e);

/* Mean or share of a row over what was taken, with its interval; *images says of how many. */
int attack_figure(const struct attack *a, const struct taken *t, enum attack_row row, double *value, struct interval *interval, uint64_t *count,
	uint64_t *images, struct error *e);

#endif
