/* Reads an audit trail (trail.h) image by image, and believes nothing of it: every number is checked against the network's plan. */
#ifndef LSDN_CORE_TRAIL_READ_H
#define LSDN_CORE_TRAIL_READ_H

#include <stdio.h>

#include "core/choices.h"
#include "core/net/net.h"
#include "core/trace/walk.h"

struct trail_line {
	struct step step; /* runner_up is -infinity where the line has none, or null */
	int crop;
	long number;      /* of the line, from 1 */
};

/* What a trail says of one image. */
struct trail_image {
	char *image;
	bool tensor, asked;
	struct choices choices;
	struct layer_policy *layers; /* that choices may point to */
	int classes[POLICY_MOST_CLASSES], class_count;
	struct trail_line *lines;
	size_t count, room;
	size_t points, kept;
	bool found;
	struct box box;
};

struct trail_reader {
	FILE *file;
	const char *path;
	const struct net *net;
	char *text; /* of the line in hand */
	size_t room;
	long number;
};

int trail_reader_open(struct trail_reader *r, const char *path, const struct net *net, struct error *e);
void trail_reader_close(struct trail_reader *r);

/* Reads the next image: 1, or 0 at the end of the file, or an error that names the line. The image is to be freed in any case. */
int trail_read(struct trail_reader *r, struct trail_image *image, struct error *e);
void trail_image_free(struct trail_image *image);

#endif
