/* A CSV of annotations in the form of LOC_val_solution.csv. */
#include "config.h"

#include <string.h>

#include "calib/dataset.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dataset d;
	struct annotation a;
	struct error e;
	size_t without = 1, length;
	if (fuzz_answer(dataset_open_truth(&d, fuzz_file(0, data, size), &without, &e), &e))
		return 0;
	FUZZ_TRUE(d.count >= 1 && !without);
	for (size_t i = 0; i < d.count; i++) {
		FUZZ_TRUE(!i || strcmp(d.items[i - 1].image, d.items[i].image) < 0);
		const char *name = dataset_name(&d, i, &length);
		fuzz_read(name, length);
		if (fuzz_answer(dataset_annotation(&d, i, &a, &e), &e))
			continue;
		FUZZ_TRUE(a.count >= 1);
		for (size_t k = 0; k < a.count; k++)
			FUZZ_TRUE(annotation_iou(&a, &a.boxes[k].box, 100, 100) > 0.999);
		annotation_free(&a);
	}
	dataset_close(&d);
	return 0;
}
