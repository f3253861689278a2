#include "config.h"

#include "core/explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/image/map.h"
#include "core/image/npy.h"

/* Every crop has a session of its own, so that it is computed as if it were alone. The first one packs all weights that its like ask for: the others,
 * which may be opened while other threads run, only read them. */
static int open_crop(struct explainer *x, int i, struct error *e)
{
	struct explainer_crop *crop = &x->crops[i];
	if (!crop->session)
		crop->session = session_open(&x->net->plan, x->packed, 1, x->threads, e);
	if (crop->session && !crop->walk)
		crop->walk = walk_open(&x->net->plan, x->threads, e);
	return crop->walk ? LSDN_OK : (int)e->code;
}

int explainer_open(struct explainer *x, const struct net *net, struct packed_weights *packed, int threads, struct error *e)
{
	*x = (struct explainer){.net = net, .packed = packed, .threads = threads, .class_count = net->plan.tensors[net->plan.scores].c};
	x->probabilities = malloc(2 * (size_t)x->class_count * sizeof *x->probabilities); /* the mean, then one crop's */
	int code = x->probabilities ? open_crop(x, 0, e) : error_memory(e, "an explainer");
	if (code)
		explainer_close(x);
	return code;
}

static void free_room(struct explainer *x)
{
	free(x->places);
	free(x->reading);
	free(x->masses);
	free(x->reading_masses);
	free(x->points);
	free(x->weight_room);
	free(x->keep);
}

void explainer_close(struct explainer *x)
{
	for (int i = 0; i < VIEW_MOST_CROPS; i++) {
		walk_close(x->crops[i].walk);
		session_close(x->crops[i].session);
	}
	free(x->probabilities);
	free_room(x);
	*x = (struct explainer){0};
}

static int run_crop(struct explainer *x, const struct explainer_crop *crop, struct error *e)
{
	double *own = x->probabilities + x->class_count;
	int code = session_run(crop->session, e);
	walk_forget(crop->walk);
	if (code)
		return code;
	session_probabilities(crop->session, 0, own);
	for (int k = 0; k < x->class_count; k++)
		x->probabilities[k] += own[k] / x->crop_count;
	return LSDN_OK;
}

static int run(struct explainer *x, int crop_count, struct error *e)
{
	int code = LSDN_OK;
	x->crop_count = crop_count;
	x->known = false;
	memset(x->probabilities, 0, (size_t)x->class_count * sizeof *x->probabilities);
	for (int i = 0; i < crop_count && !code; i++)
		code = run_crop(x, &x->crops[i], e);
	for (int k = 0; !code && k < x->class_count; k++)
		if (!(x->probabilities[k] >= 0))
			code = error_set(e, LSDN_ERROR_INPUT, "class %d has no probability (NaN): the network overflows on this image: check its preprocessing", k);
	return code;
}

static float *input_of(const struct explainer *x, const struct explainer_crop *crop)
{
	return session_tensor(crop->session, x->net->plan.inputs[0], 0);
}

int explainer_feed(struct explainer *x, const struct photo *photo, enum view view, struct error *e)
{
	x->width = photo->width;
	x->height = photo->height;
	int code = LSDN_OK;
	for (int i = 0; i < view_crops(view) && !code; i++) {
		struct explainer_crop *crop = &x->crops[i];
		code = open_crop(x, i, e);
		if (!code)
			code = view_make(photo, &x->net->input, view, i, input_of(x, crop), &crop->geometry, e);
	}
	return code ? code : run(x, view_crops(view), e);
}

/* Where a preprocessed tensor goes. */
static float *tensor_input(struct explainer *x)
{
	x->width = x->net->input.width;
	x->height = x->net->input.height;
	x->crops[0].geometry = view_geometry_stretch(x->width, x->height, x->width, x->height);
	return input_of(x, &x->crops[0]);
}

int explainer_feed_tensor(struct explainer *x, const char *path, struct error *e)
{
	float *input = tensor_input(x);
	int code = npy_read(path, x->height, x->width, input, e);
	return code ? code : run(x, 1, e);
}

int explainer_feed_values(struct explainer *x, const float *values, struct error *e)
{
	float *input = tensor_input(x);
	size_t pixels = (size_t)x->width * (size_t)x->height;
	for (size_t i = 0; i < 3 * pixels; i++) {
		if (!isfinite(values[i]))
			return error_set(e, LSDN_ERROR_INPUT, "a tensor's number %zu is not finite: no network can be explained on it", i);
		input[i % pixels * 3 + i / pixels] = values[i];
	}
	return run(x, 1, e);
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

int explainer_classes(const struct explainer *x, const struct policy *policy, int asked, int classes[POLICY_MOST_CLASSES])
{
	int count = 0;
	if (asked >= 0)
		classes[count++] = asked;
	while (asked < 0 && count < policy->top_n && count < x->class_count && count < POLICY_MOST_CLASSES) {
		classes[count] = explainer_class(x, count);
		count++;
	}
	return count;
}

int explainer_rival(const struct explainer *x, const int *classes, int count)
{
	for (int rank = 0; rank <= count && rank < x->class_count; rank++) {
		int rival = explainer_class(x, rank), i = 0;
		while (i < count && classes[i] != rival)
			i++;
		if (i == count)
			return rival;
	}
	return -1;
}

int explainer_walk(struct explainer *x, const struct policy *policies, int count, int asked, struct error *e)
{
	int classes[POLICY_MOST_CLASSES], class_count = explainer_classes(x, policies, asked, classes), code = LSDN_OK;
	int rival = policies->contrast ? explainer_rival(x, classes, class_count) : -1;
	for (int i = 0; i < x->crop_count && !code; i++) {
		struct explainer_crop *crop = &x->crops[i];
		if (rival >= 0)
			code = walk_run_rival(crop->walk, crop->session, 0, policies, count, rival, e);
		if (!code)
			code = walk_run(crop->walk, crop->session, 0, policies, count, classes, class_count, e);
	}
	return code;
}

static int make_room(struct explainer *x, size_t most, struct error *e)
{
	if (most <= x->room)
		return LSDN_OK;
	free_room(x);
	x->places = malloc(most * sizeof *x->places);
	x->reading = malloc(most * sizeof *x->reading);
	x->masses = malloc(most * sizeof *x->masses);
	x->reading_masses = malloc(most * sizeof *x->reading_masses);
	x->weight_room = malloc(most * sizeof *x->weight_room);
	x->points = malloc(most * sizeof *x->points);
	x->keep = malloc(most * sizeof *x->keep);
	x->room = x->places && x->reading && x->masses && x->reading_masses && x->points && x->weight_room && x->keep ? most : 0;
	x->known = false;
	return x->room ? LSDN_OK : error_memory(e, "points");
}

static void swap_places(struct explainer *x)
{
	struct place *places = x->reading;
	double *masses = x->reading_masses;
	x->reading = x->places;
	x->reading_masses = x->masses;
	x->places = places;
	x->masses = masses;
}

/* Reads the places of policy p, and their masses where it has some. Returns true where they are those of the last explanation. */
static bool read_places(struct explainer *x, int p)
{
	size_t count = 0;
	bool heavy = walk_has_mass(x->crops[0].walk), same = x->known && heavy == (x->weights != NULL);
	for (int i = 0; i < x->crop_count; i++) {
		size_t own = walk_points(x->crops[i].walk, p, x->reading + count);
		if (heavy)
			walk_masses(x->crops[i].walk, p, x->reading_masses + count);
		same = same && own == x->place_counts[i];
		x->place_counts[i] = own;
		count += own;
	}
	if (same && memcmp(x->reading, x->places, count * sizeof *x->places) == 0
			&& (!heavy || memcmp(x->reading_masses, x->masses, count * sizeof *x->masses) == 0))
		return true;
	swap_places(x);
	x->weights = heavy ? x->weight_room : NULL;
	return false;
}

/* The places' points in the photograph. */
static int find_points(struct explainer *x, struct error *e)
{
	size_t count = 0;
	for (int i = 0; i < x->crop_count; i++)
		for (size_t k = 0; k < x->place_counts[i]; k++, count++) {
			x->points[count] = view_point(&x->crops[i].geometry, x->places[count].y, x->places[count].x);
			if (x->weights)
				x->weights[count] = x->masses[count];
		}
	x->last = (struct explanation){0};
	if (x->weights)
		return points_merge(x->points, x->weights, count, &x->last.count, e);
	x->last.count = points_unique(x->points, count);
	return LSDN_OK;
}

/* Marks the points that stay. Where they have mass, that are all but those that are no finite numbers: what little evidence reached weighs little. */
static size_t find_kept(struct explainer *x, const struct box_rule *rule)
{
	size_t kept = 0;
	if (!x->weights)
		return box_outliers(x->points, x->last.count, x->width, x->height, rule, x->keep);
	for (size_t i = 0; i < x->last.count; i++) {
		x->keep[i] = isfinite(x->points[i].y) && isfinite(x->points[i].x);
		kept += x->keep[i];
	}
	return kept;
}

int explainer_read(struct explainer *x, int p, const struct box_rule *rule, struct explanation *out, struct error *e)
{
	size_t most = 1;
	for (int i = 0; i < x->crop_count; i++)
		most += walk_points(x->crops[i].walk, p, NULL);
	int code = make_room(x, most, e);
	if (code)
		return code;
	bool same = read_places(x, p), same_outliers = same && rule->radius == x->rule.radius && rule->share == x->rule.share;
	if (!same || !box_rule_equal(rule, &x->rule)) {
		x->known = false;
		code = same ? LSDN_OK : find_points(x, e);
		if (!code && !same_outliers)
			x->last.kept = find_kept(x, rule);
		if (!code)
			code = box_find(x->points, x->weights, x->keep, x->last.count, x->width, x->height, rule, &x->last.box, &x->last.found, e);
		x->rule = *rule;
		x->known = !code;
	}
	*out = x->last;
	return code;
}

int explainer_map(const struct explainer *x, double blur, float *map, struct error *e)
{
	return map_make(x->points, x->weights, x->keep, x->last.count, x->width, x->height, blur, map, e);
}
