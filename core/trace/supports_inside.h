/* What supports.c and preceding.c share. */
#ifndef LSDN_CORE_TRACE_SUPPORTS_INSIDE_H
#define LSDN_CORE_TRACE_SUPPORTS_INSIDE_H

#include "core/kernel.h"
#include "core/trace/supports.h"

/* Which taps of the kernel of an output neuron lie inside the input. */
struct tap_range {
	int y0, x0;                 /* the kernel's first tap in the input, perhaps outside */
	int i_from, i_to, j_from, j_to; /* taps that are inside */
};

static inline int first_inside(int start, int step)
{
	return start >= 0 ? 0 : (-start + step - 1) / step;
}

static inline int past_inside(int start, int step, int count, int side)
{
	int past = start >= side ? 0 : (side - 1 - start) / step + 1;
	return past < count ? past : count;
}

static inline struct tap_range taps_of(const struct tensor *in, const struct window *w, struct place s)
{
	struct tap_range r = {.y0 = s.y * w->stride_y - w->top, .x0 = s.x * w->stride_x - w->left};
	r.i_from = first_inside(r.y0, w->dilation_y);
	r.i_to = past_inside(r.y0, w->dilation_y, w->height, in->h);
	r.j_from = first_inside(r.x0, w->dilation_x);
	r.j_to = past_inside(r.x0, w->dilation_x, w->width, in->w);
	return r;
}

static inline const float *filter_of(const struct op *op, int o, int count)
{
	return op->weights + (size_t)o * (size_t)(op->window.height * op->window.width) * (size_t)count;
}

#endif
