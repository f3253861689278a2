#include "config.h"

#include "core/net/plan_attributes.h"

#include <string.h>

/* Of opsets 7 to 17, and what was left behind when older ones were raised to 7 and changes nothing. An operator that is not listed is refused
 * where it is planned. */
static const struct {
	const char *op_type, *attributes; /* each with a space around it */
} KNOWN[] = {
	{"Add", ""}, {"AveragePool", " auto_pad ceil_mode count_include_pad kernel_shape pads strides "},
	{"BatchNormalization", " epsilon is_test momentum spatial training_mode "}, {"Cast", " to "}, {"Clip", " min max "}, {"Concat", " axis "},
	{"Constant", " value value_float value_floats value_int value_ints value_string value_strings sparse_value "},
	{"Conv", " auto_pad dilations group kernel_shape pads strides "}, {"Div", ""}, {"Dropout", " ratio seed "}, {"Elu", " alpha "}, {"Erf", ""},
	{"Flatten", " axis "}, {"Gather", " axis "}, {"Gelu", ""},
	{"Gemm", " alpha beta broadcast transA transB "}, {"GlobalAveragePool", ""}, {"GlobalMaxPool", ""},
	{"HardSigmoid", " alpha beta "}, {"HardSwish", ""}, {"Identity", ""}, {"LRN", " alpha beta bias size "},
	{"LayerNormalization", " axis epsilon stash_type "}, {"LeakyRelu", " alpha "}, {"LogSoftmax", " axis "}, {"MatMul", ""},
	{"MaxPool", " auto_pad ceil_mode dilations kernel_shape pads storage_order strides "}, {"Mul", ""}, {"Neg", ""}, {"PRelu", ""},
	{"Pad", " mode pads value "}, {"Pow", ""}, {"Reciprocal", ""}, {"ReduceMean", " axes keepdims "}, {"Relu", ""}, {"Reshape", " allowzero "},
	{"Shape", " end start "}, {"Sigmoid", ""}, {"Slice", " axes ends starts "}, {"Softmax", " axis "}, {"Split", " axis split "}, {"Sqrt", ""},
	{"Squeeze", " axes "}, {"Sub", ""}, {"Sum", ""}, {"Swish", ""}, {"Tanh", ""}, {"Transpose", " perm "}, {"Unsqueeze", " axes "},
};

static bool listed(const char *attributes, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = strstr(attributes, name); at && length; at = strstr(at + 1, name))
		if (at > attributes && at[-1] == ' ' && at[length] == ' ')
			return true;
	return false;
}

const char *attribute_unknown(const struct node *node)
{
	size_t k = 0;
	while (k < sizeof KNOWN / sizeof *KNOWN && strcmp(KNOWN[k].op_type, node->op_type) != 0)
		k++;
	for (size_t i = 0; k < sizeof KNOWN / sizeof *KNOWN && i < node->attribute_count; i++)
		if (!listed(KNOWN[k].attributes, node->attributes[i].name))
			return node->attributes[i].name;
	return NULL;
}
