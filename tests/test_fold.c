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

static void give_floats(struct constant *c, const char *name, const float *values, int rank, const int64_t *dims)
{
	*c = (struct constant){.name = name, .type = CONSTANT_FLOAT, .onnx_type = FLOAT, .rank = rank, .count = 1, .floats = values};
	for (int d = 0; d < rank; d++) {
		c->dims[d] = dims[d];
		c->count *= (size_t)dims[d];
	}
	ck_assert_int_eq(constants_add(&table, c, &error), 0);
}

static void expect_floats(const float *values, int rank, const int64_t *dims)
{
	const struct constant *out = constants_find(&table, "out");
	ck_assert_int_eq(out->rank, rank);
	for (int d = 0; d < rank; d++)
		ck_assert_int_eq(out->dims[d], dims[d]);
	for (size_t i = 0; i < out->count; i++)
		ck_assert_float_eq_tol(out->floats[i], values[i], 1e-6f);
}

START_TEST(dimensions_of_weights)
{
	/* w[:, None, None] is two Unsqueezes, w.t() a Transpose. */
	static const float W[] = {1, 2, 3, 4, 5, 6};
	struct constant w, v;
	struct attribute last = {.name = "axes", .ints = (int64_t[]){-1}, .int_count = 1}, first = {.name = "axes", .ints = (int64_t[]){0}, .int_count = 1},
		perm = {.name = "perm", .ints = (int64_t[]){2, 0, 1}, .int_count = 3};
	give_floats(&v, "v", W, 1, (int64_t[]){6});
	ck_assert_int_eq(fold("Unsqueeze", (const char *[]){"v"}, 1, &last, 1), 1);
	expect_floats(W, 2, (int64_t[]){6, 1});
	ck_assert_int_eq(fold("Unsqueeze", (const char *[]){"out"}, 1, &last, 1), 1);
	expect_floats(W, 3, (int64_t[]){6, 1, 1});
	ck_assert_int_eq(fold("Squeeze", (const char *[]){"out"}, 1, NULL, 0), 1);
	expect_floats(W, 1, (int64_t[]){6});
	ck_assert_int_eq(fold("Unsqueeze", (const char *[]){"v"}, 1, &first, 1), 1);
	expect_floats(W, 2, (int64_t[]){1, 6});
	ck_assert_int_lt(fold("Squeeze", (const char *[]){"v"}, 1, &first, 1), 0);
	give_floats(&w, "w", W, 3, (int64_t[]){1, 2, 3});
	ck_assert_int_eq(fold("Transpose", (const char *[]){"w"}, 1, &perm, 1), 1);
	expect_floats((float[]){1, 4, 2, 5, 3, 6}, 3, (int64_t[]){3, 1, 2});
	ck_assert_int_eq(fold("Transpose", (const char *[]){"w"}, 1, NULL, 0), 1);
	expect_floats((float[]){1, 4, 2, 5, 3, 6}, 3, (int64_t[]){3, 2, 1});
	ck_assert_int_eq(fold("Shape", (const char *[]){"w"}, 1, NULL, 0), 1);
	expect((int64_t[]){1, 2, 3}, 3);
}
END_TEST

START_TEST(broadcasting)
{
	/* gamma / sqrt(var + epsilon), and constants of other shapes. */
	static const float VAR[] = {3, 8, 15}, ONE[] = {1}, ROW[] = {1, 2}, COLUMN[] = {10, 20, 30};
	struct constant var, one, row, column;
	give_floats(&var, "var", VAR, 1, (int64_t[]){3});
	give_floats(&one, "one", ONE, 0, NULL);
	ck_assert_int_eq(fold("Add", (const char *[]){"var", "one"}, 2, NULL, 0), 1);
	ck_assert_int_eq(fold("Sqrt", (const char *[]){"out"}, 1, NULL, 0), 1);
	expect_floats((float[]){2, 3, 4}, 1, (int64_t[]){3});
	ck_assert_int_eq(fold("Reciprocal", (const char *[]){"out"}, 1, NULL, 0), 1);
	ck_assert_int_eq(fold("Neg", (const char *[]){"out"}, 1, NULL, 0), 1);
	expect_floats((float[]){-0.5f, -1 / 3.0f, -0.25f}, 1, (int64_t[]){3});
	give_floats(&row, "row", ROW, 2, (int64_t[]){1, 2});
	give_floats(&column, "column", COLUMN, 2, (int64_t[]){3, 1});
	ck_assert_int_eq(fold("Sub", (const char *[]){"column", "row"}, 2, NULL, 0), 1);
	expect_floats((float[]){9, 8, 19, 18, 29, 28}, 2, (int64_t[]){3, 2});
	ck_assert_int_eq(fold("Pow", (const char *[]){"column", "row"}, 2, NULL, 0), 1);
	expect_floats((float[]){10, 100, 20, 400, 30, 900}, 2, (int64_t[]){3, 2});
	ck_assert_int_lt(fold("Mul", (const char *[]){"var", "row"}, 2, NULL, 0), 0);
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
	give("three", (int64_t[]){1, 2, 3}, 3);
	ck_assert_int_lt(fold("Add", (const char *[]){"v", "three"}, 2, NULL, 0), 0);
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
	tcase_add_test(cases, dimensions_of_weights);
	tcase_add_test(cases, broadcasting);
	tcase_add_test(cases, what_is_not_folded);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
