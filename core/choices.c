#include "config.h"

#include "core/choices.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Radius and share are CNN-Fixations' own values. */
const struct choices CHOICES_DEFAULT = {
	.policy = {.method = METHOD_LSDN, .alpha = {1, 1, 1}, .k_fc = K_ALL, .k_conv = 1, .signed_ = true, .top_n = 1},
	.view = VIEW_FULL,
	.box = {.radius = 0.1, .share = 0.05, .margin = 0, .tail = 0.05, .sds = 1.8, .prior = 0.5, .map_threshold = 0.15, .blur = 0.032},
	.target = TARGET_PREDICTED,
};

enum kind { WORDS, FLAG, COUNT, FRACTION };

static const char *const METHODS[] = {"lsdn", "cnn-fixations", NULL}, *const LOCATES[] = {"strongest", "center", NULL},
	*const GATES[] = {"evidence", "none", NULL}, *const RESIDUALS[] = {"max", "both", NULL}, *const GAPS[] = {"auto", "1", "all", NULL},
	*const FORMS[] = {"product", "power", NULL}, *const SCALES[] = {"none", "max", NULL}, *const VIEWS[] = {"full", "center", "five", NULL},
	*const BOXES[] = {"points", "quantile", "spread", "map", NULL}, *const TARGETS[] = {"predicted", "annotated", NULL};

/* Enumerations are stored as their position in words; counts from 1 to `most`, or "all" where all is set. */
static const struct {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *const *words;
	double least, most;
	bool all;
} CHOICES[] = {
	{"method", WORDS, offsetof(struct choices, policy.method), METHODS, 0, 0, false},
	{"k_fc", COUNT, offsetof(struct choices, policy.k_fc), NULL, 1, K_MOST, true},
	{"k_conv", COUNT, offsetof(struct choices, policy.k_conv), NULL, 1, K_MOST, true},
	{"k_gap", WORDS, offsetof(struct choices, policy.k_gap), GAPS, 0, 0, false},
	{"signed", FLAG, offsetof(struct choices, policy.signed_), NULL, 0, 0, false},
	{"locate", WORDS, offsetof(struct choices, policy.locate), LOCATES, 0, 0, false},
	{"gate", WORDS, offsetof(struct choices, policy.gate), GATES, 0, 0, false},
	{"residual", WORDS, offsetof(struct choices, policy.residual), RESIDUALS, 0, 0, false},
	{"suc_form", WORDS, offsetof(struct choices, policy.suc_form), FORMS, 0, 0, false},
	{"scale", WORDS, offsetof(struct choices, policy.scale), SCALES, 0, 0, false},
	{"top_n", COUNT, offsetof(struct choices, policy.top_n), NULL, 1, POLICY_MOST_CLASSES, false},
	{"view", WORDS, offsetof(struct choices, view), VIEWS, 0, 0, false},
	{"box", WORDS, offsetof(struct choices, box.kind), BOXES, 0, 0, false},
	{"radius", FRACTION, offsetof(struct choices, box.radius), NULL, 0, 10, false},
	{"share", FRACTION, offsetof(struct choices, box.share), NULL, 0, 1, false},
	{"margin", FRACTION, offsetof(struct choices, box.margin), NULL, -0.5, 1, false},
	{"tail", FRACTION, offsetof(struct choices, box.tail), NULL, 0, 0.5, false},
	{"sds", FRACTION, offsetof(struct choices, box.sds), NULL, 0, 100, false},
	{"prior", FRACTION, offsetof(struct choices, box.prior), NULL, 0, 1, false},
	{"map_threshold", FRACTION, offsetof(struct choices, box.map_threshold), NULL, 0, 1, false},
	{"blur", FRACTION, offsetof(struct choices, box.blur), NULL, 0, 1, false},
	{"target", WORDS, offsetof(struct choices, target), TARGETS, 0, 0, false},
};

int choices_count(void)
{
	return (int)(sizeof CHOICES / sizeof *CHOICES);
}

const char *choices_name(int i)
{
	return CHOICES[i].name;
}

void choices_get(const struct choices *c, int i, char text[CHOICE_TEXT])
{
	const void *at = (const char *)c + CHOICES[i].offset;
	switch (CHOICES[i].kind) {
	case WORDS:
		snprintf(text, CHOICE_TEXT, "%s", CHOICES[i].words[*(const unsigned int *)at]);
		break;
	case FLAG:
		snprintf(text, CHOICE_TEXT, "%s", *(const bool *)at ? "true" : "false");
		break;
	case COUNT:
		if (*(const int *)at == K_ALL)
			snprintf(text, CHOICE_TEXT, "all");
		else
			snprintf(text, CHOICE_TEXT, "%d", *(const int *)at);
		break;
	case FRACTION:
		snprintf(text, CHOICE_TEXT, "%.10g", *(const double *)at);
		break;
	}
}

/* Appends the words that may be set, for a message. */
static void list_words(int i, char *text, size_t size)
{
	size_t used = 0;
	for (int k = 0; CHOICES[i].words[k]; k++)
		used += (size_t)snprintf(text + used, used < size ? size - used : 0, "%s%s", k ? ", " : "", CHOICES[i].words[k]);
}

static int set(struct choices *c, int i, const char *value, struct error *e)
{
	void *at = (char *)c + CHOICES[i].offset;
	char *end, words[128] = "";
	double number = strtod(value, &end);
	bool numeric = *value && !*end && isfinite(number) && number >= CHOICES[i].least && number <= CHOICES[i].most;
	switch (CHOICES[i].kind) {
	case WORDS:
		for (unsigned int k = 0; CHOICES[i].words[k]; k++)
			if (strcmp(CHOICES[i].words[k], value) == 0) {
				*(unsigned int *)at = k;
				return LSDN_OK;
			}
		list_words(i, words, sizeof words);
		return error_set(e, LSDN_ERROR_INPUT, "%s = \"%.40s\": must be one of %s", CHOICES[i].name, value, words);
	case FLAG:
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return error_set(e, LSDN_ERROR_INPUT, "%s = \"%.40s\": must be true or false", CHOICES[i].name, value);
		*(bool *)at = value[0] == 't';
		return LSDN_OK;
	case COUNT:
		if (CHOICES[i].all && strcmp(value, "all") == 0)
			*(int *)at = K_ALL;
		else if (numeric && number == floor(number))
			*(int *)at = (int)number;
		else
			return error_set(e, LSDN_ERROR_INPUT, "%s = \"%.40s\": must be a whole number from 1 to %g%s", CHOICES[i].name, value, CHOICES[i].most,
				CHOICES[i].all ? ", or all" : "");
		return LSDN_OK;
	case FRACTION:
		if (!numeric)
			return error_set(e, LSDN_ERROR_INPUT, "%s = \"%.40s\": must be a number from %g to %g", CHOICES[i].name, value, CHOICES[i].least,
				CHOICES[i].most);
		*(double *)at = number;
		return LSDN_OK;
	}
	return LSDN_OK;
}

int choices_set(struct choices *c, const char *name, const char *value, struct error *e)
{
	char names[LSDN_MESSAGE] = "";
	size_t used = 0;
	for (int i = 0; i < choices_count(); i++) {
		if (strcmp(name, CHOICES[i].name) == 0) {
			int code = set(c, i, value, e);
			if (!code && strcmp(name, "method") == 0 && c->policy.method == METHOD_CNN_FIXATIONS)
				c->policy = POLICY_CNN_FIXATIONS;
			return code;
		}
		used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", CHOICES[i].name);
	}
	return error_set(e, LSDN_ERROR_INPUT, "%.40s: is no choice; these are: %s", name, names);
}

int choices_assign(struct choices *c, const char *assignment, struct error *e)
{
	char name[40];
	size_t length = strcspn(assignment, "=");
	if (!assignment[length] || length >= sizeof name)
		return error_set(e, LSDN_ERROR_INPUT, "%.60s: write NAME=VALUE", assignment);
	memcpy(name, assignment, length);
	name[length] = 0;
	return choices_set(c, name, assignment + length + 1, e);
}
