#include "config.h"

#include "calib/calibrate_options.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calib/command.h"

const char *argp_program_version = PACKAGE_STRING;

enum { KEY_WEIGHT = 256, KEY_RANGE, KEY_SPACING, KEY_SOLVER, KEY_FACTOR, KEY_DELTA, KEY_TRIALS,
	KEY_HELD_OUT, KEY_FOLDS, KEY_SET, KEY_TUNE, KEY_SCHEDULE, KEY_ROUNDS, KEY_PER_LAYER, KEY_GROUPS, KEY_THREADS, KEY_SEED, KEY_GENERATE, KEY_JPEG, KEY_PROGRESS, KEY_STUDY, KEY_RESUME, KEY_REPORT };

static const struct argp_option OPTIONS[] = {
	{"model", 'm', "FILE.onnx", 0, "The network (default: the embedded one). FILE.cfg beside it says how its input is made", 0},
	{"data", 'd', "DIR", 0, "Photographs and annotations: images/ and annotations/ (ILSVRC XML), ImageNet's own folders, or LOC_val_solution.csv "
		"(default: generated images)", 0},
	{"images", 'n', "N", 0, "Images to calibrate on (default 1000)", 0},
	{"arms", 'k', "K", 0, "Values that are tried for each weight (default 20)", 0},
	{"weight", KEY_WEIGHT, "LIST", 0, "Weights to tune, of cur,pre,suc (default: all three, with --tune too), or none; the others stay at 1", 0},
	{"range", KEY_RANGE, "LO:HI", 0, "Range of the values (default 0:1; with log 0.01:1)", 0},
	{"spacing", KEY_SPACING, "linear|log", 0, "How the values lie in the range (default linear)", 0},
	{"tune", KEY_TUNE, "NAME=VALUES", 0, "Tune any other choice too, or a weight, on values of its own: NAME=V1,V2,... or NAME=LO:HI:K (K values from LO to "
		"HI); may be repeated", 0},
	{"schedule", KEY_SCHEDULE, "NAME", 0, "independent (default): each alone, the others as they are at first. coordinate: in turn, weights first, then in the "
		"order of --tune, the others at their best so far. joint: arms are all combinations", 0},
	{"rounds", KEY_ROUNDS, "N", 0, "coordinate, --per-layer: at most so many rounds (default 2); a round that changes nothing is the last", 0},
	{"per-layer", KEY_PER_LAYER, NULL, 0, "Then give every Conv and Gemm weights of its own, in turn, from the shared ones on", 0},
	{"groups", KEY_GROUPS, "N", 0, "--per-layer: N groups of neighbours instead, which costs less and flatters less", 0},
	{"solver", KEY_SOLVER, "NAME", 0, "Who decides which arm is tried next: ucb1 (default), agrawal, kl-ucb, thompson, race, sweep (lsdn-bandit shows what "
		"each is worth)", 0},
	{"factor", KEY_FACTOR, "F", 0, "agrawal: what ln ln t is multiplied with (default 2)", 0},
	{"delta", KEY_DELTA, "D", 0, "race: the most probability of a wrong answer (default 0.05); it stops when it is sure", 0},
	{"trials", KEY_TRIALS, "T", 0, "Budget of rewards a bandit (default images x arms: every arm sees every image)", 0},
	{"held-out", KEY_HELD_OUT, "N", 0, "Further images that no arm sees, to score the result on (default 0)", 0},
	{"folds", KEY_FOLDS, "N", 0, "Cross-validate: also tune N times without every N-th image and score each image with what was tuned without it (default: no)", 0},
	{"set", KEY_SET, "NAME=VALUE", 0, "Any other choice by its name, such as k_conv=2 or locate=center; may be repeated", 0},
	{"output", 'o', "FILE.cfg", 0, "Where the weights go (default MODEL-weights.cfg)", 0},
	{"report", KEY_REPORT, "FILE.html", 0, "Also write a page for a person: arms, regret, rewards, tables, and the photographs that are explained best and worst", 0},
	{"study", KEY_STUDY, "FILE", 0, "Begin a study: a new file that keeps every reward from the moment on when it is computed", 0},
	{"resume", KEY_RESUME, "FILE", 0, "Go on with a study: what it has is not computed again, whatever ended it; images, arms, solver and seed may be others", 0},
	{"seed", KEY_SEED, "N", 0, "Seed of the shuffles (default 1)", 0},
	{"threads", KEY_THREADS, "N", 0, "Threads (default: all cores); the result does not depend on it", 0},
	{"progress", KEY_PROGRESS, NULL, 0, "Show progress though standard error is no terminal", 0},
	{"generate", KEY_GENERATE, "DIR", 0, "Write the --images generated images of --seed with their annotations to DIR, and stop", 0},
	{"jpeg", KEY_JPEG, NULL, 0, "With --generate: JPEG instead of PNG", 0},
	{0},
};

static void parse_weights(struct argp_state *state, struct calibrate_options *o, const char *text)
{
	memset(o->weights, 0, sizeof o->weights);
	if (strcmp(text, "none") == 0)
		return;
	if (!*text)
		argp_error(state, "--weight: name some of cur,pre,suc, or none");
	for (const char *at = text; *at; at += *at == ',') {
		size_t length = strcspn(at, ",");
		int w = 0;
		while (w < WEIGHT_COUNT && (strlen(WEIGHT_NAMES[w]) != length || strncmp(at, WEIGHT_NAMES[w], length) != 0))
			w++;
		if (w == WEIGHT_COUNT)
			argp_error(state, "--weight %s: name some of cur,pre,suc, or none", text);
		else
			o->weights[w] = true;
		at += length;
	}
}

static void parse_tune(struct argp_state *state, struct calibrate_options *o, const char *text)
{
	struct error e;
	int count = o->plan.parameter_count;
	if (count == MAX_TUNED)
		argp_error(state, "--tune: at most %d can be tuned", MAX_TUNED);
	if (parameter_parse(&o->parameters[count], text, &e))
		argp_error(state, "--tune %s", e.message);
	for (int i = 0; i < count; i++)
		if (strcmp(o->parameters[i].name, o->parameters[count].name) == 0)
			argp_error(state, "--tune %s: is tuned already", o->parameters[count].name);
	o->plan.parameter_count++;
}

static void parse_schedule(struct argp_state *state, struct calibrate_options *o, const char *text)
{
	int i = 0;
	while (i < SCHEDULES && strcmp(SCHEDULE_NAMES[i], text) != 0)
		i++;
	if (i == SCHEDULES)
		argp_error(state, "--schedule %s: must be independent, coordinate or joint", text);
	o->plan.schedule = (enum schedule)i;
}

/* Puts the weights that have no values of their own before what --tune names. */
static void add_weights(struct argp_state *state, struct calibrate_options *o)
{
	struct parameter tuned[MAX_TUNED];
	struct error e;
	int count = o->plan.parameter_count, weights = 0;
	memcpy(tuned, o->parameters, sizeof tuned);
	for (int i = 0; i < count; i++)
		if (tuned[i].weight < WEIGHT_COUNT)
			o->weights[tuned[i].weight] = false;
	for (int w = 0; w < WEIGHT_COUNT; w++)
		if (o->weights[w] && parameter_weight(&o->parameters[weights++], (enum weight)w, &o->arms, &e))
			argp_error(state, "%s", e.message);
	memcpy(o->parameters + weights, tuned, sizeof tuned);
	o->plan.parameter_count += weights;
	o->plan.parameters = o->parameters;
}

/* How much is tuned. */
static void check_plan(struct argp_state *state, const struct calibrate_options *o)
{
	bool weight = false;
	for (int i = 0; i < o->plan.parameter_count; i++)
		weight = weight || o->parameters[i].weight < WEIGHT_COUNT;
	if (!o->plan.parameter_count)
		argp_error(state, "--weight none: nothing is left to tune: name something with --tune");
	if (o->plan.per_layer && !weight)
		argp_error(state, "--per-layer: has no weights to tune: name some with --weight or --tune");
	if (o->plan.folds && o->plan.per_layer)
		argp_error(state, "--folds: weights of single layers are not cross-validated: leave out --per-layer");
	if ((size_t)o->plan.folds > o->plan.images)
		argp_error(state, "--folds %d: are more than the %zu --images", o->plan.folds, o->plan.images);
	if (weight && o->choices.policy.method == METHOD_CNN_FIXATIONS)
		argp_error(state, "method=cnn-fixations has no weights to tune: add --weight none, and name what else is to be tuned");
	if (o->plan.groups && !o->plan.per_layer)
		argp_error(state, "--groups: are of layers: add --per-layer");
}

static void parse_range(struct argp_state *state, struct calibrate_options *o, const char *text)
{
	char *end;
	o->range = true;
	o->arms.low = strtod(text, &end);
	const char *high = end + (*end == ':');
	bool pair = end != text && *end == ':';
	o->arms.high = strtod(high, &end);
	if (!pair || end == high || *end || !(o->arms.low >= 0) || !(o->arms.high > o->arms.low) || !isfinite(o->arms.high))
		argp_error(state, "--range %s: give LO:HI with 0 <= LO < HI", text);
}

static void name_study(struct argp_state *state, struct calibrate_options *o, const char *path, bool resume)
{
	if (o->study)
		argp_error(state, "--study and --resume: name one study");
	o->study = path;
	o->resume = resume;
	o->study_words = path == state->argv[state->next - 1] ? 2 : 1; /* or --study=FILE */
	o->study_at = state->next - o->study_words;
}

static void finish(struct argp_state *state, struct calibrate_options *o)
{
	if (o->arms.logarithmic && !o->range)
		o->arms.low = 0.01;
	if (o->arms.logarithmic && o->arms.low <= 0)
		argp_error(state, "--spacing log: the range must begin above 0");
	o->plan.logarithmic = o->arms.logarithmic;
	add_weights(state, o);
	check_plan(state, o);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct calibrate_options *o = state->input;
	struct error e;
	switch (key) {
	case 'm': o->model = argument; return 0;
	case 'd': o->data = argument; return 0;
	case 'o': o->output = argument; return 0;
	case 'n': o->plan.images = (size_t)command_number(state, "images", argument, 1, 10000000); return 0;
	case 'k': o->arms.count = (int)command_number(state, "arms", argument, 1, MAX_ARMS); return 0;
	case KEY_WEIGHT: parse_weights(state, o, argument); return 0;
	case KEY_TUNE: parse_tune(state, o, argument); return 0;
	case KEY_SCHEDULE: parse_schedule(state, o, argument); return 0;
	case KEY_ROUNDS: o->plan.rounds = (int)command_number(state, "rounds", argument, 1, 1000); return 0;
	case KEY_PER_LAYER: o->plan.per_layer = true; return 0;
	case KEY_GROUPS: o->plan.groups = (int)command_number(state, "groups", argument, 1, 100000); return 0;
	case KEY_RANGE: parse_range(state, o, argument); return 0;
	case KEY_SPACING:
		if (strcmp(argument, "linear") != 0 && strcmp(argument, "log") != 0)
			argp_error(state, "--spacing %s: must be linear or log", argument);
		o->arms.logarithmic = argument[1] == 'o';
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
	case KEY_FOLDS: o->plan.folds = (int)command_number(state, "folds", argument, 2, MOST_FOLDS); return 0;
	case KEY_SET:
		if (choices_assign(&o->choices, argument, &e))
			argp_error(state, "--set %s", e.message);
		return 0;
	case KEY_SEED: o->plan.seed = command_number(state, "seed", argument, 0, UINT64_MAX / 2); return 0;
	case KEY_REPORT: o->report = argument; return 0;
	case KEY_STUDY: name_study(state, o, argument, false); return 0;
	case KEY_RESUME: name_study(state, o, argument, true); return 0;
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
	"and whose reward is 1 when the explained box overlaps an annotated one by more than half. Any other choice of an explanation can be tuned likewise.\v"
	"Examples:\n"
	"  lsdn-calibrate --images 1000 --arms 20\n"
	"  lsdn-calibrate --model googlenet.onnx --data ILSVRC --images 1000 --arms 20 --held-out 200 --output googlenet-weights.cfg\n"
	"  lsdn-calibrate --schedule coordinate --tune k_conv=1,2,3 --tune margin=0:0.1:5 --tune view=full,five\n"
	"  lsdn-calibrate --schedule joint --weight none --tune pre=0,0.01,0.1,1 --tune k_fc=5,10,all\n"
	"  lsdn-calibrate --per-layer --groups 4 --held-out 200\n"
	"  lsdn-calibrate --model googlenet.onnx --data ILSVRC --images 50000 --arms 100 --study googlenet.study\n"
	"  lsdn-calibrate --model googlenet.onnx --data ILSVRC --images 50000 --arms 100 --resume googlenet.study\n\n"
	"Ctrl-C stops without writing anything, but for what a study has by then. A study is of one network, its input, and photographs that do not change; "
	"it says so where one of them is another. After a kill at any moment and --resume, the weights file has the same bytes as without.\n\n"
	"Exit status: 0 done, 1 could not (the reason is on standard error), 2 wrong usage.", NULL, NULL, NULL};

void calibrate_options_parse(struct calibrate_options *o, int argc, char **argv)
{
	argp_parse(&ARGP, argc, argv, 0, NULL, o);
}
