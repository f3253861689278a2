/* Operators that exporters write out as several. */
#ifndef LSDN_CORE_NET_PLAN_PATTERNS_H
#define LSDN_CORE_NET_PLAN_PATTERNS_H

#include "core/net/plan_builder.h"

/* Makes one node of the last of several live ones that together are Swish, HardSwish, Gelu or a normalisation over channels; the others then have no
 * reader. Constants must be folded. */
int patterns_find(struct builder *b, const bool *live);

#endif
