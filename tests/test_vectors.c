/* The walk against walks that an independent implementation worked out in double precision over another engine's activations.
 *
 * Every selected neuron of every layer, the points, how many stay and the box must be the same. Where a case differs, the first layer (from the
 * class) that differs must be a near tie there: the least relative gap between the last candidate taken and the first one left is below 1e-4, or a
 * pool's two highest activations differ by less than 1e-5 of the higher. Such cases may be at most 5 in 100. How many points stay can differ in one more
 * way: two points exactly `radius` apart are not strictly nearer than that, but rounding can make them so (on tiny-darknet-1-ungated, 28 columns of 224
 * over 500 pixels are 62.5, a tenth of the diagonal: exact arithmetic keeps 117 points, the vector's 118). */
#include "config.h"

#include <check.h>
#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/choices.h"
#include "core/image/box.h"
#include "core/image/npy.h"
#include "core/image/photo.h"
#include "core/net/net.h"
#include "core/trace/walk.h"
#include "tests/suite.h"

static const double NEAR_TIE = 1e-4, POOL_TIE = 1e-5, PROBABILITY = 1e-4;

struct runner {
	char vectors[512], models[512];
	char model[512]; /* of the open network */
	struct net net;
	struct packed_weights *packed;
	struct session *session;
	struct walk *walk;
	int cases, exact, ties, wrong;
};

static int option(json_t *policy, const char *key, const char *const *names, int otherwise)
{
	const char *text = json_string_value(json_object_get(policy, key));
	for (int i = 0; text && names[i]; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return otherwise;
}

static int count_of(json_t *policy, const char *key, int otherwise)
{
	json_t *v = json_object_get(policy, key);
	if (json_is_string(v))
		return strcmp(json_string_value(v), "all") == 0 ? K_ALL : otherwise;
	return json_is_integer(v) ? (int)json_integer_value(v) : otherwise;
}

static struct policy policy_of(json_t *j)
{
	static const char *const LOCATE[] = {"strongest", "center", NULL}, *const GATE[] = {"evidence", "none", NULL},
		*const RESIDUAL[] = {"max", "both", NULL}, *const FORM[] = {"product", "power", NULL}, *const GAP[] = {"auto", "1", "all", NULL};
	struct policy p = CHOICES_DEFAULT.policy;
	const char *method = json_string_value(json_object_get(j, "method"));
	if (method && strcmp(method, "cnn-fixations") == 0)
		return POLICY_CNN_FIXATIONS;
	p.alpha.cur = json_number_value(json_object_get(j, "cur"));
	p.alpha.pre = json_number_value(json_object_get(j, "pre"));
	p.alpha.suc = json_number_value(json_object_get(j, "suc"));
	p.k_fc = count_of(j, "k_fc", K_ALL);
	p.k_conv = count_of(j, "k_conv", 1);
	p.k_gap = json_is_integer(json_object_get(j, "k_gap")) ? K_GAP_ONE : (enum k_gap)option(j, "k_gap", GAP, K_GAP_AUTO);
	p.signed_ = !json_is_false(json_object_get(j, "signed"));
	p.locate = (enum locate)option(j, "locate", LOCATE, LOCATE_STRONGEST);
	p.gate = (enum gate)option(j, "gate", GATE, GATE_EVIDENCE);
	p.residual = (enum residual)option(j, "residual", RESIDUAL, RESIDUAL_MAX);
	p.suc_form = (enum suc_form)option(j, "suc_form", FORM, SUC_PRODUCT);
	p.top_n = count_of(j, "top_n", 1);
	return p;
}

static void close_model(struct runner *r)
{
	walk_close(r->walk);
	session_close(r->session);
	packed_weights_close(r->packed);
	if (*r->model)
		net_close(&r->net);
	*r->model = 0;
	r->walk = NULL;
	r->session = NULL;
	r->packed = NULL;
}

static void open_model(struct runner *r, const char *name)
{
	char path[1200];
	struct error e;
	if (strcmp(name, r->model) == 0)
		return;
	close_model(r);
	if (strncmp(name, "../models/", 10) == 0)
		snprintf(path, sizeof path, "%s/%s", r->models, name + 10);
	else
		snprintf(path, sizeof path, "%s/%s", r->vectors, name);
	ck_assert_msg(net_open(&r->net, path, &e) == 0, "%s", e.message);
	snprintf(r->model, sizeof r->model, "%s", name);
	r->packed = packed_weights_open(&r->net.plan, &e);
	r->session = session_open(&r->net.plan, r->packed, 1, 2, &e);
	r->walk = walk_open(&r->net.plan, &e);
	ck_assert_msg(r->session && r->walk, "%s", e.message);
}

static void feed(struct runner *r, json_t *vector)
{
	char path[1200];
	struct error e;
	const struct tensor *in = &r->net.plan.tensors[r->net.plan.inputs[0]];
	float *tensor = session_tensor(r->session, r->net.plan.inputs[0], 0);
	const char *input = json_string_value(json_object_get(vector, "input"));
	if (input) {
		snprintf(path, sizeof path, "%s/%s", r->vectors, input);
		ck_assert_msg(npy_read(path, in->h, in->w, tensor, &e) == 0, "%s", e.message);
	} else {
		struct photo photo;
		struct view_geometry geometry;
		snprintf(path, sizeof path, "%s/real/%s", r->vectors, json_string_value(json_object_get(vector, "image")));
		ck_assert_msg(photo_read(&photo, path, &e) == 0, "%s", e.message);
		ck_assert_int_eq(photo.width, in->w);
		ck_assert_msg(view_make(&photo, &r->net.input, VIEW_FULL, 0, tensor, &geometry, &e) == 0, "%s", e.message);
		photo_free(&photo);
	}
	ck_assert_msg(session_run(r->session, &e) == 0, "%s", e.message);
	walk_forget(r->walk);
}

static int top_classes(struct runner *r, json_t *vector, int classes[16])
{
	int count = 0;
	json_t *listed = json_object_get(vector, "classes");
	int total = r->net.plan.tensors[r->net.plan.scores].c;
	double *p = malloc((size_t)total * sizeof *p);
	session_probabilities(r->session, 0, p);
	for (; count < (int)json_array_size(listed); count++) {
		int best = 0;
		if (json_is_integer(json_object_get(vector, "asked_class"))) {
			best = (int)json_integer_value(json_object_get(vector, "asked_class"));
		} else {
			for (int k = 0; k < total; k++)
				best = p[k] > p[best] ? k : best;
		}
		ck_assert_int_eq(best, json_integer_value(json_array_get(listed, (size_t)count)));
		ck_assert_double_eq_tol(p[best], json_number_value(json_array_get(json_object_get(vector, "probabilities"), (size_t)count)), PROBABILITY);
		classes[count] = best;
		p[best] = -1;
	}
	free(p);
	return count;
}

static bool same_selected(struct runner *r, const struct op *op, json_t *list)
{
	size_t count = walk_selected(r->walk, op->output, 0, NULL);
	if (count != json_array_size(list))
		return false;
	struct place *places = malloc((count + 1) * sizeof *places);
	bool same = true;
	walk_selected(r->walk, op->output, 0, places);
	for (size_t i = 0; i < count && same; i++) {
		json_t *item = json_array_get(list, i);
		same = places[i].c == json_integer_value(json_array_get(item, 0)) && places[i].y == json_integer_value(json_array_get(item, 1))
			&& places[i].x == json_integer_value(json_array_get(item, 2));
	}
	free(places);
	return same;
}

/* The least relative gap between the two highest activations in the windows of a pool's selected neurons. */
static double pool_gap(struct runner *r, const struct op *op)
{
	const struct plan *plan = &r->net.plan;
	const struct tensor *in = &plan->tensors[op->inputs[0]], *out = &plan->tensors[op->output];
	float *input = session_tensor(r->session, op->inputs[0], 0);
	struct place *places = malloc((tensor_size(out) + 1) * sizeof *places);
	size_t count = walk_selected(r->walk, op->output, 0, places);
	double least = INFINITY;
	for (size_t i = 0; i < count; i++) {
		size_t first = (size_t)support_pool(plan, op, input, places[i]) * (size_t)in->c + (size_t)places[i].c;
		float highest = input[first];
		input[first] = -INFINITY;
		size_t second = (size_t)support_pool(plan, op, input, places[i]) * (size_t)in->c + (size_t)places[i].c;
		least = fmin(least, (highest - input[second]) / fabs(highest));
		input[first] = highest;
	}
	free(places);
	return least;
}

/* The first layer from the class whose selected neurons differ; -1 where none does. */
static int first_difference(struct runner *r, json_t *selected)
{
	const struct plan *plan = &r->net.plan;
	for (int k = plan->op_count; k-- > 0;) {
		json_t *list = json_object_get(selected, plan->ops[k].name);
		if (list && !same_selected(r, &plan->ops[k], list))
			return k;
	}
	return -1;
}

/* The layer that made a tensor, over through operators, as the tensor of its output. */
static int made_by(const struct plan *plan, int t)
{
	while (plan->tensors[t].maker >= 0 && op_is_through(&plan->ops[plan->tensors[t].maker]))
		t = plan->ops[plan->tensors[t].maker].inputs[0];
	return t;
}

/* A tensor's neurons differ because the layers that read it chose otherwise: the least margin of those, in units in which NEAR_TIE is the limit. */
static double margin_before(struct runner *r, json_t *vector, int tensor)
{
	const struct plan *plan = &r->net.plan;
	double margin = INFINITY;
	for (int k = 0; k < plan->op_count; k++) {
		const struct op *reader = &plan->ops[k];
		bool reads = false;
		for (int i = 0; i < reader->input_count; i++)
			reads = reads || made_by(plan, reader->inputs[i]) == tensor;
		if (!reads)
			continue;
		json_t *listed = json_object_get(json_object_get(vector, "margins"), reader->name);
		if (reader->kind == OP_MAX_POOL || reader->kind == OP_AVERAGE_POOL || reader->kind == OP_GLOBAL_AVERAGE_POOL)
			margin = fmin(margin, pool_gap(r, reader) / POOL_TIE * NEAR_TIE);
		else if (json_is_number(listed))
			margin = fmin(margin, json_number_value(listed));
	}
	return margin;
}

/* Two points whose distance is the radius but for rounding. */
static bool distance_tie(const struct point *points, size_t count, double radius)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			if (fabs(hypot(points[i].y - points[k].y, points[i].x - points[k].x) - radius) < 1e-9 * radius)
				return true;
	return false;
}

/* What follows the layers: points, outliers, box. *same_points says whether it is the points that differ, *tie whether two are a radius apart. */
static bool same_box(struct runner *r, json_t *vector, bool *same_points, bool *tie)
{
	json_t *photograph = json_object_get(vector, "photograph"), *listed = json_object_get(vector, "points"), *wanted = json_object_get(vector, "box");
	int width = (int)json_integer_value(json_object_get(photograph, "width")), height = (int)json_integer_value(json_object_get(photograph, "height"));
	const struct tensor *in = &r->net.plan.tensors[r->net.plan.inputs[0]];
	size_t room = walk_points(r->walk, 0, NULL) + 1;
	struct place *places = malloc(room * sizeof *places);
	struct point *points = malloc(room * sizeof *points);
	bool *keep = malloc(room * sizeof *keep);
	size_t count = walk_points(r->walk, 0, places);
	struct view_geometry g = view_geometry_stretch(in->w, in->h, width, height);
	bool same = count == json_array_size(listed);
	for (size_t i = 0; i < count && same; i++) {
		json_t *item = json_array_get(listed, i);
		same = places[i].y == json_integer_value(json_array_get(item, 0)) && places[i].x == json_integer_value(json_array_get(item, 1));
		points[i] = view_point(&g, places[i].y, places[i].x);
	}
	*same_points = same;
	json_t *own = json_object_get(vector, "rule");
	struct box_rule rule = {.radius = json_number_value(json_object_get(own, "radius")), .share = json_number_value(json_object_get(own, "share")),
		.margin = json_number_value(json_object_get(own, "margin"))};
	struct box box = {0};
	*tie = same && distance_tie(points, count, rule.radius * hypot(width, height));
	if (same) {
		same = box_outliers(points, count, width, height, &rule, keep) == (size_t)json_integer_value(json_object_get(vector, "kept"));
		bool found = box_around(points, keep, count, width, height, &rule, &box);
		same = same && found == json_is_array(wanted);
		if (same && found)
			same = box.xmin == json_number_value(json_array_get(wanted, 0)) && box.ymin == json_number_value(json_array_get(wanted, 1))
				&& box.xmax == json_number_value(json_array_get(wanted, 2)) && box.ymax == json_number_value(json_array_get(wanted, 3));
	}
	free(places);
	free(points);
	free(keep);
	return same;
}

/* A number that changes with any selected neuron of any layer (FNV-1a). */
static uint64_t fingerprint(struct runner *r)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (int t = 0; t < r->net.plan.tensor_count; t++) {
		size_t count = walk_selected(r->walk, t, 0, NULL);
		struct place *places = malloc((count + 1) * sizeof *places);
		walk_selected(r->walk, t, 0, places);
		for (size_t i = 0; i < count; i++)
			hash = (hash ^ place_neuron(&r->net.plan.tensors[t], places[i]) ^ (uint64_t)t << 32) * 0x100000001b3u;
		free(places);
	}
	return hash;
}

/* Under the product form no positive alpha_suc, and no positive factor of alpha_cur and alpha_pre, changes any selection. */
static void check_identifiability(struct runner *r, const struct policy *policy, const int *classes, int count)
{
	static const double FACTORS[] = {0.05, 0.3, 7};
	uint64_t selected = fingerprint(r);
	struct error e;
	for (size_t i = 0; i < 2 * sizeof FACTORS / sizeof *FACTORS; i++) {
		struct policy scaled = *policy;
		double factor = FACTORS[i / 2];
		scaled.alpha.suc *= i % 2 ? 1 : factor;
		scaled.alpha.cur *= i % 2 ? factor : 1;
		scaled.alpha.pre *= i % 2 ? factor : 1;
		ck_assert(policy_equal(policy, &scaled));
		ck_assert_msg(walk_run(r->walk, r->session, 0, &scaled, 1, classes, count, &e) == 0, "%s", e.message);
		ck_assert_msg(fingerprint(r) == selected, "a factor of %g on %s changes a selection", factor, i % 2 ? "cur and pre" : "suc");
	}
}

static void run_case(struct runner *r, const char *path)
{
	json_error_t why;
	struct error e;
	int classes[16];
	json_t *vector = json_load_file(path, 0, &why);
	ck_assert_msg(vector != NULL, "%s: %s", path, why.text);
	open_model(r, json_string_value(json_object_get(vector, "model")));
	feed(r, vector);
	struct policy policy = policy_of(json_object_get(vector, "policy"));
	int count = top_classes(r, vector, classes);
	ck_assert_msg(walk_run(r->walk, r->session, 0, &policy, 1, classes, count, &e) == 0, "%s", e.message);
	r->cases++;
	int k = first_difference(r, json_object_get(vector, "selected"));
	const char *name = strrchr(path, '/') + 1;
	bool same_points = true, distance = false;
	if (k < 0 && same_box(r, vector, &same_points, &distance)) {
		r->exact++;
	} else {
		bool selection = k >= 0 || !same_points;
		double margin = selection ? margin_before(r, vector, k < 0 ? r->net.plan.inputs[0] : r->net.plan.ops[k].output) : INFINITY;
		if (!selection && distance)
			margin = 0;
		bool tie = margin < NEAR_TIE;
		r->ties += tie;
		r->wrong += !tie;
		printf("%s %s: %s differs, margin there %.3g\n", tie ? "near tie" : "WRONG", name,
			k >= 0 ? r->net.plan.ops[k].name : selection ? "the image's points" : "kept or box", margin);
	}
	if (policy.suc_form == SUC_PRODUCT)
		check_identifiability(r, &policy, classes, count);
	json_decref(vector);
}

static int is_json(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static void run_folder(const char *folder, bool real)
{
	const char *shared = getenv("LSDN_SHARED"), *models = getenv("LSDN_MODELS");
	struct runner r = {.model = ""};
	struct dirent **entries;
	char path[1024];
	snprintf(r.vectors, sizeof r.vectors, "%s/vectors", shared ? shared : "../shared");
	snprintf(r.models, sizeof r.models, "%s", models ? models : "");
	snprintf(path, sizeof path, "%s/%s", r.vectors, folder);
	int count = scandir(path, &entries, is_json, alphasort);
	if (count <= 0) {
		printf("skipped: %s: no vectors there\n", path);
		return;
	}
	char probe[1024];
	snprintf(probe, sizeof probe, "%s/googlenet.onnx", r.models);
	FILE *file = real ? fopen(probe, "rb") : NULL;
	if (real && !file)
		printf("skipped: vectors on real networks: %s is not there (set LSDN_MODELS)\n", probe);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%s/%s", r.vectors, folder, entries[i]->d_name);
		if (!real || file)
			run_case(&r, path);
		free(entries[i]);
	}
	free(entries);
	if (file)
		fclose(file);
	close_model(&r);
	printf("vectors/%s: %d cases, %d exact, %d near ties, %d wrong\n", folder, r.cases, r.exact, r.ties, r.wrong);
	fflush(stdout);
	ck_assert_int_eq(r.wrong, 0);
	ck_assert_int_ge(r.exact * 100, r.cases * 95);
}

START_TEST(small_networks)
{
	run_folder("small", false);
}
END_TEST

START_TEST(real_networks)
{
	run_folder("real", true);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vectors");
	TCase *cases = tcase_create("walks");
	tcase_set_timeout(cases, 900);
	tcase_add_test(cases, small_networks);
	tcase_add_test(cases, real_networks);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
