#include "config.h"

#include "core/utf8.h"

#include <stddef.h>

/* Bytes of the character at `at`, 0 where it is none: RFC 3629's table, which leaves out overlong forms, surrogates and all past U+10FFFF. */
static size_t character(const unsigned char *at)
{
	unsigned char lead = at[0], least = 0x80, most = 0xbf;
	size_t length = lead < 0x80 ? 1 : lead >= 0xc2 && lead <= 0xdf ? 2 : (lead & 0xf0) == 0xe0 ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
	if (lead == 0xe0)
		least = 0xa0;
	if (lead == 0xed)
		most = 0x9f;
	if (lead == 0xf0)
		least = 0x90;
	if (lead == 0xf4)
		most = 0x8f;
	for (size_t i = 1; i < length; i++) {
		if (at[i] < least || at[i] > most)
			return 0;
		least = 0x80;
		most = 0xbf;
	}
	return length;
}

void utf8_mend(char *text)
{
	while (*text) {
		size_t length = character((const unsigned char *)text);
		if (!length)
			*text = '?';
		text += length ? length : 1;
	}
}
