/* Writes protobuf messages: enough of it to make up ONNX models. */
#ifndef LSDN_TESTS_FUZZ_PROTOBUF_H
#define LSDN_TESTS_FUZZ_PROTOBUF_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A message; too long a one is cut, which is a damaged message like any other. */
struct message {
	size_t size;
	uint8_t data[1 << 16];
};

static inline void put_raw(struct message *m, const void *data, size_t size)
{
	size_t room = sizeof m->data - m->size;
	memcpy(m->data + m->size, data, size < room ? size : room);
	m->size += size < room ? size : room;
}

static inline void put_varint(struct message *m, uint64_t value)
{
	uint8_t bytes[10];
	size_t count = 0;
	do {
		bytes[count] = (uint8_t)((value & 127) | (value > 127 ? 128 : 0));
		count++;
		value >>= 7;
	} while (value);
	put_raw(m, bytes, count);
}

static inline void put_int(struct message *m, int field, int64_t value)
{
	put_varint(m, (uint64_t)field << 3);
	put_varint(m, (uint64_t)value);
}

static inline void put_bytes(struct message *m, int field, const void *data, size_t size)
{
	put_varint(m, (uint64_t)field << 3 | 2);
	put_varint(m, size);
	put_raw(m, data, size);
}

static inline void put_text(struct message *m, int field, const char *text)
{
	put_bytes(m, field, text, strlen(text));
}

static inline void put_float(struct message *m, int field, float value)
{
	put_varint(m, (uint64_t)field << 3 | 5);
	put_raw(m, &value, sizeof value);
}

/* Puts child as a field and empties it. */
static inline void put_message(struct message *m, int field, struct message *child)
{
	put_bytes(m, field, child->data, child->size);
	child->size = 0;
}

#endif
