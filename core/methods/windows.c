#include "config.h"

#include "core/methods/windows.h"

#include <stdlib.h>
#include <string.h>

enum { STRIDES = 10, OVER_A_PIXEL = 4 };

struct work {
	const struct question *q;
	const struct window_change *change;
	const struct tensor *t;
	float *input, *original;
	double *probabilities;
	double before;
	int changes;
};

int windows_stride(int side)
{
	int stride = (side + STRIDES / 2) / STRIDES;
	return stride > 0 ? stride : 1;
}

/* The mean probability of the class with the window changed. */
static int look(struct work *w, const struct input_window *window, double *after, struct error *e)
{
	int code = LSDN_OK;
	*after = 0;
	for (int n = 0; n < w->change->times && !code; n++) {
		memcpy(w->input, w->original, tensor_size(w->t) * sizeof *w->input);
		w->change->change(w->q, w->change->state, w->original, window, w->changes++, w->input);
		code = session_run(w->q->session, e);
		session_probabilities(w->q->session, 0, w->probabilities);
		*after += w->probabilities[w->q->class_index] / w->change->times;
	}
	return code;
}

static int look_everywhere(struct work *w, double *losses, struct error *e)
{
	int stride_y = windows_stride(w->t->h), stride_x = windows_stride(w->t->w);
	for (int top = -stride_y; top < w->t->h; top += stride_y)
		for (int left = -stride_x; left < w->t->w; left += stride_x) {
			struct input_window window = {top < 0 ? 0 : top, left < 0 ? 0 : left, top + 2 * stride_y < w->t->h ? top + 2 * stride_y : w->t->h,
				left + 2 * stride_x < w->t->w ? left + 2 * stride_x : w->t->w};
			double after;
			int code = look(w, &window, &after, e);
			if (code)
				return code;
			for (int y = window.top; y < window.bottom; y++)
				for (int x = window.left; x < window.right; x++)
					losses[y * w->t->w + x] += w->change->loss(w->q, w->before, after) / OVER_A_PIXEL;
		}
	return LSDN_OK;
}

static int answer(struct work *w, double *losses, struct error *e)
{
	size_t size = tensor_size(w->t) * sizeof *w->input;
	memcpy(w->original, w->input, size);
	session_probabilities(w->q->session, 0, w->probabilities);
	w->before = w->probabilities[w->q->class_index];
	int code = look_everywhere(w, losses, e);
	memcpy(w->input, w->original, size);
	int again = session_run(w->q->session, code ? NULL : e);
	if (!code)
		code = again ? again : grid_make(w->q->grid, w->t->h, w->t->w, e);
	for (size_t p = 0; !code && p < (size_t)w->t->h * (size_t)w->t->w; p++)
		w->q->grid->values[p] = losses[p] <= 0 ? 0 : (float)losses[p]; /* NaN stays, to be found */
	return code;
}

int windows_answer(const struct question *q, const struct window_change *change, struct error *e)
{
	const struct plan *plan = &q->net->plan;
	const struct tensor *t = &plan->tensors[plan->inputs[0]];
	struct work w = {.q = q, .change = change, .t = t, .input = session_tensor(q->session, plan->inputs[0], 0), .original = malloc(tensor_size(t) * sizeof *w.original),
		.probabilities = malloc(tensor_size(&plan->tensors[plan->scores]) * sizeof *w.probabilities)};
	double *losses = calloc((size_t)t->h * (size_t)t->w, sizeof *losses);
	int code = w.original && w.probabilities && losses ? answer(&w, losses, e) : error_memory(e, "a map");
	free(w.original);
	free(w.probabilities);
	free(losses);
	return code;
}
