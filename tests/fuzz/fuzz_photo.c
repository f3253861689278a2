/* A JPEG or PNG. */
#include "config.h"

#include "core/image/photo.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct photo photo;
	struct error e;
	if (fuzz_answer(photo_decode(&photo, data, size, "photo", &e), &e)) {
		FUZZ_TRUE(!photo.rgb && !photo.width && !photo.height);
		return 0;
	}
	FUZZ_TRUE(photo.width >= 1 && photo.height >= 1 && (double)photo.width * photo.height <= PHOTO_MAX_PIXELS);
	fuzz_read(photo.rgb, (size_t)photo.width * (size_t)photo.height * 3);
	photo_free(&photo);
	return 0;
}
