#include "config.h"

#include "core/trace/reference_select.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static int candidate_count(const struct reference_layer *l)
{
	return l->plan->tensors[l->op->inputs[0]].c / l->op->groups;
}

/* A sum of n products in single precision lies within n * 2^-24 of the sum of their absolute values (N. J. Higham, "Accuracy and Stability of
 * Numerical Algorithms", 2002, section 3.1), unless it overflows; n products are rounded themselves. */
static double rounding(int products, double magnitude)
{
	return magnitude > (double)FLT_MAX ? INFINITY : (products + 1) * 0x1p-24 * magnitude;
}

static int products_of(const struct op *op)
{
	return op->kind == OP_CONV ? op->window.height * op->window.width : 1;
}

static double number(double value)
{
	return isnan(value) ? -INFINITY : value;
}

/* True where s is negative at its layer's own output and that is to be explained. */
static bool explains_negative(struct reference_layer *l, struct place s)
{
	double sum = l->op->bias ? l->op->bias[s.c] : 0, magnitude = fabs(sum), own;
	if (!l->policy->signed_ || l->op - l->plan->ops == score_op_of(l->plan))
		return false;
	for (int c = 0; c < candidate_count(l); c++) {
		sum += reference_current(l->plan, l->op, l->input, s, c, &own);
		magnitude += own;
	}
	l->doubt = l->doubt || !(fabs(sum) > candidate_count(l) * rounding(products_of(l->op), magnitude));
	return sum < 0;
}

/* Z_cur of candidate c of s, negated where s is. */
static double current(const struct reference_layer *l, struct place s, int c, bool negative, double *error)
{
	double magnitude, z = reference_current(l->plan, l->op, l->input, s, c, &magnitude);
	*error = rounding(products_of(l->op), magnitude);
	return number(negative ? -z : z);
}

static struct place place_of(const struct reference_layer *l, struct place s, int c, bool negative)
{
	if (l->op->kind == OP_GEMM)
		return (struct place){.c = c};
	const struct tensor *in = &l->plan->tensors[l->op->inputs[0]];
	const struct window *w = &l->op->window;
	long pixel = l->policy->locate == LOCATE_STRONGEST ? reference_strongest(l->plan, l->op, l->input, s, c, negative ? -1 : 1) : -1;
	if (pixel < 0) {
		int y = s.y * w->stride_y - w->top + (w->height - 1) * w->dilation_y / 2, x = s.x * w->stride_x - w->left + (w->width - 1) * w->dilation_x / 2;
		y = y < 0 ? 0 : y >= in->h ? in->h - 1 : y;
		x = x < 0 ? 0 : x >= in->w ? in->w - 1 : x;
		pixel = (long)y * in->w + x;
	}
	int group = s.c / (l->plan->tensors[l->op->output].c / l->op->groups);
	return (struct place){.c = group * candidate_count(l) + c, .y = (int)(pixel / in->w), .x = (int)(pixel % in->w)};
}

/* For every selected neuron the candidate with the highest Z_cur. */
static void count_tops(struct reference_layer *l, struct place s, bool negative)
{
	const struct tensor *in = &l->plan->tensors[l->op->inputs[0]];
	int best = 0;
	double error, highest_error, highest = current(l, s, 0, negative, &highest_error);
	for (int c = 1; c < candidate_count(l); c++) {
		double z = current(l, s, c, negative, &error);
		if (z > highest) {
			best = c;
			highest = z;
			highest_error = error;
		}
	}
	l->tops[place_neuron(in, place_of(l, s, best, negative))]++;
	unsigned near = 0;
	for (int c = 0; c < candidate_count(l); c++)
		near += current(l, s, c, negative, &error) >= highest - highest_error - error;
	for (int c = 0; near > 1 && c < candidate_count(l); c++)
		if (current(l, s, c, negative, &error) >= highest - highest_error - error)
			l->close[place_neuron(in, place_of(l, s, c, negative))]++;
}

int reference_layer_open(struct reference_layer *l, const struct session *session, const struct plan *plan, int image, const struct op *op,
	const struct policy *policy, const struct place *selected, size_t count, struct error *e)
{
	size_t size = tensor_size(&plan->tensors[op->inputs[0]]);
	*l = (struct reference_layer){.session = session, .plan = plan, .image = image, .op = op, .policy = policy, .rule = rule_of(plan, op, policy),
		.input = session_tensor(session, op->inputs[0], image)};
	l->tops = calloc(size, sizeof *l->tops);
	l->close = calloc(size, sizeof *l->close);
	l->pre = malloc(size * sizeof *l->pre);
	l->pre_rounding = malloc(size * sizeof *l->pre_rounding);
	l->candidates = malloc((size_t)candidate_count(l) * sizeof *l->candidates);
	if (!l->tops || !l->close || !l->pre || !l->pre_rounding || !l->candidates) {
		reference_layer_close(l);
		return error_memory(e, "a layer");
	}
	for (size_t i = 0; i < size; i++)
		l->pre[i] = NAN;
	for (int i = 0; i < plan->op_count; i++)
		if (products_of(&plan->ops[i]) > l->most_products)
			l->most_products = products_of(&plan->ops[i]);
	for (size_t i = 0; i < count && !l->rule.current_only; i++)
		count_tops(l, selected[i], explains_negative(l, selected[i]));
	return LSDN_OK;
}

void reference_layer_close(struct reference_layer *l)
{
	free(l->tops);
	free(l->close);
	free(l->pre);
	free(l->pre_rounding);
	free(l->candidates);
	*l = (struct reference_layer){0};
}

static void preceding(struct reference_layer *l, struct reference_candidate *c)
{
	int t = l->op->inputs[0];
	neuron_t n = place_neuron(&l->plan->tensors[t], c->place);
	if (isnan(l->pre[n])) {
		double magnitude;
		l->pre[n] = number(reference_preceding(l->session, l->plan, l->image, t, c->place, &magnitude));
		l->pre_rounding[n] = rounding(l->most_products, magnitude);
	}
	c->pre = l->pre[n];
	c->pre_rounding = l->pre_rounding[n];
}

/* Supports divided by the highest finite absolute value of their kind (scale = max). */
static void to_like_units(struct reference_candidate *c, size_t count)
{
	double cur = 0, pre = 0, cur_error = 0, pre_error = 0;
	for (size_t i = 0; i < count; i++) {
		if (isfinite(c[i].cur) && fabs(c[i].cur) > cur) {
			cur = fabs(c[i].cur);
			cur_error = c[i].cur_rounding / cur;
		}
		if (isfinite(c[i].pre) && fabs(c[i].pre) > pre) {
			pre = fabs(c[i].pre);
			pre_error = c[i].pre_rounding / pre;
		}
	}
	cur = cur == 0 ? 1 : cur;
	pre = pre == 0 ? 1 : pre;
	for (size_t i = 0; i < count; i++) {
		c[i].cur /= cur;
		c[i].pre /= pre;
		c[i].cur_rounding = c[i].cur_rounding / cur + fabs(c[i].cur) * (cur_error + 0x1p-24);
		c[i].pre_rounding = c[i].pre_rounding / pre + fabs(c[i].pre) * (pre_error + 0x1p-24);
	}
}

static void weigh(struct reference_layer *l, struct reference_candidate *c)
{
	struct alpha a = policy_alpha(l->policy, (int)(l->op - l->plan->ops));
	if (l->rule.current_only) {
		c->omega = c->cur;
		c->omega_rounding = c->cur_rounding;
		return;
	}
	double suc = l->policy->suc_form == SUC_POWER ? pow(c->suc, a.suc) : a.suc * c->suc;
	c->omega = suc == 0 ? 0 : number(suc * ((a.cur == 0 ? 0 : a.cur * c->cur) + (a.pre == 0 ? 0 : a.pre * c->pre)));
	c->omega_rounding = suc * (a.cur * c->cur_rounding + a.pre * c->pre_rounding) + 4 * DBL_EPSILON * fabs(c->omega);
}

static int by_omega(const void *left, const void *right)
{
	const struct reference_candidate *a = left, *b = right;
	if (a->omega != b->omega)
		return a->omega > b->omega ? -1 : 1;
	return (a->place.c > b->place.c) - (a->place.c < b->place.c);
}

/* True where rounding may change which are the first `taken` of count candidates. */
static bool order_in_doubt(const struct reference_candidate *c, size_t count, size_t taken)
{
	double least = INFINITY, most = -INFINITY;
	bool close = false;
	for (size_t i = 0; i < count; i++) {
		if (i < taken)
			least = fmin(least, c[i].omega - c[i].omega_rounding);
		else
			most = fmax(most, c[i].omega + c[i].omega_rounding);
		close = close || c[i].close;
	}
	return taken < count && (close || !(least > most));
}

/* How many of the ranked candidates have the share of all positive Omega that the rule wants: at least one, at most k. */
static size_t share_of(struct reference_layer *l, size_t count)
{
	double total = 0, rounding = 0, sum = 0;
	size_t taken = 0;
	for (size_t i = 0; i < count; i++) {
		total += fmax(l->candidates[i].omega, 0);
		rounding += l->candidates[i].omega_rounding;
		l->doubt = l->doubt || l->candidates[i].close;
	}
	bool more = count > 0;
	while (more) {
		sum += fmax(l->candidates[taken++].omega, 0);
		more = taken < count && taken < (size_t)l->rule.k && total < INFINITY && sum < l->rule.share * total;
		l->doubt = l->doubt || (count > 1 && fabs(sum - l->rule.share * total) <= 2 * rounding + 1e-12 * total) || (count > 1 && total > (double)FLT_MAX);
	}
	return taken;
}

size_t reference_rank(struct reference_layer *l, struct place s, size_t *taken)
{
	const struct tensor *in = &l->plan->tensors[l->op->inputs[0]];
	l->doubt = false;
	bool negative = explains_negative(l, s);
	size_t count = 0;
	for (int c = 0; c < candidate_count(l); c++) {
		struct reference_candidate candidate = {0};
		candidate.cur = current(l, s, c, negative, &candidate.cur_rounding);
		bool gated = l->rule.gated && candidate_count(l) > 1;
		l->doubt = l->doubt || (gated && candidate.cur != 0 && !(fabs(candidate.cur) > candidate.cur_rounding));
		if (gated && !(candidate.cur > 0))
			continue;
		candidate.place = place_of(l, s, c, negative);
		neuron_t n = place_neuron(in, candidate.place);
		candidate.suc = l->tops[n] ? l->tops[n] : 1;
		candidate.close = l->close[n];
		if (!l->rule.current_only)
			preceding(l, &candidate);
		l->candidates[count++] = candidate;
	}
	if (!l->rule.current_only && l->policy->scale == SCALE_MAX)
		to_like_units(l->candidates, count);
	for (size_t i = 0; i < count; i++)
		weigh(l, &l->candidates[i]);
	qsort(l->candidates, count, sizeof *l->candidates, by_omega);
	*taken = l->rule.share > 0 ? share_of(l, count) : l->rule.k == K_ALL || (size_t)l->rule.k > count ? count : (size_t)l->rule.k;
	l->doubt = l->doubt || order_in_doubt(l->candidates, count, *taken);
	return count;
}
