#include "config.h"

#include "calib/parameter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const WEIGHT_NAMES[WEIGHT_COUNT] = {"cur", "pre", "suc"};

static const double MOST_WEIGHT = 1e6;

double weight_arm(const struct weight_arms *arms, enum weight weight, int i)
{
	int place = weight == WEIGHT_PRE ? i : i + 1;
	if (arms->logarithmic)
		return arms->count == 1 ? arms->low : arms->low * pow(arms->high / arms->low, (double)i / (arms->count - 1));
	return arms->low + (arms->high - arms->low) * place / arms->count;
}

static double *weight_of(struct choices *c, enum weight w)
{
	struct alpha *alpha = &c->policy.alpha;
	return w == WEIGHT_CUR ? &alpha->cur : w == WEIGHT_PRE ? &alpha->pre : &alpha->suc;
}

static int make_room(struct parameter *p, int count, struct error *e)
{
	p->values = calloc((size_t)count, sizeof *p->values);
	return p->values ? LSDN_OK : error_memory(e, "a parameter");
}

int parameter_weight(struct parameter *p, enum weight weight, const struct weight_arms *arms, struct error *e)
{
	*p = (struct parameter){.weight = weight};
	snprintf(p->name, sizeof p->name, "%s", WEIGHT_NAMES[weight]);
	int code = make_room(p, arms->count, e);
	for (; !code && p->count < arms->count; p->count++) {
		struct parameter_value *value = &p->values[p->count];
		value->number = weight_arm(arms, weight, p->count);
		snprintf(value->text, sizeof value->text, "%.10g", value->number);
	}
	return code;
}

static int choice_of(const char *name)
{
	int i = choices_count() - 1;
	while (i >= 0 && strcmp(choices_name(i), name) != 0)
		i--;
	return i;
}

/* Finds out what is named; method and target say what is asked, not how it is explained. */
static int take_name(struct parameter *p, const char *text, size_t length, struct error *e)
{
	if (text[length] != '=' || length >= sizeof p->name)
		return error_set(e, LSDN_ERROR_INPUT, "%.60s: write NAME=V1,V2,... or NAME=LO:HI:K", text);
	memcpy(p->name, text, length);
	p->name[length] = 0;
	p->weight = WEIGHT_CUR;
	while (p->weight < WEIGHT_COUNT && strcmp(WEIGHT_NAMES[p->weight], p->name) != 0)
		p->weight++;
	if (p->weight < WEIGHT_COUNT)
		return LSDN_OK;
	if (strcmp(p->name, "method") == 0 || strcmp(p->name, "target") == 0)
		return error_set(e, LSDN_ERROR_INPUT, "%s: is not tuned: it says what is asked, not how it is explained; --set sets it", p->name);
	struct choices scratch = CHOICES_DEFAULT;
	struct error why;
	if (choice_of(p->name) < 0 && choices_set(&scratch, p->name, "", &why))
		return error_set(e, LSDN_ERROR_INPUT, "%.200s; and the weights cur, pre, suc", why.message);
	return LSDN_OK;
}

/* Adds a value, in the form in which it is written; *added is false where it is there already. */
static int add_value(struct parameter *p, const char *text, bool *added, struct error *e)
{
	struct parameter_value *value = &p->values[p->count];
	struct choices scratch = CHOICES_DEFAULT;
	char *end;
	if (p->weight < WEIGHT_COUNT) {
		double number = strtod(text, &end) + 0.0; /* no -0 */
		if (end == text || *end || !(number >= 0 && number <= MOST_WEIGHT))
			return error_set(e, LSDN_ERROR_INPUT, "%s = \"%.40s\": must be a number from 0 to %g", p->name, text, MOST_WEIGHT);
		snprintf(value->text, sizeof value->text, "%.10g", number);
		value->number = strtod(value->text, NULL);
	} else {
		int code = choices_set(&scratch, p->name, text, e);
		if (code)
			return code;
		choices_get(&scratch, choice_of(p->name), value->text);
	}
	*added = true;
	for (int i = 0; i < p->count; i++)
		if (strcmp(p->values[i].text, value->text) == 0)
			*added = false;
	p->count += *added;
	return LSDN_OK;
}

static int parse_list(struct parameter *p, const char *list, struct error *e)
{
	int most = 1, code;
	for (const char *at = list; *at; at++)
		most += *at == ',';
	if (most > MAX_ARMS)
		return error_set(e, LSDN_ERROR_INPUT, "%s: %d values are named, at most %d can be", p->name, most, MAX_ARMS);
	code = make_room(p, most, e);
	for (const char *at = list; !code && at; at = strchr(at, ',')) {
		char text[64];
		bool added = false;
		at += *at == ',' && at != list;
		size_t length = strcspn(at, ",");
		snprintf(text, sizeof text, "%.*s", (int)(length < sizeof text ? length : sizeof text - 1), at);
		code = add_value(p, text, &added, e);
		if (!code && !added)
			code = error_set(e, LSDN_ERROR_INPUT, "%s: the value %s is named twice", p->name, text);
	}
	return code;
}

static int parse_range(struct parameter *p, const char *range, struct error *e)
{
	char *end;
	double low = strtod(range, &end), high = 0;
	bool good = end != range && *end == ':';
	const char *at = end + 1;
	if (good) {
		high = strtod(at, &end);
		good = end != at && *end == ':' && isfinite(low) && isfinite(high) && high > low;
	}
	at = end + 1;
	long steps = good ? strtol(at, &end, 10) : 0;
	if (!good || end == at || *end || steps < 2 || steps > MAX_ARMS)
		return error_set(e, LSDN_ERROR_INPUT, "%s=%.60s: write LO:HI:K with LO < HI and K from 2 to %d", p->name, range, MAX_ARMS);
	int code = make_room(p, (int)steps, e), choice = choice_of(p->name);
	for (long i = 0; i < steps && !code; i++) {
		char text[CHOICE_TEXT];
		bool added;
		double value = low + (high - low) * (double)i / (double)(steps - 1);
		snprintf(text, sizeof text, "%.10g", p->weight == WEIGHT_COUNT && choices_whole(choice) ? floor(value + 0.5) : value);
		code = add_value(p, text, &added, e);
	}
	return code;
}

int parameter_parse(struct parameter *p, const char *text, struct error *e)
{
	*p = (struct parameter){.listed = true};
	size_t length = strcspn(text, "=");
	int code = take_name(p, text, length, e);
	if (!code)
		code = strchr(text + length, ':') ? parse_range(p, text + length + 1, e) : parse_list(p, text + length + 1, e);
	if (code)
		parameter_free(p);
	return code;
}

void parameter_apply(const struct parameter *p, int value, struct choices *to)
{
	struct error e;
	if (p->weight < WEIGHT_COUNT)
		*weight_of(to, p->weight) = p->values[value].number;
	else
		choices_set(to, p->name, p->values[value].text, &e); /* which parameter_parse has tried */
}

void parameter_get(const struct parameter *p, const struct choices *c, char text[CHOICE_TEXT])
{
	struct choices own = *c;
	if (p->weight < WEIGHT_COUNT)
		snprintf(text, CHOICE_TEXT, "%.10g", *weight_of(&own, p->weight));
	else
		choices_get(c, choice_of(p->name), text);
}

int parameter_value(const struct parameter *p, const struct choices *c)
{
	struct choices own = *c;
	char text[CHOICE_TEXT];
	if (p->weight == WEIGHT_COUNT)
		choices_get(c, choice_of(p->name), text);
	int i = p->count - 1;
	while (i >= 0 && (p->weight < WEIGHT_COUNT ? p->values[i].number != *weight_of(&own, p->weight) : strcmp(p->values[i].text, text) != 0))
		i--;
	return i;
}

void parameter_free(struct parameter *p)
{
	free(p->values);
	*p = (struct parameter){0};
}
