/* A table of rewards, one column an arm and one row an image. */
#include "config.h"

#include <string.h>

#include "bandit/reward_table.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reward_table t;
	struct error e;
	if (fuzz_answer(reward_table_read(&t, fuzz_file(0, data, size), &e), &e)) {
		FUZZ_TRUE(!t.text && !t.names && !t.rewards && !t.means);
		return 0;
	}
	FUZZ_TRUE(t.arms >= 2 && t.rows >= 1 && 2 * (size_t)t.arms * (t.rows + 1) <= size + 2);
	for (int arm = 0; arm < t.arms; arm++) {
		double ones = 0;
		FUZZ_TRUE(*t.names[arm] && !strpbrk(t.names[arm], ",\"\n"));
		for (uint32_t row = 0; row < t.rows; row++) {
			FUZZ_TRUE(t.rewards[(size_t)arm * t.rows + row] <= 1);
			ones += t.rewards[(size_t)arm * t.rows + row];
		}
		FUZZ_TRUE(t.means[arm] == ones / t.rows);
	}
	reward_table_free(&t);
	return 0;
}
