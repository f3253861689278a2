/* Prints how far explanations move under an attack. */
#include "config.h"

#include <stdio.h>

#include "calib/attack.h"
#include "calib/command.h"
#include "calib/subject.h"
#include "calib/table.h"

static const char PROGRAM[] = "lsdn-evaluate";

enum { USUAL_IMAGES = 100 };

static const struct {
	enum attack_row from;
	const char *title;
} PARTS[] = {
	{ATTACK_FOOLED, "Attack (percent of images, Wilson's 95% interval; what follows is of those with another class; means with the normal approximation's)"},
	{ATTACK_RELATIVE, "Perturbation, and what it does to probabilities"},
	{ATTACK_PREDICTED, "Explanations before and after (1: the same; an empty map has no correlation)"},
	{ATTACK_ROWS, NULL},
};

static int print(const struct attack *a, const struct taken *t, const struct subject *s, bool json, struct error *e)
{
	int code = LSDN_OK, part = 0;
	if (!json)
		printf("%s (%zu images), DeepFool: %d classes, overshoot %g, at most %d iterations, pixels 0 to 255\n", s->name, t->count, a->how->classes,
			a->how->overshoot, a->how->iterations);
	for (int i = 0; i < ATTACK_ROWS && !code; i++) {
		struct table_row row = {.name = ATTACK_WHATS[i].who, .measure = ATTACK_WHATS[i].what, .mean = !ATTACK_WHATS[i].share};
		code = attack_figure(a, t, (enum attack_row)i, &row.value, &row.interval, &row.count, &row.images, e);
		if (!json && (int)PARTS[part].from == i)
			printf("\n%s\n", PARTS[part++].title);
		if (!code && json)
			code = table_print_json(&row, "attack", "deepfool", e);
		else if (!code)
			table_print_text(&row);
	}
	return code;
}

int evaluate_attack(const struct evaluate_options *o, struct error *e)
{
	struct subject s;
	struct attack a = {0};
	struct taken t = {0};
	struct dataset dataset = {0};
	struct source source = {0};
	size_t wanted = o->images ? o->images : USUAL_IMAGES;
	int code = subject_open(&s, o->model, o->weights, o, e);
	if (!code)
		code = command_open_source(&source, &dataset, PROGRAM, o->data, wanted, e);
	if (!code && o->pictures)
		code = subject_folder(o->pictures, e);
	if (!code)
		code = attack_open(&a, &s.crew, &s.choices, source.count, e);
	a.seed = o->seed;
	a.pictures = o->pictures;
	if (!code) {
		code = subject_take(&s, &t, o, &source, wanted, "can be used", attack_take, &a, e);
		if (t.count && (!code || code == LSDN_ERROR_INTERRUPTED)) {
			struct error other;
			int printed = print(&a, &t, &s, o->json, &other);
			if (printed && !code)
				code = error_set(e, (enum lsdn_error)printed, "%s", other.message);
		}
	}
	taken_close(&t);
	attack_close(&a);
	dataset_close(&dataset);
	subject_close(&s);
	return code;
}
