/* What a class loses when parts of the input are changed, one window after the other. */
#ifndef LSDN_CORE_METHODS_WINDOWS_H
#define LSDN_CORE_METHODS_WINDOWS_H

#include "core/methods/methods.h"

/* A square window of the network's input, cut off at its edges. */
struct input_window {
	int top, left, bottom, right; /* the last two are outside it */
};

struct window_change {
	int times; /* that each window is changed, another way each time */
	void (*change)(const struct question *q, void *state, const float *original, const struct input_window *w, int number, float *input); /* number: of all changes */
	double (*loss)(const struct question *q, double before, double after); /* of the probability, whose mean over the times is after */
	void *state; /* for change */
};

/* From one window to the next along a side of the input. */
int windows_stride(int side);

/* Fills q's grid, one cell a pixel, with the mean loss of the windows over it, where that is positive. Windows have twice their stride as side, which is the
 * input's side over 10, and every pixel is under four. The session is left as it was. */
int windows_answer(const struct question *q, const struct window_change *change, struct error *e);

#endif
