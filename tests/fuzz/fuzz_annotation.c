/* The XML of an annotation. */
#include "config.h"

#include "calib/annotation.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct annotation a;
	struct error e;
	if (fuzz_answer(annotation_read_xml(&a, fuzz_file(0, data, size), &e), &e)) {
		FUZZ_TRUE(!a.boxes && !a.count);
		return 0;
	}
	FUZZ_TRUE(a.count >= 1 && a.width >= 1 && a.height >= 1);
	for (size_t i = 0; i < a.count; i++) {
		const struct boxf *box = &a.boxes[i].box;
		FUZZ_TRUE(box->xmin >= 0 && box->xmin <= box->xmax && box->xmax <= a.width - 1);
		FUZZ_TRUE(box->ymin >= 0 && box->ymin <= box->ymax && box->ymax <= a.height - 1);
		FUZZ_TRUE(*a.boxes[i].wnid && annotation_iou(&a, box, a.width, a.height) > 0.999);
	}
	annotation_free(&a);
	return 0;
}
