/* A JPEG or PNG. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/image/photo.h"
#include "tests/fuzz/fuzz.h"

static void decode(const uint8_t *data, size_t size)
{
	struct photo photo;
	struct error e;
	if (fuzz_answer(photo_decode(&photo, data, size, "photo", &e), &e)) {
		FUZZ_TRUE(!photo.rgb && !photo.width && !photo.height);
		return;
	}
	FUZZ_TRUE(photo.width >= 1 && photo.height >= 1 && (double)photo.width * photo.height <= PHOTO_MAX_PIXELS);
	fuzz_read(photo.rgb, (size_t)photo.width * (size_t)photo.height * 3);
	photo_free(&photo);
}

/* Makes every checksum of a PNG right, or no mutant would get past them. */
static void mend(uint8_t *data, size_t size)
{
	for (size_t at = 8, length; at + 12 <= size; at += length + 12) {
		length = (size_t)data[at] << 24 | (size_t)data[at + 1] << 16 | (size_t)data[at + 2] << 8 | data[at + 3];
		if (length > size - at - 12)
			return;
		uint32_t sum = UINT32_MAX;
		for (size_t i = at + 4; i < at + 8 + length; i++) {
			sum ^= data[i];
			for (int bit = 0; bit < 8; bit++)
				sum = sum & 1 ? 0xedb88320 ^ sum >> 1 : sum >> 1;
		}
		for (size_t i = 0; i < 4; i++)
			data[at + 8 + length + i] = (uint8_t)(~sum >> (24 - 8 * i));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	decode(data, size);
	if (size > 8 && data[0] == 0x89) {
		uint8_t *mended = malloc(size);
		FUZZ_TRUE(mended != NULL);
		memcpy(mended, data, size);
		mend(mended, size);
		decode(mended, size);
		free(mended);
	}
	return 0;
}
