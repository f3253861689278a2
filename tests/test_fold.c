/* Folding of constants, on the chains by which exporters compute the target of a Reshape. Expected values are worked by hand. */
#include "config.h"

#include <check.h>
#include <string.h>

#include "core/net/fold.h"
#include "tests/suite.h"

enum { FLOAT = 1 }; /* TensorProto.DataType */

static struct arena arena;
static struct constants table;
static struct error error;

static void open_table(void)
{
	struct onnx empty = {0};
	ck_assert_int_eq(constants_open(&table, &empty, &arena, &error), 0);
}

static void close_table(void)
{
	constants_close(&table);
	arena_free(&arena);
}

static void give(const char *name, const int64_t *values, size_t count)
{
	ck_assert_int_eq(constants_add_ints(&table, name, values, count, &error), 0);
}

/* Folds op_type(inputs) to "out", which replaces an earlier one. */
static int fold(const char *op_type, const char **inputs, size_t count, struct attribute *attributes, size_t attribute_count)
{
	static const char *outputs[] = {"out"};
	struct node node = {.op_type = op_type, .name = "node", .domain = "", .inputs = inputs, .input_count = count, .outputs = outputs, .output_count = 1,
		.attributes = attributes, .attribute_count = attribute_count};
	return constants_fold(&table, &node, "test", &error);
}

static void expect(const int64_t *values, size_t count)
{
	const struct constant *out = constants_find(&table, "out");
	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(out->type, CONSTANT_INT);
	ck_assert_uint_eq(out->count, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(out->ints[i], values[i]);
}

START_TEST(target_of_a_reshape)
{
	/* Shape -> Gather -> Unsqueeze -> Concat with -1, as PyTorch exports x.view(x.size(0), -1). */
	give("shape", (int64_t[]){1, 512, 7, 7}, 4);
	give("zero", (int64_t[]){0}, 1);
	give("minus", (int64_t[]){-1}, 1);
	ck_assert_int_eq(fold("Gather", (const char *[]){"shape", "zero"}, 2, NULL, 0), 1);
	expect((int64_t[]){1}, 1);
	ck_assert_int_eq(fold("Concat", (const char *[]){"out", "minus"}, 2, NULL, 0), 1);
	expect((int64_t[]){1, -1}, 2);
}
END_TEST

START_TEST(slices_and_pads)
{
	give("v", (int64_t[]){3, 5, 7, 9}, 4);
	give("from", (int64_t[]){-3}, 1);
	give("to", (int64_t[]){100}, 1);
	give("pads", (int64_t[]){1, 2}, 2);
	ck_assert_int_eq(fold("Slice", (const char *[]){"v", "from", "to"}, 3, NULL, 0), 1);
	expect((int64_t[]){5, 7, 9}, 3);
	ck_assert_int_eq(fold("Pad", (const char *[]){"v", "pads"}, 2, NULL, 0), 1);
	expect((int64_t[]){0, 3, 5, 7, 9, 0, 0}, 7);
	give("eight", (int64_t[]){8}, 1);
	ck_assert_int_eq(fold("Pad", (const char *[]){"v", "pads", "eight"}, 3, NULL, 0), 1);
	expect((int64_t[]){8, 3, 5, 7, 9, 8, 8}, 7);
}
END_TEST

START_TEST(casts_and_arithmetic)
{
	struct attribute to = {.name = "to", .has_i = true, .i = FLOAT};
	give("v", (int64_t[]){7, -7}, 2);
	give("two", (int64_t[]){2}, 1);
	ck_assert_int_eq(fold("Div", (const char *[]){"v", "two"}, 2, NULL, 0), 1);
	expect((int64_t[]){3, -3}, 2);
	ck_assert_int_eq(fold("Mul", (const char *[]){"v", "two"}, 2, NULL, 0), 1);
	expect((int64_t[]){14, -14}, 2);
	ck_assert_int_eq(fold("Cast", (const char *[]){"v"}, 1, &to, 1), 1);
	ck_assert(constants_find(&table, "out")->type == CONSTANT_FLOAT && constants_find(&table, "out")->floats[1] == -7);
}
END_TEST

START_TEST(what_is_not_folded)
{
	give("v", (int64_t[]){1, 2}, 2);
	give("zero", (int64_t[]){0}, 1);
	give("far", (int64_t[]){5}, 1);
	ck_assert_int_eq(fold("Concat", (const char *[]){"v", "made by a layer"}, 2, NULL, 0), 0);
	ck_assert_int_eq(fold("Conv", (const char *[]){"v"}, 1, NULL, 0), 0);
	ck_assert_int_lt(fold("Gather", (const char *[]){"v", "far"}, 2, NULL, 0), 0);
	ck_assert_int_lt(fold("Div", (const char *[]){"v", "zero"}, 2, NULL, 0), 0);
	ck_assert_ptr_nonnull(strstr(error.message, "node 'node'"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fold");
	TCase *cases = tcase_create("fold");
	tcase_add_checked_fixture(cases, open_table, close_table);
	tcase_add_test(cases, target_of_a_reshape);
	tcase_add_test(cases, slices_and_pads);
	tcase_add_test(cases, casts_and_arithmetic);
	tcase_add_test(cases, what_is_not_folded);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
