/* What a calibration found, for a person (standard output, a page of HTML) and for the explainer (the weights file). */
#ifndef LSDN_CALIB_REPORT_H
#define LSDN_CALIB_REPORT_H

#include <stdio.h>

#include "calib/calibrate.h"

/* One sentence: whether what was tuned was shown to be better than the weights (1, 1, 1) on held-out images, or
 * without any cross-validated. */
enum { REPORT_VERDICT = 400 };
void report_verdict(const struct calibration *c, char text[REPORT_VERDICT]);

/* Arms, tables, and in words what was not shown to be better; the verdict is the last line. */
void report_print(FILE *out, const struct calibration *c, const struct reward_job *job);

/* Images that were skipped, each with its reason. */
void report_skipped(FILE *out, const struct calibration *c);

/* Writes the weights file whole or not at all; its bytes depend on nothing but model, images and plan. */
int report_write(const char *path, const struct calibration *c, const struct reward_job *job, struct error *e);

/* Writes the page for a person: one file of HTML that needs nothing else, whole or not at all. Some images are explained once more for its pictures.
 * command is what a shell was told. */
int report_page(const char *path, const struct calibration *c, const struct reward_job *job, const char *command, struct error *e);

#endif
