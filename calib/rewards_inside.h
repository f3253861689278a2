/* Some settings of some rows, while they are computed. For the files of rewards alone. */
#ifndef LSDN_CALIB_REWARDS_INSIDE_H
#define LSDN_CALIB_REWARDS_INSIDE_H

#include "calib/batch.h"
#include "calib/rewards.h"

/* Settings that are asked for. */
struct wanted {
	int *settings; /* indices into the job's */
	int *numbers;  /* the same in its study, where there is one */
	int count;
};

struct part {
	struct reward_job *job;
	struct reward_row *rows;
	struct wanted wanted;
	struct batch batch; /* of all that are wanted */
};

/* What became of a row beside its rewards. */
struct outcome {
	struct reward_costs costs;
	bool read;   /* its digest is known */
	bool failed; /* it is not usable, or what failed explains nothing */
};

bool wanted_open(struct wanted *w, int room);
void wanted_close(struct wanted *w);

/* What the row lacks of all that is wanted, to be closed whatever this returns. */
int rewards_lacking(const struct part *part, const struct reward_row *row, struct wanted *lacking, struct error *e);

/* Computes that. What fails on the image is no failure. */
int rewards_compute_row(const struct part *part, struct explainer *x, struct reward_row *row, const struct wanted *lacking, struct outcome *outcome,
	struct error *e);

/* Takes down what it cost, and records it. By any thread. */
int rewards_end(const struct part *part, const struct reward_row *row, const struct wanted *computed, const struct outcome *outcome, struct error *e);

/* Shares rows among ranks; `here` is what this one's own threads do. */
int rewards_on_ranks(struct part *part, size_t count, crew_work *here, struct error *e);

/* Finds the numbers of the settings, and fills that many rows with what the study knows of them. A row that lacks nothing more is usable; the others get
 * what they lack computed. */
int rewards_recall(const struct part *part, size_t count, struct error *e);

/* Records what was computed of a row; or, where it is not usable, why. One thread at a time. */
int rewards_keep(const struct part *part, const struct reward_row *row, const struct wanted *computed, const struct outcome *outcome, struct error *e);

#endif
