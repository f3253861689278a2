/* A tensor for a network that reads 5 x 4 pixels. */
#include "config.h"

#include <math.h>

#include "core/image/npy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { HEIGHT = 4, WIDTH = 5 };
	float tensor[HEIGHT * WIDTH * 3];
	struct error e;
	if (fuzz_answer(npy_read(fuzz_file(0, data, size), HEIGHT, WIDTH, tensor, &e), &e))
		return 0;
	for (int i = 0; i < HEIGHT * WIDTH * 3; i++)
		FUZZ_TRUE(isfinite(tensor[i]));
	return 0;
}
