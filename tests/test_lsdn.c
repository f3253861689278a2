/* The library as other people's programs see it, against the explainer of core that it is made of; many threads on one network. */
#include "config.h"

#include <check.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/generate.h"
#include "core/embedded.h"
#include "core/explain.h"
#include "core/image/map.h"
#include "core/lsdn.h"
#include "core/weights_file.h"
#include "tests/folder.h"
#include "tests/suite.h"

enum { SIDE = GENERATE_SIDE, THREADS = 8, IMAGES = 6 };

static struct net net;
static struct packed_weights *packed;
static struct explainer core;
static struct choices choices;
static struct lsdn_network *network;
static struct lsdn_explainer *explainer;
static char message[LSDN_MESSAGE];

#define WORKS(call) ck_assert_msg((call) == LSDN_OK, "%s", message)

static void open_both(void)
{
	struct error e;
	ck_assert_msg(model_open(&net, NULL, &e) == 0 && (packed = packed_weights_open(&net.plan, &e)) && explainer_open(&core, &net, packed, 1, &e) == 0,
		"%s", e.message);
	choices = CHOICES_DEFAULT;
	WORKS(lsdn_network_open(&network, NULL, message));
	WORKS(lsdn_explainer_open(&explainer, network, 1, message));
}

static void close_both(void)
{
	explainer_close(&core);
	packed_weights_close(packed);
	net_close(&net);
	lsdn_explainer_close(explainer);
	lsdn_network_close(network);
}

static struct photo generated(uint32_t index)
{
	struct photo photo;
	struct annotation truth;
	struct error e;
	ck_assert_msg(generate_image(7, index, &photo, &truth, &e) == 0, "%s", e.message);
	annotation_free(&truth);
	return photo;
}

/* What was explained is what core explains when it has been fed the same, with the same choices. */
static void same_as_core(const struct lsdn_explanation *seen, int asked)
{
	struct explanation found;
	struct error e;
	ck_assert_msg(explainer_walk(&core, &choices.policy, 1, asked, &e) == 0 && explainer_read(&core, 0, &choices.box, &found, &e) == 0, "%s", e.message);
	ck_assert_int_eq(seen->class_index, asked < 0 ? explainer_class(&core, 0) : asked);
	ck_assert_int_eq(seen->class_count, GENERATE_CLASSES);
	ck_assert(memcmp(seen->probabilities, core.probabilities, GENERATE_CLASSES * sizeof *core.probabilities) == 0);
	ck_assert(seen->probability == core.probabilities[seen->class_index]);
	ck_assert_str_eq(seen->name, GENERATE_LABELS[seen->class_index][1]);
	ck_assert_str_eq(seen->wnid, GENERATE_LABELS[seen->class_index][0]);
	ck_assert(seen->width == core.width && seen->height == core.height);
	ck_assert_uint_gt(found.count, 0);
	ck_assert_uint_eq(seen->point_count, found.count);
	ck_assert_uint_eq(seen->kept_count, found.kept);
	for (size_t i = 0; i < found.count; i++)
		ck_assert(seen->points[i].y == core.points[i].y && seen->points[i].x == core.points[i].x && seen->points[i].kept == core.keep[i]);
	ck_assert_int_eq(seen->box != NULL, found.found);
	ck_assert(!found.found || memcmp(seen->box, &found.box, sizeof found.box) == 0);
	size_t size = (size_t)seen->width * (size_t)seen->height;
	float *map = malloc(size * sizeof *map), *core_map = malloc(size * sizeof *map);
	ck_assert(map && core_map);
	WORKS(lsdn_heatmap(explainer, map, message));
	ck_assert_int_eq(map_make(core.points, NULL, core.keep, found.count, core.width, core.height, choices.box.blur, core_map, &e), 0);
	ck_assert(memcmp(map, core_map, size * sizeof *map) == 0);
	free(map);
	free(core_map);
}

static void rgb_same_as_core(const struct photo *photo, int asked)
{
	const struct lsdn_explanation *seen;
	struct error e;
	WORKS(lsdn_explain_rgb(explainer, photo->rgb, photo->width, photo->height, asked, &seen, message));
	ck_assert_msg(explainer_feed(&core, photo, choices.view, &e) == 0, "%s", e.message);
	same_as_core(seen, asked);
}

START_TEST(pixels_and_files)
{
	struct photo photo = generated(1), read;
	const struct lsdn_explanation *seen;
	struct error e;
	char path[256];
	rgb_same_as_core(&photo, LSDN_PREDICTED);
	rgb_same_as_core(&photo, 5);
	photo_free(&photo);
	ck_assert_int_eq(generate_write(7, 2, true, root, NULL, &e), 0);
	snprintf(path, sizeof path, "%s/images/generated_00000001.JPEG", root);
	WORKS(lsdn_explain_file(explainer, path, LSDN_PREDICTED, &seen, message));
	ck_assert_int_eq(photo_read(&read, path, &e), 0);
	ck_assert_int_eq(explainer_feed(&core, &read, VIEW_FULL, &e), 0);
	same_as_core(seen, -1);
	photo_free(&read);
}
END_TEST

/* The tensor of a view is explained as the view was, but in the network's own pixels. */
START_TEST(tensors)
{
	struct photo photo = generated(2);
	struct error e;
	struct view_geometry geometry;
	const struct lsdn_explanation *seen;
	static float nhwc[SIDE * SIDE * 3], planes[3 * SIDE * SIDE];
	ck_assert_int_eq(view_make(&photo, &net.input, VIEW_FULL, 0, nhwc, &geometry, &e), 0);
	for (int c = 0; c < 3; c++)
		for (int i = 0; i < SIDE * SIDE; i++)
			planes[c * SIDE * SIDE + i] = nhwc[i * 3 + c];
	WORKS(lsdn_explain_tensor(explainer, planes, LSDN_PREDICTED, &seen, message));
	ck_assert_int_eq(explainer_feed(&core, &photo, VIEW_FULL, &e), 0);
	same_as_core(seen, -1);
	planes[4711] = NAN;
	ck_assert_int_eq(lsdn_explain_tensor(explainer, planes, LSDN_PREDICTED, &seen, message), LSDN_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(message, "4711"));
	photo_free(&photo);
}
END_TEST

START_TEST(choices_by_name)
{
	static const char *const ASSIGNMENTS[] = {"k_conv=2", "locate=center", "view=five", "radius=0.2", "margin=0.05", "blur=0.1", "top_n=2"};
	struct photo photo = generated(3);
	struct error e;
	for (size_t i = 0; i < sizeof ASSIGNMENTS / sizeof *ASSIGNMENTS; i++) {
		WORKS(lsdn_set(explainer, ASSIGNMENTS[i], message));
		ck_assert_int_eq(choices_assign(&choices, ASSIGNMENTS[i], &e), 0);
		rgb_same_as_core(&photo, LSDN_PREDICTED);
	}
	WORKS(lsdn_set_alpha(explainer, 0.5, 0.25, 1, message));
	choices.policy.alpha = (struct alpha){.cur = 0.5, .pre = 0.25, .suc = 1};
	rgb_same_as_core(&photo, LSDN_PREDICTED);
	photo_free(&photo);
}
END_TEST

static const char *weights_path(const char *sha256)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/weights.cfg", root);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "format = 1;\nmodel = { name = \"embedded\"; sha256 = \"%s\"; };\nalpha = { cur = 0.25; pre = 0.75; suc = 1.0; };\n"
		"choices = { k_conv = 3; share = \"0.02\"; };\nlayers = ( { name = \"%s\"; k = 2; } );\n", sha256, net.plan.ops[0].name);
	ck_assert_int_eq(fclose(file), 0);
	return path;
}

START_TEST(weights_files)
{
	struct photo photo = generated(4);
	struct weights_file weights;
	struct error e;
	int same = -1;
	WORKS(lsdn_read_weights(explainer, weights_path("0000"), &same, message));
	ck_assert_int_eq(same, 0);
	WORKS(lsdn_read_weights(explainer, weights_path(net_sha256(&net)), &same, message));
	ck_assert_int_eq(same, 1);
	WORKS(lsdn_read_weights(explainer, weights_path(net_sha256(&net)), NULL, NULL));
	ck_assert_int_eq(weights_file_read(&weights, weights_path(net_sha256(&net)), &net.plan, &e), 0);
	choices = weights.choices;
	rgb_same_as_core(&photo, LSDN_PREDICTED);
	ck_assert_int_eq(lsdn_read_weights(explainer, "/nowhere/weights.cfg", &same, message), LSDN_ERROR_IO);
	rgb_same_as_core(&photo, LSDN_PREDICTED); /* with what was read before */
	weights_file_free(&weights);
	photo_free(&photo);
}
END_TEST

START_TEST(networks)
{
	const struct lsdn_facts *facts = lsdn_network_facts(network);
	int k = -1;
	ck_assert(facts->width == SIDE && facts->height == SIDE && facts->class_count == GENERATE_CLASSES && !facts->input_assumed);
	ck_assert_str_eq(facts->name, "embedded");
	ck_assert_str_eq(facts->sha256, net_sha256(&net));
	ck_assert_str_eq(lsdn_class_name(network, 3), GENERATE_LABELS[3][1]);
	ck_assert_ptr_null(lsdn_class_name(network, -1));
	ck_assert_ptr_null(lsdn_class_name(network, GENERATE_CLASSES));
	for (int i = 0; i < 2; i++) {
		WORKS(lsdn_class_find(network, GENERATE_LABELS[9][i], &k, message));
		ck_assert_int_eq(k, 9);
	}
	ck_assert_str_eq(lsdn_version(), PACKAGE_VERSION);
}
END_TEST

/* Places of a coarse map lie so far apart that each would be an outlier; with mass they are all seen. */
START_TEST(coarse_maps_are_seen)
{
	const struct lsdn_explanation *seen;
	struct photo photo = generated(3);
	float map[SIDE * SIDE], highest = 0;
	WORKS(lsdn_set(explainer, "mass=true", message));
	WORKS(lsdn_set(explainer, "stride=16", message));
	WORKS(lsdn_set(explainer, "radius=0.01", message));
	WORKS(lsdn_explain_rgb(explainer, photo.rgb, photo.width, photo.height, LSDN_PREDICTED, &seen, message));
	ck_assert_uint_gt(seen->point_count, 0);
	ck_assert_uint_eq(seen->kept_count, seen->point_count);
	WORKS(lsdn_heatmap(explainer, map, message));
	for (int i = 0; i < SIDE * SIDE; i++)
		highest = map[i] > highest ? map[i] : highest;
	ck_assert_float_eq(highest, 1);
	photo_free(&photo);
}
END_TEST

/* Each failure has its code and a message, gives nothing, and leaves handles that work. */
START_TEST(failures)
{
	struct lsdn_network *no_network = network;
	struct lsdn_explainer *no_explainer = explainer;
	const struct lsdn_explanation *seen;
	struct photo photo = generated(5);
	float pixel;
	int k = -7;
	ck_assert_int_eq(lsdn_heatmap(explainer, &pixel, message), LSDN_ERROR_INPUT);
	ck_assert_int_eq(lsdn_network_open(&no_network, "/nowhere/net.onnx", message), LSDN_ERROR_IO);
	ck_assert_ptr_null(no_network);
	ck_assert_ptr_nonnull(strstr(message, "/nowhere/net.onnx"));
	ck_assert_int_eq(lsdn_network_open(&no_network, "/nowhere/net.onnx", NULL), LSDN_ERROR_IO);
	for (int threads = 0; threads <= 1025; threads += 1025) {
		no_explainer = explainer;
		ck_assert_int_eq(lsdn_explainer_open(&no_explainer, network, threads, message), LSDN_ERROR_INPUT);
		ck_assert_ptr_null(no_explainer);
	}
	ck_assert_int_eq(lsdn_class_find(network, "zebra", &k, message), LSDN_ERROR_INPUT);
	ck_assert_int_eq(k, -7);
	ck_assert_int_eq(lsdn_set(explainer, "k_cone=1", message), LSDN_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(message, "k_cone"));
	ck_assert_int_eq(lsdn_set(explainer, "k_conv=0", NULL), LSDN_ERROR_INPUT);
	ck_assert_int_eq(lsdn_set_alpha(explainer, 1, -1, 1, message), LSDN_ERROR_INPUT);
	ck_assert_int_eq(lsdn_set_alpha(explainer, NAN, 1, 1, message), LSDN_ERROR_INPUT);
	rgb_same_as_core(&photo, LSDN_PREDICTED);
	seen = (const struct lsdn_explanation *)&pixel;
	ck_assert_int_eq(lsdn_explain_file(explainer, "/nowhere/photo.jpg", LSDN_PREDICTED, &seen, message), LSDN_ERROR_IO);
	ck_assert_ptr_null(seen);
	ck_assert_int_eq(lsdn_heatmap(explainer, &pixel, message), LSDN_ERROR_INPUT);
	static const int WRONG[][3] = {{SIDE, SIDE, GENERATE_CLASSES}, {SIDE, SIDE, -2}, {0, SIDE, 0}, {SIDE, -1, 0}, {30001, 1, 0}, {20000, 20000, 0}};
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
		ck_assert_int_eq(lsdn_explain_rgb(explainer, photo.rgb, WRONG[i][0], WRONG[i][1], WRONG[i][2], &seen, message), LSDN_ERROR_INPUT);
	rgb_same_as_core(&photo, LSDN_PREDICTED);
	photo_free(&photo);
	lsdn_explainer_close(NULL);
	lsdn_network_close(NULL);
}
END_TEST

/* A thread's locale stays, and a program's may write numbers with a comma. */
START_TEST(locales)
{
	struct lsdn_network *other;
	locale_t own = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	uselocale(own);
	WORKS(lsdn_network_open(&other, NULL, message));
	ck_assert(uselocale((locale_t)0) == own);
	lsdn_network_close(other);
	WORKS(lsdn_read_weights(explainer, weights_path(net_sha256(&net)), NULL, message));
	WORKS(lsdn_set(explainer, "radius=0.2", message));
	ck_assert(uselocale((locale_t)0) == own);
	uselocale(LC_GLOBAL_LOCALE);
	freelocale(own);
	if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "de_DE.utf8")) {
		printf("skipped: no locale with a decimal comma (de_DE.UTF-8)\n");
		return;
	}
	WORKS(lsdn_set(explainer, "radius=0.2", message));
	WORKS(lsdn_read_weights(explainer, weights_path(net_sha256(&net)), NULL, message));
	ck_assert_str_eq(localeconv()->decimal_point, ",");
	setlocale(LC_ALL, "C");
}
END_TEST

/* What one thread found, for all images: a sum that any other point, kept flag or probability changes. */
struct task {
	struct lsdn_network *network;
	const struct photo *photos;
	double sums[IMAGES];
	bool failed;
};

static double sum_up(const struct lsdn_explanation *seen)
{
	double sum = seen->probability + seen->class_index;
	for (size_t i = 0; i < seen->point_count; i++)
		sum += ((double)i + 1) * (seen->points[i].y * 1000 + seen->points[i].x * 10 + seen->points[i].kept);
	return sum;
}

static void *explain_all(void *argument)
{
	struct task *task = argument;
	struct lsdn_explainer *own;
	task->failed = lsdn_explainer_open(&own, task->network, 1, NULL) != LSDN_OK;
	for (int i = 0; i < IMAGES && !task->failed; i++) {
		const struct lsdn_explanation *seen;
		const struct photo *photo = &task->photos[i];
		task->failed = lsdn_set(own, i % 2 ? "view=full" : "view=five", NULL)
			|| lsdn_explain_rgb(own, photo->rgb, photo->width, photo->height, LSDN_PREDICTED, &seen, NULL);
		if (!task->failed)
			task->sums[i] = sum_up(seen);
	}
	lsdn_explainer_close(own);
	return NULL;
}

START_TEST(threads)
{
	struct photo photos[IMAGES];
	struct task tasks[THREADS + 1];
	pthread_t running[THREADS];
	struct lsdn_network *fresh; /* so that explainers meet in opening, too */
	WORKS(lsdn_network_open(&fresh, NULL, message));
	for (uint32_t i = 0; i < IMAGES; i++)
		photos[i] = generated(100 + i);
	for (int i = 0; i <= THREADS; i++)
		tasks[i] = (struct task){.network = fresh, .photos = photos};
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&running[i], NULL, explain_all, &tasks[i]), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(running[i], NULL), 0);
	explain_all(&tasks[THREADS]);
	for (int i = 0; i <= THREADS; i++) {
		ck_assert(!tasks[i].failed);
		ck_assert(memcmp(tasks[i].sums, tasks[THREADS].sums, sizeof tasks[i].sums) == 0);
	}
	for (int i = 0; i < IMAGES; i++)
		photo_free(&photos[i]);
	lsdn_network_close(fresh);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lsdn");
	TCase *tcase = tcase_create("library");
	tcase_set_timeout(tcase, 300);
	tcase_add_checked_fixture(tcase, in_new_folder, remove_folder);
	tcase_add_checked_fixture(tcase, open_both, close_both);
	tcase_add_test(tcase, pixels_and_files);
	tcase_add_test(tcase, tensors);
	tcase_add_test(tcase, choices_by_name);
	tcase_add_test(tcase, weights_files);
	tcase_add_test(tcase, networks);
	tcase_add_test(tcase, coarse_maps_are_seen);
	tcase_add_test(tcase, failures);
	tcase_add_test(tcase, locales);
	tcase_add_test(tcase, threads);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
