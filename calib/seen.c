#include "config.h"

#include "calib/seen.h"

#include <stdio.h>
#include <stdlib.h>

int seen_leave_out(struct seen *seen, const struct source *source, struct error *e)
{
	char buffer[32];
	seen->left_out = calloc(source->count + 1, sizeof *seen->left_out);
	if (!seen->left_out)
		return error_memory(e, "names of images");
	for (size_t i = 0; i < source->count; i++) {
		seen->left_out[i] = image_names_have(&seen->weights->calibrated, source_name(source, (uint32_t)i, buffer));
		seen->left_out_count += seen->left_out[i];
	}
	return seen->left_out_count < source->count ? LSDN_OK : error_set(e, LSDN_ERROR_INPUT, "--unseen: %s was tuned on all %zu images: name others with --data",
		seen->path, source->count);
}

void seen_count(struct seen *seen, const struct source *source, uint32_t index)
{
	char buffer[32];
	const char *name = source_name(source, index, buffer);
	seen->tuned_on += image_names_have(&seen->weights->calibrated, name);
	seen->held_out += image_names_have(&seen->weights->held_out, name);
}

void seen_warn(const struct seen *seen, const char *program, size_t measured)
{
	if (seen->path && !seen->weights->calibrated.count)
		fprintf(stderr, "%s: %s: does not list the images that it was tuned on: whether these are among them is not known\n", program, seen->path);
	if (seen->tuned_on)
		fprintf(stderr, "%s: %s: was tuned on %zu of the %zu measured images, so that the figures flatter it: leave them out with --unseen\n", program, seen->path,
			seen->tuned_on, measured);
}

void seen_print(const struct seen *seen, size_t measured)
{
	if (!seen->path || !seen->weights->calibrated.count)
		return;
	if (seen->tuned_on)
		printf("WARNING: the weights were tuned on %s%zu of these images", seen->tuned_on == measured ? "all " : "", seen->tuned_on);
	else
		printf("the weights were tuned on none of these images");
	if (seen->held_out)
		printf("; %zu were held out then", seen->held_out);
	if (seen->left_out_count)
		printf("; %zu others are left out, for they were tuned on them", seen->left_out_count);
	putchar('\n');
}
