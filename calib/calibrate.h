/* Calibration: parameters of an explanation are learnt by Bernoulli bandits, as the paper learns the weights (section 3.2): each of alpha_cur, alpha_pre,
 * alpha_suc by itself, the other two staying at 1. The result is scored beside rivals, on the same images and on held-out ones. */
#ifndef LSDN_CALIB_CALIBRATE_H
#define LSDN_CALIB_CALIBRATE_H

#include "calib/tuning.h"

enum schedule {
	SCHEDULE_INDEPENDENT, /* the paper's: each parameter alone, the others as they are at first */
	SCHEDULE_COORDINATE,  /* in turn, the others at their best so far, round after round */
	SCHEDULE_JOINT        /* arms are all combinations */
};
enum { SCHEDULES = 3 };
extern const char *const SCHEDULE_NAMES[SCHEDULES];

struct calibration_plan {
	size_t images, held_out;
	int folds;                /* of cross-validation over the images; 0: none */
	const struct parameter *parameters; /* no two of one name; they must outlive the calibration */
	int parameter_count;
	enum schedule schedule;
	int rounds;               /* at most, of coordinate and of layers */
	bool per_layer;           /* then the weights of groups of layers, in turn */
	int groups;               /* so many of them; 0: each Conv and Gemm is one */
	bool logarithmic;         /* the weights' arms lie so (for the evidence) */
	uint64_t trials;          /* budget a step; 0: images x arms */
	struct bandit_rules rules; /* seed and stream are the steps' own */
	uint64_t seed;
};

/* Who is compared: rows of the tables. The first is what was tuned. */
struct rival {
	char name[32];
	int setting;          /* of the matrix; -1: a trivial box, */
	enum trivial trivial; /* this one */
};
enum { MOST_RIVALS = 8, MOST_FOLDS = 20 };

struct calibration_table {
	size_t images;
	uint64_t hits[MOST_RIVALS];
	double p[MOST_RIVALS]; /* McNemar's exact p of the tuned setting against the row's */
	int sign[MOST_RIVALS]; /* 1: the tuned setting is right more often */
};

/* Groups of Convs and Gemms that have weights of their own. */
struct calibration_layers {
	int *ops, op_count;   /* the network's, in its order */
	int count;            /* group g has ops[g * op_count / count] up to before ops[(g + 1) * op_count / count] */
	struct layer_policy *own; /* one an operator of the plan; what tuned points to */
};

struct calibration {
	struct calibration_plan plan;
	struct choices base;   /* all weights at 1 */
	struct matrix matrix;  /* arms, base, under a full budget what the schedule can end in where that is not too much, CNN-Fixations */
	struct tuning *tunings;
	int tuning_count, shared_tunings; /* those behind these are of layers */
	struct calibration_layers layers;
	struct choices tuned, shared; /* shared: before layers got weights of their own */
	struct rival rivals[MOST_RIVALS];
	int rival_count;
	int first_rival; /* the settings as they were at first, weights at 1 */
	int fold_settings[MOST_FOLDS]; /* of the matrix: what was tuned without each fold */
	struct calibration_table calibrated, crossed, held_out; /* crossed: its first row is of what was tuned without the image's fold */
};

/* Opens what is known before any reward is. base holds all choices that are not tuned. */
int calibration_open(struct calibration *c, const struct calibration_plan *plan, const struct choices *base, struct error *e);

/* Computes rewards (in the order of a shuffle by the plan's seed), runs the bandits, evaluates. job's settings are set here. */
int calibration_run(struct calibration *c, struct reward_job *job, struct error *e);

void calibration_close(struct calibration *c);

/* True where nothing is tuned but weights, each alone and over a range. */
bool calibration_is_plain(const struct calibration *c);

/* The step that comes next, at the end of the list; NULL where memory is short. */
struct tuning *calibration_next_tuning(struct calibration *c, int most_arms, struct error *e);

/* Runs it: under a full budget its arms are first computed on all images. */
int calibration_run_tuning(struct calibration *c, struct tuning *s, struct reward_row **rows, struct error *e);

#endif
