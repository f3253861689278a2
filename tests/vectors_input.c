#include "config.h"

#include "tests/vectors.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/choices.h"
#include "core/image/npy.h"
#include "core/image/photo.h"

static const double PROBABILITY = 1e-4; /* two engines' single precision */

static struct policy policy_of(json_t *j)
{
	struct choices choices = CHOICES_DEFAULT;
	struct alpha *alpha = &choices.policy.alpha;
	struct error e;
	const char *key;
	json_t *value;
	json_object_foreach(j, key, value)
	{
		char text[CHOICE_TEXT] = "";
		if (json_is_string(value))
			snprintf(text, sizeof text, "%s", json_string_value(value));
		else if (json_is_boolean(value))
			snprintf(text, sizeof text, "%s", json_is_true(value) ? "true" : "false");
		else
			snprintf(text, sizeof text, "%.10g", json_number_value(value));
		if (strcmp(key, "cur") == 0)
			alpha->cur = json_number_value(value);
		else if (strcmp(key, "pre") == 0)
			alpha->pre = json_number_value(value);
		else if (strcmp(key, "suc") == 0)
			alpha->suc = json_number_value(value);
		else if (!json_is_null(value))
			ck_assert_msg(choices_set(&choices, key, text, &e) == 0, "%s", e.message);
	}
	return choices.policy;
}

void runner_close(struct runner *r)
{
	walk_close(r->walk);
	session_close(r->session);
	packed_weights_close(r->packed);
	if (*r->model)
		net_close(&r->net);
	*r->model = 0;
	r->walk = NULL;
	r->session = NULL;
	r->packed = NULL;
}

static void open_model(struct runner *r, const char *name)
{
	char path[1200];
	struct error e;
	if (strcmp(name, r->model) == 0)
		return;
	runner_close(r);
	if (strncmp(name, "../models/", 10) == 0)
		snprintf(path, sizeof path, "%s/%s", r->models, name + 10);
	else
		snprintf(path, sizeof path, "%s/%s", r->vectors, name);
	ck_assert_msg(net_open(&r->net, path, &e) == 0, "%s", e.message);
	snprintf(r->model, sizeof r->model, "%s", name);
	r->packed = packed_weights_open(&r->net.plan, &e);
	r->session = session_open(&r->net.plan, r->packed, 1, 2, &e);
	r->walk = walk_open(&r->net.plan, 2, &e);
	ck_assert_msg(r->session && r->walk, "%s", e.message);
}

static void feed(struct runner *r, json_t *vector)
{
	char path[1200];
	struct error e;
	const struct tensor *in = &r->net.plan.tensors[r->net.plan.inputs[0]];
	float *tensor = session_tensor(r->session, r->net.plan.inputs[0], 0);
	const char *input = json_string_value(json_object_get(vector, "input"));
	if (input) {
		snprintf(path, sizeof path, "%s/%s", r->vectors, input);
		ck_assert_msg(npy_read(path, in->h, in->w, tensor, &e) == 0, "%s", e.message);
	} else {
		struct photo photo;
		struct view_geometry geometry;
		snprintf(path, sizeof path, "%s/real/%s", r->vectors, json_string_value(json_object_get(vector, "image")));
		ck_assert_msg(photo_read(&photo, path, &e) == 0, "%s", e.message);
		ck_assert_int_eq(photo.width, in->w);
		ck_assert_msg(view_make(&photo, &r->net.input, VIEW_FULL, 0, tensor, &geometry, &e) == 0, "%s", e.message);
		photo_free(&photo);
	}
	ck_assert_msg(session_run(r->session, &e) == 0, "%s", e.message);
	walk_forget(r->walk);
}

static int top_classes(struct runner *r, json_t *vector, int classes[POLICY_MOST_CLASSES])
{
	int count = 0;
	json_t *listed = json_object_get(vector, "classes");
	int total = r->net.plan.tensors[r->net.plan.scores].c;
	double *p = malloc((size_t)total * sizeof *p);
	session_probabilities(r->session, 0, p);
	for (; count < (int)json_array_size(listed); count++) {
		int best = 0;
		if (json_is_integer(json_object_get(vector, "asked_class"))) {
			best = (int)json_integer_value(json_object_get(vector, "asked_class"));
		} else {
			for (int k = 0; k < total; k++)
				best = p[k] > p[best] ? k : best;
		}
		ck_assert_int_eq(best, json_integer_value(json_array_get(listed, (size_t)count)));
		ck_assert_double_eq_tol(p[best], json_number_value(json_array_get(json_object_get(vector, "probabilities"), (size_t)count)), PROBABILITY);
		classes[count] = best;
		p[best] = -1;
	}
	free(p);
	return count;
}

int vector_feed(struct runner *r, json_t *vector, struct policy *policy, int classes[POLICY_MOST_CLASSES])
{
	open_model(r, json_string_value(json_object_get(vector, "model")));
	feed(r, vector);
	*policy = policy_of(json_object_get(vector, "policy"));
	return top_classes(r, vector, classes);
}

static int is_json(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

bool vector_folder(struct runner *r, const char *folder, bool real, void (*run)(struct runner *r, const char *path))
{
	const char *shared = getenv("LSDN_SHARED"), *models = getenv("LSDN_MODELS");
	*r = (struct runner){.model = ""};
	struct dirent **entries;
	char path[1024];
	snprintf(r->vectors, sizeof r->vectors, "%s/vectors", shared ? shared : "../shared");
	snprintf(r->models, sizeof r->models, "%s", models ? models : "");
	snprintf(path, sizeof path, "%s/%s", r->vectors, folder);
	int count = scandir(path, &entries, is_json, alphasort);
	if (count <= 0) {
		printf("skipped: %s: no vectors there\n", path);
		return false;
	}
	char probe[1024];
	snprintf(probe, sizeof probe, "%s/googlenet.onnx", r->models);
	FILE *file = real ? fopen(probe, "rb") : NULL;
	if (real && !file)
		printf("skipped: vectors on real networks: %s is not there (set LSDN_MODELS)\n", probe);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%s/%s", r->vectors, folder, entries[i]->d_name);
		if (!real || file)
			run(r, path);
		free(entries[i]);
	}
	free(entries);
	if (file)
		fclose(file);
	return !real || file;
}
