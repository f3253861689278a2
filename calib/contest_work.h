/* What a thread does for one photograph of a contest. Shared by contest*.c alone. */
#ifndef LSDN_CALIB_CONTEST_WORK_H
#define LSDN_CALIB_CONTEST_WORK_H

#include "calib/contest.h"
#include "core/methods/mapper.h"

struct cost {
	double seconds;
	size_t count;
};

struct worker {
	const struct crew *crew;
	struct explainer *x;
	struct mapper mapper;
	struct probe probe;
	float *map; /* of a photograph; as large as was needed */
	size_t room;
	double feed_seconds;
	size_t fed;
	struct cost *costs; /* one an entrant */
};

/* One worker a thread of the crew, whose explainers are opened. */
int workers_open(struct worker **workers, const struct crew *crew, struct linear_weights *linear, size_t entrants, struct error *e);
void workers_close(struct worker *workers, int threads);

/* Another network in the place of the contest's. */
struct random_crew {
	struct net net;
	struct packed_weights *packed;
	struct linear_weights *linear;
	struct crew crew;
	struct worker *workers;
};

int random_crew_open(struct random_crew *r, const struct contest *c, int level, struct error *e);
void random_crew_close(struct random_crew *r);

/* What an entrant says of a class. */
struct answer {
	bool has_map, evidence, has_box;
	struct boxf box;
};

/* Reads a photograph and what is annotated in it, and runs the network on it. Both are the caller's to free. */
int work_load(const struct contest *c, struct worker *w, uint32_t index, struct photo *photo, struct annotation *truth, struct error *e);

/* Fills the worker's map, where the entrant has one. */
int work_ask(const struct contest *c, struct worker *w, size_t entrant, int class_index, struct answer *a, struct error *e);

/* All rows but those of curves and of the sanity check, by all entrants that are not costly. */
int work_places(struct contest *c, struct worker *w, uint32_t index, struct error *e);

/* An entrant's curves, and of a costly one what work_places left out. */
int work_curves(struct contest *c, struct worker *w, uint32_t index, size_t entrant, struct error *e);

/* Level -1: keeps the entrant's map, and compares it with that of the second class. Else compares it with that of the level's network, the worker's own. */
int work_check(struct contest *c, struct worker *w, uint32_t index, size_t entrant, int level, struct error *e);

#endif
