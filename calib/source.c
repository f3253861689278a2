#include "config.h"

#include "calib/source.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/generate.h"
#include "core/file.h"

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

/* Parts are told apart by their sizes, which come before them. */
static void hash_part(struct sha256_ctx *context, const void *data, size_t size)
{
	uint64_t length = size;
	uint8_t bytes[8];
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(length >> 8 * i);
	sha256_update(context, sizeof bytes, bytes);
	sha256_update(context, size, data);
}

static int hash_file(struct sha256_ctx *context, const char *path, struct error *e)
{
	const uint8_t *data;
	size_t size;
	int code = file_map(path, &data, &size, e);
	if (code)
		return code;
	hash_part(context, data, size);
	file_unmap(data, size);
	return LSDN_OK;
}

int source_digest(const struct source *s, uint32_t index, uint8_t digest[SOURCE_DIGEST], struct error *e)
{
	struct sha256_ctx context;
	const struct dataset_item *item = s->dataset ? &s->dataset->items[index] : NULL;
	char generated[64];
	int code = LSDN_OK;
	sha256_init(&context);
	if (item && item->csv_line)
		hash_part(&context, item->annotation, strlen(item->annotation));
	else if (item)
		code = hash_file(&context, item->annotation, e);
	else
		hash_part(&context, generated, (size_t)snprintf(generated, sizeof generated, "%llu %u", (unsigned long long)s->seed, index));
	if (!code && item)
		code = hash_file(&context, item->image, e);
	sha256_digest(&context, SOURCE_DIGEST, digest);
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

bool annotated_with(const struct net *net, const struct annotation *truth, int class_index)
{
	char buffer[32];
	const char *wnid = net_wnid(net, class_index, buffer);
	for (size_t i = 0; i < truth->count; i++)
		if (strcmp(truth->boxes[i].wnid, wnid) == 0)
			return true;
	return false;
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

bool source_find(const struct source *s, const char *name, uint32_t *index)
{
	char buffer[32];
	uint32_t low = 0, high = (uint32_t)s->count;
	if (!s->dataset) {
		*index = strncmp(name, "generated-", 10) == 0 ? (uint32_t)strtoul(name + 10, NULL, 10) : 0;
		return *index < s->count && strcmp(name, source_name(s, *index, buffer)) == 0;
	}
	while (low < high) { /* items are in the order of their names */
		uint32_t middle = low + (high - low) / 2;
		if (strcmp(source_name(s, middle, buffer), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*index = low;
	return low < s->count && strcmp(name, source_name(s, low, buffer)) == 0;
}
