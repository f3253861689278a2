/* Mass: what a walk hands on, neuron by neuron, besides the selection itself. Every policy has its own. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/trace/walk_inside.h"

void mass_give(struct walk *w, const struct selection *from, size_t slot)
{
	w->giving = w->heavy ? from->masses + slot * (size_t)w->count : NULL;
	w->share = 1;
}

void mass_end(struct walk *w, struct selection *from)
{
	if (!w->heavy)
		return;
	free(from->masses);
	from->masses = NULL;
	from->mass_room = 0;
	w->giving = NULL;
}

int mass_add(struct walk *w, struct selection *s, size_t slot, bool is_new, const uint64_t *mask)
{
	size_t policies = (size_t)w->count;
	double *masses = with_room(s->masses, &s->mass_room, s->neurons.count * policies, sizeof *masses);
	if (!masses)
		return error_memory(w->error, "a walk");
	s->masses = masses;
	double *own = s->masses + slot * policies;
	if (is_new)
		memset(own, 0, policies * sizeof *own);
	for (size_t p = 0; p < policies; p++)
		if (mask[p / 64] >> (p % 64) & 1)
			own[p] += w->giving ? w->giving[p] * w->share : 1;
	return LSDN_OK;
}
