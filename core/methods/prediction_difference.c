/* The mean over the windows over a pixel of log2 odds(p(class)) - log2 odds(p(class without the window)), odds(p) = p / (1 - p). Without the window: the mean
 * probability with two samples of what could be there: as large parts of the same photograph, from places spread evenly (the fractions of n times two
 * numbers whose multiples fill the square most evenly: M. Roberts's R2), or what surroundings.h draws. Probabilities have the Laplace
 * correction (p N + 1) / (N + K) of K classes learnt from N instances, here a million. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "core/methods/surroundings.h"
#include "core/methods/table.h"
#include "core/methods/windows.h"

enum { SAMPLES = 2, SEED = 1 };

static const double INSTANCES = 1e6;

static int spread(int number, double factor, int room)
{
	double at = 0.5 + number * factor;
	return (int)((at - floor(at)) * room);
}

static void sample(const struct question *q, void *state, const float *original, const struct input_window *w, int number, float *input)
{
	const struct tensor *t = &q->net->plan.tensors[q->net->plan.inputs[0]];
	(void)state;
	int height = w->bottom - w->top, width = w->right - w->left;
	int from_y = spread(number, 0.7548776662466927, t->h - height + 1), from_x = spread(number, 0.5698402909980532, t->w - width + 1);
	for (int y = 0; y < height; y++)
		memcpy(input + (size_t)((w->top + y) * t->w + w->left) * (size_t)t->c, original + (size_t)((from_y + y) * t->w + from_x) * (size_t)t->c,
			(size_t)width * (size_t)t->c * sizeof *input);
}

static void sample_conditionally(const struct question *q, void *state, const float *original, const struct input_window *w, int number, float *input)
{
	struct surroundings *s = state;
	(void)q;
	(void)original;
	surroundings_look(s, w);
	surroundings_draw(s, number % SAMPLES, input);
}

static double log_odds(const struct question *q, double p)
{
	double classes = (double)tensor_size(&q->net->plan.tensors[q->net->plan.scores]), corrected = (p * INSTANCES + 1) / (INSTANCES + classes);
	return log2(corrected / (1 - corrected));
}

static double loss(const struct question *q, double before, double after)
{
	return log_odds(q, before) - log_odds(q, after);
}

static int answer(const struct question *q, struct error *e)
{
	return windows_answer(q, &(struct window_change){SAMPLES, sample, loss, NULL}, e);
}

static int answer_conditionally(const struct question *q, struct error *e)
{
	int input = q->net->plan.inputs[0];
	const struct tensor *t = &q->net->plan.tensors[input];
	struct surroundings s;
	int code = surroundings_open(&s, session_tensor(q->session, input, 0), t->h, t->w, SAMPLES, SEED, e);
	if (!code)
		code = windows_answer(q, &(struct window_change){SAMPLES, sample_conditionally, loss, &s}, e);
	surroundings_close(&s);
	return code;
}

const struct map_method MAP_PREDICTION_DIFFERENCE = {
	.name = "prediction-difference",
	.summary = "the evidence, in bits of the class's odds, that is lost when a window could show any other part of the same photograph",
	.needs = "288 forward passes for 224 x 224 pixels",
	.citation = "Robnik-Sikonja and Kononenko, \"Explaining classifications for individual instances\", 2008",
	.place = MAP_OF_INPUT,
	.costly = true,
	.answer = answer,
};

const struct map_method MAP_PREDICTION_DIFFERENCE_CONDITIONAL = {
	.name = "prediction-difference-conditional",
	.summary = "the same when a window could show what a Gaussian of the photograph expects there, given the pixels around it",
	.needs = "288 forward passes for 224 x 224 pixels",
	.citation = "Zintgraf and others, \"Visualizing deep neural network decisions: prediction difference analysis\", 2017",
	.place = MAP_OF_INPUT,
	.costly = true,
	.answer = answer_conditionally,
};
