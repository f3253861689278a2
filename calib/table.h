/* Rows of a table of measures, for a person and as JSON. */
#ifndef LSDN_CALIB_TABLE_H
#define LSDN_CALIB_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "calib/evidence.h"
#include "core/error.h"

struct table_row {
	const char *name, *measure;
	bool mean;              /* value is a mean from 0 to 1; else the share count / images, written in percent */
	double value;
	struct interval interval;
	uint64_t images, count; /* count: of a share */
	bool listed;            /* it is known what the explainer was tuned on: */
	uint64_t tuned_on;      /* so many of the images that were measured */
};

struct table_row table_share(const char *name, const char *measure, uint64_t count, uint64_t images);

/* One line on standard output; nothing where no image has the measure. */
void table_print_text(const struct table_row *row);

/* The same as one JSON object a line, which begins with key: of (UTF-8). */
int table_print_json(const struct table_row *row, const char *key, const char *of, struct error *e);

#endif
