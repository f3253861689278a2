/* lsdn-explain: which pixels decided, for every image named on the command line. */
#include "config.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/command.h"
#include "core/explain.h"
#include "core/image/canvas.h"
#include "core/replay.h"
#include "core/show.h"
#include "core/trail.h"
#include "core/weights_file.h"
#include "core/why.h"

const char *argp_program_version = PACKAGE_STRING;

static const char PROGRAM[] = "lsdn-explain";

enum { MAX_SETS = 64 };

struct options {
	const char *model, *weights, *alpha, *class_name, *output, *tensor, *trace, *replay;
	const char *sets[MAX_SETS];
	int set_count, threads;
	bool json, why;
	int why_x, why_y;
	char **images;
	int image_count;
};

enum { KEY_TENSOR = 256, KEY_SET, KEY_THREADS, KEY_TRACE, KEY_REPLAY, KEY_WHY };

static const struct argp_option OPTIONS[] = {
	{"model", 'm', "FILE.onnx", 0, "The network (default: the embedded one). FILE.cfg beside it says how its input is made", 0},
	{"weights", 'w', "FILE.cfg", 0, "Alpha and choices from a weights file that lsdn-calibrate wrote", 0},
	{"alpha", 'a', "CUR,PRE,SUC", 0, "The three weights, over what the weights file says", 0},
	{"class", 'c', "CLASS", 0, "Explain this class (number from 0, WordNet id or name) instead of the predicted one", 0},
	{"set", KEY_SET, "NAME=VALUE", 0, "Any other choice by its name, such as k_conv=2 or locate=center; may be repeated", 0},
	{"output", 'o', "FILE", 0, "Write a picture: .png, .svg or .pdf (one image only)", 0},
	{"json", 'j', NULL, 0, "Print one JSON object a line and image instead of text", 0},
	{"tensor", KEY_TENSOR, "FILE.npy", 0, "Explain a preprocessed float32 tensor (3, H, W) instead of images", 0},
	{"why", KEY_WHY, "X,Y", 0, "Also print the chain of neurons from the class to that pixel (or the nearest that decided), layer by layer", 0},
	{"trace", KEY_TRACE, "FILE.jsonl", 0, "Write an audit trail: every selected neuron with its supports, a line each", 0},
	{"replay", KEY_REPLAY, "FILE.jsonl", 0, "Explain nothing: recompute all of an audit trail with plain kernels and say where it differs", 0},
	{"threads", KEY_THREADS, "N", 0, "Threads (default: all cores)", 0},
	{0},
};

static int parse_alpha(const char *text, struct policy *p)
{
	double *const values[] = {&p->alpha.cur, &p->alpha.pre, &p->alpha.suc};
	for (int i = 0; i < 3; i++) {
		char *end;
		*values[i] = strtod(text, &end);
		if (end == text || *end != (i < 2 ? ',' : '\0') || !(*values[i] >= 0) || !isfinite(*values[i]))
			return -1;
		text = end + 1;
	}
	return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct options *o = state->input;
	struct choices choices = CHOICES_DEFAULT; /* to try on: a weights file comes first */
	struct error e;
	char rest;
	switch (key) {
	case 'm': o->model = argument; return 0;
	case 'w': o->weights = argument; return 0;
	case 'a':
		o->alpha = argument;
		if (parse_alpha(argument, &choices.policy))
			argp_error(state, "--alpha %s: give three numbers of at least 0: CUR,PRE,SUC", argument);
		return 0;
	case 'c': o->class_name = argument; return 0;
	case 'o':
		o->output = argument;
		if (!canvas_named(argument))
			argp_error(state, "--output %s: a picture's name must end in .png, .svg or .pdf", argument);
		return 0;
	case 'j': o->json = true; return 0;
	case KEY_TENSOR: o->tensor = argument; return 0;
	case KEY_TRACE: o->trace = argument; return 0;
	case KEY_REPLAY: o->replay = argument; return 0;
	case KEY_WHY:
		o->why = sscanf(argument, "%d,%d%c", &o->why_x, &o->why_y, &rest) == 2;
		if (!o->why)
			argp_error(state, "--why %s: give two whole numbers, a pixel of the photograph: X,Y", argument);
		return 0;
	case KEY_SET:
		if (o->set_count == MAX_SETS)
			argp_error(state, "--set is given more than %d times", MAX_SETS);
		if (choices_assign(&choices, argument, &e))
			argp_error(state, "--set %s", e.message);
		o->sets[o->set_count++] = argument;
		return 0;
	case KEY_THREADS:
		o->threads = (int)command_number(state, "threads", argument, 1, 1024);
		return 0;
	case ARGP_KEY_ARGS:
		o->images = state->argv + state->next;
		o->image_count = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (o->replay && (o->image_count || o->tensor || o->weights || o->alpha || o->set_count || o->class_name || o->trace || o->why || o->output))
			argp_error(state, "--replay takes image, class and policy from the audit trail: give it with --model, --threads and --json alone");
		if (!o->replay && !o->image_count && !o->tensor)
			argp_error(state, "name at least one image (JPEG or PNG), or --tensor FILE.npy");
		if (o->image_count && o->tensor)
			argp_error(state, "name images or --tensor, not both");
		if (o->output && o->image_count > 1)
			argp_error(state, "--output is for one image: %d are named", o->image_count);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp ARGP = {OPTIONS, parse, "IMAGE...",
	"Explains what a convolutional network looked at: walks from the predicted class back through every layer to the pixels that decided, and draws "
	"a box around them.\v"
	"Examples:\n"
	"  lsdn-explain --model googlenet.onnx photo.jpg\n"
	"  lsdn-explain --model googlenet.onnx --weights googlenet.cfg --output why.pdf photo.jpg\n"
	"  lsdn-explain --model googlenet.onnx --why 120,88 photo.jpg\n"
	"  lsdn-explain --model googlenet.onnx --trace trail.jsonl photo.jpg && lsdn-explain --model googlenet.onnx --replay trail.jsonl\n"
	"  lsdn-explain --model googlenet.onnx --json --alpha 1,0.1,1 --set k_conv=2 *.jpg\n\n"
	"Exit status: 0 done, 1 could not (the reason is on standard error), 2 wrong usage.", NULL, NULL, NULL};

static int complain(const struct error *e)
{
	fprintf(stderr, "%s: %s\n", PROGRAM, e->message);
	return EXIT_FAILURE;
}

static double milliseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

/* What a walk tells, for those who asked. */
struct listeners {
	struct trail *trail; /* NULL: nobody asked */
	struct why *why;
};

struct crop_listener {
	struct listeners *to;
	int crop;
};

static int listen(void *context, const struct step *step, struct error *e)
{
	const struct crop_listener *l = context;
	int code = l->to->trail ? trail_step(l->to->trail, l->crop, step, e) : LSDN_OK;
	return code || !l->to->why ? code : why_step(l->to->why, l->crop, step, e);
}

static int walk(struct explainer *x, const struct choices *choices, const struct options *o, const char *path, int asked, struct listeners *to,
	struct error *e)
{
	struct crop_listener listeners[VIEW_MOST_CROPS];
	int classes[POLICY_MOST_CLASSES], count = explainer_classes(x, &choices->policy, asked, classes), code = LSDN_OK;
	for (int i = 0; i < x->crop_count; i++) {
		listeners[i] = (struct crop_listener){to, i};
		walk_listen(x->crops[i].walk, to->trail || to->why ? listen : NULL, &listeners[i]);
	}
	if (to->why)
		why_clear(to->why);
	if (to->trail)
		code = trail_head(to->trail, x, path, o->tensor, choices, classes, count, asked >= 0, e);
	return code ? code : explainer_walk(x, &choices->policy, 1, asked, e);
}

static int show(const struct shown *s, const struct options *o, const struct photo *photo, const struct listeners *to, struct error *e)
{
	int code = to->trail ? trail_end(to->trail, &s->found, e) : LSDN_OK;
	if (!code && o->json) {
		json_t *why = to->why ? why_json(to->why, o->why_x, o->why_y) : NULL;
		code = show_json(s, why, e);
		json_decref(why);
	} else if (!code) {
		show_text(s);
		if (to->why)
			why_print(to->why, stdout, o->why_x, o->why_y);
	}
	return code || !o->output ? code : show_picture(s, photo, o->output, e);
}

static int explain_one(struct explainer *x, const struct choices *choices, const struct options *o, const char *path, int asked,
	struct listeners *to, struct error *e)
{
	struct photo photo = {0};
	struct shown s = {.x = x, .image = path, .preset = o->weights, .choices = choices};
	double start = milliseconds(), at = start;
	int code = o->tensor ? LSDN_OK : photo_read(&photo, path, e);
	s.ms.read = milliseconds() - at;
	at = milliseconds();
	if (!code)
		code = o->tensor ? explainer_feed_tensor(x, path, e) : explainer_feed(x, &photo, choices->view, e);
	s.ms.forward = milliseconds() - at;
	at = milliseconds();
	if (!code)
		code = walk(x, choices, o, path, asked, to, e);
	s.ms.walk = milliseconds() - at;
	at = milliseconds();
	if (!code)
		code = explainer_read(x, 0, &choices->box, &s.found, e);
	s.ms.box = milliseconds() - at;
	if (!code) {
		s.class_index = asked >= 0 ? asked : explainer_class(x, 0);
		code = show(&s, o, o->tensor ? NULL : &photo, to, e);
	}
	photo_free(&photo);
	return code;
}

/* Explains every image; returns main's exit status. */
static int explain_all(struct explainer *x, const struct choices *choices, const struct options *o, int asked)
{
	struct trail trail = {0};
	struct why why = {0};
	struct listeners to = {o->trace ? &trail : NULL, o->why ? &why : NULL};
	struct error e;
	int failures = EXIT_SUCCESS, code = o->trace ? trail_open(&trail, o->trace, &e) : LSDN_OK;
	if (!code && o->why)
		code = why_open(&why, x, &e);
	if (code)
		failures = complain(&e);
	for (int i = 0; !code && i < (o->tensor ? 1 : o->image_count); i++)
		if (explain_one(x, choices, o, o->tensor ? o->tensor : o->images[i], asked, &to, &e))
			failures = complain(&e);
	if (trail_close(&trail, &e))
		failures = complain(&e);
	why_close(&why);
	return failures;
}

int main(int argc, char **argv)
{
	struct options o = {.threads = (int)sysconf(_SC_NPROCESSORS_ONLN)};
	struct net net = {0};
	struct packed_weights *packed = NULL;
	struct explainer x = {0};
	struct weights_file weights = {0};
	struct choices choices;
	struct error e;
	int asked = -1, status;
	argp_err_exit_status = COMMAND_USAGE;
	argp_parse(&ARGP, argc, argv, 0, NULL, &o);
	int code = command_open_net(&net, PROGRAM, o.model, &e);
	if (!code)
		code = command_choose(&choices, &weights, &net, PROGRAM, o.weights, o.sets, o.set_count, &e);
	if (!code && o.alpha)
		parse_alpha(o.alpha, &choices.policy);
	if (!code && o.class_name)
		code = net_find_class(&net, o.class_name, &asked, &e);
	if (!code && !(packed = packed_weights_open(&net.plan, &e)))
		code = e.code;
	if (!code)
		code = explainer_open(&x, &net, packed, o.threads, &e);
	if (code)
		status = complain(&e);
	else if (!o.replay)
		status = explain_all(&x, &choices, &o, asked);
	else if ((code = replay(&x, o.replay, o.json, &e)) < 0)
		status = complain(&e);
	else
		status = code ? EXIT_FAILURE : EXIT_SUCCESS;
	explainer_close(&x);
	packed_weights_close(packed);
	weights_file_free(&weights);
	net_close(&net);
	return command_end(PROGRAM, LSDN_OK, NULL) ? EXIT_FAILURE : status;
}
