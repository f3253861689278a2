#include "config.h"

#include "core/explain.h"

#include <stdlib.h>
#include <string.h>

#include "core/image/npy.h"

int explainer_open(struct explainer *x, const struct net *net, struct packed_weights *packed, int threads, struct error *e)
{
	*x = (struct explainer){.net = net, .class_count = net->plan.tensors[net->plan.scores].c};
	x->session = session_open(&net->plan, packed, 1, threads, e);
	if (!x->session)
		return e->code;
	x->walk = walk_open(&net->plan, e);
	x->probabilities = malloc((size_t)x->class_count * sizeof *x->probabilities);
	if (x->walk && x->probabilities)
		return LSDN_OK;
	explainer_close(x);
	return error_memory(e, "an explainer");
}

void explainer_close(struct explainer *x)
{
	walk_close(x->walk);
	session_close(x->session);
	free(x->probabilities);
	free(x->places);
	free(x->points);
	free(x->keep);
	*x = (struct explainer){0};
}

static int run(struct explainer *x, struct error *e)
{
	int code = session_run(x->session, e);
	walk_forget(x->walk);
	if (!code)
		session_probabilities(x->session, 0, x->probabilities);
	for (int k = 0; !code && k < x->class_count; k++)
		if (!(x->probabilities[k] >= 0))
			code = error_set(e, LSDN_ERROR_INPUT, "class %d has no probability (NaN): the network overflows on this image: check its preprocessing", k);
	return code;
}

int explainer_feed(struct explainer *x, const struct photo *photo, enum view view, struct error *e)
{
	x->width = photo->width;
	x->height = photo->height;
	int code = view_make(photo, &x->net->input, view, session_tensor(x->session, x->net->plan.inputs[0], 0), &x->geometry, e);
	return code ? code : run(x, e);
}

int explainer_feed_tensor(struct explainer *x, const char *path, struct error *e)
{
	x->width = x->net->input.width;
	x->height = x->net->input.height;
	x->geometry = view_geometry_stretch(x->width, x->height, x->width, x->height);
	int code = npy_read(path, x->height, x->width, session_tensor(x->session, x->net->plan.inputs[0], 0), e);
	return code ? code : run(x, e);
}

int explainer_class(const struct explainer *x, int n)
{
	int last = -1;
	for (int rank = 0; rank <= n; rank++) {
		int best = -1;
		for (int k = 0; k < x->class_count; k++) {
			bool before = last >= 0 && (x->probabilities[k] > x->probabilities[last] || (x->probabilities[k] == x->probabilities[last] && k <= last));
			if (!before && (best < 0 || x->probabilities[k] > x->probabilities[best]))
				best = k;
		}
		last = best;
	}
	return last;
}

int explainer_walk(struct explainer *x, const struct policy *policies, int count, int asked, struct error *e)
{
	int classes[16], class_count = 0;
	if (asked >= 0)
		classes[class_count++] = asked;
	while (asked < 0 && class_count < policies->top_n && class_count < x->class_count && class_count < 16) {
		classes[class_count] = explainer_class(x, class_count);
		class_count++;
	}
	return walk_run(x->walk, x->session, 0, policies, count, classes, class_count, e);
}

int explainer_read(struct explainer *x, int p, const struct box_rule *rule, struct explanation *out, struct error *e)
{
	size_t most = walk_points(x->walk, p, NULL) + 1;
	if (most > x->room) {
		free(x->places);
		free(x->points);
		free(x->keep);
		x->places = malloc(most * sizeof *x->places);
		x->points = malloc(most * sizeof *x->points);
		x->keep = malloc(most * sizeof *x->keep);
		x->room = x->places && x->points && x->keep ? most : 0;
		if (!x->room)
			return error_memory(e, "points");
	}
	*out = (struct explanation){.count = walk_points(x->walk, p, x->places)};
	for (size_t i = 0; i < out->count; i++)
		x->points[i] = view_point(&x->geometry, x->places[i].y, x->places[i].x);
	out->kept = box_outliers(x->points, out->count, x->width, x->height, rule, x->keep);
	out->found = box_around(x->points, x->keep, out->count, x->width, x->height, rule, &out->box);
	return LSDN_OK;
}
