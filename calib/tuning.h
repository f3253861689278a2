/* One bandit of a calibration: its arms are settings that differ in what is tuned at that step. */
#ifndef LSDN_CALIB_TUNING_H
#define LSDN_CALIB_TUNING_H

#include "bandit/bandit.h"
#include "calib/matrix.h"
#include "calib/parameter.h"

struct tuning_arm {
	int setting; /* of the matrix */
	char *text;  /* what it stands for (owned) */
	/* After the run, held against the arm that was chosen: */
	uint32_t shared; /* images that both have seen; */
	double p;        /* McNemar's exact p on these; 1 where the two are one setting; */
	bool alike;      /* not told apart at TUNING_LEVEL */
	double truth;    /* its mean on all images, where the step is swept */
};

/* p below this tells two apart. */
extern const double TUNING_LEVEL;

struct tuning {
	const struct parameter *parameter; /* arm i is its value i; NULL where more than one thing differs */
	char name[128];          /* of what is tuned */
	int round;               /* from 1; 0: the schedule has none */
	struct tuning_arm *arms;
	int count;
	bool ascends;            /* what the step began with stays where no arm is better, */
	int current;             /* which this arm is, or -1; */
	int began;               /* and this setting; -1: nothing can stay */
	uint64_t first_stream, solver_stream; /* of the generator of chance: arms' orders from the first on */
	uint64_t trials;         /* budget */
	/* After the run: */
	struct bandit bandit;
	int best;                /* arm, or -1: what it began with stays */
	bool identifiable;       /* not all arms are one setting */
	uint16_t *pulled;        /* the arm of every trial (owned) */
	bool swept;              /* every arm's reward on every image is known, whoever asked for it */
};

/* A step of that many arms at most, which are then added; its streams are those of no other step with another number. */
int tuning_open(struct tuning *s, int number, int most, struct error *e);
int tuning_add(struct tuning *s, struct matrix *m, const struct choices *setting, const char *text, struct error *e);

/* True where the budget (0: images x arms) and the solver let every arm see every image. */
bool tuning_is_sweep(const struct tuning *s, const struct bandit_rules *rules, uint64_t trials, size_t images);

/* Runs the bandit: an arm's rewards come in the arm's own shuffled order of the images. rules' stream is the step's. */
int tuning_run(struct tuning *s, struct matrix *m, const struct bandit_rules *rules, uint64_t trials, struct reward_row **rows, size_t images, struct error *e);

/* Trials at which regret is told: powers of ten and the last one. Returns how many. */
enum { TUNING_MOST_MARKS = 24 };
int tuning_marks(const struct tuning *s, uint64_t marks[TUNING_MOST_MARKS]);

/* Cumulative regret of a swept step after `marks` trials (in rising order): the sum over the trials of the best arm's mean on all images less the pulled
 * arm's. */
void tuning_regret(const struct tuning *s, const uint64_t *marks, int count, double *regret);

/* What one trial costs whoever takes the arms in turn. */
double tuning_regret_in_turn(const struct tuning *s);

void tuning_close(struct tuning *s);

#endif
