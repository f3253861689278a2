#include "config.h"

#include "calib/table.h"

#include <jansson.h>
#include <stdio.h>

struct table_row table_share(const char *name, const char *measure, uint64_t count, uint64_t images)
{
	return (struct table_row){.name = name, .measure = measure, .value = images ? (double)count / (double)images : 0,
		.interval = wilson_interval(count, images), .images = images, .count = count};
}

void table_print_text(const struct table_row *row)
{
	double unit = row->mean ? 1 : 100;
	if (row->images)
		printf("  %-18s  %-31s  %7.3f  [%.3f, %.3f]\n", row->name, row->measure, unit * row->value, unit * row->interval.low, unit * row->interval.high);
}

int table_print_json(const struct table_row *row, const char *key, const char *of, struct error *e)
{
	double unit = row->mean ? 1 : 100;
	if (!row->images)
		return LSDN_OK;
	json_t *line = json_pack("{s:s, s:s, s:s, s:f, s:f, s:f}", key, of, "row", row->name, "measure", row->measure, row->mean ? "mean" : "percent",
		unit * row->value, "low", unit * row->interval.low, "high", unit * row->interval.high);
	if (!line || (!row->mean && json_object_set_new(line, "count", json_integer((json_int_t)row->count)) != 0)
			|| json_object_set_new(line, "images", json_integer((json_int_t)row->images)) != 0
			|| (row->listed && json_object_set_new(line, "tuned_on", json_integer((json_int_t)row->tuned_on)) != 0)) {
		json_decref(line);
		return error_memory(e, "a line of JSON");
	}
	int failed = json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(line);
	return failed ? error_set(e, LSDN_ERROR_IO, "standard output cannot be written: make room or name another place") : LSDN_OK;
}
