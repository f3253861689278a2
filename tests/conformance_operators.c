#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "tests/conformance.h"

enum { MODEL_GRAPH = 7, GRAPH_NODE = 1, NODE_OP_TYPE = 4 };
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct span {
	const uint8_t *at, *end;
};

static bool read_varint(struct span *s, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; s->at < s->end && shift < 64; shift += 7) {
		uint8_t byte = *s->at++;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* The next field of a protobuf message; value is empty unless it is of bytes. False at the end, and where the message is damaged. */
static bool next_field(struct span *s, uint64_t *number, struct span *value)
{
	uint64_t key, length = 0, ignored;
	if (!read_varint(s, &key))
		return false;
	*number = key >> 3;
	switch (key & 7) {
	case WIRE_VARINT:
		if (!read_varint(s, &ignored))
			return false;
		break;
	case WIRE_64: length = 8; break;
	case WIRE_32: length = 4; break;
	case WIRE_BYTES:
		if (!read_varint(s, &length))
			return false;
		break;
	default: return false;
	}
	if (length > (uint64_t)(s->end - s->at))
		return false;
	*value = (struct span){s->at, s->at + ((key & 7) == WIRE_BYTES ? length : 0)};
	s->at += length;
	return true;
}

static bool add(struct operators *operators, struct span name)
{
	size_t length = (size_t)(name.end - name.at);
	if (length >= MAX_OPERATOR)
		return false;
	for (size_t i = 0; i < operators->count; i++)
		if (strlen(operators->names[i]) == length && memcmp(operators->names[i], name.at, length) == 0)
			return true;
	if (operators->count == MAX_OPERATORS)
		return false;
	memcpy(operators->names[operators->count++], name.at, length);
	return true;
}

bool case_operators(const char *folder, struct operators *operators)
{
	char path[1200];
	const uint8_t *data;
	size_t size;
	*operators = (struct operators){0};
	snprintf(path, sizeof path, "%s/model.onnx", folder);
	if (file_map(path, &data, &size, NULL))
		return false;
	bool room = true;
	uint64_t number;
	struct span model = {data, data + size}, graph, node, value;
	while (next_field(&model, &number, &graph)) {
		if (number != MODEL_GRAPH)
			continue;
		while (next_field(&graph, &number, &node)) {
			if (number != GRAPH_NODE)
				continue;
			while (next_field(&node, &number, &value))
				if (number == NODE_OP_TYPE)
					room = add(operators, value) && room;
		}
	}
	file_unmap(data, size);
	return room && operators->count > 0;
}
