#include "config.h"

#include "core/net/net_config.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>


enum { MAX_SIDE = 4096 };

const struct preprocessing PREPROCESSING_IMAGENET = {.mean = {123.675f, 116.28f, 103.53f}, .std = {58.395f, 57.12f, 57.375f}};

static int wrong(const char *path, const config_setting_t *s, const char *what, struct error *e)
{
	return error_set(e, LSDN_ERROR_INPUT, "%s:%u: '%s': %s", path, config_setting_source_line(s), config_setting_name(s), what);
}

static bool number(const config_setting_t *s, double *value)
{
	int type = config_setting_type(s);
	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_FLOAT)
		return false;
	*value = type == CONFIG_TYPE_INT ? (double)config_setting_get_int(s) : config_setting_get_float(s);
	return fabs(*value) <= (double)FLT_MAX;
}

/* Three numbers, or one for all three channels. */
static bool channels(const config_setting_t *s, float out[3])
{
	double value;
	if (number(s, &value)) {
		out[0] = out[1] = out[2] = (float)value;
		return true;
	}
	if (!config_setting_is_aggregate(s) || config_setting_length(s) != 3)
		return false;
	for (unsigned int c = 0; c < 3; c++) {
		if (!number(config_setting_get_elem(s, c), &value))
			return false;
		out[c] = (float)value;
	}
	return true;
}

int net_config_input(const config_setting_t *group, const char *path, struct preprocessing *input, struct error *e)
{
	if (config_setting_type(group) != CONFIG_TYPE_GROUP)
		return wrong(path, group, "must be a group { size, order, mean, std }", e);
	for (unsigned int i = 0; i < (unsigned int)config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, i);
		const char *name = config_setting_name(s), *text = config_setting_get_string(s);
		double side[2] = {0};
		if (strcmp(name, "size") == 0) {
			bool pair = config_setting_is_aggregate(s) && config_setting_length(s) == 2;
			const config_setting_t *w = pair ? config_setting_get_elem(s, 0) : s, *h = pair ? config_setting_get_elem(s, 1) : s;
			if (!number(w, &side[0]) || !number(h, &side[1]) || fmin(side[0], side[1]) < 1 || fmax(side[0], side[1]) > MAX_SIDE)
				return wrong(path, s, "must be one number or [ width, height ], from 1 to 4096", e);
			input->width = (int)side[0];
			input->height = (int)side[1];
		} else if (strcmp(name, "order") == 0) {
			if (!text || (strcmp(text, "rgb") != 0 && strcmp(text, "bgr") != 0))
				return wrong(path, s, "must be \"rgb\" or \"bgr\"", e);
			input->bgr = text[0] == 'b';
		} else if (strcmp(name, "mean") == 0) {
			if (!channels(s, input->mean))
				return wrong(path, s, "must be three numbers", e);
		} else if (strcmp(name, "std") == 0) {
			if (!channels(s, input->std) || input->std[0] == 0 || input->std[1] == 0 || input->std[2] == 0)
				return wrong(path, s, "must be three numbers other than 0", e);
		} else {
			return wrong(path, s, "is no setting of input: size, order, mean and std are", e);
		}
	}
	return LSDN_OK;
}

int net_config_parse(const char *text, const char *path, struct preprocessing *input, char **labels, struct error *e)
{
	config_t config;
	*labels = NULL;
	*input = PREPROCESSING_IMAGENET;
	config_init(&config);
	int code = cfg_parse(&config, text, path, "mend it", e);
	const config_setting_t *root = config_root_setting(&config);
	for (unsigned int i = 0; !code && i < (unsigned int)config_setting_length(root); i++) {
		const config_setting_t *s = config_setting_get_elem(root, i);
		if (strcmp(config_setting_name(s), "input") == 0)
			code = net_config_input(s, path, input, e);
		else if (strcmp(config_setting_name(s), "labels") != 0)
			code = wrong(path, s, "is no setting: input and labels are", e);
		else if (!config_setting_get_string(s) || *labels)
			code = wrong(path, s, "must be the name of a file", e);
		else if (!(*labels = strdup(config_setting_get_string(s))))
			code = error_memory(e, "a configuration");
	}
	config_destroy(&config);
	if (code) {
		free(*labels);
		*labels = NULL;
	}
	return code;
}
