/* A network with its choices, ready to explain on every thread. Part of lsdn-evaluate: it prints. */
#ifndef LSDN_CALIB_SUBJECT_H
#define LSDN_CALIB_SUBJECT_H

#include "calib/crew.h"
#include "calib/evaluate.h"
#include "calib/taken.h"
#include "core/choices.h"
#include "core/weights_file.h"

struct subject {
	struct net net;
	struct weights_file weights;
	struct choices choices;
	struct packed_weights *packed;
	struct progress progress;
	struct crew crew;
	char *name; /* the network's, in UTF-8 (owned) */
};

/* model NULL: the embedded network; weights NULL: none. */
int subject_open(struct subject *s, const char *model, const char *weights, const struct evaluate_options *o, struct error *e);
void subject_close(struct subject *s);

/* The explainer that a second subject has on the thread whose own explainer of the first one is x. */
int subject_beside(const struct subject *second, const struct subject *first, const struct explainer *x, struct explainer **out, struct error *e);

/* taken_run with the first subject's crew and what the options say, with progress; lists what could not be used, and fails where nothing counts, with
 * `what` it lacks. */
int subject_take(struct subject *s, struct taken *t, const struct evaluate_options *o, const struct source *source, size_t wanted, const char *what,
	taken_work *work, void *context, struct error *e);

/* Lists on standard error what could not be used. */
void subject_print_skipped(const struct taken *t);

/* Makes a folder, where there is none. */
int subject_folder(const char *path, struct error *e);

#endif
