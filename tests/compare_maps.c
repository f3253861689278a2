/* compare_maps MODEL.onnx TENSOR.npy LINES holds gradients and maps against those that tests/methods_reference.py wrote: reads its lines (METHOD CLASS
 * LAYER FILE) and prints for each max |difference| / max |value|; exits with 0 where none is above 1e-3.
 * compare_maps MODEL.onnx TENSOR.npy --activations FOLDER writes what that needs: every tensor as a file, and FOLDER/activations with their names. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/methods/layers.h"
#include "core/methods/mapper.h"

static const double LARGEST = 1e-3;

/* What the line asks for: a gradient, or a method's map on its own grid. */
static int compute(struct mapper *m, const char *method_name, int class_index, int layer, const float **values, size_t *count, struct error *e)
{
	const struct explainer *x = m->explainer;
	const struct plan *plan = &x->net->plan;
	bool probability = strcmp(method_name, "probability") == 0;
	if (probability || strncmp(method_name, "logit", 5) == 0) {
		int target = layer < 0 ? plan->inputs[0] : layer;
		int code = backward_class(m->backward, x->crops[0].session, 0, class_index, probability ? BACKWARD_PROBABILITY : BACKWARD_LOGIT, target, NULL, e);
		*values = backward_gradient(m->backward, target);
		*count = tensor_size(&plan->tensors[target]);
		return code;
	}
	const struct map_method *method = map_method_find(method_name, e);
	if (method && layer < 0)
		layer = map_method_layer(method, plan);
	struct question q = {.net = x->net, .session = x->crops[0].session, .backward = m->backward, .class_index = class_index,
		.layer = layer, .grid = &m->grid};
	int code = method ? method->answer(&q, e) : (int)e->code;
	*values = m->grid.values;
	*count = (size_t)m->grid.height * (size_t)m->grid.width;
	return code;
}

static int compare_line(struct mapper *m, const char *line, double *worst, struct error *e)
{
	char method[64], layer_name[256], path[1000];
	int class_index, layer = -1;
	const uint8_t *data = NULL;
	size_t size = 0, count = 0;
	const float *got = NULL;
	if (sscanf(line, "%63s %d %255s %999s", method, &class_index, layer_name, path) != 4)
		return error_set(e, LSDN_ERROR_INPUT, "no line of tests/methods_reference.py: %s", line);
	bool refused = strcmp(path, "refused") == 0;
	int code = strcmp(layer_name, "-") == 0 ? LSDN_OK : layer_find(&m->explainer->net->plan, layer_name, &layer, e);
	if (!code)
		code = compute(m, method, class_index, layer, &got, &count, e);
	if (refused && code == LSDN_ERROR_UNSUPPORTED)
		printf("%-28s refused\n", method);
	if (refused)
		return code == LSDN_ERROR_UNSUPPORTED ? LSDN_OK : error_set(e, LSDN_ERROR_INPUT, "%s: is not refused", method);
	if (!code)
		code = file_map(path, &data, &size, e);
	if (code)
		return code;
	const float *want = (const float *)(const void *)data;
	double highest = 0, difference = size == count * sizeof *want ? 0 : INFINITY;
	for (size_t i = 0; i < count && difference < INFINITY; i++) {
		highest = fmax(highest, fabs((double)want[i]));
		difference = isfinite(got[i]) ? fmax(difference, fabs((double)got[i] - (double)want[i])) : INFINITY;
	}
	file_unmap(data, size);
	double share = difference == 0 ? 0 : difference / highest;
	printf("%-28s %.1e %s\n", method, share, share <= LARGEST && highest > 0 ? "" : "TOO FAR");
	*worst = highest > 0 ? fmax(*worst, share) : INFINITY;
	return LSDN_OK;
}

static int write_activations(struct mapper *m, const char *folder, struct error *e)
{
	const struct plan *plan = &m->explainer->net->plan;
	char path[1000];
	snprintf(path, sizeof path, "%s/activations", folder);
	FILE *names = fopen(path, "w");
	for (int t = 0; names && t < plan->tensor_count; t++) {
		const struct tensor *tensor = &plan->tensors[t];
		snprintf(path, sizeof path, "%s/%d.tensor", folder, t);
		FILE *file = fopen(path, "wb");
		size_t stride;
		const float *values = backward_value(m->backward, m->explainer->crops[0].session, 0, t, &stride);
		for (size_t p = 0; file && values && p < tensor_size(tensor) / (size_t)tensor->c; p++)
			fwrite(values + p * stride, sizeof *values, (size_t)tensor->c, file);
		fprintf(names, "%s %d %d %d %s\n", tensor->name, tensor->c, tensor->h, tensor->w, path);
		if (!file || !values || fclose(file))
			return error_set(e, LSDN_ERROR_IO, "%s: cannot be written", path);
	}
	return names && !fclose(names) ? LSDN_OK : error_set(e, LSDN_ERROR_IO, "%s: cannot be written", path);
}

static int compare_lines(struct mapper *m, const char *path, double *worst, struct error *e)
{
	char line[2000];
	FILE *lines = fopen(path, "r");
	int code = lines ? LSDN_OK : error_set(e, LSDN_ERROR_IO, "%s: cannot be read", path);
	while (!code && fgets(line, sizeof line, lines))
		code = compare_line(m, line, worst, e);
	if (lines)
		fclose(lines);
	return code;
}

int main(int argc, char **argv)
{
	struct error e = {0};
	struct net net = {0};
	struct explainer x = {0};
	struct mapper m = {0};
	struct packed_weights *packed = NULL;
	struct linear_weights *linear = NULL;
	double worst = 0;
	int code = argc == 4 || argc == 5 ? net_open(&net, argv[1], &e) : error_set(&e, LSDN_ERROR_INPUT, "usage: compare_maps MODEL.onnx TENSOR.npy LINES | --activations FOLDER");
	if (!code)
		code = (packed = packed_weights_open(&net.plan, &e)) && (linear = linear_weights_open(&net.plan, 2, &e)) ? LSDN_OK : (int)e.code;
	if (!code)
		code = explainer_open(&x, &net, packed, 2, &e);
	if (!code)
		code = mapper_open(&m, &x, linear, &e);
	if (!code)
		code = explainer_feed_tensor(&x, argv[2], &e);
	if (!code)
		code = argc == 5 ? write_activations(&m, argv[4], &e) : compare_lines(&m, argv[3], &worst, &e);
	if (code)
		fprintf(stderr, "compare_maps: %s\n", e.message);
	mapper_close(&m);
	linear_weights_close(linear);
	explainer_close(&x);
	packed_weights_close(packed);
	net_close(&net);
	return code || !(worst <= LARGEST) ? EXIT_FAILURE : EXIT_SUCCESS;
}
