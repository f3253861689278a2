/* What lsdn-evaluate does, in its several ways. Parts of the program: they print. */
#ifndef LSDN_CALIB_EVALUATE_H
#define LSDN_CALIB_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum { EVALUATE_MAX_SETS = 64 };

struct evaluate_options {
	const char *data;
	bool json;
	const char *boxes, *ids, *names;          /* of a file of boxes */
	const char *model, *weights;              /* of an explainer; NULL: the embedded network, no weights file */
	const char *sets[EVALUATE_MAX_SETS];
	int set_count;
	size_t images;                            /* 0: 1000, or as many as there are */
	uint64_t seed;
	int threads;
	bool progress;
	bool unseen;                              /* leave out what the weights were tuned on */
	const char *attack, *pictures;            /* NULL: none */
	const char *second_weights;               /* of the second of two networks */
	bool compare;
	char **files;                             /* what is named without an option: two networks */
	int file_count;
};

/* Scores a file of boxes against the truth, with no network. */
int evaluate_boxes(const struct evaluate_options *o, struct error *e);

/* Measures an explainer on annotated photographs. */
int evaluate_explainer(const struct evaluate_options *o, struct error *e);

/* Changes photographs so little that the network sees something else, and measures how far the explanations move. */
int evaluate_attack(const struct evaluate_options *o, struct error *e);

/* Finds photographs that one of two networks gets right and the other wrong. */
int evaluate_compare(const struct evaluate_options *o, struct error *e);

#endif
