/* The embedded network on a few generated images, to hold calibrations against what the explainer finds by itself. */
#ifndef LSDN_TESTS_CALIBRATION_BENCH_H
#define LSDN_TESTS_CALIBRATION_BENCH_H

#include <stdlib.h>
#include <string.h>

#include "calib/calibrate.h"
#include "core/embedded.h"
#include "tests/plain_reward.h"

enum { IMAGES = 12 };

static const volatile sig_atomic_t never = 0;

/* The embedded network, and generated images. */
struct bench {
	struct net net;
	struct packed_weights *packed;
	struct progress progress;
	struct source source;
	struct explainer x;
};

static inline void bench_open(struct bench *b, uint64_t seed)
{
	struct error e;
	*b = (struct bench){.source = {.seed = seed, .count = IMAGES}};
	ck_assert_msg(net_open_bytes(&b->net, EMBEDDED_ONNX, EMBEDDED_ONNX_SIZE, "embedded", (const char *)EMBEDDED_CFG, (const char *)EMBEDDED_LABELS, &e) == 0,
		"%s", e.message);
	b->packed = packed_weights_open(&b->net.plan, &e);
	ck_assert_msg(b->packed && explainer_open(&b->x, &b->net, b->packed, 1, &e) == 0, "%s", e.message);
}

static inline void bench_close(struct bench *b)
{
	explainer_close(&b->x);
	packed_weights_close(b->packed);
	net_close(&b->net);
}

/* Images on which a setting is right. */
static inline int hits_of(struct bench *b, const struct choices *c)
{
	int hits = 0;
	for (uint32_t i = 0; i < IMAGES; i++)
		hits += plain_reward(&b->x, c, &b->source, i);
	return hits;
}

static inline int run(struct bench *b, struct calibration *c, const struct calibration_plan *plan, const struct choices *base, struct error *e)
{
	struct reward_job job = {.source = &b->source};
	int code = calibration_open(c, plan, base, e);
	if (!code)
		code = crew_open(&job.crew, &b->net, b->packed, 2, &b->progress, &never, e);
	if (!code)
		code = calibration_run(c, &job, e);
	crew_close(&job.crew);
	return code;
}

static inline void check_tuned(const struct calibration *c, const struct choices *wanted, uint64_t seed, int number)
{
	char *left = choices_text(&c->tuned), *right = choices_text(wanted);
	ck_assert_msg(strcmp(left, right) == 0, "seed %llu case %d: %s, wanted %s", (unsigned long long)seed, number, left, right);
	free(left);
	free(right);
}

#endif
