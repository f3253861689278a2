/* The weights file (libconfig): what a calibration writes and an explainer loads at run time.
 *
 * Settings: format, model { name, sha256, bytes }, input { size, order, mean, std }, alpha { cur, pre, suc }, choices { every name of core/choices.h },
 * layers ( { name, alpha { cur, pre, suc }, k }, ... ), what single Convs and Gemms have of their own, named as the ONNX nodes (a node without a name
 * as its output), and evidence, which is for people and for evaluation: how the numbers came about. A key that is not known is an error that names
 * its line. */
#ifndef LSDN_CORE_WEIGHTS_FILE_H
#define LSDN_CORE_WEIGHTS_FILE_H

#include <stdio.h>

#include "core/choices.h"
#include "core/image_names.h"
#include "core/net/net.h"

enum { WEIGHTS_FORMAT = 1 };

struct weights_file {
	struct choices choices;      /* alpha is in choices.policy, and so are the layers below where there are any */
	struct layer_policy *layers; /* one an operator of the plan, or NULL */
	char model[128];
	char sha256[65];
	struct preprocessing input;  /* width 0: not said */
	struct image_names calibrated, held_out; /* images that the weights were tuned on, and that they were scored on without; none: not said */
};

/* Reads a weights file for a network with that plan. Its choices point into w until weights_file_free. */
int weights_file_read(struct weights_file *w, const char *path, const struct plan *plan, struct error *e);
void weights_file_free(struct weights_file *w);

/* Whether a weights file was calibrated for the model, by its SHA-256, which is computed where the file's model has as many bytes, or does not say. A
 * file that names no SHA-256, as of another kind, was not. */
int weights_file_is_of(const char *path, const struct net *net, bool *same, struct error *e);

/* NULL; or, where it was calibrated for another model or another input of this one, a warning to be shown behind its name. */
const char *weights_file_warning(const struct weights_file *w, const struct net *net);

/* Writes everything but the evidence, which the caller appends (as the group `evidence`). */
void weights_file_write_head(FILE *file, const struct net *net, const struct choices *choices);

/* Writes text as a quoted libconfig string. */
void weights_file_write_string(FILE *file, const char *text);

#endif
