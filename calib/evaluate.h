/* What lsdn-evaluate does, in its several ways. Parts of the program: they print. */
#ifndef LSDN_CALIB_EVALUATE_H
#define LSDN_CALIB_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calib/measure.h"
#include "calib/seen.h"
#include "core/methods/methods.h"

enum { EVALUATE_MAX_SETS = 64, EVALUATE_MAX_METHODS = 32, EVALUATE_METHODS_IMAGES = 300, EVALUATE_COSTLY_IMAGES = 12, EVALUATE_CHECK_IMAGES = 10 };

struct evaluate_options {
	const char *data;
	bool json;
	const char *boxes, *ids, *names;          /* of a file of boxes */
	const char *model, *weights;              /* of an explainer; NULL: the embedded network, no weights file */
	const char *sets[EVALUATE_MAX_SETS];
	int set_count;
	size_t images;                            /* 0: the usual number, or as many as there are */
	uint64_t seed;
	int threads;
	bool progress;
	bool unseen;                              /* leave out what the weights were tuned on */
	const char *attack, *pictures;            /* NULL: none */
	const char *second_weights;               /* of the second of two networks */
	bool compare, score;
	const char *survey;                       /* NULL: none */
	char **files;                             /* what is named without an option: two networks, or files of answers */
	int file_count;
	const struct map_method *methods[EVALUATE_MAX_METHODS + 1]; /* lsdn and others, of a table of methods; ends with NULL */
	bool contest;                             /* that table is wanted */
	size_t costly, check;                     /* images for what is costly, and for the sanity check */
	bool check_costly;
	int repeats;
	const char *report, *gallery;             /* a page of HTML; names of images that it shows */
	char threshold[48];                       /* one of the sets */
	const char *of_methods;                   /* an option that is given, but needs that table */
};

/* Scores a file of boxes against the truth, with no network. */
int evaluate_boxes(const struct evaluate_options *o, struct error *e);

/* Measures an explainer on annotated photographs, alone or beside other methods. */
int evaluate_explainer(const struct evaluate_options *o, struct error *e);

/* Changes photographs so little that the network sees something else, and measures how far the explanations move. */
int evaluate_attack(const struct evaluate_options *o, struct error *e);

/* Finds photographs that one of two networks gets right and the other wrong. */
int evaluate_compare(const struct evaluate_options *o, struct error *e);
/* The second way, with what the first has opened. */
int evaluate_methods(const struct measure_job *job, const struct evaluate_options *o, struct seen *seen, struct error *e);

/* What was measured, on how much, and by which weights. */
void evaluate_head(const struct net *net, const struct choices *c, const struct seen *seen, size_t measured);

/* Writes a page that asks people which of two networks' maps they trust, */
int evaluate_survey(const struct evaluate_options *o, struct error *e);

/* and reads what they answered. */
int evaluate_survey_score(const struct evaluate_options *o, struct error *e);

#endif
