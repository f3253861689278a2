/* Z_pre of all candidates of a layer's selected neurons at once (paper, eq. 3): where these are many, that takes less time than bounds, for filters are read
 * once for all pixels. */
#ifndef LSDN_CORE_TRACE_DENSE_H
#define LSDN_CORE_TRACE_DENSE_H

#include <stdbool.h>

struct dense;
struct layer;
struct walk;

struct dense *dense_open(void);
void dense_close(struct dense *d);

/* True where that is the cheaper way for the layer's selected neurons: than to search with bounds, or else to compute them one by one. */
int dense_pays(struct walk *w, const struct layer *l, bool search, bool *pays);

/* Computes them; the walk's bounds know them then. To be called after dense_pays. */
int dense_know(struct walk *w, const struct layer *l);

#endif
