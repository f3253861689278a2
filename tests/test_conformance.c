/* ONNX's own test vectors (Debian: libonnx-testdata), as far as they are of networks that are planned here: float32 maps N x C x H x W or vectors
 * N x C through the operators below. Every case that is left out is named with its reason. */
#include "config.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/conformance.h"
#include "tests/suite.h"

enum { MAX_TALLIES = 512 };

/* Of the package's version 1.12, 165 cases run: with fewer than this, something that was planned is refused. */
enum { LEAST_RUN = 160 };

static const char *const OPERATORS[] = {"Conv", "BatchNormalization", "Relu", "LeakyRelu", "PRelu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish",
	"Tanh", "Elu", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "LRN", "LayerNormalization", "Dropout", "Identity", "Add", "Sum", "Sub",
	"Mul", "Div", "ReduceMean", "Concat",
	"Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Gemm", "MatMul", "Softmax", "LogSoftmax", "Constant", "Shape", "Gather", "Cast",
	"Slice", "Split", "Pad", "Pow", "Sqrt", "Reciprocal", "Erf"};
enum { OPERATOR_COUNT = sizeof OPERATORS / sizeof *OPERATORS };

struct tally {
	char name[MAX_OPERATOR];
	int cases, run, passed;
};

struct totals {
	int cases, run, passed, as_image, raised, left_out, outside, unread;
	struct tally tallies[MAX_TALLIES]; /* those of OPERATORS come first */
	size_t count;
};

static size_t tally_of(struct totals *t, const char *name)
{
	size_t i = 0;
	while (i < t->count && strcmp(t->tallies[i].name, name) != 0)
		i++;
	if (i == t->count) {
		ck_assert_uint_lt(t->count, MAX_TALLIES);
		snprintf(t->tallies[t->count++].name, MAX_OPERATOR, "%s", name);
	}
	return i;
}

static void count_case(struct totals *t, const char *folder, const char *name)
{
	struct operators operators;
	bool outside = false;
	t->cases++;
	if (!case_operators(folder, &operators)) {
		printf("wrong: %s: its operators could not be read\n", name);
		t->unread++;
		return;
	}
	for (size_t i = 0; i < operators.count; i++) {
		size_t at = tally_of(t, operators.names[i]);
		outside = outside || at >= OPERATOR_COUNT;
		t->tallies[at].cases++;
	}
	if (outside) {
		t->outside++;
		return;
	}
	struct outcome outcome = case_run(folder);
	if (outcome.verdict == LEFT_OUT) {
		t->left_out++;
		printf("left out: %s: %s\n", name, outcome.reason);
		return;
	}
	bool passed = outcome.verdict == PASSED;
	t->run++;
	t->passed += passed;
	t->as_image += outcome.as_image;
	t->raised += outcome.raised;
	for (size_t i = 0; i < operators.count; i++) {
		struct tally *tally = &t->tallies[tally_of(t, operators.names[i])];
		tally->run++;
		tally->passed += passed;
	}
	if (!passed)
		printf("wrong: %s: %s\n", name, outcome.reason);
}

static int is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void count_folder(struct totals *t, const char *data, const char *group)
{
	struct dirent **entries;
	char path[700], folder[1000], model[1100];
	snprintf(path, sizeof path, "%s/%s", data, group);
	int count = scandir(path, &entries, is_case, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(folder, sizeof folder, "%s/%s", path, entries[i]->d_name);
		snprintf(model, sizeof model, "%s/model.onnx", folder);
		if (access(model, F_OK) == 0)
			count_case(t, folder, folder + strlen(data) + 1);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void print_totals(const struct totals *t)
{
	printf("%d cases use operators that are outside:", t->outside);
	for (size_t i = OPERATOR_COUNT; i < t->count; i++)
		printf(" %s %d%s", t->tallies[i].name, t->tallies[i].cases, i + 1 < t->count ? "," : "");
	printf("\n");
	for (size_t i = 0; i < OPERATOR_COUNT; i++)
		printf("%s: %d/%d of %d\n", t->tallies[i].name, t->tallies[i].run, t->tallies[i].passed, t->tallies[i].cases);
	printf("ONNX's vectors: %d cases, %d run (%d of them as one image, %d of opset below 7), %d passed, %d left out, %d with operators that are outside\n", t->cases,
		t->run, t->as_image, t->raised, t->passed, t->left_out, t->outside);
}

START_TEST(vectors)
{
	static const char *const GROUPS[] = {"node", "simple", "pytorch-converted", "pytorch-operator"};
	static struct totals t;
	const char *data = getenv("LSDN_ONNX_TESTDATA");
	if (!data)
		data = "/usr/share/libonnx-testdata/data";
	if (access(data, F_OK) != 0) {
		printf("skipped: %s: ONNX's test vectors are not there (Debian: libonnx-testdata; or set LSDN_ONNX_TESTDATA)\n", data);
		return;
	}
	for (size_t i = 0; i < OPERATOR_COUNT; i++)
		tally_of(&t, OPERATORS[i]);
	for (size_t i = 0; i < sizeof GROUPS / sizeof *GROUPS; i++)
		count_folder(&t, data, GROUPS[i]);
	print_totals(&t);
	fflush(stdout);
	ck_assert_int_eq(t.unread, 0);
	ck_assert_int_eq(t.passed, t.run);
	ck_assert_int_ge(t.run, LEAST_RUN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conformance");
	TCase *cases = tcase_create("onnx");
	tcase_set_timeout(cases, 300);
	tcase_add_test(cases, vectors);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
