/* Settings that are computed on one image, grouped by what they share: forward pass, walk, points, box rule. */
#ifndef LSDN_CALIB_BATCH_H
#define LSDN_CALIB_BATCH_H

#include "core/choices.h"

struct batch_entry {
	const struct choices *setting;
	int wanted; /* its index, as the caller named it */
	int policy; /* which of its walk's policies it is */
	int feed, walk, box; /* the groups that it belongs to, each by the place of its first member among those wanted */
};

/* Entries that one walk serves: one view, one kind of class, policies that differ in alpha only. */
struct batch_walk {
	int from, to; /* its entries; those with one box rule stand together, in the order in which they were wanted */
	bool feeds;   /* its view is not that of the walk before it */
	const struct policy *policies; /* no two are equal */
	int policy_count;
};

struct batch {
	struct batch_entry *entries;
	struct batch_walk *walks;
	struct policy *policies;
	int count, walk_count;
};

/* Groups settings[wanted[0]], settings[wanted[1]] and so on; the settings must outlive the batch. */
int batch_open(struct batch *b, const struct choices *settings, const int *wanted, int count, struct error *e);
void batch_close(struct batch *b);

#endif
