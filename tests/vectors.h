/* The vectors' own folder, networks and inputs, for what judges the walks. */
#ifndef LSDN_TESTS_VECTORS_H
#define LSDN_TESTS_VECTORS_H

#include <jansson.h>

#include "core/net/net.h"
#include "core/trace/walk.h"

struct runner {
	char vectors[512], models[512];
	char model[512]; /* of the open network */
	struct net net;
	struct packed_weights *packed;
	struct session *session;
	struct walk *walk;
	int cases, exact, ties, wrong;
	size_t lines, rounded; /* of audit trails that were replayed, and those of them where rounding decides */
};

/* Opens the vector's network and feeds it; the classes and the policy that it is walked for. Returns how many classes there are. */
int vector_feed(struct runner *r, json_t *vector, struct policy *policy, int classes[POLICY_MOST_CLASSES]);

/* Walks again with an audit trail and replays it with the plain kernels; what differs is printed and counted as wrong. */
void vector_replay(struct runner *r, const char *name, const struct policy *policy, const int *classes, int class_count);

/* Calls run for every vector of a folder, and says what is skipped; the runner is closed by runner_close. False where there is no vector. */
bool vector_folder(struct runner *r, const char *folder, bool real, void (*run)(struct runner *r, const char *path));
void runner_close(struct runner *r);

#endif
