/* lsdn-calibrate: learns the three weights for a network on annotated photographs and writes them. */
#include "config.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calib/command.h"
#include "calib/generate.h"
#include "calib/report.h"
#include "core/output.h"

const char *argp_program_version = PACKAGE_STRING;

static const char PROGRAM[] = "lsdn-calibrate";

struct options {
	struct calibration_plan plan;
	struct choices choices;
	const char *model, *data, *output, *generate;
	bool jpeg, progress, range;
	int threads;
};

enum { KEY_WEIGHT = 256, KEY_RANGE, KEY_SPACING, KEY_SOLVER, KEY_FACTOR, KEY_DELTA, KEY_TRIALS,
	KEY_HELD_OUT, KEY_SET, KEY_THREADS, KEY_SEED, KEY_GENERATE, KEY_JPEG, KEY_PROGRESS };

static const struct argp_option OPTIONS[] = {
	{"model", 'm', "FILE.onnx", 0, "The network (default: the embedded one). FILE.cfg beside it says how its input is made", 0},
	{"data", 'd', "DIR", 0, "Photographs and annotations: images/ and annotations/ (ILSVRC XML), ImageNet's own folders, or LOC_val_solution.csv "
		"(default: generated images)", 0},
	{"images", 'n', "N", 0, "Images to calibrate on (default 1000)", 0},
	{"arms", 'k', "K", 0, "Values that are tried for each weight (default 20)", 0},
	{"weight", KEY_WEIGHT, "LIST", 0, "Weights to tune, of cur,pre,suc (default: all three)", 0},
	{"range", KEY_RANGE, "LO:HI", 0, "Range of the values (default 0:1; with log 0.01:1)", 0},
	{"spacing", KEY_SPACING, "linear|log", 0, "How the values lie in the range (default linear)", 0},
	{"solver", KEY_SOLVER, "NAME", 0, "Who decides which arm is tried next: ucb1 (default), agrawal, kl-ucb, thompson, race, sweep (lsdn-bandit shows what "
		"each is worth)", 0},
	{"factor", KEY_FACTOR, "F", 0, "agrawal: what ln ln t is multiplied with (default 2)", 0},
	{"delta", KEY_DELTA, "D", 0, "race: the most probability of a wrong answer (default 0.05); it stops when it is sure", 0},
	{"trials", KEY_TRIALS, "T", 0, "Budget of rewards a weight (default images x arms: every arm sees every image)", 0},
	{"held-out", KEY_HELD_OUT, "N", 0, "Further images that no arm sees, to score the result on (default 0)", 0},
	{"set", KEY_SET, "NAME=VALUE", 0, "Any other choice by its name, such as k_conv=2 or locate=center; may be repeated", 0},
	{"output", 'o', "FILE.cfg", 0, "Where the weights go (default MODEL-weights.cfg)", 0},
	{"seed", KEY_SEED, "N", 0, "Seed of the shuffles (default 1)", 0},
	{"threads", KEY_THREADS, "N", 0, "Threads (default: all cores); the result does not depend on it", 0},
	{"progress", KEY_PROGRESS, NULL, 0, "Show progress though standard error is no terminal", 0},
	{"generate", KEY_GENERATE, "DIR", 0, "Write the --images generated images of --seed with their annotations to DIR, and stop", 0},
	{"jpeg", KEY_JPEG, NULL, 0, "With --generate: JPEG instead of PNG", 0},
	{0},
};

static void parse_weights(struct argp_state *state, struct options *o, const char *text)
{
	if (!*text)
		argp_error(state, "--weight: name some of cur,pre,suc");
	memset(o->plan.tuned, 0, sizeof o->plan.tuned);
	for (const char *at = text; *at; at += *at == ',') {
		size_t length = strcspn(at, ",");
		int w = 0;
		while (w < WEIGHT_COUNT && (strlen(WEIGHT_NAMES[w]) != length || strncmp(at, WEIGHT_NAMES[w], length) != 0))
			w++;
		if (w == WEIGHT_COUNT)
			argp_error(state, "--weight %s: name some of cur,pre,suc", text);
		else
			o->plan.tuned[w] = true;
		at += length;
	}
}

static void parse_range(struct argp_state *state, struct options *o, const char *text)
{
	char *end;
	o->range = true;
	o->plan.low = strtod(text, &end);
	const char *high = end + (*end == ':');
	bool pair = end != text && *end == ':';
	o->plan.high = strtod(high, &end);
	if (!pair || end == high || *end || !(o->plan.low >= 0) || !(o->plan.high > o->plan.low) || !isfinite(o->plan.high))
		argp_error(state, "--range %s: give LO:HI with 0 <= LO < HI", text);
}

static void finish(struct argp_state *state, struct options *o)
{
	if (o->plan.logarithmic && !o->range)
		o->plan.low = 0.01;
	if (o->plan.logarithmic && o->plan.low <= 0)
		argp_error(state, "--spacing log: the range must begin above 0");
	if (o->choices.policy.method == METHOD_CNN_FIXATIONS)
		argp_error(state, "method=cnn-fixations has no weights to tune");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct options *o = state->input;
	struct error e;
	switch (key) {
	case 'm': o->model = argument; return 0;
	case 'd': o->data = argument; return 0;
	case 'o': o->output = argument; return 0;
	case 'n': o->plan.images = (size_t)command_number(state, "images", argument, 1, 10000000); return 0;
	case 'k': o->plan.arms = (int)command_number(state, "arms", argument, 1, MAX_ARMS); return 0;
	case KEY_WEIGHT: parse_weights(state, o, argument); return 0;
	case KEY_RANGE: parse_range(state, o, argument); return 0;
	case KEY_SPACING:
		if (strcmp(argument, "linear") != 0 && strcmp(argument, "log") != 0)
			argp_error(state, "--spacing %s: must be linear or log", argument);
		o->plan.logarithmic = argument[1] == 'o';
		return 0;
	case KEY_SOLVER:
		o->plan.rules.solver = bandit_solver(argument);
		if (!o->plan.rules.solver)
			argp_error(state, "--solver %s: must be ucb1, agrawal, kl-ucb, thompson, race or sweep", argument);
		return 0;
	case KEY_FACTOR: o->plan.rules.factor = command_real(state, "factor", argument, 0, 1000); return 0;
	case KEY_DELTA: o->plan.rules.delta = command_real(state, "delta", argument, 1e-12, 1 - 1e-12); return 0;
	case KEY_TRIALS: o->plan.trials = command_number(state, "trials", argument, 1, UINT64_MAX / 2); return 0;
	case KEY_HELD_OUT: o->plan.held_out = (size_t)command_number(state, "held-out", argument, 0, 10000000); return 0;
	case KEY_SET:
		if (choices_assign(&o->choices, argument, &e))
			argp_error(state, "--set %s", e.message);
		return 0;
	case KEY_SEED: o->plan.seed = command_number(state, "seed", argument, 0, UINT64_MAX / 2); return 0;
	case KEY_THREADS: o->threads = (int)command_number(state, "threads", argument, 1, 1024); return 0;
	case KEY_PROGRESS: o->progress = true; return 0;
	case KEY_GENERATE: o->generate = argument; return 0;
	case KEY_JPEG: o->jpeg = true; return 0;
	case ARGP_KEY_END: finish(state, o); return 0;
	case ARGP_KEY_ARG: argp_error(state, "%s: no such argument: name the network with --model, photographs with --data", argument); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp ARGP = {OPTIONS, parse, NULL,
	"Learns how much the current, the preceding and the succeeding layer count in an explanation: each weight is a Bernoulli bandit whose arms are values "
	"and whose reward is 1 when the explained box overlaps an annotated one by more than half.\v"
	"Examples:\n"
	"  lsdn-calibrate --images 1000 --arms 20\n"
	"  lsdn-calibrate --model googlenet.onnx --data ILSVRC --images 1000 --arms 20 --held-out 200 --output googlenet-weights.cfg\n\n"
	"Ctrl-C stops without writing anything. Exit status: 0 done, 1 could not (the reason is on standard error), 2 wrong usage.", NULL, NULL, NULL};

static int calibrate(const struct options *o, struct error *e)
{
	struct net net = {0};
	struct dataset dataset = {0};
	struct source source;
	struct calibration c = {0};
	struct progress progress = {.shown = o->progress || isatty(STDERR_FILENO)};
	char path[300];
	double start = progress_seconds();
	int code = command_open_net(&net, PROGRAM, o->model, e);
	if (code)
		return code;
	struct packed_weights *packed = packed_weights_open(&net.plan, e);
	struct output probe;
	snprintf(path, sizeof path, "%.250s-weights.cfg", net.name);
	const char *name = o->output ? o->output : path;
	code = packed ? output_open(&probe, name, e) : (int)e->code;
	if (!code)
		output_abandon(&probe); /* found out now that it can be written, not after hours */
	if (!code)
		code = command_open_source(&source, &dataset, PROGRAM, o->data, o->plan.images + o->plan.held_out, e);
	if (!code)
		code = calibration_open(&c, &o->plan, &o->choices, e);
	struct reward_job job = {.source = &source};
	if (!code)
		code = crew_open(&job.crew, &net, packed, o->threads, &progress, &command_interrupted, e);
	if (!code)
		code = calibration_run(&c, &job, e);
	report_skipped(stderr, &c);
	if (!code)
		code = report_write(name, &c, &job, e);
	if (!code) {
		report_print(stdout, &c, &job);
		printf("%.1f seconds with %d threads; weights written to %s\n", progress_seconds() - start, o->threads, name);
	}
	crew_close(&job.crew);
	calibration_close(&c);
	dataset_close(&dataset);
	packed_weights_close(packed);
	net_close(&net);
	return code;
}

int main(int argc, char **argv)
{
	struct options o = {
		.plan = {.images = 1000, .arms = 20, .tuned = {true, true, true}, .low = 0, .high = 1, .rules = BANDIT_DEFAULT, .seed = 1},
		.choices = CHOICES_DEFAULT,
		.threads = (int)sysconf(_SC_NPROCESSORS_ONLN),
	};
	struct error e;
	argp_err_exit_status = COMMAND_USAGE;
	argp_parse(&ARGP, argc, argv, 0, NULL, &o);
	command_catch_interrupts();
	int code = o.generate ? generate_write(o.plan.seed, (uint32_t)o.plan.images, o.jpeg, o.generate, &command_interrupted, &e) : calibrate(&o, &e);
	return command_end(PROGRAM, code, &e);
}
