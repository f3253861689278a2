/* Prints the different operators of an ONNX file, one a line, in the order in which they come first. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/net/onnx.h"

static bool seen_before(const struct onnx *graph, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (strcmp(graph->nodes[k].op_type, graph->nodes[n].op_type) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct onnx graph;
	struct error e;
	const uint8_t *data;
	size_t size;
	if (argc != 2 || file_map(argv[1], &data, &size, &e) || onnx_read(&graph, data, size, argv[1], &e)) {
		fprintf(stderr, "network_operators: %s\n", argc == 2 ? e.message : "usage: network_operators FILE.onnx");
		return EXIT_FAILURE;
	}
	for (size_t n = 0; n < graph.node_count; n++)
		if (!seen_before(&graph, n))
			printf("%s\n", graph.nodes[n].op_type);
	onnx_close(&graph);
	file_unmap(data, size);
	return EXIT_SUCCESS;
}
