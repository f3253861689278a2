/* Every choice of an explanation by its name: what --set NAME=VALUE and the weights file speak of. */
#ifndef LSDN_CORE_CHOICES_H
#define LSDN_CORE_CHOICES_H

#include "core/error.h"
#include "core/image/box.h"
#include "core/image/view.h"
#include "core/trace/policy.h"

enum target {
	TARGET_PREDICTED, /* the network's own prediction is explained */
	TARGET_ANNOTATED  /* the annotated class (calibration and evaluation) */
};

struct choices {
	struct policy policy;
	enum view view;
	struct box_rule box;
	enum target target;
};

extern const struct choices CHOICES_DEFAULT;

enum { CHOICE_TEXT = 32 };

/* Number of choices that have a name, and the name of choice i. The weights cur, pre and suc are not among them. */
int choices_count(void);
const char *choices_name(int i);

/* True where choice i is a whole number. */
bool choices_whole(int i);

/* Writes choice i's value as text. */
void choices_get(const struct choices *c, int i, char text[CHOICE_TEXT]);

/* Sets a choice by name; the message says what may be set. The method cnn-fixations sets all other choices of the walk to its own. */
int choices_set(struct choices *c, const char *name, const char *value, struct error *e);

/* The same from "NAME=VALUE". */
int choices_assign(struct choices *c, const char *assignment, struct error *e);

/* True where the boxes of two policies that select alike are alike too on any image: all other choices that matter for a box are equal. */
bool choices_same_box(const struct choices *a, const struct choices *b);

/* True where any image's box is the same: choices_same_box and policy_equal. */
bool choices_equal(const struct choices *a, const struct choices *b);

/* The one text of all choices that are equal: NAME=VALUE of reduced weights and of every choice that matters for a box, joined by spaces, and then what
 * single operators of the plan have of their own. The caller frees it; NULL where memory is short. */
char *choices_text(const struct choices *c);

#endif
