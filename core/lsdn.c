/* The edge of the library: what lsdn.h promises to other people's programs, over core's own explainer, files and network. */
#include "config.h"

#include "core/lsdn.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/embedded.h"
#include "core/explain.h"
#include "core/weights_file.h"

enum { MAX_THREADS = 1024 };

struct lsdn_network {
	struct net net;
	struct packed_weights *packed;
	pthread_mutex_t opening; /* explainers open one at a time: the first packs the weights */
	struct lsdn_facts facts;
};

struct lsdn_explainer {
	struct explainer inner;
	struct weights_file weights; /* may own the layers that choices point to */
	struct choices choices;
	locale_t plain; /* in which numbers have a point */
	bool explained;
	struct explanation last; /* of inner's points, where explained */
	/* What the caller sees of it: */
	struct lsdn_explanation seen;
	struct lsdn_point *points;
	size_t room;
	struct lsdn_box box;
	char name[32], wnid[32];
};

static enum lsdn_error tell(int code, const struct error *e, char *message)
{
	_Static_assert(sizeof e->message == LSDN_MESSAGE, "a message is copied whole");
	if (code && message)
		strcpy(message, e->message);
	return code;
}

const char *lsdn_version(void)
{
	return PACKAGE_VERSION;
}

static int open_network(struct lsdn_network *n, const char *path, struct error *e)
{
	int code = model_open(&n->net, path, e);
	if (code)
		return code;
	n->packed = packed_weights_open(&n->net.plan, e);
	if (!n->packed)
		return e->code;
	n->facts = (struct lsdn_facts){.name = n->net.name, .sha256 = n->net.sha256, .width = n->net.input.width, .height = n->net.input.height,
		.class_count = n->net.plan.tensors[n->net.plan.scores].c, .input_assumed = n->net.input_assumed};
	return LSDN_OK;
}

enum lsdn_error lsdn_network_open(struct lsdn_network **network, const char *path, char *message)
{
	struct error e;
	struct lsdn_network *n = *network = calloc(1, sizeof *n);
	int code = n && !pthread_mutex_init(&n->opening, NULL) ? LSDN_OK : error_memory(&e, "a network");
	if (code) {
		free(n);
		*network = NULL;
	} else if ((code = open_network(n, path, &e))) {
		lsdn_network_close(n);
		*network = NULL;
	}
	return tell(code, &e, message);
}

void lsdn_network_close(struct lsdn_network *n)
{
	if (!n)
		return;
	packed_weights_close(n->packed);
	net_close(&n->net);
	pthread_mutex_destroy(&n->opening);
	free(n);
}

const struct lsdn_facts *lsdn_network_facts(const struct lsdn_network *n)
{
	net_sha256(&n->net); /* facts.sha256 points to it */
	return &n->facts;
}

const char *lsdn_class_name(const struct lsdn_network *n, int class_index)
{
	char unused[32];
	return class_index >= 0 && class_index < n->net.label_count ? net_class_name(&n->net, class_index, unused) : NULL;
}

enum lsdn_error lsdn_class_find(const struct lsdn_network *n, const char *text, int *class_index, char *message)
{
	struct error e;
	return tell(net_find_class(&n->net, text, class_index, &e), &e, message);
}

static int open_explainer(struct lsdn_explainer *x, struct lsdn_network *n, int threads, struct error *e)
{
	x->choices = CHOICES_DEFAULT;
	x->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!x->plain)
		return error_memory(e, "an explainer");
	if (threads < 1 || threads > MAX_THREADS)
		return error_set(e, LSDN_ERROR_INPUT, "%d threads: give a number from 1 to %d", threads, MAX_THREADS);
	pthread_mutex_lock(&n->opening);
	int code = explainer_open(&x->inner, &n->net, n->packed, threads, e);
	pthread_mutex_unlock(&n->opening);
	return code;
}

enum lsdn_error lsdn_explainer_open(struct lsdn_explainer **explainer, struct lsdn_network *n, int threads, char *message)
{
	struct error e;
	struct lsdn_explainer *x = *explainer = calloc(1, sizeof *x);
	int code = x ? open_explainer(x, n, threads, &e) : error_memory(&e, "an explainer");
	if (code) {
		lsdn_explainer_close(x);
		*explainer = NULL;
	}
	return tell(code, &e, message);
}

void lsdn_explainer_close(struct lsdn_explainer *x)
{
	if (!x)
		return;
	explainer_close(&x->inner);
	weights_file_free(&x->weights);
	if (x->plain)
		freelocale(x->plain);
	free(x->points);
	free(x);
}

enum lsdn_error lsdn_read_weights(struct lsdn_explainer *x, const char *path, int *same_network, char *message)
{
	struct error e;
	struct weights_file weights;
	locale_t before = uselocale(x->plain);
	int code = weights_file_read(&weights, path, &x->inner.net->plan, &e);
	uselocale(before);
	if (code)
		return tell(code, &e, message);
	weights_file_free(&x->weights);
	x->weights = weights;
	x->choices = weights.choices;
	if (same_network)
		*same_network = strcmp(weights.sha256, net_sha256(x->inner.net)) == 0;
	return LSDN_OK;
}

enum lsdn_error lsdn_set_alpha(struct lsdn_explainer *x, double cur, double pre, double suc, char *message)
{
	struct error e;
	if (!(cur >= 0 && pre >= 0 && suc >= 0 && isfinite(cur) && isfinite(pre) && isfinite(suc)))
		return tell(error_set(&e, LSDN_ERROR_INPUT, "alpha = (%g, %g, %g): give three numbers of at least 0", cur, pre, suc), &e, message);
	x->choices.policy.alpha = (struct alpha){.cur = cur, .pre = pre, .suc = suc};
	return LSDN_OK;
}

enum lsdn_error lsdn_set(struct lsdn_explainer *x, const char *assignment, char *message)
{
	struct error e;
	locale_t before = uselocale(x->plain);
	int code = choices_assign(&x->choices, assignment, &e);
	uselocale(before);
	return tell(code, &e, message);
}

/* Forgets the last explanation, and says whether the class can be explained at all. */
static int begin(struct lsdn_explainer *x, int class_index, struct error *e)
{
	x->explained = false;
	if (class_index >= 0 && class_index < x->inner.class_count)
		return LSDN_OK;
	return class_index == LSDN_PREDICTED ? LSDN_OK
		: error_set(e, LSDN_ERROR_INPUT, "class %d: no such class: give a number from 0 to %d, or LSDN_PREDICTED", class_index, x->inner.class_count - 1);
}

static int show_points(struct lsdn_explainer *x, struct error *e)
{
	if (x->last.count > x->room) {
		struct lsdn_point *points = realloc(x->points, x->last.count * sizeof *points);
		if (!points)
			return error_memory(e, "points");
		x->points = points;
		x->room = x->last.count;
	}
	for (size_t i = 0; i < x->last.count; i++)
		x->points[i] = (struct lsdn_point){.y = x->inner.points[i].y, .x = x->inner.points[i].x, .kept = x->inner.keep[i]};
	return LSDN_OK;
}

static void show(struct lsdn_explainer *x, int class_index)
{
	const struct box *box = &x->last.box;
	x->box = (struct lsdn_box){.xmin = box->xmin, .ymin = box->ymin, .xmax = box->xmax, .ymax = box->ymax};
	x->seen = (struct lsdn_explanation){.width = x->inner.width, .height = x->inner.height, .class_index = class_index,
		.name = net_class_name(x->inner.net, class_index, x->name), .wnid = net_wnid(x->inner.net, class_index, x->wnid),
		.probability = x->inner.probabilities[class_index], .probabilities = x->inner.probabilities, .class_count = x->inner.class_count,
		.points = x->points, .point_count = x->last.count, .kept_count = x->last.kept, .box = x->last.found ? &x->box : NULL};
}

/* Explains what the explainer has been fed, where code is still 0, and hands out the result. */
static enum lsdn_error end(struct lsdn_explainer *x, int code, int class_index, const struct lsdn_explanation **explanation, struct error *e, char *message)
{
	if (!code)
		code = explainer_walk(&x->inner, &x->choices.policy, 1, class_index, e);
	if (!code)
		code = explainer_read(&x->inner, 0, &x->choices.box, &x->last, e);
	if (!code)
		code = show_points(x, e);
	x->explained = !code;
	if (!code)
		show(x, class_index == LSDN_PREDICTED ? explainer_class(&x->inner, 0) : class_index);
	*explanation = code ? NULL : &x->seen;
	return tell(code, e, message);
}

enum lsdn_error lsdn_explain_file(struct lsdn_explainer *x, const char *path, int class_index, const struct lsdn_explanation **explanation, char *message)
{
	struct error e;
	struct photo photo = {0};
	int code = begin(x, class_index, &e);
	if (!code)
		code = photo_read(&photo, path, &e);
	if (!code)
		code = explainer_feed(&x->inner, &photo, x->choices.view, &e);
	photo_free(&photo);
	return end(x, code, class_index, explanation, &e, message);
}

enum lsdn_error lsdn_explain_rgb(struct lsdn_explainer *x, const uint8_t *rgb, int width, int height, int class_index,
	const struct lsdn_explanation **explanation, char *message)
{
	struct error e;
	struct photo photo = {.width = width, .height = height, .rgb = (uint8_t *)(uintptr_t)rgb}; /* which is only read */
	int code = begin(x, class_index, &e);
	if (!code && (width < 1 || height < 1 || width > PHOTO_MAX_SIDE || height > PHOTO_MAX_SIDE || (long long)width * height > PHOTO_MAX_PIXELS))
		code = error_set(&e, LSDN_ERROR_INPUT, "a photograph of %d x %d pixels: give 1 to %d a side and at most %d in all", width, height, PHOTO_MAX_SIDE,
			PHOTO_MAX_PIXELS);
	if (!code)
		code = explainer_feed(&x->inner, &photo, x->choices.view, &e);
	return end(x, code, class_index, explanation, &e, message);
}

enum lsdn_error lsdn_explain_tensor(struct lsdn_explainer *x, const float *tensor, int class_index, const struct lsdn_explanation **explanation,
	char *message)
{
	struct error e;
	int code = begin(x, class_index, &e);
	if (!code)
		code = explainer_feed_values(&x->inner, tensor, &e);
	return end(x, code, class_index, explanation, &e, message);
}

enum lsdn_error lsdn_heatmap(const struct lsdn_explainer *x, float *map, char *message)
{
	struct error e;
	if (!x->explained)
		return tell(error_set(&e, LSDN_ERROR_INPUT, "a heatmap of nothing: explain a photograph first"), &e, message);
	return tell(explainer_map(&x->inner, x->choices.box.blur, map, &e), &e, message);
}
