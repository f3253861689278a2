/* What lsdn-calibrate can be told. */
#ifndef LSDN_CALIB_CALIBRATE_OPTIONS_H
#define LSDN_CALIB_CALIBRATE_OPTIONS_H

#include "calib/calibrate.h"

enum { MAX_TUNED = MAX_PARAMETERS - WEIGHT_COUNT };

struct calibrate_options {
	struct calibration_plan plan;
	struct parameter parameters[WEIGHT_COUNT + MAX_TUNED]; /* what --tune names, and then in their order with the weights before them */
	bool weights[WEIGHT_COUNT];
	struct weight_arms arms;
	struct choices choices;
	const char *model, *data, *output, *report, *generate, *study;
	bool jpeg, progress, range, resume;
	char **words; /* the command's */
	int word_count;
	int study_at, study_words; /* where --study or --resume is among the arguments */
	int threads;
};

/* Reads the command's words over what o holds; ends the program where they are wrong, or ask for help. */
void calibrate_options_parse(struct calibrate_options *o, int argc, char **argv);

#endif
