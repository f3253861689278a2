/* A model: parsed, folded and planned. */
#include "config.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/models.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_plan(data, size);
	return 0;
}
