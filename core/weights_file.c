#include "config.h"

#include "core/weights_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/cfg.h"
#include "core/file.h"
#include "core/net/net_config.h"

enum { MAX_FILE = 1 << 26 };

/* Keys that may stand in each group; evidence is lists of groups of its own. */
static const struct {
	const char *group;
	const char *keys[32];
} KNOWN[] = {
	{"", {"format", "model", "input", "alpha", "choices", "layers", "evidence"}},
	{"model", {"name", "sha256", "bytes"}},
	{"alpha", {"cur", "pre", "suc"}},
	{"layer", {"name", "alpha", "k"}},
	{"evidence", {"verdict", "tuned", "seed", "images", "solver", "schedule", "rounds", "groups", "spacing", "trials", "factor", "delta", "weights", "steps", "rows",
		"held_out", "cross_validated", "folds", "held_out_images", "calibration_images"}},
};

static int wrong(const char *path, const config_setting_t *s, const char *what, struct error *e)
{
	return error_set(e, LSDN_ERROR_INPUT, "%s:%u: '%s': %s", path, config_setting_source_line(s),
		config_setting_name(s) ? config_setting_name(s) : "", what);
}

static int check_keys(const config_setting_t *group, const char *name, const char *path, struct error *e)
{
	size_t k = 0;
	while (strcmp(KNOWN[k].group, name) != 0)
		k++;
	if (config_setting_type(group) != CONFIG_TYPE_GROUP)
		return wrong(path, group, "must be a group { ... }", e);
	for (unsigned int i = 0; i < (unsigned int)config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, i);
		bool known = false;
		for (size_t j = 0; j < 24 && KNOWN[k].keys[j] && !known; j++)
			known = strcmp(KNOWN[k].keys[j], config_setting_name(s)) == 0;
		if (!known)
			return wrong(path, s, "is no setting of a weights file: remove the line, or correct its name", e);
	}
	return LSDN_OK;
}

static int read_alpha(const config_setting_t *group, const char *path, struct alpha *alpha, struct error *e)
{
	static const char *const NAMES[] = {"cur", "pre", "suc"};
	double *const VALUES[] = {&alpha->cur, &alpha->pre, &alpha->suc};
	int code = check_keys(group, "alpha", path, e);
	if (code)
		return code;
	for (int i = 0; i < 3; i++) {
		const config_setting_t *s = config_setting_get_member(group, NAMES[i]);
		if (!s)
			return wrong(path, group, "lacks one of cur, pre and suc", e);
		double value = config_setting_type(s) == CONFIG_TYPE_INT ? config_setting_get_int(s) : config_setting_get_float(s);
		if ((config_setting_type(s) != CONFIG_TYPE_INT && config_setting_type(s) != CONFIG_TYPE_FLOAT) || !isfinite(value) || value < 0)
			return wrong(path, s, "must be a number of at least 0", e);
		*VALUES[i] = value;
	}
	return LSDN_OK;
}

static int read_choices(const config_setting_t *group, const char *path, struct choices *choices, struct error *e)
{
	for (unsigned int i = 0; i < (unsigned int)config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, i);
		char text[CHOICE_TEXT];
		struct error why;
		switch (config_setting_type(s)) {
		case CONFIG_TYPE_STRING: snprintf(text, sizeof text, "%s", config_setting_get_string(s)); break;
		case CONFIG_TYPE_BOOL: snprintf(text, sizeof text, "%s", config_setting_get_bool(s) ? "true" : "false"); break;
		case CONFIG_TYPE_INT: snprintf(text, sizeof text, "%d", config_setting_get_int(s)); break;
		case CONFIG_TYPE_FLOAT: snprintf(text, sizeof text, "%.10g", config_setting_get_float(s)); break;
		default: return wrong(path, s, "must be one value", e);
		}
		if (choices_set(choices, config_setting_name(s), text, &why))
			return error_set(e, why.code, "%s:%u: %s", path, config_setting_source_line(s), why.message);
	}
	return LSDN_OK;
}

static int read_layer(const config_setting_t *group, const char *path, const struct plan *plan, struct layer_policy *layers, struct error *e)
{
	const char *name, *all;
	int code = check_keys(group, "layer", path, e), k;
	if (code)
		return code;
	const config_setting_t *alpha = config_setting_get_member(group, "alpha"), *own = config_setting_get_member(group, "k");
	int op = config_setting_lookup_string(group, "name", &name) ? plan_find_layer(plan, name) : -1;
	if (op < 0)
		return wrong(path, group, "a layer's name must be that of a Conv or Gemm of the network", e);
	if (own && config_setting_lookup_int(group, "k", &k) && k >= 1 && k <= K_MOST)
		layers[op].k = k;
	else if (own && config_setting_lookup_string(group, "k", &all) && strcmp(all, "all") == 0)
		layers[op].k = K_ALL;
	else if (own)
		return wrong(path, own, "must be a whole number from 1 to 64, or \"all\"", e);
	layers[op].own_alpha = alpha;
	return alpha ? read_alpha(alpha, path, &layers[op].alpha, e) : LSDN_OK;
}

static int read_layers(struct weights_file *w, const config_setting_t *list, const char *path, const struct plan *plan, struct error *e)
{
	if (config_setting_type(list) != CONFIG_TYPE_LIST)
		return wrong(path, list, "must be a list ( { name = ...; }, ... )", e);
	w->layers = calloc((size_t)plan->op_count, sizeof *w->layers);
	if (!w->layers)
		return error_memory(e, "a weights file");
	for (int i = 0; i < plan->op_count; i++)
		w->layers[i].k = K_SHARED;
	w->choices.policy.layers = w->layers;
	w->choices.policy.layer_count = plan->op_count;
	int code = LSDN_OK;
	for (unsigned int i = 0; i < (unsigned int)config_setting_length(list) && !code; i++)
		code = read_layer(config_setting_get_elem(list, i), path, plan, w->layers, e);
	return code;
}

/* A text that may be left out. */
static int read_text(const config_t *config, const char *name, const char *path, char *text, size_t size, struct error *e)
{
	const config_setting_t *s = config_lookup(config, name);
	if (s && config_setting_type(s) != CONFIG_TYPE_STRING)
		return wrong(path, s, "must be a text in quotes", e);
	snprintf(text, size, "%s", s ? config_setting_get_string(s) : "");
	return LSDN_OK;
}

static int read_root(struct weights_file *w, config_t *config, const char *path, const struct plan *plan, struct error *e)
{
	const config_setting_t *root = config_root_setting(config);
	int code = check_keys(root, "", path, e), format = 0;
	static const char *const GROUPS[] = {"model", "evidence"};
	for (size_t i = 0; i < 2 && !code; i++) {
		const config_setting_t *group = config_setting_get_member(root, GROUPS[i]);
		if (group)
			code = check_keys(group, GROUPS[i], path, e);
	}
	if (code)
		return code;
	const config_setting_t *alpha = config_setting_get_member(root, "alpha"), *choices = config_setting_get_member(root, "choices"),
		*layers = config_setting_get_member(root, "layers"), *input = config_setting_get_member(root, "input");
	if (!config_lookup_int(config, "format", &format) || format != WEIGHTS_FORMAT)
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "%s: format is %d, %d is read here: calibrate again with this version", path, format, WEIGHTS_FORMAT);
	if (!alpha)
		return error_set(e, LSDN_ERROR_INPUT, "%s: has no group alpha: it is no weights file, or cut short", path);
	code = read_text(config, "model.name", path, w->model, sizeof w->model, e);
	if (!code)
		code = read_text(config, "model.sha256", path, w->sha256, sizeof w->sha256, e);
	if (!code && input)
		code = net_config_input(input, path, &w->input, e);
	if (!code)
		code = read_alpha(alpha, path, &w->choices.policy.alpha, e);
	if (!code && choices && config_setting_type(choices) != CONFIG_TYPE_GROUP)
		code = wrong(path, choices, "must be a group { ... }", e);
	if (!code && choices)
		code = read_choices(choices, path, &w->choices, e);
	if (!code)
		code = image_names_read(&w->calibrated, config_lookup(config, "evidence.calibration_images"), path, e);
	if (!code)
		code = image_names_read(&w->held_out, config_lookup(config, "evidence.held_out_images"), path, e);
	return code || !layers ? code : read_layers(w, layers, path, plan, e);
}

int weights_file_read(struct weights_file *w, const char *path, const struct plan *plan, struct error *e)
{
	config_t config;
	*w = (struct weights_file){.choices = CHOICES_DEFAULT};
	char *text = file_text(path, MAX_FILE, e);
	if (!text)
		return e->code;
	config_init(&config);
	int code = cfg_parse(&config, text, path, "mend it, or calibrate again", e);
	if (!code)
		code = read_root(w, &config, path, plan, e);
	config_destroy(&config);
	free(text);
	if (code)
		weights_file_free(w);
	return code;
}

int weights_file_is_of(const char *path, const struct net *net, bool *same, struct error *e)
{
	config_t config;
	const char *sha256;
	long long bytes;
	*same = false;
	char *text = file_text(path, MAX_FILE, e);
	if (!text)
		return e->code;
	char *evidence = strstr(text, "\nevidence = {"); /* is long, and says nothing of the model */
	if (evidence)
		*evidence = 0;
	config_init(&config);
	int code = cfg_parse(&config, text, path, "mend it, or calibrate again", e);
	if (!code && config_lookup_string(&config, "model.sha256", &sha256))
		*same = (!config_lookup_int64(&config, "model.bytes", &bytes) || bytes == (long long)net->size) && strcmp(sha256, net_sha256(net)) == 0;
	config_destroy(&config);
	free(text);
	return code;
}

void weights_file_free(struct weights_file *w)
{
	free(w->layers);
	image_names_free(&w->calibrated);
	image_names_free(&w->held_out);
	*w = (struct weights_file){.choices = CHOICES_DEFAULT};
}

const char *weights_file_warning(const struct weights_file *w, const struct net *net)
{
	const struct preprocessing *a = &w->input, *b = &net->input;
	if (*w->sha256 && strcmp(w->sha256, net_sha256(net)) != 0)
		return "was calibrated for another model: its weights are used all the same";
	bool same = a->width == b->width && a->height == b->height && a->bgr == b->bgr;
	for (int c = 0; c < 3; c++)
		same = same && fabsf(a->mean[c] - b->mean[c]) < 1e-4f && fabsf(a->std[c] - b->std[c]) < 1e-4f; /* they are written with six digits */
	return !a->width || same ? NULL : "was calibrated with another size, order, mean or std of the input: its weights are used all the same";
}

void weights_file_write_string(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', file);
		if ((unsigned char)*text < ' ')
			fprintf(file, "\\x%02x", (unsigned char)*text);
		else
			fputc(*text, file);
	}
	fputc('"', file);
}

/* As many digits as make it the same when it is read. */
static void write_alpha(FILE *file, const struct alpha *alpha, const char *separator)
{
	static const char *const NAMES[] = {"cur", "pre", "suc"};
	const double VALUES[] = {alpha->cur, alpha->pre, alpha->suc};
	for (int i = 0; i < 3; i++) {
		char text[40];
		snprintf(text, sizeof text, "%.6f", VALUES[i]);
		if (strtod(text, NULL) != VALUES[i])
			snprintf(text, sizeof text, "%.17g", VALUES[i]);
		fprintf(file, "%s%s = %s;", separator, NAMES[i], text);
	}
}

static void write_layers(FILE *file, const struct plan *plan, const struct policy *p)
{
	const char *separator = "layers = (";
	bool any = false;
	for (int i = 0; i < p->layer_count; i++) {
		const struct layer_policy *own = &p->layers[i];
		if (!own->own_alpha && own->k == K_SHARED)
			continue;
		fprintf(file, "%s\n  { name = ", separator);
		weights_file_write_string(file, plan->ops[i].name);
		if (own->own_alpha) {
			fprintf(file, "; alpha = {");
			write_alpha(file, &own->alpha, " ");
			fprintf(file, " }");
		}
		if (own->k == K_ALL)
			fprintf(file, "; k = \"all\"");
		else if (own->k != K_SHARED)
			fprintf(file, "; k = %d", own->k);
		fprintf(file, "; }");
		separator = ",";
		any = true;
	}
	if (any)
		fprintf(file, "\n);\n");
}

void weights_file_write_head(FILE *file, const struct net *net, const struct choices *c)
{
	const struct preprocessing *p = &net->input;
	fprintf(file, "format = %d;\nmodel = {\n  name = ", WEIGHTS_FORMAT);
	weights_file_write_string(file, net->name);
	fprintf(file, ";\n  sha256 = \"%s\";\n  bytes = %zu;\n};\n", net_sha256(net), net->size);
	fprintf(file, "input = {\n  size = [ %d, %d ];\n  order = \"%s\";\n  mean = [ %.6f, %.6f, %.6f ];\n  std = [ %.6f, %.6f, %.6f ];\n};\n", p->width,
		p->height, p->bgr ? "bgr" : "rgb", (double)p->mean[0], (double)p->mean[1], (double)p->mean[2], (double)p->std[0], (double)p->std[1],
		(double)p->std[2]);
	fprintf(file, "alpha = {");
	write_alpha(file, &c->policy.alpha, "\n  ");
	fprintf(file, "\n};\nchoices = {\n");
	for (int i = 0; i < choices_count(); i++) {
		char text[CHOICE_TEXT];
		choices_get(c, i, text);
		fprintf(file, "  %s = \"%s\";\n", choices_name(i), text);
	}
	fprintf(file, "};\n");
	write_layers(file, &net->plan, &c->policy);
}
