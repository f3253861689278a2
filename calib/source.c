#include "config.h"

#include "calib/source.h"

#include <stdio.h>
#include <string.h>

#include "calib/generate.h"

int source_load(const struct source *s, uint32_t index, struct photo *photo, struct annotation *truth, struct error *e)
{
	*photo = (struct photo){0};
	*truth = (struct annotation){0};
	if (!s->dataset)
		return generate_image(s->seed, index, photo, truth, e);
	int code = dataset_annotation(s->dataset, index, truth, e);
	if (!code)
		code = photo_read(photo, s->dataset->items[index].image, e);
	if (code)
		annotation_free(truth);
	return code;
}

int annotated_class(const struct net *net, const struct annotation *truth)
{
	char wnid[32];
	for (int k = 0; k < net->label_count; k++)
		if (strcmp(net_wnid(net, k, wnid), truth->boxes[0].wnid) == 0)
			return k;
	return -1;
}

const char *source_name(const struct source *s, uint32_t index, char buffer[32])
{
	if (s->dataset) {
		const char *slash = strrchr(s->dataset->items[index].image, '/');
		return slash ? slash + 1 : s->dataset->items[index].image;
	}
	snprintf(buffer, 32, "generated-%u", index);
	return buffer;
}
