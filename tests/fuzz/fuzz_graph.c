/* A well-formed model made up from bytes: each node's operator, inputs, constants and attributes are chosen by the next few. So what damaged files
 * seldom reach, operators that nearly fit together, comes up all the time. */
#include "config.h"

#include <math.h>
#include <stdio.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/models.h"
#include "tests/fuzz/protobuf.h"

enum { MOST_NODES = 24, MOST_RANK = 5, SIDE = 8 };

/* Constants that an operator reads after its tensors: f or i for the type, then a letter a dimension: C as many as channels come in, F as many as
 * elements, o any few, k a kernel's side, 1 one, n any few that nothing else has. */
static const struct {
	const char *op_type;
	int tensors;
	const char *constants[5];
} OPERATORS[] = {
	{"Conv", 1, {"foCkk", "fo"}}, {"Conv", 1, {"fC1kk", "fC"}}, {"MaxPool", 1, {0}}, {"AveragePool", 1, {0}}, {"GlobalAveragePool", 1, {0}},
	{"GlobalMaxPool", 1, {0}}, {"LRN", 1, {0}}, {"BatchNormalization", 1, {"fC", "fC", "fC", "fC"}}, {"Softmax", 1, {0}}, {"LogSoftmax", 1, {0}},
	{"Gemm", 1, {"fCo", "fo"}}, {"Gemm", 1, {"foF", "fo"}}, {"MatMul", 1, {"fCo"}}, {"MatMul", 1, {"fFo"}}, {"MatMul", 2, {0}},
	{"ReduceMean", 1, {"in"}}, {"Concat", 2, {0}}, {"Concat", 3, {0}}, {"LayerNormalization", 1, {"fC", "fC"}}, {"Add", 2, {0}}, {"Add", 1, {"fC11"}},
	{"Sum", 3, {0}}, {"Sub", 1, {"f"}}, {"Sub", 2, {0}}, {"Mul", 2, {0}}, {"Mul", 1, {"f1C11"}}, {"Div", 1, {"f"}}, {"Relu", 1, {0}}, {"LeakyRelu", 1, {0}},
	{"PRelu", 1, {"fC11"}}, {"Clip", 1, {"f", "f"}}, {"Sigmoid", 1, {0}}, {"HardSigmoid", 1, {0}}, {"HardSwish", 1, {0}}, {"Tanh", 1, {0}},
	{"Elu", 1, {0}}, {"Erf", 1, {0}}, {"Pow", 1, {"f"}}, {"Sqrt", 1, {0}}, {"Identity", 1, {0}}, {"Cast", 1, {0}}, {"Dropout", 1, {"f", "i"}},
	{"Shape", 1, {0}}, {"Flatten", 1, {0}}, {"Reshape", 1, {"in"}}, {"Reshape", 2, {0}}, {"Squeeze", 1, {"in"}}, {"Unsqueeze", 1, {"in"}},
	{"Transpose", 1, {0}}, {"Slice", 1, {"in", "in", "in", "in"}}, {"Split", 1, {"in"}}, {"Gather", 1, {"in"}}, {"Gather", 1, {"i"}}, {"Pad", 1, {"in", "f"}},
	{"Constant", 0, {0}}, {"ConstantOfShape", 1, {0}}, {"Resize", 1, {"f", "fn"}}, {"NoSuchOperator", 1, {0}},
};
enum { OPERATOR_COUNT = sizeof OPERATORS / sizeof *OPERATORS };

/* Their type follows the name: f, i, a list of either in capitals, s a text, t a tensor. */
static const char *const ATTRIBUTES[] = {
	"Istrides", "Ipads", "Ikernel_shape", "Idilations", "igroup", "iceil_mode", "icount_include_pad", "sauto_pad", "iaxis", "Iaxes", "ikeepdims", "Iperm",
	"falpha", "fbeta", "itransA", "itransB", "fepsilon", "isize", "fbias", "fmin", "fmax", "ito", "Istarts", "Iends", "Isplit", "smode", "tvalue", "ivalue_int",
	"fvalue_float", "Ivalue_ints", "iallowzero", "ispatial", "itraining_mode", "iis_test", "istart", "iend", "fratio", "Fscales",
};
static const char *const TEXTS[] = {"SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET", "constant", "reflect", "edge", ""};

struct maker {
	const uint8_t *data;
	size_t size;
	struct message model, graph, part, inner, innermost;
	struct {
		int channels, side; /* as they would be were all well: a guess, to size constants with */
		char name[8];
	} values[MOST_NODES * 2 + 1];
	int value_count, constant_count;
	int few, kernel; /* of the node that is being made */
};

static uint8_t next(struct maker *m)
{
	if (!m->size)
		return 0;
	m->size--;
	return *m->data++;
}

static int64_t whole(uint8_t byte)
{
	static const int64_t LARGE[] = {INT64_MIN, INT64_MAX, INT32_MIN, INT32_MAX, 1 << 16, 4096, 64, -1000};
	return byte < 248 ? byte % 12 - 3 : LARGE[byte - 248];
}

static float real(uint8_t byte)
{
	static const float ODD[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 1e-40f, 0, -0.0f};
	return byte < 248 ? (float)(byte - 124) / 32 : ODD[byte - 248];
}

/* A TensorProto into part. */
static void make_tensor(struct maker *m, struct message *part, const char *form, const char *name, int channels, int side)
{
	const int dims[] = {['C'] = channels, ['F'] = channels * side * side, ['1'] = 1, ['o'] = m->few, ['k'] = m->kernel, ['n'] = 0};
	int64_t count = 1;
	uint8_t how = next(m);
	if (how > 240)
		form = how > 247 ? "fnnn" : "in";
	for (const char *letter = form + 1; *letter; letter++) {
		uint8_t byte = next(m);
		int64_t dim = byte > 244 ? byte - 245 : *letter == 'n' ? 1 + byte % 4 : dims[(unsigned char)*letter];
		put_int(part, 1, dim);
		count = count * dim > 4096 ? 4096 : count * dim;
	}
	put_int(part, 2, *form == 'f' ? 1 : how > 230 ? 6 : 7);
	put_text(part, 8, name);
	uint8_t base = next(m);
	for (int64_t i = 0; i < count; i++) {
		uint8_t number = base;
		if (base < 248)
			number = (uint8_t)((base + i * 37) % 248);
		if (*form == 'f')
			put_float(part, 4, real(number));
		else
			put_int(part, how > 230 ? 5 : 7, whole(next(m)));
	}
}

static void make_attribute(struct maker *m, struct message *node)
{
	const char *attribute = ATTRIBUTES[next(m) % (sizeof ATTRIBUTES / sizeof *ATTRIBUTES)];
	struct message *part = &m->inner;
	part->size = 0;
	put_text(part, 1, attribute + 1);
	int count = next(m) % 5;
	switch (*attribute) {
	case 'i': put_int(part, 3, whole(next(m))); break;
	case 'f': put_float(part, 2, real(next(m))); break;
	case 's': put_text(part, 4, TEXTS[count]); break;
	case 'I':
		for (int i = 0; i < count; i++)
			put_int(part, 8, whole(next(m)));
		break;
	case 'F':
		for (int i = 0; i < count; i++)
			put_float(part, 7, real(next(m)));
		break;
	default:
		make_tensor(m, &m->innermost, count & 1 ? "fnn" : "in", "", 1, 1);
		put_message(part, 5, &m->innermost);
	}
	put_message(node, 5, part);
}

/* Mostly the last value, else any before it. */
static int choose_value(struct maker *m)
{
	uint8_t byte = next(m);
	return byte < 160 ? m->value_count - 1 : byte % m->value_count;
}

/* One constant as the node's next input. */
static void make_constant(struct maker *m, struct message *node, const char *form, int channels, int side)
{
	char name[16];
	snprintf(name, sizeof name, "c%d", m->constant_count++);
	make_tensor(m, &m->innermost, form, name, channels, side);
	put_message(&m->graph, 5, &m->innermost);
	put_text(node, 1, name);
}

static void make_output(struct maker *m, struct message *node, int op, int channels, int side)
{
	int v = m->value_count++;
	const char *first = OPERATORS[op].constants[0];
	snprintf(m->values[v].name, sizeof m->values[v].name, "t%d", v % 100);
	m->values[v].channels = first && strchr(first, 'o') ? m->few : channels;
	m->values[v].side = first && strchr(first, 'k') && side >= m->kernel ? side - m->kernel + 1 : side;
	if (strstr(OPERATORS[op].op_type, "Global"))
		m->values[v].side = 1;
	if (strcmp(OPERATORS[op].op_type, "Flatten") == 0) {
		m->values[v].channels = channels * side * side % 4096;
		m->values[v].side = 1;
	}
	put_text(node, 2, m->values[v].name);
}

static void make_node(struct maker *m)
{
	int op = next(m) % OPERATOR_COUNT, main_value = choose_value(m), channels = m->values[main_value].channels, side = m->values[main_value].side;
	uint8_t shape = next(m), left_out = next(m);
	struct message *node = &m->part;
	node->size = 0;
	m->few = 1 + shape % 6;
	m->kernel = 1 + shape / 6 % 3;
	for (int i = 0; i < OPERATORS[op].tensors; i++)
		put_text(node, 1, m->values[i ? choose_value(m) : main_value].name);
	for (int i = 0; i < 5 && OPERATORS[op].constants[i] && left_out >> 5 != i + 1; i++)
		make_constant(m, node, OPERATORS[op].constants[i], channels, side);
	for (int i = left_out & 3; i > 0; i--)
		make_attribute(m, node);
	for (int i = strcmp(OPERATORS[op].op_type, "Split") == 0 ? 2 : 1; i > 0; i--)
		make_output(m, node, op, channels, side);
	put_text(node, 4, OPERATORS[op].op_type);
	put_message(&m->graph, 1, node);
}

/* A graph's input or output. */
static void make_value(struct maker *m, int field, const char *name, const int64_t *dims, int rank)
{
	struct message *shape = &m->part, *value = &m->inner;
	shape->size = value->size = 0;
	for (int d = 0; d < rank; d++) {
		if (dims[d] >= 0)
			put_int(&m->innermost, 1, dims[d]);
		put_message(shape, 1, &m->innermost);
	}
	put_int(value, 1, 1);
	put_message(value, 2, shape);
	put_message(shape, 1, value);
	put_text(value, 1, name);
	put_message(value, 2, shape);
	put_message(&m->graph, field, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct maker m;
	m.data = data;
	m.size = size;
	m.model.size = m.graph.size = m.part.size = m.inner.size = m.innermost.size = 0;
	m.constant_count = 0;
	m.value_count = 1;
	uint8_t head = next(&m);
	int64_t dims[] = {head & 1 ? -1 : 1, 3, head & 2 ? -1 : SIDE, head & 2 ? -1 : SIDE}, unknown[] = {-1, -1};
	snprintf(m.values[0].name, sizeof m.values[0].name, "x");
	m.values[0].channels = 3;
	m.values[0].side = SIDE;
	make_value(&m, 11, "x", dims, 4);
	for (int n = 0; n < MOST_NODES && m.size; n++)
		make_node(&m);
	make_value(&m, 12, m.values[m.value_count - 1].name, unknown, 2);
	put_message(&m.model, 7, &m.graph);
	put_int(&m.part, 2, 7 + head / 4 % 11);
	put_message(&m.model, 8, &m.part);
	fuzz_plan(m.model.data, m.model.size);
	fuzz_explain(m.model.data, m.model.size);
	return 0;
}
