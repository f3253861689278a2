/* What lines of JSON have in common. */
#ifndef LSDN_CORE_JSON_H
#define LSDN_CORE_JSON_H

#include <stdio.h>

#include <jansson.h>

#include "core/choices.h"
#include "core/net/plan.h"

/* A string that need not be UTF-8. */
json_t *json_text(const char *text);

/* Writes an object as one line with that many digits a number (9 bring single precision back as it was, 17 double) and frees it; NULL is memory that
 * was short. That the disk is full is seen when the file is closed. */
int json_line(FILE *file, json_t *line, int digits, struct error *e);

/* Alpha (cur, pre, suc), every choice by its name, and as "layers" what single layers have of their own. NULL where memory is short. */
json_t *choices_json(const struct choices *c, const struct plan *plan);

/* The same read back. layers has one place an operator of the plan, and c points to it where some layer has anything of its own. */
int choices_of_json(struct choices *c, const json_t *j, const struct plan *plan, struct layer_policy *layers, struct error *e);

#endif
