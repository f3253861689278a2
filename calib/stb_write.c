/* stb_image_write's code. Its JPEG writer shifts bits out of a signed int, which every compiler here does as meant, but
 * the undefined behaviour sanitizer stops at: calib/Makefile.inc takes that one check away from this file alone. */
#include "config.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>
