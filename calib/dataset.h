/* A folder of photographs and what is annotated in them.
 *
 * Recognised under a root:  images/ and annotations/ (ILSVRC XML of the same stem);  Data/CLS-LOC/val and Annotations/CLS-LOC/val (ImageNet's own);
 * a file LOC_val_solution.csv beside images/ or Data/CLS-LOC/val, used where there is no folder of annotations. Suffixes .jpg .jpeg .png in any case. */
#ifndef LSDN_CALIB_DATASET_H
#define LSDN_CALIB_DATASET_H

#include <stddef.h>

#include "calib/annotation.h"
#include "core/error.h"

struct dataset_item {
	char *image;      /* path of the photograph, or its name alone after dataset_open_truth of a CSV (owned) */
	char *annotation; /* path of its XML, or the prediction string of its CSV line (owned) */
	size_t csv_line;  /* 0 for XML */
};

struct dataset {
	struct dataset_item *items; /* owned; sorted by the image's file name, bytewise */
	size_t count;
	char *csv; /* path of the CSV, or NULL (owned) */
};

/* Lists without reading: an image without an annotation is left out and counted in *without (may be NULL). */
int dataset_open(struct dataset *d, const char *root, size_t *without, struct error *e);

/* The same where no photograph is needed: path may also be a CSV in the form of LOC_val_solution.csv, whose images are then sorted by ImageId. */
int dataset_open_truth(struct dataset *d, const char *path, size_t *without, struct error *e);

/* The name of an image without folder and suffix, such as ILSVRC2012_val_00000001; *length characters of the item's own. */
const char *dataset_name(const struct dataset *d, size_t index, size_t *length);

int dataset_annotation(const struct dataset *d, size_t index, struct annotation *a, struct error *e);

void dataset_close(struct dataset *d);

#endif
