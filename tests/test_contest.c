/* A contest of methods on generated images, some of whose maps are the test's own; covered photographs and networks drawn anew, worked out apart. */
#include "config.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calib/contest.h"
#include "calib/score.h"
#include "core/embedded.h"
#include "core/methods/mapper.h"
#include "tests/random.h"
#include "tests/suite.h"

static struct net net;
static struct packed_weights *packed;
static struct progress progress;
static volatile sig_atomic_t stop;

static void open_network(void)
{
	struct error e;
	ck_assert_int_eq(model_open(&net, NULL, &e), 0);
	packed = packed_weights_open(&net.plan, &e);
	ck_assert_ptr_nonnull(packed);
	stop = 0;
}

static void close_network(void)
{
	packed_weights_close(packed);
	net_close(&net);
}

/* The probability of a class when only marked pixels of the network's input are left. */
static double plain_probability(const float *input, const bool *stays, int class_index)
{
	struct error e;
	struct session *s = session_open(&net.plan, packed, 1, 1, &e);
	size_t pixels = (size_t)net.input.width * (size_t)net.input.height;
	double *probabilities = malloc(tensor_size(&net.plan.tensors[net.plan.scores]) * sizeof *probabilities);
	ck_assert(s && probabilities);
	for (size_t i = 0; i < 3 * pixels; i++)
		session_tensor(s, net.plan.inputs[0], 0)[i] = stays[i / 3] ? input[i] : 0;
	ck_assert_int_eq(session_run(s, &e), 0);
	session_probabilities(s, 0, probabilities);
	double found = probabilities[class_index];
	free(probabilities);
	session_close(s);
	return found;
}

START_TEST(covered_photographs)
{
	struct error e;
	struct explainer x;
	struct probe probe;
	struct source source = {.seed = 3, .count = 2};
	ck_assert_int_eq(explainer_open(&x, &net, packed, 1, &e), 0);
	ck_assert_int_eq(probe_open(&probe, &net, packed, &e), 0);
	for (uint32_t n = 0; n < 2; n++) {
		struct photo photo;
		struct annotation truth;
		ck_assert_int_eq(source_load(&source, n, &photo, &truth, &e), 0);
		ck_assert_int_eq(explainer_feed(&x, &photo, VIEW_FULL, &e), 0);
		int side = net.input.width, class_index = explainer_class(&x, 0);
		ck_assert(side == photo.width && side == photo.height && side == net.input.height); /* one pixel for one */
		size_t pixels = (size_t)side * (size_t)side;
		float *input = malloc(3 * pixels * sizeof *input), *map = malloc(pixels * sizeof *map);
		bool *stays = calloc(pixels, sizeof *stays);
		ck_assert(input && map && stays);
		memcpy(input, session_tensor(x.crops[0].session, net.plan.inputs[0], 0), 3 * pixels * sizeof *input);
		probe_take(&probe, &x);

		const struct boxf boxes[] = {{10, 20, 60, 70}, {0, 0, side - 1, side - 1}, {0, 0, 0, 0}};
		const bool without[] = {false, false, true};
		double found[3];
		ck_assert_int_eq(probe_boxes(&probe, class_index, boxes, without, 3, found, &e), 0);
		for (size_t i = 0; i < pixels; i++)
			stays[i] = i % (size_t)side >= 10 && i % (size_t)side <= 60 && i / (size_t)side >= 20 && i / (size_t)side <= 70;
		ck_assert_double_eq_tol(found[0], plain_probability(input, stays, class_index), 1e-5); /* other batches may round otherwise */
		ck_assert_double_eq_tol(found[1], x.probabilities[class_index], 1e-5);
		memset(stays, 0, pixels * sizeof *stays);
		ck_assert_double_eq_tol(found[2], plain_probability(input, stays, class_index), 1e-5);

		/* A map with few values, so that ties matter. */
		struct pcg rng;
		double insertion[PROBE_CURVE], deletion[PROBE_CURVE];
		pcg_seed(&rng, random_seed(), n);
		for (size_t i = 0; i < pixels; i++)
			map[i] = (float)between(&rng, 0, 3) / 3;
		ck_assert_int_eq(probe_curves(&probe, class_index, map, insertion, deletion, &e), 0);
		for (size_t step = 1; step < PROBE_STEPS; step += 16) {
			size_t wanted = pixels * step / PROBE_STEPS, taken = 0;
			memset(stays, 0, pixels * sizeof *stays);
			for (int value = 3; value >= 0; value--)
				for (size_t i = 0; i < pixels && taken < wanted; i++)
					if (map[i] == (float)value / 3) {
						stays[i] = true;
						taken++;
					}
			ck_assert_double_eq_tol(insertion[step], plain_probability(input, stays, class_index), 1e-5);
			for (size_t i = 0; i < pixels; i++)
				stays[i] = !stays[i];
			ck_assert_double_eq_tol(deletion[step], plain_probability(input, stays, class_index), 1e-5);
		}
		free(input);
		free(map);
		free(stays);
		photo_free(&photo);
		annotation_free(&truth);
	}
	probe_close(&probe);
	explainer_close(&x);
}
END_TEST

START_TEST(five_crops_are_means)
{
	struct error e;
	struct explainer x;
	struct probe probe;
	struct source source = {.seed = 3, .count = 1};
	struct photo photo;
	struct annotation truth;
	ck_assert_int_eq(explainer_open(&x, &net, packed, 1, &e), 0);
	ck_assert_int_eq(probe_open(&probe, &net, packed, &e), 0);
	ck_assert_int_eq(source_load(&source, 0, &photo, &truth, &e), 0);
	ck_assert_int_eq(explainer_feed(&x, &photo, VIEW_FIVE, &e), 0);
	int class_index = explainer_class(&x, 0);
	probe_take(&probe, &x);
	double open;
	ck_assert_int_eq(probe_boxes(&probe, class_index, &(struct boxf){0, 0, photo.width - 1, photo.height - 1}, &(bool){false}, 1, &open, &e), 0);
	ck_assert_double_eq_tol(open, x.probabilities[class_index], 1e-5);
	photo_free(&photo);
	annotation_free(&truth);
	probe_close(&probe);
	explainer_close(&x);
}
END_TEST

/* Methods of the test's own: all 0, no number, and 1 on the left and 0.1 on the right. */
static int answer_nothing(const struct question *q, struct error *e)
{
	return grid_make(q->grid, 8, 8, e);
}

static int answer_nan(const struct question *q, struct error *e)
{
	int code = grid_make(q->grid, 8, 8, e);
	if (!code)
		q->grid->values[5] = NAN;
	return code;
}

static int answer_left(const struct question *q, struct error *e)
{
	const struct preprocessing *input = &q->net->input;
	int code = grid_make(q->grid, input->height, input->width, e);
	for (int i = 0; !code && i < input->height * input->width; i++)
		q->grid->values[i] = i % input->width < input->width / 2 ? 1 : 0.1f;
	return code;
}

static const struct map_method NOTHING = {.name = "nothing", .place = MAP_OF_INPUT, .answer = answer_nothing},
	NO_NUMBER = {.name = "no number", .place = MAP_OF_INPUT, .answer = answer_nan}, LEFT = {.name = "left", .place = MAP_OF_INPUT, .answer = answer_left},
	COSTLY_LEFT = {.name = "costly left", .place = MAP_OF_INPUT, .costly = true, .answer = answer_left};

enum { E_LSDN, E_NOTHING, E_NO_NUMBER, E_LEFT, E_COSTLY_LEFT, E_CAM, E_CENTER_BOX, E_CENTER_POINT, E_WHOLE, E_COUNT, IMAGES = 10 };

static const struct source SOURCE = {.seed = 42, .count = 30};
static struct choices choices;
static const struct map_method *methods[] = {NULL, &NOTHING, &NO_NUMBER, &LEFT, &COSTLY_LEFT, NULL, NULL};

static void run_contest(struct contest *c, struct contest_job *job, int threads, int draws)
{
	struct error e;
	choices = CHOICES_DEFAULT;
	methods[0] = map_method_find("lsdn", &e);
	methods[5] = map_method_find("cam", &e);
	*job = (struct contest_job){.source = &SOURCE, .choices = &choices, .methods = methods, .images = IMAGES, .costly = 3, .check = 2, .draws = draws, .seed = 1};
	ck_assert_int_eq(crew_open(&job->crew, &net, packed, threads, &progress, &stop, &e), 0);
	ck_assert_int_eq(contest_open(c, job, &e), 0);
	ck_assert_int_eq(contest_run(c, NULL, &e), 0);
	ck_assert_uint_eq(c->entrant_count, E_COUNT);
}

static const double *values_of(const struct contest *c, size_t taken, size_t entrant)
{
	return c->images[c->taken[taken]].values + entrant * ROWS;
}

START_TEST(rows_worked_out_apart)
{
	struct contest c;
	struct contest_job job;
	struct error e;
	struct explainer x;
	unsigned int rises = 0, known = 0;
	run_contest(&c, &job, 2, 1);
	ck_assert_uint_eq(c.taken_count, IMAGES);
	ck_assert_int_eq(explainer_open(&x, &net, packed, 1, &e), 0);
	for (size_t i = 0; i < IMAGES; i++) {
		struct photo photo;
		struct annotation truth;
		struct explanation found;
		ck_assert_int_eq(source_load(&SOURCE, c.taken[i], &photo, &truth, &e), 0);
		ck_assert_int_eq(explainer_feed(&x, &photo, VIEW_FULL, &e), 0);
		int width = photo.width, height = photo.height, class_index = explainer_class(&x, 0), annotated = annotated_class(&net, &truth);
		bool right = annotated_with(&net, &truth, class_index);
		ck_assert_int_ge(annotated, 0);
		const double *v = values_of(&c, i, E_LSDN);
		ck_assert_int_eq(explainer_walk(&x, &choices.policy, 1, class_index, &e), 0);
		ck_assert_int_eq(explainer_read(&x, 0, &choices.box, &found, &e), 0);
		struct boxf box = box_real(&found.box);
		bool hit = found.found && annotation_iou(&truth, &box, width, height) > 0.5;
		ck_assert_double_eq(v[ROW_PREDICTED], hit);
		ck_assert_double_eq(v[ROW_ERROR], !(hit && right));
		ck_assert_int_eq(explainer_walk(&x, &choices.policy, 1, annotated, &e), 0);
		ck_assert_int_eq(explainer_read(&x, 0, &choices.box, &found, &e), 0);
		box = box_real(&found.box);
		ck_assert_double_eq(v[ROW_KNOWN], found.found && annotation_iou(&truth, &box, width, height) > 0.5);
		known += v[ROW_KNOWN] > 0;
		rises += v[ROW_RISE] > 0;
		ck_assert((v[ROW_RISE] > 0) <= (v[ROW_DROP] <= 0));

		/* The left half: its maximum is the first pixel, its box the half. */
		v = values_of(&c, i, E_LEFT);
		box = (struct boxf){0, 0, width / 2 - 1, height - 1};
		ck_assert_double_eq(v[ROW_POINTING], score_distance(&truth, 0, 0, width, height) <= 0);
		ck_assert_double_eq(v[ROW_POINTING_NEAR], score_distance(&truth, 0, 0, width, height) <= 15);
		ck_assert_double_eq(v[ROW_PREDICTED], annotation_iou(&truth, &box, width, height) > 0.5);
		struct boxf whole = box_centered(width, height, 1), center = box_centered(width, height, BOX_CENTER_SIDE);
		uint8_t hits = c.images[c.taken[i]].hits[E_LEFT * SCORE_THRESHOLDS + 10]; /* from 0.1 less what single precision has of it, all is in */
		ck_assert_int_eq(hits & 1, annotation_iou(&truth, &whole, width, height) >= 0.5);
		hits = c.images[c.taken[i]].hits[E_LEFT * SCORE_THRESHOLDS + 11];
		ck_assert_int_eq(hits & 1, annotation_iou(&truth, &box, width, height) >= 0.5);

		/* Nothing: no box, and no evidence for any. All is covered. */
		v = values_of(&c, i, E_NOTHING);
		ck_assert(v[ROW_POINTING] == 0 && v[ROW_PREDICTED] == 0 && v[ROW_KNOWN] == 0 && v[ROW_ERROR] == 1);
		const struct contest_image *image = &c.images[c.taken[i]];
		ck_assert_double_eq(v[ROW_DROP], fmax(0, (image->open - image->covered) / image->open));
		ck_assert_double_eq_tol(image->open, x.probabilities[class_index], 1e-5);

		/* What cannot explain says nothing. */
		for (int row = 0; row < ROWS; row++) {
			ck_assert(isnan(values_of(&c, i, E_NO_NUMBER)[row]) && isnan(values_of(&c, i, E_CAM)[row]));
			ck_assert(i < 3 || isnan(values_of(&c, i, E_COSTLY_LEFT)[row]));
		}
		ck_assert_ptr_nonnull(strstr(image->failed[E_CAM], "cam needs"));
		ck_assert_ptr_nonnull(strstr(image->failed[E_NO_NUMBER], "no finite number"));

		/* Trivial ones. */
		v = values_of(&c, i, E_CENTER_BOX);
		ck_assert_double_eq(v[ROW_PREDICTED], annotation_iou(&truth, &center, width, height) > 0.5);
		ck_assert(isnan(v[ROW_POINTING]) && isnan(v[ROW_INSERTION]) && isnan(v[ROW_MAX_BOX]));
		v = values_of(&c, i, E_CENTER_POINT);
		ck_assert_double_eq(v[ROW_POINTING], score_distance(&truth, (height - 1) / 2, (width - 1) / 2, width, height) <= 0);
		ck_assert(isnan(v[ROW_PREDICTED]) && isnan(v[ROW_RISE]));
		v = values_of(&c, i, E_WHOLE);
		ck_assert(v[ROW_RISE] == 0 && v[ROW_DROP] == 0);
		photo_free(&photo);
		annotation_free(&truth);
	}
	ck_assert(known > 0 && known < IMAGES && rises > 0); /* else little was compared */
	for (size_t i = 0; i < 3; i++) {
		const double *costly = values_of(&c, i, E_COSTLY_LEFT), *left = values_of(&c, i, E_LEFT);
		for (int row = 0; row <= ROW_DELETION; row++)
			if (row != ROW_DROP && row != ROW_MAX_BOX && row != ROW_MAX_BOX_V2)
				ck_assert_double_eq(costly[row], left[row]);
		ck_assert_double_eq_tol(costly[ROW_DROP], left[ROW_DROP], 1e-5); /* of another batch */
		ck_assert(!isnan(left[ROW_INSERTION]) && !isnan(values_of(&c, i, E_NOTHING)[ROW_INSERTION]));
	}
	ck_assert(isnan(values_of(&c, 3, E_LEFT)[ROW_INSERTION]));
	/* A map that depends on nothing is the same for both classes and in every network. */
	for (size_t i = 0; i < 2; i++)
		for (int row = ROW_CLASSES; row < ROW_SANITY + c.levels.count; row++) {
			ck_assert_double_eq_tol(values_of(&c, i, E_LEFT)[row], 1, 1e-12);
			ck_assert(isnan(values_of(&c, i, E_NOTHING)[row]) && isnan(values_of(&c, i, E_COSTLY_LEFT)[row]));
			ck_assert(fabs(values_of(&c, i, E_LSDN)[row]) <= 1);
		}
	ck_assert(isnan(values_of(&c, 2, E_LEFT)[ROW_CLASSES]));
	explainer_close(&x);
	contest_close(&c);
	crew_close(&job.crew);
}
END_TEST

START_TEST(any_threads_are_the_same)
{
	struct contest one, two;
	struct contest_job jobs[2];
	run_contest(&one, &jobs[0], 1, 2);
	run_contest(&two, &jobs[1], 2, 2);
	ck_assert_uint_eq(one.taken_count, two.taken_count);
	ck_assert_uint_gt(one.taken_count, IMAGES);
	for (size_t i = 0; i < one.taken_count; i++) {
		ck_assert_uint_eq(one.taken[i], two.taken[i]);
		ck_assert_mem_eq(values_of(&one, i, 0), values_of(&two, i, 0), E_COUNT * ROWS * sizeof (double));
		ck_assert_mem_eq(one.images[one.taken[i]].hits, two.images[two.taken[i]].hits, E_COUNT * SCORE_THRESHOLDS);
	}
	/* The first draw is that of one draw, the second that of the next seed. */
	for (int n = 0; n < 2; n++) {
		struct pcg rng;
		uint32_t order[30];
		pcg_seed(&rng, 1 + (uint64_t)n, 0);
		pcg_shuffle(&rng, order, 30);
		ck_assert_uint_eq(one.draw_counts[n], IMAGES);
		ck_assert_mem_eq(one.draws[n], order, IMAGES * sizeof *order);
	}
	contest_close(&one);
	contest_close(&two);
	crew_close(&jobs[0].crew);
	crew_close(&jobs[1].crew);
}
END_TEST

START_TEST(figures_by_hand)
{
	struct contest c;
	struct contest_job job;
	struct contest_figure f;
	struct error e;
	int thresholds[SCORE_BITS];
	run_contest(&c, &job, 2, 1);
	/* lsdn is right on the images 0 to 5, the left half on 4 to 6; nothing is said of the last by the left half. */
	for (size_t i = 0; i < IMAGES; i++) {
		double *first = c.images[c.taken[i]].values + ROW_KNOWN, *left = c.images[c.taken[i]].values + E_LEFT * ROWS + ROW_KNOWN;
		*first = i < 6;
		*left = i >= 4 && i < 7;
		left[0] = i == IMAGES - 1 ? NAN : *left;
	}
	ck_assert_int_eq(contest_figure(&c, E_LEFT, ROW_KNOWN, -1, &f, &e), 0);
	ck_assert(f.images == 9 && f.count == 3 && f.pairs == 9 && f.better == 1 && f.worse == 4 && f.tested);
	ck_assert_double_eq_tol(f.value, 1.0 / 3, 1e-15);
	ck_assert_double_eq_tol(f.p, 2 * 6.0 / 32, 1e-12); /* at most 1 of 5 */
	ck_assert_double_eq(f.interval.low, wilson_interval(3, 9).low);
	ck_assert_int_eq(contest_figure(&c, E_LSDN, ROW_KNOWN, 0, &f, &e), 0);
	ck_assert(f.images == 10 && f.count == 6 && !f.tested);
	for (size_t i = 0; i < IMAGES; i++) {
		c.images[c.taken[i]].values[ROW_DROP] = 0.5;
		c.images[c.taken[i]].values[E_LEFT * ROWS + ROW_DROP] = i < 3 ? 0.75 : NAN;
	}
	ck_assert_int_eq(contest_figure(&c, E_LEFT, ROW_DROP, -1, &f, &e), 0);
	ck_assert(f.images == 3 && f.pairs == 3 && f.better == 3 && f.worse == 0 && f.value == 0.75);
	ck_assert_double_eq_tol(f.p, 2.0 / 8, 1e-15);
	/* MaxBoxAcc: at 0.20 four images, at 0.70 five of them; V2: 0.3 at 0.10 all, 0.5 at 0.20 half, 0.7 never. */
	for (size_t i = 0; i < IMAGES; i++) {
		uint8_t *hits = c.images[c.taken[i]].hits + E_LEFT * SCORE_THRESHOLDS;
		memset(hits, 0, SCORE_THRESHOLDS);
		hits[10] = 2;
		hits[20] = (uint8_t)((i < 4) | (i < 5) << 2);
		hits[70] = i >= 5;
	}
	contest_maxima(&c, E_LEFT, thresholds);
	ck_assert(thresholds[0] == 70 && thresholds[1] == 10 && thresholds[2] == 20 && thresholds[3] == 0);
	ck_assert_int_eq(contest_figure(&c, E_LEFT, ROW_MAX_BOX, -1, &f, &e), 0);
	ck_assert(f.count == 5 && f.images == 10);
	ck_assert_int_eq(contest_figure(&c, E_LEFT, ROW_MAX_BOX_V2, -1, &f, &e), 0);
	ck_assert_double_eq_tol(f.value, (1 + 0.5 + 0) / 3, 1e-12);
	double insertion[PROBE_CURVE], deletion[PROBE_CURVE];
	ck_assert_uint_eq(contest_curve(&c, E_LEFT, insertion, deletion), 3);
	ck_assert(insertion[0] == deletion[PROBE_STEPS] && insertion[PROBE_STEPS] == deletion[0]);
	ck_assert_uint_eq(contest_curve(&c, E_CENTER_BOX, insertion, deletion), 0);
	contest_close(&c);
	crew_close(&job.crew);
}
END_TEST

START_TEST(networks_drawn_anew)
{
	struct random_levels levels;
	struct error e;
	random_levels_find(&levels, &net.plan);
	ck_assert(levels.count > 2 && levels.drawn[0] == 1 && levels.drawn[levels.count - 1] == levels.layers);
	for (int level = 0; level < levels.count; level++) {
		struct net random, again, other;
		int drawn = 0;
		ck_assert_int_eq(randomize(&random, &net, &levels, level, 7, &e), 0);
		ck_assert_int_eq(randomize(&again, &net, &levels, level, 7, &e), 0);
		ck_assert_int_eq(randomize(&other, &net, &levels, level, 8, &e), 0);
		for (int k = net.plan.op_count - 1; k >= 0; k--) {
			const struct op *op = &random.plan.ops[k];
			const struct tensor *in = &net.plan.tensors[op->inputs[0]], *out = &net.plan.tensors[op->output];
			if (op->kind != OP_CONV && op->kind != OP_GEMM)
				continue;
			if (drawn++ >= levels.drawn[level]) { /* below, all is as it was */
				ck_assert(op->weights == net.plan.ops[k].weights && op->bias == net.plan.ops[k].bias);
				continue;
			}
			size_t from = op->kind == OP_GEMM ? tensor_size(in) : (size_t)(op->window.height * op->window.width * in->c / op->groups);
			size_t count = from * (size_t)out->c;
			double sum = 0, squares = 0, n = (double)count;
			for (size_t i = 0; i < count; i++) {
				sum += (double)op->weights[i];
				squares += (double)op->weights[i] * (double)op->weights[i];
			}
			ck_assert(op->bias == NULL && op->weights != net.plan.ops[k].weights);
			ck_assert_mem_eq(op->weights, again.plan.ops[k].weights, count * sizeof (float));
			ck_assert_mem_ne(op->weights, other.plan.ops[k].weights, count * sizeof (float));
			/* Five standard deviations of the mean (sqrt(2 / from / n)) and of the mean square (2 / from * sqrt(2 / n)). */
			ck_assert_double_eq_tol(sum / n, 0, 5 * sqrt(2 / (double)from / n));
			ck_assert_double_eq_tol(squares / n, 2 / (double)from, 5 * 2 / (double)from * sqrt(2 / n));
		}
		randomize_close(&random);
		randomize_close(&again);
		randomize_close(&other);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("contest");
	TCase *cases = tcase_create("contests");
	tcase_set_timeout(cases, 120);
	tcase_add_checked_fixture(cases, open_network, close_network);
	tcase_add_test(cases, covered_photographs);
	tcase_add_test(cases, five_crops_are_means);
	tcase_add_test(cases, rows_worked_out_apart);
	tcase_add_test(cases, any_threads_are_the_same);
	tcase_add_test(cases, figures_by_hand);
	tcase_add_test(cases, networks_drawn_anew);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
