#include "config.h"

#include "core/net/plan_patterns.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* x: the same value wherever it stands, made by the network; a number: a constant of that value, or nearly; e: a small constant. Add and Mul have
 * their operands in any order, ReduceMean is over one and the same dimension, HardSigmoid is x / 6 + 1 / 2 within 0 and 1. */
static const struct {
	const char *op_type, *form;
} PATTERNS[] = {
	{"Swish", "Mul(x,Sigmoid(x))"},
	{"HardSwish", "Mul(x,HardSigmoid(x))"},
	{"HardSwish", "Mul(x,Div(Clip(Add(x,3),0,6),6))"},
	{"HardSwish", "Mul(x,Mul(Clip(Add(x,3),0,6),0.1666667))"},
	{"HardSwish", "Div(Mul(x,Clip(Add(x,3),0,6)),6)"},
	{"HardSwish", "Mul(Mul(x,Clip(Add(x,3),0,6)),0.1666667)"},
	{"Gelu", "Mul(Mul(x,Add(Erf(Div(x,1.414214)),1)),0.5)"},
	{"Gelu", "Mul(Mul(x,0.5),Add(Erf(Div(x,1.414214)),1))"},
	{"Gelu", "Mul(x,Mul(Add(Erf(Div(x,1.414214)),1),0.5))"},
	{"Gelu", "Mul(Mul(x,Add(Erf(Mul(x,0.7071068)),1)),0.5)"},
	{"Gelu", "Mul(Mul(x,0.5),Add(Erf(Mul(x,0.7071068)),1))"},
	{"Gelu", "Mul(x,Mul(Add(Erf(Mul(x,0.7071068)),1),0.5))"},
	{"LayerNormalization, written out", "Div(Sub(x,ReduceMean(x)),Sqrt(Add(ReduceMean(Pow(Sub(x,ReduceMean(x)),2)),e)))"},
	{"LayerNormalization, written out", "Div(Sub(x,ReduceMean(x)),Sqrt(Add(ReduceMean(Mul(Sub(x,ReduceMean(x)),Sub(x,ReduceMean(x)))),e)))"},
	{"LayerNormalization, written out", "Mul(Sub(x,ReduceMean(x)),Reciprocal(Sqrt(Add(ReduceMean(Pow(Sub(x,ReduceMean(x)),2)),e))))"},
	{"LayerNormalization, written out", "Mul(Sub(x,ReduceMean(x)),Reciprocal(Sqrt(Add(ReduceMean(Mul(Sub(x,ReduceMean(x)),Sub(x,ReduceMean(x)))),e))))"},
};

static const double TOLERANCE = 1e-4; /* relative; exporters round 1 / sqrt(2) and 1 / 6 to four digits or more */

struct match {
	const struct builder *b;
	const struct names *makers; /* value names to nodes */
	const char *x;
	bool has_axis;
	int64_t axis;
	float epsilon;
};

static bool near(double value, double wanted)
{
	return fabs(value - wanted) <= TOLERANCE * fmax(fabs(wanted), 1e-3);
}

static bool one_number(const struct match *m, const char *value, float *number)
{
	const struct constant *c = constants_find(&m->b->constants, value);
	if (!c || c->count != 1 || (c->type != CONSTANT_FLOAT && c->type != CONSTANT_INT))
		return false;
	*number = c->type == CONSTANT_FLOAT ? c->floats[0] : (float)c->ints[0];
	return true;
}

/* What an operator's attributes must say. */
static bool attributes_fit(struct match *m, const struct node *node)
{
	if (strcmp(node->op_type, "HardSigmoid") == 0)
		return near(node_float(node, "alpha", 0.2f), 1 / 6.0) && near(node_float(node, "beta", 0.5f), 0.5);
	if (strcmp(node->op_type, "ReduceMean") != 0)
		return true;
	const struct attribute *axes = node_attribute(node, "axes");
	if (!axes || axes->int_count != 1 || !node_int(node, "keepdims", 1) || (m->has_axis && axes->ints[0] != m->axis))
		return false;
	m->has_axis = true;
	m->axis = axes->ints[0];
	return true;
}

static const char *match_value(struct match *m, const char *form, const char *value);

/* Operands in order, or (two) the other way round. */
static const char *match_operands(struct match *m, const char *form, const struct node *node, bool swapped)
{
	static const char *const BOUNDS[] = {"", "min", "max"};
	for (size_t i = 0;; i++) {
		if (i < node->input_count) {
			form = match_value(m, form, node->inputs[swapped ? 1 - i : i]);
		} else { /* Clip's bounds were attributes */
			const struct attribute *bound = strcmp(node->op_type, "Clip") == 0 && i < 3 ? node_attribute(node, BOUNDS[i]) : NULL;
			char *end = NULL;
			form = bound && near(bound->f, strtod(form, &end)) ? end : NULL;
		}
		if (!form || (*form == ')' && i + 1 < node->input_count))
			return NULL;
		if (*form++ == ')')
			return form;
	}
}

/* Returns what follows in the form, or NULL where the value is something else. */
static const char *match_value(struct match *m, const char *form, const char *value)
{
	float number;
	if (isdigit((unsigned char)*form)) {
		char *end;
		double wanted = strtod(form, &end);
		return one_number(m, value, &number) && near(number, wanted) ? end : NULL;
	}
	if (*form == 'e')
		return one_number(m, value, &m->epsilon) && m->epsilon >= 0 && m->epsilon < 1 ? form + 1 : NULL;
	if (*form == 'x') {
		if (!*value || (m->x && strcmp(m->x, value) != 0) || constants_find(&m->b->constants, value))
			return NULL;
		m->x = value;
		return form + 1;
	}
	int maker = names_get(m->makers, value, -1);
	size_t length = strcspn(form, "(");
	const struct node *node = maker < 0 ? NULL : &m->b->nodes[maker];
	if (!node || strlen(node->op_type) != length || strncmp(node->op_type, form, length) != 0 || !attributes_fit(m, node))
		return NULL;
	bool commutes = node->input_count == 2 && (strcmp(node->op_type, "Add") == 0 || strcmp(node->op_type, "Mul") == 0);
	struct match before = *m;
	const char *rest = match_operands(m, form + length + 1, node, false);
	if (rest || !commutes)
		return rest;
	*m = before;
	return match_operands(m, form + length + 1, node, true);
}

static int replace(struct builder *b, struct node *node, const char *op_type, const struct match *m)
{
	const char **inputs = arena_alloc(&b->plan->arena, 1, sizeof *inputs);
	struct attribute *attributes = arena_alloc(&b->plan->arena, 2, sizeof *attributes);
	if (!inputs || !attributes)
		return build_memory(b);
	inputs[0] = m->x;
	attributes[0] = (struct attribute){.name = "axis", .has_i = true, .i = m->axis};
	attributes[1] = (struct attribute){.name = "epsilon", .has_f = true, .f = m->epsilon};
	node->op_type = op_type;
	node->inputs = inputs;
	node->input_count = 1;
	node->attributes = attributes;
	node->attribute_count = m->has_axis ? 2 : 0;
	return LSDN_OK;
}

int patterns_find(struct builder *b, const bool *live)
{
	struct names makers = {0};
	int code = LSDN_OK;
	for (size_t n = 0; n < b->graph->node_count && !code; n++) {
		struct node *node = &b->nodes[n];
		if (live[n] && !names_put(&makers, node->outputs[0], (int)n))
			code = build_memory(b);
		for (size_t k = 0; live[n] && !code && k < sizeof PATTERNS / sizeof *PATTERNS; k++) {
			struct match m = {.b = b, .makers = &makers};
			if (match_value(&m, PATTERNS[k].form, node->outputs[0])) {
				code = replace(b, node, PATTERNS[k].op_type, &m);
				break;
			}
		}
	}
	names_free(&makers);
	return code;
}
