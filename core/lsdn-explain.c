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
#include "core/image/part.h"
#include "core/methods/layers.h"
#include "core/methods/mapper.h"
#include "core/preset.h"
#include "core/replay.h"
#include "core/show.h"
#include "core/show_map.h"
#include "core/trail.h"
#include "core/weights_file.h"
#include "core/why.h"

const char *argp_program_version = PACKAGE_STRING;

static const char PROGRAM[] = "lsdn-explain";

enum { MAX_SETS = 64 };

struct options {
	const char *model, *weights, *alpha, *class_name, *output, *tensor, *trace, *replay, *layer;
	const struct map_method *method; /* NULL: a walk by the choices */
	const char *sets[MAX_SETS];
	int set_count, threads;
	bool json, why, layers, no_preset;
	int why_x, why_y;
	char **images;
	int image_count;
};

enum { KEY_TENSOR = 256, KEY_SET, KEY_THREADS, KEY_TRACE, KEY_REPLAY, KEY_WHY, KEY_METHOD, KEY_LAYER, KEY_LAYERS, KEY_NO_PRESET };

static const struct argp_option OPTIONS[] = {
	{"model", 'm', "FILE.onnx", 0, "The network (default: the embedded one). FILE.cfg beside it says how its input is made", 0},
	{"weights", 'w', "FILE.cfg", 0, "Alpha and choices from a weights file that lsdn-calibrate wrote (default: the preset of this "
		"network, where there is one)", 0},
	{"no-preset", KEY_NO_PRESET, NULL, 0, "Take no preset: what nothing else says is at its default", 0},
	{"alpha", 'a', "CUR,PRE,SUC", 0, "The three weights, over what the weights file or preset says", 0},
	{"class", 'c', "CLASS", 0, "Explain this class (number from 0, WordNet id or name) instead of the predicted one", 0},
	{"set", KEY_SET, "NAME=VALUE", 0, "Any other choice by its name, such as k_conv=2 or locate=center; may be repeated", 0},
	{"method", KEY_METHOD, "NAME", 0, "Explain by the map of another method (below); its box is that of box=map", 0},
	{"layer", KEY_LAYER, "NAME", 0, "Make the map at this layer (an ONNX value or node) instead of the method's own", 0},
	{"layers", KEY_LAYERS, NULL, 0, "List the layers that can be named, and explain nothing", 0},
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

/* True where what is made is a map over what the network sees, not a walk. */
static bool maps(const struct options *o)
{
	return o->method && o->method->place != MAP_OF_WALK;
}

static void check_method(const struct options *o, const struct argp_state *state)
{
	if (o->replay && o->method)
		argp_error(state, "--replay recomputes a walk: give it without --method");
	if (maps(o) && (o->trace || o->why || o->alpha))
		argp_error(state, "--trace, --why and --alpha are of a walk: %s makes a map", o->method->name);
	if (o->layer && !(o->method && o->method->place == MAP_AT_LAYER))
		argp_error(state, "--layer is for a --method that makes its map at a layer");
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
	case KEY_METHOD:
		o->method = map_method_find(argument, &e);
		if (!o->method)
			argp_error(state, "--method %s", e.message);
		return 0;
	case KEY_LAYER: o->layer = argument; return 0;
	case KEY_NO_PRESET: o->no_preset = true; return 0;
	case KEY_LAYERS: o->layers = true; return 0;
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
		if (!o->replay && !o->layers && !o->image_count && !o->tensor)
			argp_error(state, "name at least one image (JPEG or PNG), or --tensor FILE.npy");
		if (o->image_count && o->tensor)
			argp_error(state, "name images or --tensor, not both");
		if (o->output && o->image_count > 1)
			argp_error(state, "--output is for one image: %d are named", o->image_count);
		check_method(o, state);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* Behind the options: what --method takes. */
static char *list_methods(int key, const char *text, void *unused)
{
	char *list = NULL;
	size_t size;
	FILE *file = key == ARGP_KEY_HELP_POST_DOC ? open_memstream(&list, &size) : NULL;
	(void)unused;
	if (!file)
		return (char *)(uintptr_t)text;
	fprintf(file, "Methods, what they need of the network, and where they are from:\n");
	for (int i = 0; MAP_METHODS[i]; i++)
		fprintf(file, "  %s: %s. Needs %s. %s\n", MAP_METHODS[i]->name, MAP_METHODS[i]->summary, MAP_METHODS[i]->needs, MAP_METHODS[i]->citation);
	fprintf(file, "\n%s", text);
	return fclose(file) == 0 && list ? list : (char *)(uintptr_t)text;
}

static const struct argp ARGP = {OPTIONS, parse, "IMAGE...",
	"Explains what a convolutional network looked at: walks from the predicted class back through every layer to the pixels that decided, and draws "
	"a box around them.\v"
	"Without --weights, the preset that was calibrated for the network is taken, if there is one: from $LSDN_PRESETS, or where presets are installed. A "
	"--method that has no weights takes none.\n\n"
	"Examples:\n"
	"  lsdn-explain --model googlenet.onnx photo.jpg\n"
	"  lsdn-explain --model googlenet.onnx --weights googlenet.cfg --output why.pdf photo.jpg\n"
	"  lsdn-explain --model googlenet.onnx --method grad-cam --output map.png photo.jpg\n"
	"  lsdn-explain --model googlenet.onnx --why 120,88 photo.jpg\n"
	"  lsdn-explain --model googlenet.onnx --trace trail.jsonl photo.jpg && lsdn-explain --model googlenet.onnx --replay trail.jsonl\n"
	"  lsdn-explain --model googlenet.onnx --json --alpha 1,0.1,1 --set k_conv=2 *.jpg\n\n"
	"Exit status: 0 done, 1 could not (the reason is on standard error), 2 wrong usage.", NULL, list_methods, NULL};

static int complain(const struct error *e)
{
	fprintf(stderr, "%s: %s\n", PROGRAM, e->message);
	return EXIT_FAILURE;
}

/* Looks for the preset of the network where the choices are to be found; none is no failure. Returns its name, which the caller frees. */
static char *take_preset(const struct options *o, const struct net *net)
{
	bool wanted = !o->weights && !o->no_preset && !o->replay && !o->layers && !maps(o) && !(o->method && o->method->policy);
	char *folder = wanted ? preset_folder() : NULL, *path = NULL;
	struct error e;
	if (folder && preset_find(folder, net, &path, &e))
		fprintf(stderr, "%s: no preset is used: %s\n", PROGRAM, e.message);
	if (path)
		fprintf(stderr, "%s: weights are those of the preset %s, which was calibrated for this network (--no-preset: without)\n", PROGRAM, path);
	free(folder);
	return path;
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

/* What lasts from image to image. */
struct work {
	struct explainer *x;
	const struct choices *choices;
	const struct options *o;
	int asked, layer; /* -1: the predicted class; no layer */
	struct listeners listeners;
	struct mapper mapper; /* where maps() */
};

static int explain_by_walk(struct work *w, const struct photo *photo, struct shown *s, struct error *e)
{
	double at = milliseconds();
	int code = walk(w->x, w->choices, w->o, s->image, w->asked, &w->listeners, e);
	s->ms.walk = milliseconds() - at;
	at = milliseconds();
	if (!code)
		code = explainer_read(w->x, 0, &w->choices->box, &s->found, e);
	s->ms.box = milliseconds() - at;
	return code ? code : show(s, w->o, photo, &w->listeners, e);
}

static int show_map(const struct shown_map *s, const struct options *o, const struct photo *photo, struct error *e)
{
	int code = LSDN_OK;
	if (o->json)
		code = show_map_json(s, e);
	else
		show_map_text(s);
	return code || !o->output ? code : show_map_picture(s, photo, o->output, e);
}

static int explain_by_map(struct work *w, const struct photo *photo, struct shown_map *s, struct error *e)
{
	struct explainer *x = w->x;
	float *map = malloc((size_t)x->width * (size_t)x->height * sizeof *map);
	double at = milliseconds();
	int code = map ? mapper_make(&w->mapper, s->method, w->choices, s->class_index, w->layer, map, &s->evidence, e) : error_memory(e, "a map");
	s->ms.map = milliseconds() - at;
	at = milliseconds();
	if (!code && s->evidence)
		code = part_largest(map, x->width, x->height, s->threshold, &s->box, e);
	s->ms.box = milliseconds() - at;
	s->map = map;
	if (!code && !s->evidence)
		fprintf(stderr, "%s: %s: %s finds nothing that speaks for class %d: its map is empty\n", PROGRAM, s->image, s->method->name, s->class_index);
	if (!code)
		code = show_map(s, w->o, photo, e);
	free(map);
	return code;
}

static int explain_one(struct work *w, const char *path, struct error *e)
{
	struct explainer *x = w->x;
	struct photo photo = {0}, *seen = w->o->tensor ? NULL : &photo;
	double start = milliseconds(), read, forward;
	int code = w->o->tensor ? LSDN_OK : photo_read(&photo, path, e);
	read = milliseconds() - start;
	start = milliseconds();
	if (!code)
		code = w->o->tensor ? explainer_feed_tensor(x, path, e) : explainer_feed(x, &photo, w->choices->view, e);
	forward = milliseconds() - start;
	int class_index = code ? -1 : w->asked >= 0 ? w->asked : explainer_class(x, 0);
	if (!code && maps(w->o))
		code = explain_by_map(w, seen, &(struct shown_map){.x = x, .method = w->o->method, .image = path, .class_index = class_index,
			.layer = w->layer, .threshold = w->choices->box.map_threshold, .ms = {.read = read, .forward = forward}},
			e);
	else if (!code)
		code = explain_by_walk(w, seen, &(struct shown){.x = x, .image = path, .preset = w->o->weights, .choices = w->choices, .class_index = class_index,
			.ms = {.read = read, .forward = forward}}, e);
	photo_free(&photo);
	return code;
}

/* Explains every image; returns main's exit status. */
static int explain_all(struct work *w)
{
	const struct options *o = w->o;
	struct trail trail = {0};
	struct why why = {0};
	struct error e;
	w->listeners = (struct listeners){o->trace ? &trail : NULL, o->why ? &why : NULL};
	int failures = EXIT_SUCCESS, code = o->trace ? trail_open(&trail, o->trace, &e) : LSDN_OK;
	if (!code && o->why)
		code = why_open(&why, w->x, w->choices->policy.stride, &e);
	if (code)
		failures = complain(&e);
	for (int i = 0; !code && i < (o->tensor ? 1 : o->image_count); i++)
		if (explain_one(w, o->tensor ? o->tensor : o->images[i], &e))
			failures = complain(&e);
	if (trail_close(&trail, &e))
		failures = complain(&e);
	why_close(&why);
	return failures;
}

/* The layer is named or found before any image is read. */
static int explain_with(struct work *w, struct linear_weights *linear)
{
	struct error e;
	int code = mapper_open(&w->mapper, w->x, linear, &e);
	w->layer = map_method_layer(w->o->method, &w->x->net->plan);
	if (!code && w->o->layer)
		code = layer_find(&w->x->net->plan, w->o->layer, &w->layer, &e);
	int status = code ? complain(&e) : explain_all(w);
	mapper_close(&w->mapper);
	return status;
}

static int explain(struct explainer *x, const struct choices *choices, const struct options *o, int asked)
{
	struct work w = {.x = x, .choices = choices, .o = o, .asked = asked};
	struct error e;
	if (o->layers)
		layer_list(&x->net->plan, stdout);
	if (o->layers || !maps(o))
		return o->layers ? EXIT_SUCCESS : explain_all(&w);
	struct linear_weights *linear = linear_weights_open(&x->net->plan, o->threads, &e);
	int status = linear ? explain_with(&w, linear) : complain(&e);
	linear_weights_close(linear);
	return status;
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
	char *preset = NULL;
	int asked = -1, status;
	argp_err_exit_status = COMMAND_USAGE;
	argp_parse(&ARGP, argc, argv, 0, NULL, &o);
	int code = command_open_net(&net, PROGRAM, o.model, &e);
	if (!code && (preset = take_preset(&o, &net)))
		o.weights = preset;
	if (!code)
		code = command_choose(&choices, &weights, &net, PROGRAM, o.weights, o.sets, o.set_count, &e);
	if (!code && o.alpha)
		parse_alpha(o.alpha, &choices.policy);
	if (!code && o.method && o.method->policy)
		choices.policy = *o.method->policy;
	if (!code && o.class_name)
		code = net_find_class(&net, o.class_name, &asked, &e);
	if (!code && !(packed = packed_weights_open(&net.plan, &e)))
		code = e.code;
	if (!code)
		code = explainer_open(&x, &net, packed, o.threads, &e);
	if (code)
		status = complain(&e);
	else if (!o.replay)
		status = explain(&x, &choices, &o, asked);
	else if ((code = replay(&x, o.replay, o.json, &e)) < 0)
		status = complain(&e);
	else
		status = code ? EXIT_FAILURE : EXIT_SUCCESS;
	explainer_close(&x);
	packed_weights_close(packed);
	weights_file_free(&weights);
	free(preset);
	net_close(&net);
	return command_end(PROGRAM, LSDN_OK, NULL) ? EXIT_FAILURE : status;
}
