/* Why a pixel decided: of all steps of a walk, the chain of neurons from the class to that pixel. */
#ifndef LSDN_CORE_WHY_H
#define LSDN_CORE_WHY_H

#include <stdio.h>

#include <jansson.h>

#include "core/explain.h"
#include "core/trace/index_set.h"

/* How the neurons of one tensor that a layer made were selected. */
struct why_tensor {
	struct index_set neurons;
	struct why_entry {
		struct step step;  /* the one with the highest Omega (the first, where there is none) */
		unsigned selected; /* by how many neurons */
	} *entries;            /* by slot of neurons */
	size_t room;
};

struct why {
	const struct explainer *x;
	int stride; /* of the policy: where its walks end */
	struct why_tensor *tensors; /* of every crop, one crop after the other */
};

int why_open(struct why *w, const struct explainer *x, int stride, struct error *e);
void why_close(struct why *w);

/* Forgets the last image. */
void why_clear(struct why *w);
int why_step(struct why *w, int crop, const struct step *step, struct error *e);

/* Prints, for a person, the chain to the point nearest to pixel (x, y) of the photograph; says so where there is no point. */
void why_print(const struct why *w, FILE *out, int x, int y);

/* The same as JSON: {"point": [y, x], "steps": [...]} from the class on, or null. */
json_t *why_json(const struct why *w, int x, int y);

#endif
