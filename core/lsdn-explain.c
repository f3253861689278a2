/* lsdn-explain: which pixels decided, for every image named on the command line. */
#include "config.h"

#include <argp.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/embedded.h"
#include "core/explain.h"
#include "core/image/map.h"
#include "core/image/picture.h"
#include "core/utf8.h"
#include "core/weights_file.h"

const char *argp_program_version = PACKAGE_STRING;

enum { EXIT_USAGE = 2, MAX_SETS = 64 };

struct options {
	const char *model, *weights, *alpha, *class_name, *output, *tensor;
	const char *sets[MAX_SETS];
	int set_count, threads;
	bool json;
	char **images;
	int image_count;
};

enum { KEY_TENSOR = 256, KEY_SET, KEY_THREADS };

static const struct argp_option OPTIONS[] = {
	{"model", 'm', "FILE.onnx", 0, "The network (default: the embedded one). FILE.cfg beside it says how its input is made", 0},
	{"weights", 'w', "FILE.cfg", 0, "Alpha and choices from a weights file that lsdn-calibrate wrote", 0},
	{"alpha", 'a', "CUR,PRE,SUC", 0, "The three weights, over what the weights file says", 0},
	{"class", 'c', "CLASS", 0, "Explain this class (number from 0, WordNet id or name) instead of the predicted one", 0},
	{"set", KEY_SET, "NAME=VALUE", 0, "Any other choice by its name, such as k_conv=2 or locate=center; may be repeated", 0},
	{"output", 'o', "FILE", 0, "Write a picture: .png, .svg or .pdf (one image only)", 0},
	{"json", 'j', NULL, 0, "Print one JSON object a line and image instead of text", 0},
	{"tensor", KEY_TENSOR, "FILE.npy", 0, "Explain a preprocessed float32 tensor (3, H, W) instead of images", 0},
	{"threads", KEY_THREADS, "N", 0, "Threads (default: all cores)", 0},
	{0},
};

static int whole_number(const char *text, int least, int most)
{
	char *end;
	long value = strtol(text, &end, 10);
	return *text && !*end && value >= least && value <= most ? (int)value : least - 1;
}

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
	switch (key) {
	case 'm': o->model = argument; return 0;
	case 'w': o->weights = argument; return 0;
	case 'a':
		o->alpha = argument;
		if (parse_alpha(argument, &choices.policy))
			argp_error(state, "--alpha %s: give three numbers of at least 0: CUR,PRE,SUC", argument);
		return 0;
	case 'c': o->class_name = argument; return 0;
	case 'o': o->output = argument; return 0;
	case 'j': o->json = true; return 0;
	case KEY_TENSOR: o->tensor = argument; return 0;
	case KEY_SET:
		if (o->set_count == MAX_SETS)
			argp_error(state, "--set is given more than %d times", MAX_SETS);
		if (choices_assign(&choices, argument, &e))
			argp_error(state, "--set %s", e.message);
		o->sets[o->set_count++] = argument;
		return 0;
	case KEY_THREADS:
		o->threads = whole_number(argument, 1, 1024);
		if (o->threads < 1)
			argp_error(state, "--threads %s: give a number from 1 to 1024", argument);
		return 0;
	case ARGP_KEY_ARGS:
		o->images = state->argv + state->next;
		o->image_count = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!o->image_count && !o->tensor)
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
	"  lsdn-explain --model googlenet.onnx --json --alpha 1,0.1,1 --set k_conv=2 *.jpg\n\n"
	"Exit status: 0 done, 1 could not (the reason is on standard error), 2 wrong usage.", NULL, NULL, NULL};

static int complain(const struct error *e)
{
	fprintf(stderr, "lsdn-explain: %s\n", e->message);
	return EXIT_FAILURE;
}

static double milliseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

struct times {
	double read, forward, walk, box;
};

struct result {
	const char *image; /* as named */
	int class_index;
	struct explanation x;
	struct times ms;
};

/* json_string takes UTF-8 alone. */
static json_t *json_text(const char *text)
{
	char *copy = strdup(text);
	if (copy)
		utf8_mend(copy);
	json_t *string = copy ? json_string(copy) : NULL;
	free(copy);
	return string;
}

static int print_json(const struct explainer *x, const struct choices *choices, const struct options *o, const struct result *r,
	struct error *e)
{
	char name[32], wnid[32], text[CHOICE_TEXT];
	json_t *points = json_array(), *policy = json_pack("{s:f, s:f, s:f}", "cur", choices->policy.alpha.cur, "pre",
		choices->policy.alpha.pre, "suc", choices->policy.alpha.suc);
	for (size_t i = 0; i < r->x.count; i++)
		json_array_append_new(points, json_pack("[f, f]", x->points[i].y, x->points[i].x));
	for (int i = 0; i < choices_count(); i++) {
		choices_get(choices, i, text);
		json_object_set_new(policy, choices_name(i), json_string(text));
	}
	json_t *box = r->x.found ? json_pack("[i, i, i, i]", r->x.box.xmin, r->x.box.ymin, r->x.box.xmax, r->x.box.ymax) : json_null();
	json_t *line = json_pack("{s:o, s:s, s:i, s:o, s:o, s:f, s:o, s:I, s:o, s:o, s:o, s:{s:f, s:f, s:f, s:f}}", "image", json_text(r->image), "model_sha256",
		x->net->sha256, "class", r->class_index, "wnid", json_text(net_wnid(x->net, r->class_index, wnid)), "name",
		json_text(net_class_name(x->net, r->class_index, name)),
		"probability", x->probabilities[r->class_index], "points", points, "kept", (json_int_t)r->x.kept, "box", box, "policy", policy, "preset",
		o->weights ? json_text(o->weights) : json_null(), "ms", "read", r->ms.read, "forward", r->ms.forward, "walk", r->ms.walk, "box", r->ms.box);
	if (!line)
		return error_memory(e, "a line of JSON");
	json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(line);
	return LSDN_OK;
}

static void print_text(const struct explainer *x, const struct result *r)
{
	char name[32];
	printf("%s: %s (class %d), probability %.4f\n", r->image, net_class_name(x->net, r->class_index, name), r->class_index,
		x->probabilities[r->class_index]);
	printf("  %zu points, %zu kept", r->x.count, r->x.kept);
	if (r->x.found)
		printf(", box %d %d %d %d (xmin ymin xmax ymax) of %d x %d\n", r->x.box.xmin, r->x.box.ymin, r->x.box.xmax, r->x.box.ymax, x->width,
			x->height);
	else
		printf(", no box: no point is left\n");
}

static int draw(const struct explainer *x, const struct photo *photo, const struct choices *choices, const struct options *o, const struct result *r,
	struct error *e)
{
	char name[32], caption[300];
	float *map = malloc((size_t)photo->width * (size_t)photo->height * sizeof *map);
	if (!map)
		return error_memory(e, "a map");
	int code = map_make(x->points, x->keep, r->x.count, photo->width, photo->height, choices->blur, map, e);
	snprintf(caption, sizeof caption, "%.200s, p = %.3f", net_class_name(x->net, r->class_index, name), x->probabilities[r->class_index]);
	utf8_mend(caption);
	struct picture picture = {.photo = photo, .points = x->points, .keep = x->keep, .count = r->x.count, .box = r->x.found ? &r->x.box : NULL,
		.map = map, .caption = caption};
	if (!code)
		code = picture_write(&picture, o->output, e);
	free(map);
	return code;
}

/* The photograph that a tensor is: its numbers put back to 0..255. */
static int photo_of_tensor(const struct explainer *x, struct photo *photo, struct error *e)
{
	const struct preprocessing *p = &x->net->input;
	const float *tensor = session_tensor(x->crops[0].session, x->net->plan.inputs[0], 0);
	size_t size = (size_t)p->width * (size_t)p->height * 3;
	*photo = (struct photo){.width = p->width, .height = p->height, .rgb = malloc(size)};
	if (!photo->rgb)
		return error_memory(e, "a picture");
	for (size_t i = 0; i < size; i++) {
		size_t c = i % 3;
		float value = tensor[i] * p->std[c] + p->mean[c];
		photo->rgb[i - c + (p->bgr ? 2 - c : c)] = (uint8_t)lroundf(fminf(fmaxf(value, 0), 255));
	}
	return LSDN_OK;
}

static int explain_one(struct explainer *x, const struct choices *choices, const struct options *o, const char *path, int asked, struct error *e)
{
	struct photo photo = {0};
	struct result r = {.image = path};
	double start = milliseconds(), at = start;
	int code = o->tensor ? LSDN_OK : photo_read(&photo, path, e);
	r.ms.read = milliseconds() - at;
	at = milliseconds();
	if (!code)
		code = o->tensor ? explainer_feed_tensor(x, path, e) : explainer_feed(x, &photo, choices->view, e);
	r.ms.forward = milliseconds() - at;
	at = milliseconds();
	if (!code)
		code = explainer_walk(x, &choices->policy, 1, asked, e);
	r.ms.walk = milliseconds() - at;
	at = milliseconds();
	if (!code)
		code = explainer_read(x, 0, &choices->box, &r.x, e);
	r.ms.box = milliseconds() - at;
	if (!code) {
		r.class_index = asked >= 0 ? asked : explainer_class(x, 0);
		if (o->json)
			code = print_json(x, choices, o, &r, e);
		else
			print_text(x, &r);
		if (!code && o->output && o->tensor)
			code = photo_of_tensor(x, &photo, e);
		if (!code && o->output)
			code = draw(x, &photo, choices, o, &r, e);
	}
	photo_free(&photo);
	return code;
}

static int open_net(struct net *net, const struct options *o, struct error *e)
{
	int code = model_open(net, o->model, e);
	if (!code && net->input_assumed)
		fprintf(stderr, "lsdn-explain: %s: no .cfg beside it: its input is taken to be ImageNet's usual (RGB, mean 123.675 116.28 103.53, std 58.395 "
			"57.12 57.375)\n", o->model);
	return code;
}

static int choose(struct choices *choices, struct weights_file *weights, const struct net *net, const struct options *o, struct error *e)
{
	*choices = CHOICES_DEFAULT;
	if (o->weights) {
		int code = weights_file_read(weights, o->weights, &net->plan, e);
		if (code)
			return code;
		*choices = weights->choices;
		if (*weights->sha256 && strcmp(weights->sha256, net->sha256) != 0)
			fprintf(stderr, "lsdn-explain: %s: was calibrated for another model (%s): its weights are used all the same\n", o->weights, weights->model);
	}
	if (o->alpha)
		parse_alpha(o->alpha, &choices->policy);
	int code = LSDN_OK;
	for (int i = 0; i < o->set_count && !code; i++)
		code = choices_assign(choices, o->sets[i], e);
	return code;
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
	int asked = -1, failures = 0;
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&ARGP, argc, argv, 0, NULL, &o);
	int code = open_net(&net, &o, &e);
	if (!code)
		code = choose(&choices, &weights, &net, &o, &e);
	if (!code && o.class_name)
		code = net_find_class(&net, o.class_name, &asked, &e);
	if (!code && !(packed = packed_weights_open(&net.plan, &e)))
		code = e.code;
	if (!code)
		code = explainer_open(&x, &net, packed, o.threads, &e);
	if (code)
		failures = complain(&e);
	for (int i = 0; !code && i < (o.tensor ? 1 : o.image_count); i++)
		if (explain_one(&x, &choices, &o, o.tensor ? o.tensor : o.images[i], asked, &e))
			failures = complain(&e);
	explainer_close(&x);
	packed_weights_close(packed);
	weights_file_free(&weights);
	net_close(&net);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "lsdn-explain: standard output cannot be written\n");
		failures = EXIT_FAILURE;
	}
	return failures;
}
