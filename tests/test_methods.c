/* Every method on a network that was worked out by hand, on one without any evidence, and with any number of threads. (tests/test_methods.sh holds their
 * values against PyTorch's.) */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/embedded.h"
#include "core/methods/mapper.h"
#include "tests/random.h"
#include "tests/suite.h"

/* What a mapper needs. */
struct bench {
	struct packed_weights *packed;
	struct linear_weights *linear;
	struct explainer explainer;
	struct mapper mapper;
	float *map;
};

static void open_bench(struct bench *b, const struct net *net, int threads, const float *image)
{
	struct error e;
	*b = (struct bench){.packed = packed_weights_open(&net->plan, &e), .linear = linear_weights_open(&net->plan, threads, &e)};
	ck_assert(b->packed && b->linear);
	ck_assert_msg(explainer_open(&b->explainer, net, b->packed, threads, &e) == 0, "%s", e.message);
	ck_assert_msg(mapper_open(&b->mapper, &b->explainer, b->linear, &e) == 0, "%s", e.message);
	ck_assert_msg(explainer_feed_values(&b->explainer, image, &e) == 0, "%s", e.message);
	b->map = malloc((size_t)net->input.width * (size_t)net->input.height * sizeof *b->map);
}

static void close_bench(struct bench *b)
{
	mapper_close(&b->mapper);
	linear_weights_close(b->linear);
	explainer_close(&b->explainer);
	packed_weights_close(b->packed);
	free(b->map);
}

static bool make(struct bench *b, const struct map_method *method, int class_index)
{
	struct error e;
	bool evidence;
	int code = mapper_make(&b->mapper, method, &CHOICES_DEFAULT, class_index, -1, b->map, &evidence, &e);
	ck_assert_msg(code == 0, "%s: %s", method->name, e.message);
	return evidence;
}

/* The embedded network's head has two layers. */
static bool refused(struct bench *b, const struct map_method *method)
{
	struct error e;
	bool evidence;
	if (strcmp(method->name, "cam") != 0)
		return false;
	ck_assert(mapper_make(&b->mapper, method, &CHOICES_DEFAULT, 0, -1, b->map, &evidence, &e) == LSDN_ERROR_UNSUPPORTED);
	return true;
}

/* A 2 x 2 Conv of stride 2 means red into channel 0 and green into channel 1; class 0 is the first average less twice the second. The four squares have
 * 4, 0, 0, 8 of red and 0, 4, 0, 0 of green: alpha = (1/4, -1/2) and A_0/4 - A_1/2 = 1, -2, 0, 2. Divided by 2 and cut off at 0 that is 1/2, 0, 0, 1,
 * and so it is by every method that weighs the layer's channels; all pixels have the gradient (1/16, 2/16, 0). */
START_TEST(by_hand)
{
	static const char *const WEIGHING[] = {"cam", "grad-cam", "grad-cam++", "excitation-backprop", "contrastive-excitation-backprop"},
		*const LEVEL[] = {"gradient", "deconvnet", "guided-backprop"};
	struct error e;
	float weights[2 * 4 * 3] = {0}, image[3 * 16] = {0}, classes[] = {1, -2, 0, 0};
	for (int i = 0; i < 4; i++)
		weights[i * 3] = weights[12 + i * 3 + 1] = 0.25f;
	for (int y = 0; y < 4; y++)
		for (int x = 0; x < 4; x++) {
			image[y * 4 + x] = y < 2 && x < 2 ? 4 : y >= 2 && x >= 2 ? 8 : 0;
			image[16 + y * 4 + x] = y < 2 && x >= 2 ? 4 : 0;
		}
	struct tensor tensors[] = {{.name = "in", .c = 3, .h = 4, .w = 4, .rank = 4, .maker = -1}, {.name = "map", .c = 2, .h = 2, .w = 2, .rank = 4, .maker = 0},
		{.name = "mean", .c = 2, .h = 1, .w = 1, .rank = 4, .maker = 1}, {.name = "out", .c = 2, .h = 1, .w = 1, .rank = 2, .maker = 2}};
	struct op ops[] = {{.kind = OP_CONV, .name = "conv", .op_type = "Conv", .inputs = {0}, .input_count = 1, .output = 1, .groups = 1, .weights = weights,
		.window = {.height = 2, .width = 2, .stride_y = 2, .stride_x = 2, .dilation_y = 1, .dilation_x = 1}},
		{.kind = OP_GLOBAL_AVERAGE_POOL, .name = "pool", .op_type = "GlobalAveragePool", .inputs = {1}, .input_count = 1, .output = 2, .groups = 1},
		{.kind = OP_GEMM, .name = "classes", .op_type = "Gemm", .inputs = {2}, .input_count = 1, .output = 3, .groups = 1, .weights = classes}};
	int input = 0;
	struct net net = {.plan = {.tensors = tensors, .tensor_count = 4, .ops = ops, .op_count = 3, .inputs = &input, .input_count = 1, .output = 3, .scores = 3},
		.input = {.width = 4, .height = 4, .std = {1, 1, 1}}};
	struct bench b;
	open_bench(&b, &net, 1, image);
	for (size_t i = 0; i < sizeof WEIGHING / sizeof *WEIGHING; i++) {
		ck_assert(make(&b, map_method_find(WEIGHING[i], &e), 0));
		for (int y = 0; y < 4; y++)
			for (int x = 0; x < 4; x++) {
				/* Between the cells' centres, at 1/4 and 3/4 of the side. */
				double v = fmin(fmax(y / 2.0 - 0.25, 0), 1), u = fmin(fmax(x / 2.0 - 0.25, 0), 1), want = (1 - v) * (1 - u) / 2 + v * u;
				ck_assert_msg(fabs((double)b.map[y * 4 + x] - want) < 1e-5, "%s: pixel %d %d is %g, not %g", WEIGHING[i], x, y, (double)b.map[y * 4 + x], want);
			}
	}
	for (size_t i = 0; i < sizeof LEVEL / sizeof *LEVEL; i++) {
		ck_assert(make(&b, map_method_find(LEVEL[i], &e), 0));
		for (int p = 0; p < 16; p++)
			ck_assert(b.map[p] == 1);
		ck_assert(fabsf(b.mapper.grid.values[0] - 0.125f) < 1e-6f);
	}
	close_bench(&b);
}
END_TEST

/* What is drawn for a window of one colour is that colour. */
START_TEST(one_colour)
{
	static const char *const SAMPLING[] = {"prediction-difference", "prediction-difference-conditional"};
	struct error e;
	struct net net;
	struct bench b;
	ck_assert(model_open(&net, NULL, &e) == 0);
	size_t size = 3 * (size_t)net.input.width * (size_t)net.input.height;
	float *image = malloc(size * sizeof *image);
	for (size_t i = 0; i < size; i++)
		image[i] = 0.7f - (float)(i / (size / 3));
	open_bench(&b, &net, 1, image);
	for (size_t i = 0; i < sizeof SAMPLING / sizeof *SAMPLING; i++)
		ck_assert_msg(!make(&b, map_method_find(SAMPLING[i], &e), explainer_class(&b.explainer, 0)), "%s finds evidence", SAMPLING[i]);
	close_bench(&b);
	net_close(&net);
	free(image);
}
END_TEST

static float *random_image(const struct net *net)
{
	size_t size = 3 * (size_t)net->input.width * (size_t)net->input.height;
	float *image = malloc(size * sizeof *image);
	struct pcg rng;
	pcg_seed(&rng, random_seed(), 0);
	for (size_t i = 0; i < size; i++)
		image[i] = (float)(4 * pcg_double(&rng) - 2);
	return image;
}

/* All weights 0: the scores do not depend on the image. */
START_TEST(no_evidence)
{
	struct error e;
	struct net net;
	struct bench b;
	ck_assert(model_open(&net, NULL, &e) == 0);
	size_t pixels = (size_t)net.input.width * (size_t)net.input.height;
	float *zeros = calloc(1 << 22, sizeof *zeros), *image = random_image(&net);
	for (int k = 0; k < net.plan.op_count; k++)
		if (net.plan.ops[k].weights) {
			net.plan.ops[k].weights = zeros;
			net.plan.ops[k].bias = NULL;
		}
	open_bench(&b, &net, 1, image);
	for (int i = 0; MAP_METHODS[i]; i++) {
		if (refused(&b, MAP_METHODS[i]))
			continue;
		ck_assert_msg(!make(&b, MAP_METHODS[i], 0), "%s finds evidence", MAP_METHODS[i]->name);
		for (size_t p = 0; p < pixels; p++)
			ck_assert(b.map[p] == 0);
	}
	close_bench(&b);
	net_close(&net);
	free(zeros);
	free(image);
}
END_TEST

/* Also: in 0..1 with the maximum 1, the same again, and nothing else than before is in the session. */
START_TEST(same_whatever_the_threads)
{
	struct error e;
	struct net net;
	struct bench one, two;
	ck_assert(model_open(&net, NULL, &e) == 0);
	size_t pixels = (size_t)net.input.width * (size_t)net.input.height, scores = tensor_size(&net.plan.tensors[net.plan.scores]);
	float *image = random_image(&net), *before = malloc(scores * sizeof *before);
	open_bench(&one, &net, 1, image);
	open_bench(&two, &net, 2, image);
	int class_index = explainer_class(&one.explainer, 0);
	memcpy(before, session_tensor(one.explainer.crops[0].session, net.plan.scores, 0), scores * sizeof *before);
	for (int i = 0; MAP_METHODS[i]; i++) {
		const char *name = MAP_METHODS[i]->name;
		float highest = 0;
		if (refused(&one, MAP_METHODS[i]))
			continue;
		bool found = make(&one, MAP_METHODS[i], class_index);
		ck_assert(make(&two, MAP_METHODS[i], class_index) == found);
		ck_assert_msg(memcmp(one.map, two.map, pixels * sizeof *one.map) == 0, "%s: two threads make another map", name);
		make(&two, MAP_METHODS[i], class_index);
		ck_assert_msg(memcmp(one.map, two.map, pixels * sizeof *one.map) == 0, "%s: the second map is another", name);
		for (size_t p = 0; p < pixels; p++) {
			ck_assert(one.map[p] >= 0 && one.map[p] <= 1);
			highest = fmaxf(highest, one.map[p]);
		}
		ck_assert_msg(highest == (found ? 1 : 0), "%s: its maximum is %g", name, (double)highest);
		ck_assert_msg(memcmp(before, session_tensor(one.explainer.crops[0].session, net.plan.scores, 0), scores * sizeof *before) == 0,
			"%s leaves other scores", name);
	}
	close_bench(&one);
	close_bench(&two);
	net_close(&net);
	free(image);
	free(before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("methods");
	TCase *cases = tcase_create("methods");
	tcase_set_timeout(cases, 600);
	tcase_add_test(cases, by_hand);
	tcase_add_test(cases, one_colour);
	tcase_add_test(cases, no_evidence);
	tcase_add_test(cases, same_whatever_the_threads);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
