#include "config.h"

#include "calib/contest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "calib/score.h"

void contest_maxima(struct contest *c, size_t entrant, int thresholds[SCORE_BITS])
{
	static const bool V2[SCORE_BITS] = {false, true, true, true};
	size_t most[SCORE_BITS] = {0};
	for (int n = 0; n < SCORE_BITS; n++)
		thresholds[n] = 0;
	for (int t = 0; t < SCORE_THRESHOLDS; t++) {
		size_t counts[SCORE_BITS] = {0};
		for (size_t i = 0; i < c->taken_count; i++) {
			const struct contest_image *image = &c->images[c->taken[i]];
			for (int n = 0; n < SCORE_BITS && image->usable; n++)
				counts[n] += image->hits[entrant * SCORE_THRESHOLDS + (size_t)t] >> n & 1;
		}
		for (int n = 0; n < SCORE_BITS; n++)
			if (counts[n] > most[n]) {
				most[n] = counts[n];
				thresholds[n] = t;
			}
	}
	for (size_t i = 0; i < c->taken_count; i++) {
		const struct contest_image *image = &c->images[c->taken[i]];
		double *values = image->values + entrant * ROWS;
		if (!image->usable || isnan(values[ROW_MAX_BOX]))
			continue;
		values[ROW_MAX_BOX] = values[ROW_MAX_BOX_V2] = 0;
		for (int n = 0; n < SCORE_BITS; n++)
			values[V2[n] ? ROW_MAX_BOX_V2 : ROW_MAX_BOX] += (image->hits[entrant * SCORE_THRESHOLDS + (size_t)thresholds[n]] >> n & 1) / (V2[n] ? 3.0 : 1.0);
	}
}

struct contest_measure contest_measure(const struct contest *c, int row, char text[256])
{
	double threshold = c->job->choices->box.map_threshold;
	snprintf(text, 256, "box of a map: around the largest 8-connected part at or over %g of its maximum; of lsdn and cnn-fixations: by the choices", threshold);
	switch (row) {
	case ROW_POINTING:
		return (struct contest_measure){"pointing game, no tolerance",
			"the first maximum in raster order lies in an annotated box; predicted class; no evidence is a miss", false, 0, false};
	case ROW_POINTING_NEAR:
		return (struct contest_measure){"pointing game, 15 pixels", "the same, or at most 15 pixels of the annotation's grid from it", false, 0, false};
	case ROW_KNOWN: return (struct contest_measure){"IoU > 0.5, class known", text, false, 0, false};
	case ROW_PREDICTED: return (struct contest_measure){"IoU > 0.5, predicted class", text, false, 0, false};
	case ROW_ERROR: return (struct contest_measure){"localisation error", "not both that and the right class; boxes as above", false, 0, true};
	case ROW_MAX_BOX:
		return (struct contest_measure){"MaxBoxAcc",
			"IoU >= 0.5 of the largest part, class known, at the best threshold i / 100 of the maximum (its choice is not in the interval)", false, 0, false};
	case ROW_MAX_BOX_V2:
		return (struct contest_measure){"MaxBoxAccV2",
			"mean over IoU >= 0.3, 0.5, 0.7 of any part, class known, each at its best threshold i / 100 of the maximum", true, 0, false};
	case ROW_RISE:
		return (struct contest_measure){"increase in confidence", "the predicted class's probability is higher with all outside the box set to the mean", false, 0,
			false};
	case ROW_DROP:
		return (struct contest_measure){"average drop", "mean of max(0, p - p with all outside the box set to the mean) / p", true, 0, true};
	case ROW_INSERTION:
		return (struct contest_measure){"insertion", "area under p of the predicted class, pixels from the mean to the image by map order, 50 steps, ties in raster order", true,
			0, false};
	case ROW_DELETION:
		return (struct contest_measure){"deletion", "the same, pixels from the image to the mean", true, 0, true};
	case ROW_CLASSES:
		return (struct contest_measure){"maps of two classes", "Spearman's rank correlation of the first and the second class's maps on the network's input", true, -1, true};
	default:
		snprintf(text, 256, "Spearman's rank correlation with the map when the upper %d of %d layers (down to %.100s) are drawn anew",
			c->levels.drawn[row - ROW_SANITY], c->levels.layers, c->levels.lowest[row - ROW_SANITY]);
		return (struct contest_measure){"sanity check", text, true, -1, true};
	}
}

/* The images of a draw, or (-1) all. */
static const struct contest_image *image_of(const struct contest *c, int draw, size_t i)
{
	return &c->images[draw < 0 ? c->taken[i] : c->draws[draw][i]];
}

static void test(struct contest_figure *f, const double *values, const double *first, size_t pairs, double *differences, bool mean)
{
	f->tested = pairs > 0;
	f->pairs = pairs;
	for (size_t i = 0; i < pairs; i++) {
		differences[i] = values[i] - first[i];
		f->better += differences[i] > 0;
		f->worse += differences[i] < 0;
	}
	f->p = mean ? sign_flip(differences, pairs) : mcnemar_exact(f->better, f->worse);
}

int contest_figure(const struct contest *c, size_t entrant, int row, int draw, struct contest_figure *f, struct error *e)
{
	size_t all = draw < 0 ? c->taken_count : c->draw_counts[draw], pairs = 0;
	double *values = malloc((4 * all + 1) * sizeof *values), *paired = values + all, *first = paired + all;
	char text[256];
	struct contest_measure measure = contest_measure(c, row, text);
	*f = (struct contest_figure){0};
	if (!values)
		return error_memory(e, "figures");
	for (size_t i = 0; i < all; i++) {
		const struct contest_image *image = image_of(c, draw, i);
		if (!image->usable || isnan(image->values[entrant * ROWS + (size_t)row]))
			continue;
		double value = image->values[entrant * ROWS + (size_t)row], rival = image->values[row];
		values[f->images++] = value;
		f->count += value > 0.5;
		if (entrant && !isnan(rival)) {
			paired[pairs] = value;
			first[pairs++] = rival;
		}
	}
	f->interval = mean_interval(values, f->images, measure.least, &f->value);
	if (!measure.mean)
		f->interval = wilson_interval(f->count, f->images);
	if (entrant)
		test(f, paired, first, pairs, first + all, measure.mean);
	free(values);
	return LSDN_OK;
}

size_t contest_curve(const struct contest *c, size_t entrant, double insertion[PROBE_CURVE], double deletion[PROBE_CURVE])
{
	size_t count = 0;
	for (size_t k = 0; k < PROBE_CURVE; k++)
		insertion[k] = deletion[k] = 0;
	for (size_t i = 0; i < c->taken_count; i++) {
		const struct contest_image *image = &c->images[c->taken[i]];
		const double *curves = image->curves ? image->curves + entrant * 2 * PROBE_CURVE : NULL;
		if (!curves || isnan(curves[0]) || isnan(curves[PROBE_STEPS]))
			continue;
		count++;
		for (size_t k = 0; k < PROBE_CURVE; k++) {
			insertion[k] += curves[k];
			deletion[k] += curves[PROBE_CURVE + k];
		}
	}
	for (size_t k = 0; k < PROBE_CURVE && count; k++) {
		insertion[k] /= (double)count;
		deletion[k] /= (double)count;
	}
	return count;
}
