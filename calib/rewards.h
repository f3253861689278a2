/* Rewards: is the box that a policy explains right (IoU > 0.5 with an annotated one)? One forward pass an image serves all policies. */
#ifndef LSDN_CALIB_REWARDS_H
#define LSDN_CALIB_REWARDS_H

#include <signal.h>

#include "calib/progress.h"
#include "calib/source.h"
#include "core/explain.h"

enum { REWARD_UNKNOWN = 255 };

/* The trivial boxes that every calibration is held against. */
enum trivial { TRIVIAL_CENTER, TRIVIAL_WHOLE, TRIVIAL_COUNT };

/* Side of the centre box, as a share of the photograph's: the best of all centred boxes on 1100 photographs. */
extern const double CENTER_BOX_SIDE;

struct reward_row {
	uint32_t index;    /* of the image in its source */
	bool usable;
	char *why;         /* where it is not (owned) */
	uint8_t *rewards;  /* one a policy: 0, 1 or REWARD_UNKNOWN (owned) */
	uint8_t trivial[TRIVIAL_COUNT];
};

/* Work that was done, in seconds of all threads together. */
struct reward_costs {
	uint64_t forwards, rewards;
	double read, forward, walk, box;
};

struct reward_job {
	const struct net *net;
	struct packed_weights *packed;
	const struct source *source;
	const struct choices *choices; /* view, box rule and target */
	const struct policy *policies; /* those with the same choices stand together and share a walk */
	int policy_count;
	int threads;
	struct progress *progress;
	const volatile sig_atomic_t *stop; /* set by the user's Ctrl-C */
	struct reward_costs costs;
};

/* Fills rows (whose index is set) with the rewards of policies first..first+count-1; count 0 only finds out which images are usable. An image that
 * cannot be read or has no annotation is not usable, which is no error. Images are shared among threads; results depend on nothing but the image. */
int rewards_compute(struct reward_job *job, struct reward_row *rows, size_t row_count, int first, int count, struct error *e);

void reward_rows_free(struct reward_row *rows, size_t count);

#endif
