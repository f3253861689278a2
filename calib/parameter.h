/* What is tuned: a weight, or any other choice by its name (core/choices.h), and the values that are tried. */
#ifndef LSDN_CALIB_PARAMETER_H
#define LSDN_CALIB_PARAMETER_H

#include "core/choices.h"

enum weight { WEIGHT_CUR, WEIGHT_PRE, WEIGHT_SUC, WEIGHT_COUNT };
extern const char *const WEIGHT_NAMES[WEIGHT_COUNT];

enum { MAX_ARMS = 1000, MAX_PARAMETERS = 64 };

struct parameter {
	char name[CHOICE_TEXT];
	enum weight weight; /* WEIGHT_COUNT where it is no weight */
	bool listed;        /* the values are parameter_parse's */
	struct parameter_value {
		double number; /* of a weight */
		char text[CHOICE_TEXT];
	} *values;          /* no two are the same (owned) */
	int count;
};

/* Where a weight's arms lie. */
struct weight_arms {
	int count;
	double low, high;
	bool logarithmic;
};

/* Value i: linear i/count (cur, suc: from 1; pre: from 0, so that doing without the preceding layer is an arm), within low..high. */
double weight_arm(const struct weight_arms *arms, enum weight weight, int i);

int parameter_weight(struct parameter *p, enum weight weight, const struct weight_arms *arms, struct error *e);

/* From NAME=V1,V2,... or NAME=LO:HI:K: K values from LO to HI, both included, at equal distances; of whole numbers the nearest, each once. */
int parameter_parse(struct parameter *p, const char *text, struct error *e);

void parameter_apply(const struct parameter *p, int value, struct choices *to);

/* What c has of it, as it is written. */
void parameter_get(const struct parameter *p, const struct choices *c, char text[CHOICE_TEXT]);

/* The value that c has, or -1 where it is none of the parameter's. */
int parameter_value(const struct parameter *p, const struct choices *c);

void parameter_free(struct parameter *p);

#endif
