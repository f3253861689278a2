#include "config.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/replay_inside.h"
#include "tests/vectors.h"

static int collect(void *context, const struct step *step, struct error *e)
{
	struct trail_image *image = context;
	if (image->count == image->room) {
		image->room = image->room ? 2 * image->room : 256;
		image->lines = realloc(image->lines, image->room * sizeof *image->lines);
		if (!image->lines)
			return error_memory(e, "an audit trail");
	}
	image->lines[image->count] = (struct trail_line){.step = *step, .number = (long)image->count + 1};
	image->count++;
	return LSDN_OK;
}

void vector_replay(struct runner *r, const char *name, const struct policy *policy, const int *classes, int class_count)
{
	struct explainer x = {.net = &r->net, .crop_count = 1, .crops = {{.session = r->session, .walk = r->walk}}};
	struct replayer replayer = {.x = &x, .path = name, .layers = json_array(), .remarks = json_array(), .total = {.margin = INFINITY},
		.selected = calloc((size_t)r->net.plan.tensor_count, sizeof *replayer.selected),
		.masses = calloc((size_t)r->net.plan.tensor_count, sizeof *replayer.masses)};
	struct policy heavy = *policy; /* selects the same, and its masses are checked too */
	struct trail_image *image = &replayer.image;
	struct error e;
	heavy.mass = true;
	image->choices.policy = heavy;
	image->class_count = class_count;
	for (int i = 0; i < class_count; i++)
		image->classes[i] = classes[i];
	walk_listen(r->walk, collect, image);
	ck_assert_msg(walk_run(r->walk, r->session, 0, &heavy, 1, classes, class_count, &e) == 0, "%s", e.message);
	walk_listen(r->walk, NULL, NULL);
	ck_assert_msg(replay_crop(&replayer, 0, &e) == 0, "%s", e.message);
	r->lines += replayer.total.lines;
	r->rounded += replayer.total.ties;
	r->wrong += replayer.total.differ > 0;
	for (size_t i = 0; i < json_array_size(replayer.remarks) && replayer.total.differ; i++)
		printf("WRONG %s: %s\n", name, json_string_value(json_object_get(json_array_get(replayer.remarks, i), "remark")));
	for (int t = 0; t < r->net.plan.tensor_count; t++) {
		index_set_free(&replayer.selected[t]);
		free(replayer.masses[t]);
	}
	free(replayer.selected);
	free(replayer.masses);
	free(replayer.points);
	free(replayer.weights);
	json_decref(replayer.layers);
	json_decref(replayer.remarks);
	trail_image_free(image);
}
