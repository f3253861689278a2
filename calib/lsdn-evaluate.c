/* lsdn-evaluate: says what an explainer is worth on annotated photographs, or a file of boxes that any explainer found. */
#include "config.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calib/command.h"
#include "calib/evaluate.h"
#include "core/choices.h"

const char *argp_program_version = PACKAGE_STRING;

enum { KEY_SET = 256, KEY_SEED, KEY_THREADS, KEY_PROGRESS, KEY_IMAGES, KEY_UNSEEN, KEY_ATTACK, KEY_COMPARE, KEY_PICTURES, KEY_METHODS, KEY_THRESHOLD, KEY_REPEATS,
	KEY_COSTLY, KEY_CHECK, KEY_SURVEY, KEY_SCORE, KEY_REPORT, KEY_GALLERY };

static const struct argp_option OPTIONS[] = {
	{NULL, 0, NULL, 0, "An explainer:", 1},
	{"model", 'm', "FILE.onnx", 0, "The network (default: the embedded one). FILE.cfg beside it says how its input is made", 1},
	{"weights", 'w', "FILE.cfg", 0, "Alpha and choices from a weights file that lsdn-calibrate wrote", 1},
	{"set", KEY_SET, "NAME=VALUE", 0, "Any other choice by its name, such as k_conv=2 or view=five; may be repeated", 1},
	{"images", KEY_IMAGES, "N", 0, "Images to measure on (default 1000, or as many as there are; with --attack 100, with --methods 300, with --survey 58)", 1},
	{"unseen", KEY_UNSEEN, NULL, 0, "Leave out the images that the weights were tuned on, as the weights file lists them", 1},
	{"methods", KEY_METHODS, "all|NAME,...", 0, "Print the table of methods (below) instead: lsdn, these others and boxes that look at nothing, on the same images", 1},
	{"map-threshold", KEY_THRESHOLD, "SHARE", 0, "Where a map's box is drawn, as a share of its maximum (the same as --set map_threshold=SHARE; default 0.15)", 1},
	{"repeats", KEY_REPEATS, "R", 0, "With --methods: R draws of the images, with seeds from --seed on (default 1; the paper: 3)", 1},
	{"costly", KEY_COSTLY, "N", 0, "With --methods: how many images of a draw serve for what takes hundreds of forward passes: insertion and deletion, occlusion and "
		"both of prediction-difference (default 12; 0: none)", 1},
	{"sanity", KEY_CHECK, "N", 0, "With --methods: how many images of a draw serve for the sanity check and the maps of two classes (default 10, without costly methods; 0: none)",
		1},
	{"report", KEY_REPORT, "FILE.html", 0, "With --methods: also write a page that stands alone: the table, the curves, and every method's map of some images", 1},
	{"gallery", KEY_GALLERY, "IMAGE,...", 0, "With --report: the images whose maps are shown, by their files' names (default: the first three)", 1},
	{"seed", KEY_SEED, "N", 0, "Seed of their shuffle, the same as lsdn-calibrate's (default 1)", 1},
	{"threads", KEY_THREADS, "N", 0, "Threads (default: all cores); the result does not depend on it", 1},
	{"progress", KEY_PROGRESS, NULL, 0, "Show progress though standard error is no terminal", 1},
	{NULL, 0, NULL, 0, "A file of boxes:", 2},
	{"boxes", 'b', "FILE", 0, "The boxes: one line an image, \"class xmin ymin xmax ymax\", in pixels of the original photograph, both ends included. "
		"Class i (from 1) is line i of --ids", 2},
	{"ids", 'i', "IDS", 0, "The classes: WordNet ids, one a line, in the order in which FILE counts them", 2},
	{"names", 'n', "LIST", 0, "Names of images without suffix, one a line: line i of FILE is of the image on line i (default: line i is of the i-th "
		"image in order of name)", 2},
	{NULL, 0, NULL, 0, "An attack, two networks, people's trust:", 3},
	{"attack", KEY_ATTACK, "deepfool", 0, "Change images so little that the network sees another class, and say how far its explanations move", 3},
	{"compare", KEY_COMPARE, NULL, 0, "Find images that one of two networks, A.onnx and B.onnx, gets right and the other wrong", 3},
	{"survey", KEY_SURVEY, "DIR", 0, "Write DIR/survey.html, a page that asks people which of two networks' maps they trust", 3},
	{"survey-score", KEY_SCORE, NULL, 0, "Say what people answered, in the files that the page saved", 3},
	{"pictures", KEY_PICTURES, "DIR", 0, "With --attack and --compare: write a picture of each image that they find", 3},
	{NULL, 0, NULL, 0, "All:", 4},
	{"data", 'd', "DIR|CSV", 0, "The truth: a folder with images/ and annotations/ (ILSVRC XML), or ImageNet's own folders (for an explainer, default: "
		"generated images); for boxes also LOC_val_solution.csv itself (no photograph is needed)", 4},
	{"json", 'j', NULL, 0, "Print one JSON object a line for each row of the table", 4},
	{0},
};

static void add_set(struct evaluate_options *o, const char *text, const struct argp_state *state)
{
	struct choices choices = CHOICES_DEFAULT; /* to try on: a weights file comes first */
	struct error e;
	if (o->set_count == EVALUATE_MAX_SETS)
		argp_error(state, "--set is given more than %d times", EVALUATE_MAX_SETS);
	if (choices_assign(&choices, text, &e))
		argp_error(state, "--set %s", e.message);
	o->sets[o->set_count++] = text;
}

static void add_weights(struct evaluate_options *o, const char *path, const struct argp_state *state)
{
	if (o->second_weights)
		argp_error(state, "--weights %s: two networks have at most two weights files", path);
	*(o->weights ? &o->second_weights : &o->weights) = path;
}

/* What is named without an option. */
static void check_files(const struct evaluate_options *o, const struct argp_state *state)
{
	bool two = o->compare || o->survey;
	if (two && (o->file_count != 2 || o->model))
		argp_error(state, "name two networks, A.onnx and B.onnx, without --model");
	if (o->score && !o->file_count)
		argp_error(state, "--survey-score: name the files that the page saved");
	if (o->file_count && !two && !o->score)
		argp_error(state, "%s: no such argument: name photographs with --data, boxes with --boxes", o->files[0]);
	if (o->second_weights && !two)
		argp_error(state, "--weights is given twice: one network has one weights file");
}

static void add_method(struct evaluate_options *o, const struct map_method *method)
{
	int count = 0;
	while (o->methods[count] && o->methods[count] != method)
		count++;
	o->methods[count] = method;
}

/* lsdn first, for the others are tested against it. */
static void choose_methods(struct evaluate_options *o, const char *text, const struct argp_state *state)
{
	struct error e;
	o->contest = true;
	add_method(o, map_method_find("lsdn", &e));
	for (int i = 0; MAP_METHODS[i] && strcmp(text, "all") == 0; i++)
		add_method(o, MAP_METHODS[i]);
	while (strcmp(text, "all") != 0) {
		char name[64] = "";
		size_t length = strcspn(text, ",");
		memcpy(name, text, length < sizeof name ? length : sizeof name - 1);
		const struct map_method *method = map_method_find(name, &e);
		if (!method)
			argp_error(state, "--methods %s", e.message);
		add_method(o, method);
		if (!text[length])
			return;
		text += length + 1;
	}
}

static void finish(const struct evaluate_options *o, const struct argp_state *state)
{
	int others = (o->attack != NULL) + o->compare + o->contest + (o->survey != NULL) + o->score;
	check_files(o, state);
	if (others + (o->boxes != NULL) > 1)
		argp_error(state, "give one of --boxes, --attack, --compare, --methods, --survey and --survey-score");
	if (others - o->contest && o->unseen)
		argp_error(state, "--unseen is for measuring an explainer");
	if (o->pictures && !o->attack && !o->compare)
		argp_error(state, "--pictures is for --attack and --compare");
	if (o->score && (o->model || o->weights || o->set_count || o->images || o->data))
		argp_error(state, "--survey-score reads files of answers alone, with no network and no photographs");
	if (o->boxes && (o->model || o->weights || o->set_count || o->images || o->unseen))
		argp_error(state, "--boxes needs no network: leave --model, --weights, --set, --images and --unseen out");
	if (!o->contest && o->of_methods)
		argp_error(state, "--%s is of the table of methods: ask for it with --methods", o->of_methods);
	if (o->gallery && !o->report)
		argp_error(state, "--gallery is of a page: name it with --report");
	if (o->unseen && !o->weights)
		argp_error(state, "--unseen: name the weights file that lists what it has seen with --weights");
	if (o->boxes && (!o->ids || !o->data))
		argp_error(state, "--%s is missing: name the boxes, the classes and the truth with --boxes, --ids and --data", !o->ids ? "ids" : "data");
	if (!o->boxes && (o->ids || o->names))
		argp_error(state, "--%s is of a file of boxes: name it with --boxes", o->ids ? "ids" : "names");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct evaluate_options *o = state->input;
	switch (key) {
	case 'm': o->model = argument; return 0;
	case 'w': add_weights(o, argument, state); return 0;
	case KEY_SET: add_set(o, argument, state); return 0;
	case KEY_IMAGES: o->images = (size_t)command_number(state, "images", argument, 1, 10000000); return 0;
	case KEY_UNSEEN: o->unseen = true; return 0;
	case KEY_ATTACK:
		o->attack = argument;
		if (strcmp(argument, "deepfool") != 0)
			argp_error(state, "--attack %s: there is no such attack: deepfool", argument);
		return 0;
	case KEY_COMPARE: o->compare = true; return 0;
	case KEY_SURVEY: o->survey = argument; return 0;
	case KEY_SCORE: o->score = true; return 0;
	case KEY_PICTURES: o->pictures = argument; return 0;
	case KEY_METHODS: choose_methods(o, argument, state); return 0;
	case KEY_THRESHOLD:
		snprintf(o->threshold, sizeof o->threshold, "map_threshold=%.30s", argument);
		add_set(o, o->threshold, state);
		return 0;
	case KEY_REPEATS:
		o->of_methods = "repeats";
		o->repeats = (int)command_number(state, "repeats", argument, 1, 100);
		return 0;
	case KEY_COSTLY:
		o->of_methods = "costly";
		o->costly = (size_t)command_number(state, "costly", argument, 0, 10000000);
		return 0;
	case KEY_CHECK:
		o->of_methods = "sanity";
		o->check = (size_t)command_number(state, "sanity", argument, 0, 10000000);
		o->check_costly = true;
		return 0;
	case KEY_REPORT:
		o->of_methods = "report";
		o->report = argument;
		return 0;
	case KEY_GALLERY: o->gallery = argument; return 0;
	case KEY_SEED: o->seed = command_number(state, "seed", argument, 0, UINT64_MAX / 2); return 0;
	case KEY_THREADS: o->threads = (int)command_number(state, "threads", argument, 1, 1024); return 0;
	case KEY_PROGRESS: o->progress = true; return 0;
	case 'b': o->boxes = argument; return 0;
	case 'i': o->ids = argument; return 0;
	case 'n': o->names = argument; return 0;
	case 'd': o->data = argument; return 0;
	case 'j': o->json = true; return 0;
	case ARGP_KEY_END: finish(o, state); return 0;
	case ARGP_KEY_ARGS:
		o->files = state->argv + state->next;
		o->file_count = state->argc - state->next;
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp ARGP = {OPTIONS, parse, "\n--compare A.onnx B.onnx\n--survey DIR A.onnx B.onnx\n--survey-score FILE...",
	"Says what an explainer is worth on annotated photographs: how often its box is right (IoU > 0.5), beside boxes that look at nothing, and "
	"whether its explanations depend on the class at all. With --boxes: how often boxes are right that any explainer found, with no network.\v"
	"IoU is counted in pixels with both ends included, and is that of the best of the image's annotated boxes; a box in a file that leaves the "
	"photograph is counted as it is given. A class is right if it is the annotation's WordNet id; the localisation error is the share of images "
	"in which not both are right. Intervals are 95%: Wilson's for shares, the normal approximation for means. The trivial rows say what a box "
	"that looks at nothing reaches: centred with sides of 0.75 of the photograph's, and the whole photograph; they need the photograph's size, "
	"which XML gives and the CSV does not.\n\n"
	"Class sensitivity is measured for gate=evidence and gate=none, whatever was chosen: points of the first and the second class as sets of "
	"the photograph's pixels (Jaccard distance 1 - |A and B| / |A or B|), and their boxes (1 - IoU). An explainer that says the same whatever "
	"is asked is near 0.\n\n"
	"Weights flatter themselves on images that they were tuned on. The weights file lists them: how many of the measured images are among them is said, in "
	"each line of JSON as \"tuned_on\", and --unseen leaves them out. Images are known by their file's name without suffix.\n\n"
	"--attack deepfool (Moosavi-Dezfooli, Fawzi and Frossard, CVPR 2016) changes what the network sees, in pixels from 0 to 255, until another of the 10 best "
	"classes wins (overshoot 0.02, at most 50 iterations). It says how often and with how large a change, and how alike the explanations before and after are: "
	"Spearman's rank correlation of the maps, the Jaccard index of the points, IoU of the boxes; beside random noise of the same size.\n\n"
	"--compare explains what each of two networks predicts where just one of them is right (of an annotated class), lists these images, and says how many "
	"they are with McNemar's exact p. --pictures writes both explanations side by side, and DIR/index.html with all of them. --weights may be given "
	"twice: for the first network and for the second; --set is for both.\n\n"
	"--methods prints a table of methods on the same images, as in the paper's table 1: every figure with its rule and interval, and its p against lsdn "
	"(McNemar's exact test for shares, flips of sign for means). Pointing game without tolerance (the paper's) and with 15 pixels; IoU > 0.5 and localisation "
	"error, where a map's box is around the largest part at or over --map-threshold; MaxBoxAcc and MaxBoxAccV2 at the best of a hundred thresholds; how often "
	"the class's probability is higher with all but the box covered, and the average drop; areas under the curves of insertion and deletion; Spearman's "
	"correlation of the first and the second class's maps, and with maps of networks whose layers are drawn anew from the top (sanity check: a map that stays "
	"the same does not explain what was learnt). The last rows look at nothing. Images a second of each method, which differ from run to run, go to standard "
	"error.\n\n"
	"--survey takes photographs that both networks get right (58 as in the paper, or --images) and writes one page, without any reference to elsewhere, which asks in random "
	"order and without names which of two maps describes the object best, and how reliable each is, from 1 to 5. Each person saves a file. --survey-score "
	"reads the files: persons who prefer a network with Wilson's interval and a sign test, means over persons, and Krippendorff's alpha with a bootstrap interval as agreement.\n\n"
	"Where FILE has the 50,000 lines of ILSVRC's validation set and the data fewer images, line i is of the image whose name ends in the number "
	"i, such as ILSVRC2012_val_00000001.\n\n"
	"Examples:\n"
	"  lsdn-evaluate --model googlenet.onnx --weights googlenet.cfg --data photographs --images 200\n"
	"  lsdn-evaluate --model googlenet.onnx --weights googlenet.cfg --data photographs --unseen\n"
	"  lsdn-evaluate --model googlenet.onnx --data photographs --set view=five --json\n"
	"  lsdn-evaluate --model googlenet.onnx --data photographs --attack deepfool --images 100 --pictures attacked\n"
	"  lsdn-evaluate --compare squeezenet1.1.onnx googlenet.onnx --data photographs --images 200 --pictures compared\n"
	"  lsdn-evaluate --model googlenet.onnx --data photographs --methods all --report methods.html\n"
	"  lsdn-evaluate --model googlenet.onnx --data photographs --methods grad-cam,occlusion --images 100 --repeats 3 --json\n"
	"  lsdn-evaluate --survey trust squeezenet1.1.onnx googlenet.onnx --data photographs\n"
	"  lsdn-evaluate --survey-score answers-*.json\n"
	"  lsdn-evaluate -b vgg16.txt -i ilsvrc-ids.txt -d LOC_val_solution.csv\n"
	"  lsdn-evaluate -b mine.txt -i ids.txt -d photographs -n names.txt --json\n\n"
	"Ctrl-C prints what was measured so far. Exit status: 0 done, 1 could not (the reason is on standard error), 2 wrong usage.", NULL, NULL, NULL};

int main(int argc, char **argv)
{
	struct evaluate_options o = {.seed = 1, .threads = (int)sysconf(_SC_NPROCESSORS_ONLN), .costly = EVALUATE_COSTLY_IMAGES,
		.check = EVALUATE_CHECK_IMAGES, .repeats = 1};
	struct error e;
	argp_err_exit_status = COMMAND_USAGE;
	argp_parse(&ARGP, argc, argv, 0, NULL, &o);
	int code = o.boxes ? evaluate_boxes(&o, &e)
		: o.attack ? evaluate_attack(&o, &e)
		: o.compare ? evaluate_compare(&o, &e)
		: o.survey ? evaluate_survey(&o, &e)
		: o.score ? evaluate_survey_score(&o, &e)
		: evaluate_explainer(&o, &e);
	return command_end("lsdn-evaluate", code, &e);
}
