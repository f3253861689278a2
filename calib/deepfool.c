#include "config.h"

#include "calib/deepfool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct deepfool DEEPFOOL_USUAL = {.classes = 10, .overshoot = 0.02, .iterations = 50};

enum { CHANNELS = 3 };

/* On the boundary itself the way to it is 0. */
static const double LEAST_STEP = 1e-4;

static size_t size_of(const struct explainer *x)
{
	return (size_t)x->net->input.width * (size_t)x->net->input.height * CHANNELS;
}

static float clip(double value)
{
	return (float)fmin(fmax(value, 0), 255);
}

int deepfool_feed(struct explainer *x, const float *pixels, struct error *e)
{
	const struct preprocessing *p = &x->net->input;
	size_t size = size_of(x), plane = size / CHANNELS;
	float *values = malloc(size * sizeof *values);
	if (!values)
		return error_memory(e, "an image");
	for (size_t i = 0; i < size; i++)
		values[i % CHANNELS * plane + i / CHANNELS] = (pixels[i] - p->mean[i % CHANNELS]) / p->std[i % CHANNELS];
	int code = explainer_feed_values(x, values, e);
	free(values);
	return code;
}

void deepfool_pixels(const struct explainer *x, float *pixels)
{
	const struct preprocessing *p = &x->net->input;
	const float *tensor = session_tensor(x->crops[0].session, x->net->plan.inputs[0], 0);
	for (size_t i = 0; i < size_of(x); i++)
		pixels[i] = clip((double)tensor[i] * p->std[i % CHANNELS] + p->mean[i % CHANNELS]);
}

static double score_of(const struct explainer *x, int class_index)
{
	return session_value(x->crops[0].session, x->net->plan.scores, 0, (size_t)class_index);
}

int deepfool_class(const struct explainer *x)
{
	int best = 0;
	for (int k = 1; k < x->class_count; k++)
		best = score_of(x, k) > score_of(x, best) ? k : best;
	return best;
}

struct run {
	const struct deepfool *how;
	struct explainer *x;
	struct backward *backward;
	size_t size;
	int *classes, class_count; /* the first is the original one */
	float *own, *towards, *nearest; /* gradients to the pixels: of the original class; of another less it; of the nearest other less it */
	double *total; /* the sum of the steps */
};

/* The gradient of a class score to the pixels, less `base` (NULL: 0). */
static int slope(const struct run *r, int class_index, const float *base, float *out, struct error *e)
{
	int input = r->x->net->plan.inputs[0];
	int code = backward_class(r->backward, r->x->crops[0].session, 0, class_index, BACKWARD_LOGIT, input, NULL, e);
	const float *gradient = code ? NULL : backward_gradient(r->backward, input);
	for (size_t i = 0; !code && i < r->size; i++)
		out[i] = gradient[i] / r->x->net->input.std[i % CHANNELS] - (base ? base[i] : 0);
	return code;
}

static double square(const float *values, size_t size)
{
	double sum = 0;
	for (size_t i = 0; i < size; i++)
		sum += (double)values[i] * values[i];
	return sum;
}

/* Adds the step to the nearest boundary, taken as flat. *moved is false where nothing leads anywhere. */
static int step(struct run *r, bool *moved, struct error *e)
{
	double least = INFINITY, length = 0;
	int code = slope(r, r->classes[0], NULL, r->own, e);
	for (int k = 1; k < r->class_count && !code; k++) {
		code = slope(r, r->classes[k], r->own, r->towards, e);
		double f = fabs(score_of(r->x, r->classes[k]) - score_of(r->x, r->classes[0])), norm = code ? 0 : square(r->towards, r->size);
		if (!(norm > 0) || !(f / sqrt(norm) < least))
			continue;
		float *farther = r->nearest;
		r->nearest = r->towards;
		r->towards = farther;
		least = f / sqrt(norm);
		length = (least + LEAST_STEP) / sqrt(norm);
	}
	*moved = length > 0;
	for (size_t i = 0; *moved && !code && i < r->size; i++)
		r->total[i] += length * r->nearest[i];
	return code;
}

/* The classes with the highest scores, as x was fed last. */
static void choose(struct run *r)
{
	const struct explainer *x = r->x;
	for (r->class_count = 0; r->class_count < r->how->classes && r->class_count < x->class_count; r->class_count++) {
		int best = -1;
		for (int k = 0; k < x->class_count; k++) {
			bool taken = false;
			for (int i = 0; i < r->class_count; i++)
				taken |= r->classes[i] == k;
			best = !taken && (best < 0 || score_of(x, k) > score_of(x, best)) ? k : best;
		}
		r->classes[r->class_count] = best;
	}
}

static int fool(struct run *r, const float *pixels, float *changed, struct fooled *out, struct error *e)
{
	int code = deepfool_feed(r->x, pixels, e);
	bool moved = true;
	memcpy(changed, pixels, r->size * sizeof *changed);
	memset(r->total, 0, r->size * sizeof *r->total);
	if (code)
		return code;
	choose(r);
	*out = (struct fooled){.before = r->classes[0], .after = r->classes[0]};
	while (out->after == out->before && out->iterations < r->how->iterations && moved && !code) {
		code = step(r, &moved, e);
		for (size_t i = 0; i < r->size; i++)
			changed[i] = clip(pixels[i] + (1 + r->how->overshoot) * r->total[i]);
		if (!code && moved)
			code = deepfool_feed(r->x, changed, e);
		if (code || !moved)
			break;
		out->after = deepfool_class(r->x);
		out->iterations++;
	}
	for (size_t i = 0; i < r->size; i++)
		out->distance += ((double)changed[i] - pixels[i]) * ((double)changed[i] - pixels[i]);
	double norm = sqrt(square(pixels, r->size));
	out->success = out->after != out->before;
	out->distance = sqrt(out->distance);
	out->relative = norm > 0 ? out->distance / norm : NAN;
	return code;
}

int deepfool_run(const struct deepfool *how, struct explainer *x, struct backward *b, const float *pixels, float *changed, struct fooled *out, struct error *e)
{
	size_t size = size_of(x);
	struct run r = {.how = how, .x = x, .backward = b, .size = size, .classes = malloc((size_t)how->classes * sizeof(int)), .own = malloc(size * sizeof(float)),
		.towards = malloc(size * sizeof(float)), .nearest = malloc(size * sizeof(float)), .total = malloc(size * sizeof(double))};
	int code = r.classes && r.own && r.towards && r.nearest && r.total ? fool(&r, pixels, changed, out, e) : error_memory(e, "an attack");
	free(r.classes);
	free(r.own);
	free(r.towards);
	free(r.nearest);
	free(r.total);
	return code;
}
