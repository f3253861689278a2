/* What a network looked at, in a program of one's own. To compile: cc embed.c -o embed $(pkg-config --cflags --libs lsdn) */
#include <lsdn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct lsdn_network *network = NULL;
	struct lsdn_explainer *explainer = NULL;
	const struct lsdn_explanation *seen;
	char message[LSDN_MESSAGE] = "usage: embed PHOTOGRAPH [NETWORK.onnx]";
	int failed = argc < 2 || argc > 3 || lsdn_network_open(&network, argv[2], message) /* NULL: the built-in one */
		|| lsdn_explainer_open(&explainer, network, 1, message) || lsdn_explain_file(explainer, argv[1], LSDN_PREDICTED, &seen, message);
	if (failed)
		fprintf(stderr, "embed: %s\n", message);
	else
		printf("%s, probability %.4f, %zu points\n", seen->name, seen->probability, seen->point_count);
	if (!failed && seen->box)
		printf("box %d %d %d %d\n", seen->box->xmin, seen->box->ymin, seen->box->xmax, seen->box->ymax);
	lsdn_explainer_close(explainer);
	lsdn_network_close(network);
	return failed;
}
