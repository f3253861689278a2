/* A weights file for the embedded network. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/embedded.h"
#include "core/weights_file.h"
#include "tests/fuzz/fuzz.h"

static const struct net *embedded(void)
{
	static struct net net;
	struct error e;
	if (!net.name)
		FUZZ_TRUE(model_open(&net, NULL, &e) == LSDN_OK);
	return &net;
}

/* What would be written of it is read, and says the same. */
static void check_written(const struct weights_file *w)
{
	struct weights_file again;
	struct error e;
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	FUZZ_TRUE(file != NULL);
	weights_file_write_head(file, embedded(), &w->choices);
	FUZZ_TRUE(fclose(file) == 0);
	FUZZ_TRUE(weights_file_read(&again, fuzz_file(1, (const uint8_t *)text, size), &embedded()->plan, &e) == LSDN_OK);
	for (int i = 0; i < choices_count(); i++) {
		char one[CHOICE_TEXT], other[CHOICE_TEXT];
		choices_get(&w->choices, i, one);
		choices_get(&again.choices, i, other);
		FUZZ_TRUE(strcmp(one, other) == 0);
	}
	weights_file_free(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weights_file w;
	struct error e;
	if (fuzz_answer(weights_file_read(&w, fuzz_file(0, data, size), &embedded()->plan, &e), &e))
		return 0;
	fuzz_read(w.model, strlen(w.model));
	fuzz_read(w.sha256, strlen(w.sha256));
	for (size_t i = 0; i < w.calibrated.count; i++)
		FUZZ_TRUE(image_names_have(&w.calibrated, w.calibrated.names[i]) || strchr(w.calibrated.names[i], '.')); /* a name of two suffixes */
	check_written(&w);
	weights_file_free(&w);
	return 0;
}
