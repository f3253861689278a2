/* The reward of one setting on one image by the explainer alone, with nothing shared. */
#ifndef LSDN_TESTS_PLAIN_REWARD_H
#define LSDN_TESTS_PLAIN_REWARD_H

#include <check.h>

#include "calib/source.h"
#include "core/explain.h"

static inline int plain_reward(struct explainer *x, const struct choices *c, const struct source *source, uint32_t index)
{
	struct photo photo;
	struct annotation truth;
	struct explanation found;
	struct error e;
	ck_assert_int_eq(source_load(source, index, &photo, &truth, &e), 0);
	int asked = c->target == TARGET_ANNOTATED ? annotated_class(x->net, &truth) : -1;
	ck_assert_msg(explainer_feed(x, &photo, c->view, &e) == 0 && explainer_walk(x, &c->policy, 1, asked, &e) == 0
		&& explainer_read(x, 0, &c->box, &found, &e) == 0, "%s", e.message);
	struct boxf box = found.found ? box_real(&found.box) : (struct boxf){0};
	int reward = found.found && annotation_iou(&truth, &box, photo.width, photo.height) > 0.5;
	photo_free(&photo);
	annotation_free(&truth);
	return reward;
}

#endif
