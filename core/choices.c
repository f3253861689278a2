#include "config.h"

#include "core/choices.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Radius and share are CNN-Fixations' own values. */
const struct choices CHOICES_DEFAULT = {
	.policy = {.method = METHOD_LSDN, .alpha = {1, 1, 1}, .k_fc = K_ALL, .k_conv = 1, .signed_ = true, .stride = 1, .top_n = 1},
	.view = VIEW_FULL,
	.box = {.radius = 0.1, .share = 0.05, .margin = 0, .tail = 0.05, .sds = 1.8, .prior = 0.5, .map_threshold = 0.15, .blur = 0.032},
	.target = TARGET_PREDICTED,
};

enum kind { WORDS, FLAG, COUNT, FRACTION };

/* A fraction has as many digits as are written, so that what is read back is the same. */
#define WRITTEN "%.10g"

static const char *const METHODS[] = {"lsdn", "cnn-fixations", NULL}, *const LOCATES[] = {"strongest", "center", NULL},
	*const GATES[] = {"evidence", "none", NULL}, *const RESIDUALS[] = {"max", "both", NULL}, *const GAPS[] = {"auto", "1", "all", NULL},
	*const FORMS[] = {"product", "power", NULL}, *const SCALES[] = {"none", "max", NULL}, *const VIEWS[] = {"full", "center", "five", NULL},
	*const BOXES[] = {"points", "quantile", "spread", "map", NULL}, *const TARGETS[] = {"predicted", "annotated", NULL};

/* The box rules that a number is for, as bits. */
enum { POINTS = 1 << BOX_POINTS, QUANTILE = 1 << BOX_QUANTILE, SPREAD = 1 << BOX_SPREAD, MAP = 1 << BOX_MAP };

/* Enumerations are stored as their position in words; counts from 1 to `most`, or "all" where all is set. boxes: 0 for what matters under every rule. */
static const struct {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *const *words;
	double least, most;
	bool all;
	int boxes;
} CHOICES[] = {
	{"method", WORDS, offsetof(struct choices, policy.method), METHODS, 0, 0, false, 0},
	{"k_fc", COUNT, offsetof(struct choices, policy.k_fc), NULL, 1, K_MOST, true, 0},
	{"k_conv", COUNT, offsetof(struct choices, policy.k_conv), NULL, 1, K_MOST, true, 0},
	{"k_share", FRACTION, offsetof(struct choices, policy.k_share), NULL, 0, 1, false, 0},
	{"k_gap", WORDS, offsetof(struct choices, policy.k_gap), GAPS, 0, 0, false, 0},
	{"signed", FLAG, offsetof(struct choices, policy.signed_), NULL, 0, 0, false, 0},
	{"locate", WORDS, offsetof(struct choices, policy.locate), LOCATES, 0, 0, false, 0},
	{"gate", WORDS, offsetof(struct choices, policy.gate), GATES, 0, 0, false, 0},
	{"residual", WORDS, offsetof(struct choices, policy.residual), RESIDUALS, 0, 0, false, 0},
	{"suc_form", WORDS, offsetof(struct choices, policy.suc_form), FORMS, 0, 0, false, 0},
	{"scale", WORDS, offsetof(struct choices, policy.scale), SCALES, 0, 0, false, 0},
	{"stride", COUNT, offsetof(struct choices, policy.stride), NULL, 1, 64, false, 0},
	{"mass", FLAG, offsetof(struct choices, policy.mass), NULL, 0, 0, false, 0},
	{"contrast", FLAG, offsetof(struct choices, policy.contrast), NULL, 0, 0, false, 0},
	{"top_n", COUNT, offsetof(struct choices, policy.top_n), NULL, 1, POLICY_MOST_CLASSES, false, 0},
	{"view", WORDS, offsetof(struct choices, view), VIEWS, 0, 0, false, 0},
	{"box", WORDS, offsetof(struct choices, box.kind), BOXES, 0, 0, false, 0},
	{"radius", FRACTION, offsetof(struct choices, box.radius), NULL, 0, 10, false, POINTS | MAP},
	{"share", FRACTION, offsetof(struct choices, box.share), NULL, 0, 1, false, POINTS | MAP},
	{"margin", FRACTION, offsetof(struct choices, box.margin), NULL, -0.5, 1, false, POINTS | QUANTILE},
	{"floor", FRACTION, offsetof(struct choices, box.floor), NULL, 0, 0.99, false, QUANTILE | SPREAD},
	{"tail", FRACTION, offsetof(struct choices, box.tail), NULL, 0, 0.5, false, QUANTILE},
	{"sds", FRACTION, offsetof(struct choices, box.sds), NULL, 0, 100, false, SPREAD},
	{"prior", FRACTION, offsetof(struct choices, box.prior), NULL, 0, 1, false, SPREAD},
	{"map_threshold", FRACTION, offsetof(struct choices, box.map_threshold), NULL, 0, 1, false, MAP},
	{"blur", FRACTION, offsetof(struct choices, box.blur), NULL, 0, 1, false, MAP},
	{"target", WORDS, offsetof(struct choices, target), TARGETS, 0, 0, false, 0},
};

int choices_count(void)
{
	return (int)(sizeof CHOICES / sizeof *CHOICES);
}

const char *choices_name(int i)
{
	return CHOICES[i].name;
}

bool choices_whole(int i)
{
	return CHOICES[i].kind == COUNT;
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
		snprintf(text, CHOICE_TEXT, WRITTEN, *(const double *)at);
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
		snprintf(words, sizeof words, WRITTEN, number + 0.0); /* no -0 */
		*(double *)at = strtod(words, NULL);
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

/* False for the numbers of other box rules. */
static bool matters(const struct choices *c, int i)
{
	return !CHOICES[i].boxes || CHOICES[i].boxes >> c->box.kind & 1;
}

static bool same(const struct choices *a, const struct choices *b, int i)
{
	const void *left = (const char *)a + CHOICES[i].offset, *right = (const char *)b + CHOICES[i].offset;
	switch (CHOICES[i].kind) {
	case WORDS: return *(const unsigned int *)left == *(const unsigned int *)right;
	case FLAG: return *(const bool *)left == *(const bool *)right;
	case COUNT: return *(const int *)left == *(const int *)right;
	case FRACTION: return *(const double *)left == *(const double *)right;
	}
	return false;
}

bool choices_same_box(const struct choices *a, const struct choices *b)
{
	for (int i = 0; i < choices_count(); i++)
		if (CHOICES[i].offset >= sizeof(struct policy) && matters(a, i) && !same(a, b, i))
			return false;
	return true;
}

bool choices_equal(const struct choices *a, const struct choices *b)
{
	return choices_same_box(a, b) && policy_equal(&a->policy, &b->policy);
}

static void write_alpha(FILE *text, const char *where, struct alpha a, enum suc_form form)
{
	a = alpha_reduced(a, form);
	fprintf(text, "%scur=%g %spre=%.12g %ssuc=%.12g", where, a.cur, where, a.pre, where, a.suc);
}

static void write_layers(FILE *text, const struct policy *p)
{
	char where[40];
	for (int op = 0; op < p->layer_count; op++) {
		struct policy shared = *p, own = *p;
		own.alpha = policy_alpha(p, op);
		shared.layer_count = own.layer_count = 0;
		snprintf(where, sizeof where, "operator%d.", op);
		if (!policy_equal(&shared, &own)) {
			fputc(' ', text);
			write_alpha(text, where, own.alpha, p->suc_form);
		}
		if (p->layers[op].k != K_SHARED)
			fprintf(text, " %sk=%d", where, p->layers[op].k);
	}
}

char *choices_text(const struct choices *c)
{
	char *written = NULL, value[CHOICE_TEXT];
	size_t size;
	FILE *text = open_memstream(&written, &size);
	if (!text)
		return NULL;
	write_alpha(text, "", c->policy.alpha, c->policy.suc_form);
	for (int i = 0; i < choices_count(); i++)
		if (matters(c, i)) {
			choices_get(c, i, value);
			fprintf(text, " %s=%s", CHOICES[i].name, value);
		}
	write_layers(text, &c->policy);
	int failed = ferror(text);
	if (fclose(text) || failed) {
		free(written);
		return NULL;
	}
	return written;
}
