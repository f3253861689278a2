/* A small model, run and explained. */
#include "config.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/models.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_explain(data, size);
	return 0;
}
