/* Two networks on the same photographs: which of them each gets right. */
#ifndef LSDN_CALIB_COMPARE_H
#define LSDN_CALIB_COMPARE_H

#include "calib/explained.h"
#include "calib/subject.h"

enum { COMPARED = 2 };

/* One photograph as both networks see it; what each predicts is explained. */
struct compared {
	bool right[COMPARED]; /* it predicts a class that is annotated */
	struct explained explained[COMPARED];
	const char *wnid, *name; /* what is annotated: of the first box, by the first network's labels; the wnid where they have none */
	char buffer[32];
};

/* Fails where the photograph's class is none of the labels of both networks: nothing then says who is right. The wnid is truth's. x is the first subject's. */
int compared_make(struct compared *c, const struct subject subjects[COMPARED], struct explainer *x, const struct photo *photo, const struct annotation *truth,
	struct error *e);
void compared_free(struct compared *c);

/* Opens the two networks that are named, and the photographs; what is open is closed by compared_close, after a failure too. */
struct comparison {
	struct subject subjects[COMPARED];
	struct dataset dataset;
	struct source source;
};
int comparison_open(struct comparison *c, const struct evaluate_options *o, size_t generated, struct error *e);
void comparison_close(struct comparison *c);

#endif
