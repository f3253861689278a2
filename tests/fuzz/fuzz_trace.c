/* An audit trail, read and replayed, of the network of fuzz_model and an image that is always the same, whatever the trail calls it. */
#include "config.h"

#include <math.h>

#include "core/replay_inside.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/models.h"

enum { SIDE = 9 };

static struct explainer *fed(void)
{
	static struct message model;
	static struct net net;
	static struct explainer x;
	static uint8_t rgb[SIDE * SIDE * 3];
	struct photo photo = {.width = SIDE, .height = SIDE, .rgb = rgb};
	struct error e;
	if (x.net)
		return &x;
	for (size_t i = 0; i < sizeof rgb; i++)
		rgb[i] = (uint8_t)(i * i * 31 + i);
	fuzz_model(&model);
	FUZZ_TRUE(net_open_bytes(&net, model.data, model.size, "model", NULL, NULL, &e) == LSDN_OK);
	static struct packed_weights *packed;
	packed = packed_weights_open(&net.plan, &e);
	FUZZ_TRUE(packed && explainer_open(&x, &net, packed, 1, &e) == LSDN_OK);
	FUZZ_TRUE(explainer_feed(&x, &photo, VIEW_FULL, &e) == LSDN_OK);
	return &x;
}

static void replay_image(struct replayer *r)
{
	struct error e;
	for (size_t i = 0; i < r->image.count; i++)
		if (r->image.lines[i].crop >= r->x->crop_count)
			return;
	r->layers = json_array();
	r->remarks = json_array();
	r->total = (struct tally){.margin = INFINITY};
	r->point_count = 0;
	if (!fuzz_answer(replay_crop(r, 0, &e), &e))
		FUZZ_TRUE(r->total.differ == 0 || json_array_size(r->remarks) > 0);
	json_decref(r->layers);
	json_decref(r->remarks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trail_reader reader;
	struct replayer r = {.x = fed(), .path = "trail"};
	const struct plan *plan = &r.x->net->plan;
	struct error e;
	int more = -1;
	r.selected = calloc((size_t)plan->tensor_count, sizeof *r.selected);
	FUZZ_TRUE(r.selected != NULL);
	if (!fuzz_answer(trail_reader_open(&reader, fuzz_file(0, data, size), r.x->net, &e), &e))
		while ((more = trail_read(&reader, &r.image, &e)) == 1) {
			replay_image(&r);
			trail_image_free(&r.image);
		}
	fuzz_answer(more, &e);
	trail_image_free(&r.image);
	trail_reader_close(&reader);
	for (int t = 0; t < plan->tensor_count; t++)
		index_set_free(&r.selected[t]);
	free(r.selected);
	free(r.points);
	return 0;
}
