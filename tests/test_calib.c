/* Statistics, arms, choices and the weights file. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calib/calibrate.h"
#include "calib/evidence.h"
#include "core/embedded.h"
#include "core/weights_file.h"
#include "tests/suite.h"

START_TEST(wilson_by_hand)
{
	/* Agresti and Coull, "Approximate is better than exact", The American Statistician 52, 1998: 0 of 10 gives 0 to 0.278. */
	struct interval i = wilson_interval(0, 10);
	ck_assert_double_eq_tol(i.low, 0, 1e-12);
	ck_assert_double_eq_tol(i.high, 0.2775, 1e-4);
	i = wilson_interval(5, 10); /* symmetric about 1/2 */
	ck_assert_double_eq_tol(i.low + i.high, 1, 1e-12);
	ck_assert_double_eq_tol(i.low, 0.2366, 1e-4);
	i = wilson_interval(0, 0);
	ck_assert(i.low == 0 && i.high == 1);
}
END_TEST

START_TEST(mcnemar_by_hand)
{
	/* 1 against 5: 2 * (1 + 6) / 64. */
	ck_assert_double_eq_tol(mcnemar_exact(1, 5), 0.21875, 1e-12);
	ck_assert_double_eq_tol(mcnemar_exact(5, 1), 0.21875, 1e-12);
	ck_assert_double_eq_tol(mcnemar_exact(0, 10), 2.0 / 1024, 1e-12);
	ck_assert(mcnemar_exact(0, 0) == 1 && mcnemar_exact(7, 7) == 1);
}
END_TEST

START_TEST(arms_of_the_paper)
{
	struct weight_arms arms = {.count = 20, .low = 0, .high = 1};
	ck_assert_double_eq_tol(weight_arm(&arms, WEIGHT_CUR, 0), 0.05, 1e-12);
	ck_assert_double_eq_tol(weight_arm(&arms, WEIGHT_CUR, 19), 1, 1e-12);
	ck_assert_double_eq_tol(weight_arm(&arms, WEIGHT_PRE, 0), 0, 1e-12);
	ck_assert_double_eq_tol(weight_arm(&arms, WEIGHT_PRE, 19), 0.95, 1e-12);
	arms.logarithmic = true;
	arms.low = 0.01;
	ck_assert_double_eq_tol(weight_arm(&arms, WEIGHT_SUC, 0), 0.01, 1e-12);
	ck_assert_double_eq_tol(weight_arm(&arms, WEIGHT_SUC, 19), 1, 1e-12);
}
END_TEST

static int greatest_common_divisor(int a, int b)
{
	return b ? greatest_common_divisor(b, a % b) : a;
}

/* How many different numbers pre / cur there are: pre from 0 to n - 1, and n, where cur is tuned alone; cur from 1 to n. */
static int count_ratios(int n)
{
	int count = 1; /* 0 */
	for (int pre = 1; pre <= n; pre++)
		for (int cur = 1; cur <= n; cur++)
			count += greatest_common_divisor(pre, cur) == 1;
	return count;
}

static const struct policy *policy_of_arm(const struct calibration *c, enum weight w, int i)
{
	return &c->matrix.settings[c->tunings[w].arms[i].setting].policy;
}

/* Opens a calibration of all three weights. */
static void open_weights(struct calibration *c, struct parameter weights[WEIGHT_COUNT], int arms, uint64_t trials, const struct choices *base)
{
	struct calibration_plan plan = {.images = 1, .parameters = weights, .parameter_count = WEIGHT_COUNT, .trials = trials, .rules = BANDIT_DEFAULT};
	struct weight_arms values = {.count = arms, .low = 0, .high = 1};
	struct error e;
	for (int w = 0; w < WEIGHT_COUNT; w++)
		ck_assert_int_eq(parameter_weight(&weights[w], (enum weight)w, &values, &e), 0);
	ck_assert_int_eq(calibration_open(c, &plan, base, &e), 0);
}

static void close_weights(struct calibration *c, struct parameter weights[WEIGHT_COUNT])
{
	calibration_close(c);
	for (int w = 0; w < WEIGHT_COUNT; w++)
		parameter_free(&weights[w]);
}

/* Only alpha_pre / alpha_cur can matter: under the full budget all ratios that the bandits can end in, and CNN-Fixations; under a smaller one 20 from cur
 * (the last is 1), 20 from pre, none from suc. */
START_TEST(equal_policies_are_one)
{
	struct parameter weights[WEIGHT_COUNT];
	struct calibration c;
	open_weights(&c, weights, 20, 0, &CHOICES_DEFAULT);
	ck_assert_int_eq(c.matrix.count, count_ratios(20) + 1);
	ck_assert(c.tunings[WEIGHT_CUR].identifiable && c.tunings[WEIGHT_PRE].identifiable && !c.tunings[WEIGHT_SUC].identifiable);
	for (int i = 0; i < 20; i++) {
		struct policy cur = CHOICES_DEFAULT.policy, pre = cur;
		cur.alpha = (struct alpha){(i + 1) / 20.0, 1, 1};
		pre.alpha = (struct alpha){1, i / 20.0, 1};
		ck_assert(policy_equal(policy_of_arm(&c, WEIGHT_CUR, i), &cur) && policy_equal(policy_of_arm(&c, WEIGHT_PRE, i), &pre));
		for (int j = 0; j < 20; j++) {
			int found = 0;
			pre.alpha.cur = (j + 1) / 20.0;
			for (int p = 0; p < c.matrix.count; p++)
				found += policy_equal(&c.matrix.settings[p].policy, &pre);
			ck_assert_int_eq(found, 1);
		}
	}
	close_weights(&c, weights);
	open_weights(&c, weights, 20, 19, &CHOICES_DEFAULT);
	ck_assert_int_eq(c.matrix.count, 41);
	close_weights(&c, weights);
	open_weights(&c, weights, 200, 0, &CHOICES_DEFAULT); /* too many triples */
	ck_assert_int_eq(c.matrix.count, 2 * 200 + 1);
	close_weights(&c, weights);
	struct choices power = CHOICES_DEFAULT;
	power.policy.suc_form = SUC_POWER;
	open_weights(&c, weights, 20, 0, &power);
	ck_assert(c.tunings[WEIGHT_SUC].identifiable);
	close_weights(&c, weights);
}
END_TEST

START_TEST(choices_by_name)
{
	struct choices c = CHOICES_DEFAULT;
	struct error e;
	char text[CHOICE_TEXT];
	for (int i = 0; i < choices_count(); i++) {
		choices_get(&c, i, text);
		ck_assert_msg(choices_set(&c, choices_name(i), text, &e) == 0, "%s", e.message);
	}
	ck_assert_int_eq(memcmp(&c, &CHOICES_DEFAULT, sizeof c), 0);
	ck_assert_int_eq(choices_assign(&c, "k_conv=2", &e), 0);
	ck_assert_int_eq(c.policy.k_conv, 2);
	ck_assert_int_eq(choices_assign(&c, "k_fc=all", &e), 0);
	ck_assert_int_ne(choices_assign(&c, "k_conv=0", &e), 0);
	ck_assert_int_eq(choices_assign(&c, "method=cnn-fixations", &e), 0);
	ck_assert(policy_equal(&c.policy, &POLICY_CNN_FIXATIONS));
	ck_assert_int_ne(choices_assign(&c, "k_conv", &e), 0);
	ck_assert_int_ne(choices_assign(&c, "locate=nowhere", &e), 0);
	ck_assert(strstr(e.message, "strongest") && strstr(e.message, "center"));
	ck_assert_int_ne(choices_assign(&c, "colour=red", &e), 0);
	ck_assert_int_ne(choices_assign(&c, "radius=nan", &e), 0);
}
END_TEST

START_TEST(weights_file_round_trip)
{
	struct net net;
	struct error e;
	struct choices written = CHOICES_DEFAULT;
	struct weights_file read;
	char path[] = "/tmp/lsdn-weights-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	written.policy.alpha.cur = 0.35;
	written.policy.alpha.pre = 1e-8 / 3;
	written.policy.k_conv = 3;
	written.box.radius = 0.15;
	struct layer_policy *layers = calloc(100, sizeof *layers);
	ck_assert_msg(net_open_bytes(&net, EMBEDDED_ONNX, EMBEDDED_ONNX_SIZE, "odd \"name\"", NULL, NULL, &e) == 0, "%s", e.message);
	int first = -1, last = -1;
	for (int i = 0; i < net.plan.op_count; i++) {
		layers[i].k = K_SHARED;
		if (net.plan.ops[i].kind == OP_CONV) {
			first = first < 0 ? i : first;
			last = i;
		}
	}
	layers[first].k = K_ALL;
	layers[last] = (struct layer_policy){.own_alpha = true, .alpha = {1.0 / 3, 1e-9, 1}, .k = 2};
	written.policy.layers = layers;
	written.policy.layer_count = net.plan.op_count;
	weights_file_write_head(file, &net, &written);
	fclose(file);
	ck_assert_msg(weights_file_read(&read, path, &net.plan, &e) == 0, "%s", e.message);
	ck_assert_str_eq(read.model, "odd \"name\"");
	ck_assert_str_eq(read.sha256, net_sha256(&net));
	ck_assert_ptr_null(weights_file_warning(&read, &net));
	net.input.mean[1] += 1;
	ck_assert_ptr_nonnull(strstr(weights_file_warning(&read, &net), "mean"));
	net.sha256[0] ^= 1;
	ck_assert_ptr_nonnull(strstr(weights_file_warning(&read, &net), "another model"));
	net.sha256[0] ^= 1;
	ck_assert_double_eq(read.choices.policy.alpha.cur, 0.35);
	ck_assert_double_eq(read.choices.policy.alpha.pre, 1e-8 / 3);
	ck_assert_int_eq(read.choices.policy.k_conv, 3);
	ck_assert_double_eq_tol(read.choices.box.radius, 0.15, 1e-9);
	for (int i = 0; i < net.plan.op_count; i++) {
		const struct layer_policy *own = &read.choices.policy.layers[i];
		ck_assert(own->k == layers[i].k && own->own_alpha == (i == last) && own->alpha.cur == layers[i].alpha.cur && own->alpha.pre == layers[i].alpha.pre);
	}
	free(layers);
	weights_file_free(&read);
	net_close(&net);
	unlink(path);
}
END_TEST

/* A weights file of the embedded network with that text behind its alpha. */
static int read_weights(struct weights_file *w, const struct net *net, const char *more, struct error *e)
{
	char path[] = "/tmp/lsdn-weights-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	fprintf(file, "format = 1;\nalpha = { cur = 1.0; pre = 0.5; suc = 1.0; };\n%s\n", more);
	fclose(file);
	int code = weights_file_read(w, path, &net->plan, e);
	unlink(path);
	return code;
}

START_TEST(layers_of_their_own)
{
	struct net net;
	struct error e;
	struct weights_file w;
	char text[300];
	ck_assert_msg(net_open_bytes(&net, EMBEDDED_ONNX, EMBEDDED_ONNX_SIZE, "embedded", NULL, NULL, &e) == 0, "%s", e.message);
	int last = net.plan.op_count - 1;
	while (net.plan.ops[last].kind != OP_CONV)
		last--;
	const char *name = net.plan.ops[last].name;
	snprintf(text, sizeof text, "layers = ( { name = \"%s\"; alpha = { cur = 0.25; pre = 0.75; suc = 1; }; k = 3; } );", name);
	ck_assert_msg(read_weights(&w, &net, text, &e) == 0, "%s", e.message);
	ck_assert_double_eq(policy_alpha(&w.choices.policy, last).pre, 0.75);
	ck_assert_double_eq(policy_alpha(&w.choices.policy, 0).pre, 0.5);
	ck_assert_int_eq(w.choices.policy.layers[last].k, 3);
	struct policy shared = w.choices.policy;
	shared.layers = NULL;
	shared.layer_count = 0;
	ck_assert(!policy_same_choices(&shared, &w.choices.policy));
	weights_file_free(&w);
	snprintf(text, sizeof text, "layers = ( { name = \"%s\"; k = \"all\"; } );", name);
	ck_assert_msg(read_weights(&w, &net, text, &e) == 0, "%s", e.message);
	ck_assert_int_eq(w.choices.policy.layers[last].k, K_ALL);
	ck_assert_double_eq(policy_alpha(&w.choices.policy, last).pre, 0.5);
	weights_file_free(&w);
	ck_assert_int_ne(read_weights(&w, &net, "layers = ( { name = \"nowhere\"; k = 2; } );", &e), 0);
	ck_assert_msg(strstr(e.message, ":3:") && strstr(e.message, "name"), "%s", e.message);
	snprintf(text, sizeof text, "layers = ( { name = \"%s\"; k = 65; } );", name);
	ck_assert_int_ne(read_weights(&w, &net, text, &e), 0);
	snprintf(text, sizeof text, "layers = ( { name = \"%s\"; alpha = { cur = -1.0; pre = 1; suc = 1; }; } );", name);
	ck_assert_int_ne(read_weights(&w, &net, text, &e), 0);
	snprintf(text, sizeof text, "layers = ( { name = \"%s\"; kk = 2; } );", name);
	ck_assert_int_ne(read_weights(&w, &net, text, &e), 0);
	ck_assert_int_ne(read_weights(&w, &net, "layers = 3;", &e), 0);
	ck_assert_int_ne(read_weights(&w, &net, "model = { sha256 = 3; };", &e), 0);
	ck_assert_msg(strstr(e.message, ":3:"), "%s", e.message);
	net_close(&net);
}
END_TEST

/* Every name is found without its suffix or with another, and nothing else. */
START_TEST(images_by_name)
{
	struct net net;
	struct error e;
	struct weights_file w;
	ck_assert_msg(net_open_bytes(&net, EMBEDDED_ONNX, EMBEDDED_ONNX_SIZE, "embedded", NULL, NULL, &e) == 0, "%s", e.message);
	ck_assert_int_eq(read_weights(&w, &net, "evidence = { calibration_images = [ \"b.JPEG\", \"a\", \"c.d.png\", \".x\" ]; held_out_images = [ \"h.jpg\" ]; };", &e), 0);
	static const char *const THERE[] = {"b.JPEG", "b.png", "b", "a.jpg", "c.d.jpg", ".x"}, *const NOT[] = {"h.jpg", "c.e", "bb.JPEG", "", "B.JPEG", "c.d.e.png"};
	for (size_t i = 0; i < 6; i++) {
		ck_assert_msg(image_names_have(&w.calibrated, THERE[i]), "%s", THERE[i]);
		ck_assert_msg(!image_names_have(&w.calibrated, NOT[i]), "%s", NOT[i]);
	}
	ck_assert(image_names_have(&w.held_out, "h") && w.held_out.count == 1);
	weights_file_free(&w);
	ck_assert_int_ne(read_weights(&w, &net, "evidence = { held_out_images = \"h.jpg\"; };", &e), 0);
	ck_assert_msg(strstr(e.message, ":3:") && strstr(e.message, "held_out_images"), "%s", e.message);
	net_close(&net);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("calib");
	TCase *cases = tcase_create("calib");
	tcase_add_test(cases, wilson_by_hand);
	tcase_add_test(cases, mcnemar_by_hand);
	tcase_add_test(cases, arms_of_the_paper);
	tcase_add_test(cases, equal_policies_are_one);
	tcase_add_test(cases, choices_by_name);
	tcase_add_test(cases, weights_file_round_trip);
	tcase_add_test(cases, layers_of_their_own);
	tcase_add_test(cases, images_by_name);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
