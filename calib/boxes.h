/* Scores a file of boxes that someone else's explainer found, with no network. */
#ifndef LSDN_CALIB_BOXES_H
#define LSDN_CALIB_BOXES_H

#include <stddef.h>
#include <stdint.h>

#include "calib/dataset.h"
#include "core/error.h"
#include "core/image/box.h"

/* WordNet ids, one a line: class i (from 1) is line i. */
struct class_ids {
	char (*ids)[16]; /* owned */
	size_t count;
};

int class_ids_read(struct class_ids *c, const char *path, struct error *e);
void class_ids_free(struct class_ids *c);

struct predicted_box {
	int class_number; /* from 1 */
	struct boxf box;  /* pixels of the original photograph, both ends included; may leave it */
};

/* One line an image: "class xmin ymin xmax ymax". */
struct box_file {
	struct predicted_box *lines; /* owned */
	size_t count;
};

/* `classes` is the largest class number. A line that is no such line, a box that ends before it begins, or no line at all is an error. */
int box_file_read(struct box_file *f, const char *path, size_t classes, struct error *e);
void box_file_free(struct box_file *f);

enum box_order {
	BOX_ORDER_NAMES,  /* line i is the image that line i of a list names */
	BOX_ORDER_SORTED, /* line i is the i-th image in order of name */
	BOX_ORDER_NUMBER  /* line i is the image whose name ends in the number i */
};

enum { ILSVRC_VALIDATION_IMAGES = 50000 };

/* Which line is whose. */
struct box_match {
	size_t *lines;        /* of every image of the data set; SIZE_MAX where the list does not name it (owned) */
	enum box_order order;
	size_t matched;       /* images with a line, at least one */
	size_t unused;        /* lines without an image */
};

/* With `names` (a file of image names without suffix, one a line; may be NULL) by that list. Otherwise in order of name where there are as many lines
 * as images, and by number where the file has ILSVRC's 50,000 lines and the data set fewer images. path is the file of boxes, for messages. */
int box_match(struct box_match *m, const struct box_file *f, const char *path, const struct dataset *d, const char *names, struct error *e);
void box_match_free(struct box_match *m);

struct box_scores {
	uint64_t images;
	uint64_t both;          /* right class and IoU > 0.5 */
	uint64_t right_class;   /* the WordNet id of the annotation */
	uint64_t overlap;       /* IoU > 0.5 with the best of the image's boxes */
	uint64_t sized;         /* images whose size the annotation gives; the next two are of them */
	uint64_t center, whole; /* IoU > 0.5 of the trivial boxes: centred with BOX_CENTER_SIDE, and the whole photograph */
	uint64_t unknown;       /* images whose WordNet id is no class: no line can be right on them */
};

/* A box is compared in the annotation's own pixel grid, that of the original photograph, with IoU strictly over 0.5. */
int box_score(struct box_scores *s, const struct box_file *f, const struct box_match *m, const struct class_ids *c, const struct dataset *d,
	struct error *e);

#endif
