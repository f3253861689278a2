/* The paper's learning of the weights (section 3.2): each of alpha_cur, alpha_pre, alpha_suc is a Bernoulli bandit of its own whose arms are values of
 * that weight, the other two staying at 1. */
#ifndef LSDN_CALIB_CALIBRATE_H
#define LSDN_CALIB_CALIBRATE_H

#include "bandit/bandit.h"
#include "calib/rewards.h"

enum weight { WEIGHT_CUR, WEIGHT_PRE, WEIGHT_SUC, WEIGHT_COUNT };
extern const char *const WEIGHT_NAMES[WEIGHT_COUNT];

enum { MAX_ARMS = 200 };

struct calibration_plan {
	size_t images, held_out;
	int arms;
	bool tuned[WEIGHT_COUNT]; /* weights that are tuned; the others stay at 1 */
	double low, high;         /* range of the arms */
	bool logarithmic;
	uint64_t trials;          /* budget a weight; 0: images x arms */
	struct bandit_rules rules; /* seed and stream are the weights' own */
	uint64_t seed;
};

struct calibration_weight {
	double values[MAX_ARMS];
	int settings[MAX_ARMS]; /* index into the calibration's settings */
	struct bandit bandit;   /* after the run */
	int best;
	bool identifiable;      /* not all arms are one setting */
};

/* Rows of the tables: who was right how often, on the same images. */
enum row { ROW_TUNED, ROW_ONES, ROW_FIXATIONS, ROW_CENTER, ROW_WHOLE, ROW_COUNT };
extern const char *const ROW_NAMES[ROW_COUNT];

struct calibration_table {
	size_t images;
	uint64_t hits[ROW_COUNT];
	double p[ROW_COUNT]; /* McNemar's exact p of the tuned policy against the row's */
	int sign[ROW_COUNT]; /* 1: the tuned policy is right more often */
};

struct calibration {
	struct calibration_plan plan;
	struct calibration_weight weights[WEIGHT_COUNT];
	struct choices *settings; /* distinct: arms, ones, under a full budget the triples that can win, CNN-Fixations; the last may be the tuned one */
	int setting_count;
	int row_settings[3];      /* of ROW_TUNED, ROW_ONES, ROW_FIXATIONS */
	struct choices tuned;
	struct reward_row *rows; /* as taken, unusable ones among them */
	size_t row_count;
	struct calibration_table calibrated, held_out;
};

/* Fills in arms and settings. base holds the choices that all settings share. */
int calibration_open(struct calibration *c, const struct calibration_plan *plan, const struct choices *base, struct error *e);

/* Computes rewards (in the order of a shuffle by the plan's seed), runs the bandits, evaluates. job's settings are set here. */
int calibration_run(struct calibration *c, struct reward_job *job, struct error *e);

void calibration_close(struct calibration *c);

/* Value of arm i of n: linear i/n (cur, suc: from 1; pre: from 0, so that doing without the preceding layer is an arm), within low..high. */
double calibration_arm(const struct calibration_plan *plan, enum weight weight, int i);

#endif
