#include "config.h"

#include "core/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"

json_t *json_text(const char *text)
{
	char *copy = strdup(text);
	if (copy)
		utf8_mend(copy);
	json_t *string = copy ? json_string(copy) : NULL;
	free(copy);
	return string;
}

int json_line(FILE *file, json_t *line, int digits, struct error *e)
{
	if (!line)
		return error_memory(e, "a line of JSON");
	json_dumpf(line, file, JSON_COMPACT | JSON_REAL_PRECISION((size_t)digits));
	fputc('\n', file);
	json_decref(line);
	return LSDN_OK;
}

static json_t *alpha_json(const struct alpha *a)
{
	return json_pack("{s:f, s:f, s:f}", "cur", a->cur, "pre", a->pre, "suc", a->suc);
}

static json_t *layers_json(const struct policy *p, const struct plan *plan)
{
	json_t *list = json_array();
	for (int i = 0; i < p->layer_count; i++) {
		const struct layer_policy *layer = &p->layers[i];
		if (!layer->own_alpha && layer->k == K_SHARED)
			continue;
		json_t *j = layer->own_alpha ? alpha_json(&layer->alpha) : json_object();
		json_object_set_new(j, "name", json_text(plan->ops[i].name));
		if (layer->k != K_SHARED)
			json_object_set_new(j, "k", layer->k == K_ALL ? json_string("all") : json_integer(layer->k));
		json_array_append_new(list, j);
	}
	return list;
}

json_t *choices_json(const struct choices *c, const struct plan *plan)
{
	json_t *j = alpha_json(&c->policy.alpha);
	char text[CHOICE_TEXT];
	for (int i = 0; i < choices_count(); i++) {
		choices_get(c, i, text);
		json_object_set_new(j, choices_name(i), json_string(text));
	}
	if (c->policy.layers)
		json_object_set_new(j, "layers", layers_json(&c->policy, plan));
	return j;
}

static bool read_alpha(const json_t *j, struct alpha *a)
{
	const json_t *cur = json_object_get(j, "cur"), *pre = json_object_get(j, "pre"), *suc = json_object_get(j, "suc");
	*a = (struct alpha){json_number_value(cur), json_number_value(pre), json_number_value(suc)};
	return json_is_number(cur) && json_is_number(pre) && json_is_number(suc) && a->cur >= 0 && a->pre >= 0 && a->suc >= 0;
}

static int read_layer(const json_t *j, const struct plan *plan, struct layer_policy *layers, struct error *e)
{
	const char *name = json_string_value(json_object_get(j, "name"));
	const json_t *k = json_object_get(j, "k");
	int op = name ? plan_find_layer(plan, name) : -1;
	if (op < 0)
		return error_set(e, LSDN_ERROR_INPUT, "policy: layers: '%.100s' is no Conv or Gemm of the network", name ? name : "");
	if (k && !json_is_string(k) && !(json_integer_value(k) >= 1 && json_integer_value(k) <= K_MOST))
		return error_set(e, LSDN_ERROR_INPUT, "policy: layer %.100s: k must be from 1 to %d, or \"all\"", name, K_MOST);
	layers[op].k = !k ? K_SHARED : json_is_string(k) ? K_ALL : (int)json_integer_value(k);
	layers[op].own_alpha = json_object_get(j, "cur");
	if (layers[op].own_alpha && !read_alpha(j, &layers[op].alpha))
		return error_set(e, LSDN_ERROR_INPUT, "policy: layer %.100s: cur, pre and suc must be numbers of at least 0", name);
	return LSDN_OK;
}

int choices_of_json(struct choices *c, const json_t *j, const struct plan *plan, struct layer_policy *layers, struct error *e)
{
	int code = LSDN_OK;
	*c = CHOICES_DEFAULT;
	if (!read_alpha(j, &c->policy.alpha))
		return error_set(e, LSDN_ERROR_INPUT, "policy: cur, pre and suc must be numbers of at least 0");
	for (int i = 0; i < choices_count() && !code; i++) {
		const char *value = json_string_value(json_object_get(j, choices_name(i)));
		code = value ? choices_set(c, choices_name(i), value, e) : error_set(e, LSDN_ERROR_INPUT, "policy: lacks %s", choices_name(i));
	}
	const json_t *list = json_object_get(j, "layers");
	if (list) {
		c->policy.layers = layers;
		c->policy.layer_count = plan->op_count;
	}
	for (int i = 0; i < plan->op_count; i++)
		layers[i] = (struct layer_policy){.k = K_SHARED};
	for (size_t i = 0; i < json_array_size(list) && !code; i++)
		code = read_layer(json_array_get(list, i), plan, layers, e);
	return code;
}
