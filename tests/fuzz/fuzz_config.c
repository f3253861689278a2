/* NAME.cfg and the labels beside NAME.onnx, with a form feed between them. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/net/net.h"
#include "core/net/net_config.h"
#include "tests/fuzz/fuzz.h"

/* One Relu, a GlobalAveragePool and a Flatten: the classes are the three colours, and any size will do. */
static const char MODEL[] =
	"\010\007\022\000:k\012\014\012\001x\022\001r\042\004Relu\012\031\012\001r\022\001p\042\021GlobalAveragePool\012\017\012"
	"\001p\022\001y\042\007Flatten\022\001gZ\027\012\001x\022\022\012\020\010\001\022\014\012\002\010\001\012\002\010\003\012"
	"\000\012\000b\023\012\001y\022\016\012\014\010\001\022\010\012\002\010\001\012\002\010\003B\004\012\000\020\015";

static void check_input(const struct preprocessing *p)
{
	for (int c = 0; c < 3; c++)
		FUZZ_TRUE(isfinite(p->mean[c]) && isfinite(p->std[c]) && p->std[c] != 0);
	FUZZ_TRUE((p->width == 0) == (p->height == 0) && p->width >= 0 && p->width <= 4096 && p->height <= 4096);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_part first = fuzz_cut(&data, &size);
	char *config = fuzz_text(first.data, first.size), *labels = fuzz_text(data, size), *name;
	struct preprocessing input;
	struct net net;
	struct error e;
	if (!fuzz_answer(net_config_parse(config, "net.cfg", &input, &name, &e), &e)) {
		check_input(&input);
		free(name);
	}
	if (!fuzz_answer(net_open_bytes(&net, (const uint8_t *)MODEL, sizeof MODEL - 1, "net", config, labels, &e), &e)) {
		FUZZ_TRUE(net.input.width >= 1 && net.input.height >= 1 && net.label_count == 3);
		for (int k = 0; k < 4; k++) {
			char buffer[32];
			FUZZ_TRUE(strlen(net_wnid(&net, k, buffer)) < sizeof buffer);
			fuzz_read(net_class_name(&net, k, buffer), 1);
		}
		net_close(&net);
	}
	free(config);
	free(labels);
	return 0;
}
