/* What must be timed inside a process: a network that does one piece of work a line that it reads.
 *
 *     measure NETWORK.onnx BATCH THREADS [PHOTOGRAPH...]
 *
 * Every line of standard input is answered by one number:
 *     forward             milliseconds of one forward pass of the batch
 *     photo I             photograph I becomes the one that is explained; the class that is predicted
 *     policy NAME=VALUE.. the walk is for one policy, the default with these choices; 1
 *     arms K              the walk is for the policies of lsdn-calibrate's K arms a weight; how many different ones they are
 *     explain             milliseconds of walk, points and boxes of all of these after a forward pass
 *     whole               milliseconds of the same with the forward pass, from a preprocessed tensor
 *     peak                GFLOP/s of multiply-adds in registers on all threads
 *     work                GFLOP of the convolutions for one image
 *     weights, activations   bytes of weights, of one image's activations
 *     copy PATH           milliseconds in which a file is read into memory and copied once
 * Times are medians of runs for 0.2 s after one that is not counted. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "calib/calibrate.h"
#include "core/explain.h"
#include "tests/bench/peak.h"

enum { MOST_RUNS = 1000 };
static const double LEAST_MS = 200;

struct bench {
	struct net net;
	struct packed_weights *packed;
	int batch, threads;
	struct explainer explainer; /* open where there are photographs */
	struct session *session;    /* the explainer's, or of the batch */
	struct photo photo;
	float *tensor;              /* the photograph as ONNX has it, 3 x H x W */
	struct choices choices;
	struct policy *policies;
	int policy_count;
};

static double milliseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

typedef int timed_work(struct bench *b, double *ms, struct error *e);

static int forward(struct bench *b, double *ms, struct error *e)
{
	double start = milliseconds();
	int code = session_run(b->session, e);
	*ms = milliseconds() - start;
	return code;
}

static int walk_and_read(struct bench *b, struct error *e)
{
	struct explanation found;
	int code = explainer_walk(&b->explainer, b->policies, b->policy_count, -1, e);
	for (int p = 0; p < b->policy_count && !code; p++)
		code = explainer_read(&b->explainer, p, &b->choices.box, &found, e);
	return code;
}

static int explain(struct bench *b, double *ms, struct error *e)
{
	int code = explainer_feed(&b->explainer, &b->photo, b->choices.view, e);
	double start = milliseconds();
	if (!code)
		code = walk_and_read(b, e);
	*ms = milliseconds() - start;
	return code;
}

static int whole(struct bench *b, double *ms, struct error *e)
{
	double start = milliseconds();
	int code = explainer_feed_values(&b->explainer, b->tensor, e);
	if (!code)
		code = walk_and_read(b, e);
	*ms = milliseconds() - start;
	return code;
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static int repeated(struct bench *b, timed_work *work, double *median, struct error *e)
{
	double runs[MOST_RUNS], start = 0;
	int count = -1, code;
	do {
		code = work(b, &runs[count < 0 ? 0 : count], e);
		if (count++ < 0)
			start = milliseconds();
	} while (!code && count < MOST_RUNS && (!count || milliseconds() - start < LEAST_MS));
	qsort(runs, (size_t)count, sizeof *runs, by_value);
	*median = runs[count / 2];
	return code;
}

static int take_photo(struct bench *b, const char *path, double *answer, struct error *e)
{
	photo_free(&b->photo);
	int code = photo_read(&b->photo, path, e);
	if (!code)
		code = explainer_feed(&b->explainer, &b->photo, b->choices.view, e);
	if (code)
		return code;
	size_t pixels = (size_t)b->net.input.width * (size_t)b->net.input.height;
	const float *input = session_tensor(b->session, b->net.plan.inputs[0], 0);
	for (size_t i = 0; i < 3 * pixels; i++)
		b->tensor[i % 3 * pixels + i / 3] = input[i];
	*answer = explainer_class(&b->explainer, 0);
	return LSDN_OK;
}

static int take_policy(struct bench *b, char *assignments, double *answer, struct error *e)
{
	b->choices = CHOICES_DEFAULT;
	for (char *rest = assignments, *one; (one = strtok_r(NULL, " ", &rest));)
		if (choices_assign(&b->choices, one, e))
			return e->code;
	b->policies[0] = b->choices.policy;
	*answer = b->policy_count = 1;
	return LSDN_OK;
}

static bool is_arm(const struct calibration *c, int setting)
{
	for (int i = 0; i < c->tuning_count; i++)
		for (int k = 0; k < c->tunings[i].count; k++)
			if (c->tunings[i].arms[k].setting == setting)
				return true;
	return false;
}

static int take_arms(struct bench *b, int arms, double *answer, struct error *e)
{
	struct parameter weights[WEIGHT_COUNT] = {{.count = 0}};
	struct calibration_plan plan = {.images = 1, .parameters = weights, .parameter_count = WEIGHT_COUNT, .seed = 1, .rules = BANDIT_DEFAULT};
	struct weight_arms values = {.count = arms, .low = 0, .high = 1};
	struct calibration c = {.tuning_count = 0};
	int code = LSDN_OK;
	if (arms < 1 || arms > MAX_ARMS)
		return error_set(e, LSDN_ERROR_INPUT, "arms: name 1 to %d", MAX_ARMS);
	b->choices = CHOICES_DEFAULT;
	for (int w = 0; w < WEIGHT_COUNT && !code; w++)
		code = parameter_weight(&weights[w], (enum weight)w, &values, e);
	if (!code)
		code = calibration_open(&c, &plan, &b->choices, e);
	if (!code) {
		b->policy_count = 0;
		for (int i = 0; i < c.matrix.count; i++)
			if (is_arm(&c, i))
				b->policies[b->policy_count++] = c.matrix.settings[i].policy;
		*answer = b->policy_count;
	}
	calibration_close(&c);
	for (int w = 0; w < WEIGHT_COUNT; w++)
		parameter_free(&weights[w]);
	return code;
}

/* Numbers in the weights of a Conv or Gemm. */
static double op_weights(const struct plan *plan, const struct op *op)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]], *out = &plan->tensors[op->output];
	if (op->kind == OP_CONV)
		return (double)out->c * op->window.height * op->window.width * in->c / op->groups;
	return op->kind == OP_GEMM ? (double)out->c * (double)tensor_size(in) : 0;
}

struct sizes {
	double work, weights, activations;
};

static struct sizes sizes_of(const struct plan *plan)
{
	struct sizes s = {0};
	for (int k = 0; k < plan->op_count; k++) {
		const struct op *op = &plan->ops[k];
		const struct tensor *out = &plan->tensors[op->output];
		s.weights += sizeof(float) * op_weights(plan, op);
		s.work += op->kind == OP_CONV ? 2e-9 * op_weights(plan, op) * out->h * out->w : 0;
	}
	for (int t = 0; t < plan->tensor_count; t++)
		s.activations += sizeof(float) * (double)tensor_size(&plan->tensors[t]);
	return s;
}

static int copy(const char *path, double *ms, struct error *e)
{
	double start = milliseconds();
	int file = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = file < 0 ? -1 : lseek(file, 0, SEEK_END);
	char *read_once = size < 0 ? NULL : malloc((size_t)size), *copied = size < 0 ? NULL : malloc((size_t)size);
	off_t got = 0;
	ssize_t part = 1;
	while (read_once && part > 0 && got < size)
		got += part = pread(file, read_once + got, (size_t)(size - got), got);
	bool whole_file = read_once && copied && part > 0;
	if (whole_file) {
		memcpy(copied, read_once, (size_t)size);
		*(volatile char *)copied = *(volatile char *)(copied + size - 1);
	}
	*ms = milliseconds() - start;
	free(read_once);
	free(copied);
	if (file >= 0)
		close(file);
	return whole_file ? LSDN_OK : error_set(e, LSDN_ERROR_IO, "%s: cannot be read", path);
}

static int answer(struct bench *b, char *line, char **photos, int photo_count, double *number, struct error *e)
{
	char *rest = line + strcspn(line, " ");
	rest += *rest == ' ';
	if (!strcmp(line, "forward"))
		return repeated(b, forward, number, e);
	if (!strcmp(line, "peak")) {
		*number = peak_gflops(b->threads);
		return LSDN_OK;
	}
	struct sizes sizes = sizes_of(&b->net.plan);
	const double *size = !strcmp(line, "work") ? &sizes.work : !strcmp(line, "weights") ? &sizes.weights
		: !strcmp(line, "activations") ? &sizes.activations : NULL;
	if (size) {
		*number = *size;
		return LSDN_OK;
	}
	if (!strncmp(line, "copy ", 5))
		return copy(rest, number, e);
	if (!strncmp(line, "photo ", 6) && atoi(rest) >= 0 && atoi(rest) < photo_count)
		return take_photo(b, photos[atoi(rest)], number, e);
	if (!strncmp(line, "policy", 6))
		return take_policy(b, rest, number, e);
	if (!strncmp(line, "arms ", 5))
		return take_arms(b, atoi(rest), number, e);
	if (b->photo.rgb && (!strcmp(line, "explain") || !strcmp(line, "whole")))
		return repeated(b, *line == 'e' ? explain : whole, number, e);
	return error_set(e, LSDN_ERROR_INPUT, "'%s': no such work, or no photograph for it", line);
}

static int bench_open(struct bench *b, const char *path, bool explains, struct error *e)
{
	int code = net_open(&b->net, path, e);
	if (!code && !(b->packed = packed_weights_open(&b->net.plan, e)))
		code = e->code;
	if (!code && explains)
		code = explainer_open(&b->explainer, &b->net, b->packed, b->threads, e);
	if (code)
		return code;
	b->session = explains ? b->explainer.crops[0].session : session_open(&b->net.plan, b->packed, b->batch, b->threads, e);
	if (!b->session)
		return e->code;
	size_t size = tensor_size(&b->net.plan.tensors[b->net.plan.inputs[0]]);
	for (int i = 0; i < b->batch; i++)
		for (size_t k = 0; k < size; k++)
			session_tensor(b->session, b->net.plan.inputs[0], i)[k] = (float)(k * 7919 % 401) / 100 - 2;
	b->tensor = malloc(size * sizeof *b->tensor);
	b->policies = malloc((WEIGHT_COUNT * MAX_ARMS + 1) * sizeof *b->policies);
	if (!b->tensor || !b->policies)
		return error_memory(e, "a tensor");
	b->choices = CHOICES_DEFAULT;
	b->policies[0] = b->choices.policy;
	b->policy_count = 1;
	return LSDN_OK;
}

int main(int argc, char **argv)
{
	struct bench b = {.batch = argc > 3 ? atoi(argv[2]) : 0, .threads = argc > 3 ? atoi(argv[3]) : 0};
	struct error e;
	char line[4096];
	double number;
	if (b.batch < 1 || b.threads < 1 || (argc > 4 && b.batch > 1)) {
		fprintf(stderr, "usage: measure NETWORK.onnx BATCH THREADS [PHOTOGRAPH...], with photographs a batch of 1\n");
		return 2;
	}
	int code = bench_open(&b, argv[1], argc > 4, &e);
	while (!code && fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		code = answer(&b, line, argv + 4, argc - 4, &number, &e);
		if (!code) {
			printf("%.17g\n", number);
			fflush(stdout);
		}
	}
	if (code)
		fprintf(stderr, "measure: %s\n", e.message);
	photo_free(&b.photo);
	if (argc <= 4)
		session_close(b.session);
	explainer_close(&b.explainer);
	packed_weights_close(b.packed);
	net_close(&b.net);
	free(b.tensor);
	free(b.policies);
	return code ? EXIT_FAILURE : EXIT_SUCCESS;
}
