/* What a map and a box are worth on one annotated photograph, without any network.
 *
 * A map has height x width values of the photograph's pixels, row after row, from 0 to 1. */
#ifndef LSDN_CALIB_SCORE_H
#define LSDN_CALIB_SCORE_H

#include "calib/annotation.h"

/* The first pixel in raster order with the highest value. */
size_t score_peak(const float *map, size_t size);

/* How far the middle of pixel (y, x) of a photograph of width x height lies from the nearest annotated box's outer edges, in pixels of the annotation's grid: 0
 * within a box. (J. Zhang and others, "Top-down neural attention by excitation backprop", 2016, count a hit up to 15.) */
double score_distance(const struct annotation *truth, int y, int x, int width, int height);

/* Boxes at the thresholds i / 100 of the maximum, i from 0 to 99, each around parts of the map (image/part.h). Bit n of hits[i] says that the best IoU with an
 * annotated box reaches
 *     bit 0: 0.5, of the largest part's box (MaxBoxAcc)
 *     bits 1 to 3: 0.3, 0.5, 0.7, of any part's box (MaxBoxAccV2)
 * J. Choe and others, "Evaluating weakly supervised object localization methods right", 2020. */
enum { SCORE_THRESHOLDS = 100, SCORE_BITS = 4 };
int score_thresholds(const float *map, int width, int height, const struct annotation *truth, uint8_t hits[SCORE_THRESHOLDS], struct error *e);

/* Which values are the highest: order[0..count) are their places, from the highest on, of equals the first. */
int score_order(const float *values, size_t count, uint32_t *order, struct error *e);

/* Area under a curve of count values at equal distances from 0 to 1, by trapezoids. */
double score_area(const double *curve, size_t count);

#endif
