/* Recomputes everything that an audit trail (trail.h) says, from the network and the image, with the plain reference kernels. */
#ifndef LSDN_CORE_REPLAY_H
#define LSDN_CORE_REPLAY_H

#include "core/explain.h"

/* Prints, as text or one JSON object an image, what was compared layer by layer, every line that differs, and every decision that rounding may turn.
 * Returns how many lines differ, or an error. */
int replay(struct explainer *x, const char *path, bool json, struct error *e);

#endif
