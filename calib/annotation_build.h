/* What the readers of annotations and of boxes share: bounds and the checks of every piece. For them alone. */
#ifndef LSDN_CALIB_ANNOTATION_BUILD_H
#define LSDN_CALIB_ANNOTATION_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "calib/annotation.h"

enum { ANNOTATION_MAX_BOXES = 10000 };

extern const double ANNOTATION_MAX_NUMBER; /* no size and no coordinate is larger */

/* A plain decimal number such as -3 or 17.5 in the first `length` characters, within the bound. */
bool annotation_number(const char *text, size_t length, double *value);

/* 1 to 15 printable characters without blanks. */
bool annotation_wnid(const char *text, size_t length, char wnid[16]);

/* Appends a copy. Refuses a box whose ends are in the wrong order, and too many boxes; place ("file:line") is used in messages. */
int annotation_add(struct annotation *a, const struct annotated_box *box, const char *place, struct error *e);

#endif
