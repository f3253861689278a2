#include "config.h"

#include "calib/identity.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "core/net/session.h"

/* To be counted up whenever a reward of the same image and the same choices may become another: a change of the walk, of points, boxes or the IoU, of the
 * generated images, or of the numbers that operators of a plan have. */
enum { REWARD_DEFINITION = 1 };

static void describe_input(const struct preprocessing *p, char text[IDENTITY_VALUE])
{
	snprintf(text, IDENTITY_VALUE, "%d x %d %s, mean %.9g %.9g %.9g, std %.9g %.9g %.9g", p->width, p->height, p->bgr ? "bgr" : "rgb", (double)p->mean[0],
		(double)p->mean[1], (double)p->mean[2], (double)p->std[0], (double)p->std[1], (double)p->std[2]);
}

/* The WordNet ids in their order: they say which class an annotation means. */
static void describe_classes(const struct net *net, char text[IDENTITY_VALUE])
{
	struct sha256_ctx context;
	uint8_t digest[8];
	char wnid[32];
	sha256_init(&context);
	for (int k = 0; k < net->label_count; k++) {
		const char *id = net_wnid(net, k, wnid);
		sha256_update(&context, strlen(id) + 1, (const uint8_t *)id);
	}
	sha256_digest(&context, sizeof digest, digest);
	int used = snprintf(text, IDENTITY_VALUE, "%d labels", net->label_count);
	for (size_t i = 0; i < sizeof digest && net->label_count; i++)
		used += snprintf(text + used, IDENTITY_VALUE - (size_t)used, "%s%02x", i ? "" : ", SHA-256 ", digest[i]);
}

void identity_of(struct identity *identity, const struct net *net, const struct source *source)
{
	*identity = (struct identity){{{"written by", false, PACKAGE_STRING}, {"model", false, ""}, {"model's SHA-256", true, ""}, {"network's input", true, ""},
		{"classes", true, ""}, {"kind of images", true, "photographs"}, {"way to compute", true, ""}}};
	struct identity_field *field = identity->fields + 1;
	snprintf(field++->value, IDENTITY_VALUE, "%s", net->name);
	snprintf(field++->value, IDENTITY_VALUE, "%s", net_sha256(net));
	describe_input(&net->input, field++->value);
	describe_classes(net, field++->value);
	if (!source->dataset)
		snprintf(field->value, IDENTITY_VALUE, "generated, seed %llu", (unsigned long long)source->seed);
	char engine[SESSION_ENGINE];
	snprintf(field[1].value, IDENTITY_VALUE, "rewards %d, %s", REWARD_DEFINITION, session_engine(engine));
}
