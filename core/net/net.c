#include "config.h"

#include "core/net/net.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/net/net_config.h"

enum { MAX_CONFIG = 1 << 20, MAX_LABELS = 1 << 26 };

/* A mapped file is given back part by part. */
static void hash(const uint8_t *data, size_t size, bool mapped, char hex[65])
{
	enum { PART = 1 << 22 };
	struct sha256_ctx context;
	uint8_t digest[SHA256_DIGEST_SIZE];
	sha256_init(&context);
	for (size_t at = 0, count; at < size; at += count) {
		count = size - at < PART ? size - at : PART;
		sha256_update(&context, count, data + at);
		if (mapped)
			file_release(data + at, count);
	}
	sha256_digest(&context, sizeof digest, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* Takes a text of lines apart; lines point into one copy, which is the first line's memory. */
static int take_labels(struct net *net, const char *text, struct error *e)
{
	char *copy = strdup(text);
	int count = 0;
	for (const char *p = text; *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : p + strlen(p))
		count++;
	net->labels = calloc((size_t)count + 1, sizeof *net->labels);
	if (!copy || !net->labels) {
		free(copy);
		return error_memory(e, "labels");
	}
	net->labels[0] = copy;
	for (char *p = copy; net->label_count < count; net->label_count++) {
		net->labels[net->label_count] = p;
		p += strcspn(p, "\n");
		if (p > copy && p[-1] == '\r')
			p[-1] = 0;
		if (*p)
			*p++ = 0;
	}
	return LSDN_OK;
}

static int check_labels(const struct net *net, const char *path, struct error *e)
{
	int classes = net->plan.tensors[net->plan.scores].c;
	if (!net->labels || net->label_count == classes)
		return LSDN_OK;
	return error_set(e, LSDN_ERROR_INPUT, "%s: has %d lines, the network %d classes: give it one line a class", path, net->label_count, classes);
}

/* A file that keeps images as TensorFlow does is told apart before its sides are taken for something else. */
static int check_image(const struct net *net, const char *path, struct error *e)
{
	for (size_t i = 0; i < net->graph.input_count; i++) {
		const struct value *v = &net->graph.inputs[i];
		if (v->rank == 4 && v->dims[3] == 3 && v->dims[1] != 3)
			return error_set(e, LSDN_ERROR_UNSUPPORTED, "%s: input '%s' is N x H x W x 3: export it as N x 3 x H x W (tf2onnx --inputs-as-nchw)", path,
				v->name);
	}
	return LSDN_OK;
}

/* The network must be a classifier of images. */
static int check_plan(const struct net *net, const char *path, struct error *e)
{
	const struct plan *plan = &net->plan;
	const struct tensor *scores = &plan->tensors[plan->scores];
	if (net->graph.output_count != 1)
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "%s: has %zu outputs: export it with its class scores alone", path, net->graph.output_count);
	if (plan->input_count != 1 || plan->tensors[plan->inputs[0]].c != 3 || plan->tensors[plan->inputs[0]].rank != 4)
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "%s: does not read one image N x 3 x H x W: export a classifier of colour images", path);
	if (scores->h != 1 || scores->w != 1 || scores->maker < 0)
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "%s: output '%s' is a map, not one score a class: export a classifier", path, scores->name);
	return LSDN_OK;
}

static int open_graph(struct net *net, const char *path, struct error *e)
{
	net->sha256 = calloc(65, 1);
	int code = net->sha256 ? onnx_read(&net->graph, net->data, net->size, path, e) : error_memory(e, "a network");
	net->graph.mapped = net->mapped;
	if (!code)
		code = check_image(net, path, e);
	if (!code)
		code = plan_make(&net->plan, &net->graph, net->input.height, net->input.width, e);
	if (!code)
		code = check_plan(net, path, e);
	if (code)
		return code;
	if (net->mapped)
		file_release(net->data, net->size);
	net->input.width = net->plan.tensors[net->plan.inputs[0]].w;
	net->input.height = net->plan.tensors[net->plan.inputs[0]].h;
	return LSDN_OK;
}

/* path with its last `drop` characters replaced by `add`. */
static char *sibling(const char *path, size_t drop, const char *add)
{
	size_t keep = strlen(path) - drop;
	char *name = malloc(keep + strlen(add) + 1);
	if (name) {
		memcpy(name, path, keep);
		strcpy(name + keep, add);
	}
	return name;
}

/* Reads NAME.cfg beside the model, and the labels that it names (in the same folder). */
static int open_config(struct net *net, const char *path, char **labels_path, struct error *e)
{
	size_t length = strlen(path), suffix = length > 5 && strcmp(path + length - 5, ".onnx") == 0 ? 5 : 0;
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	char *config = sibling(path, suffix, ".cfg"), *labels = NULL;
	net->name = sibling(base, suffix, "");
	if (!config || !net->name) {
		free(config);
		return error_memory(e, "a network");
	}
	struct error ignored;
	char *text = file_text(config, MAX_CONFIG, &ignored);
	int code = LSDN_OK;
	net->input = PREPROCESSING_IMAGENET;
	if (text)
		code = net_config_parse(text, config, &net->input, &labels, e);
	else if (errno == ENOENT)
		net->input_assumed = true;
	else
		code = error_set(e, ignored.code, "%s", ignored.message);
	if (!code && labels)
		*labels_path = labels[0] == '/' ? strdup(labels) : sibling(path, strlen(base), labels);
	free(labels);
	free(text);
	free(config);
	return code;
}

int net_open(struct net *net, const char *path, struct error *e)
{
	*net = (struct net){0};
	char *labels = NULL, *text = NULL;
	int code = open_config(net, path, &labels, e);
	if (!code)
		code = file_map(path, &net->data, &net->size, e);
	net->mapped = !code;
	if (!code)
		code = open_graph(net, path, e);
	if (!code && labels && !(text = file_text(labels, MAX_LABELS, e)))
		code = LSDN_ERROR_INPUT;
	if (!code && text)
		code = take_labels(net, text, e);
	if (!code)
		code = check_labels(net, labels, e);
	free(text);
	free(labels);
	if (code)
		net_close(net);
	return code;
}

int net_open_bytes(struct net *net, const uint8_t *data, size_t size, const char *name, const char *config, const char *labels, struct error *e)
{
	*net = (struct net){.input = PREPROCESSING_IMAGENET, .input_assumed = config == NULL, .name = strdup(name), .data = data, .size = size};
	char *unused = NULL;
	int code = net->name ? LSDN_OK : error_memory(e, "a network");
	if (!code && config)
		code = net_config_parse(config, name, &net->input, &unused, e);
	free(unused);
	if (!code)
		code = open_graph(net, name, e);
	if (!code && labels)
		code = take_labels(net, labels, e);
	if (!code)
		code = check_labels(net, name, e);
	if (code)
		net_close(net);
	return code;
}

void net_close(struct net *net)
{
	plan_free(&net->plan);
	onnx_close(&net->graph);
	if (net->mapped)
		file_unmap(net->data, net->size);
	free(net->sha256);
	if (net->labels)
		free(net->labels[0]);
	free(net->labels);
	free(net->name);
	*net = (struct net){0};
}

const char *net_sha256(const struct net *net)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER; /* a critical section of OpenMP would have a name that programs see */
	pthread_mutex_lock(&one_at_a_time);
	if (!*net->sha256)
		hash(net->data, net->size, net->mapped, net->sha256);
	pthread_mutex_unlock(&one_at_a_time);
	return net->sha256;
}

const char *net_wnid(const struct net *net, int class_index, char buffer[32])
{
	const char *line = class_index < net->label_count ? net->labels[class_index] : "";
	size_t length = strchr(line, '\t') ? strcspn(line, "\t") : 0;
	snprintf(buffer, 32, "%.*s", (int)(length < 31 ? length : 31), line);
	return buffer;
}

const char *net_class_name(const struct net *net, int class_index, char buffer[32])
{
	if (class_index < net->label_count) {
		const char *tab = strchr(net->labels[class_index], '\t');
		return tab ? tab + 1 : net->labels[class_index];
	}
	snprintf(buffer, 32, "class %d", class_index);
	return buffer;
}

int net_find_class(const struct net *net, const char *text, int *class_index, struct error *e)
{
	int classes = net->plan.tensors[net->plan.scores].c;
	char buffer[32], wnid[32], *end;
	long number = strtol(text, &end, 10);
	if (*text && !*end && number >= 0 && number < classes) {
		*class_index = (int)number;
		return LSDN_OK;
	}
	for (int k = 0; *text && k < net->label_count; k++) {
		const char *name = net_class_name(net, k, buffer);
		size_t first = strcspn(name, ",");
		if (strcmp(net_wnid(net, k, wnid), text) == 0 || strcmp(name, text) == 0 || (strlen(text) == first && strncmp(name, text, first) == 0)) {
			*class_index = k;
			return LSDN_OK;
		}
	}
	return error_set(e, LSDN_ERROR_INPUT, "class '%s': no such class: give a number from 0 to %d%s", text, classes - 1,
		net->label_count ? ", a WordNet id or a name of the labels file" : "");
}
