/* Lines of NAME=VALUE, as --set has them. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/choices.h"
#include "tests/fuzz/fuzz.h"

/* What is said of a choice sets it again, to the same. */
static void check_said(const struct choices *c)
{
	for (int i = 0; i < choices_count(); i++) {
		struct choices again = CHOICES_DEFAULT;
		struct error e;
		char text[CHOICE_TEXT], same[CHOICE_TEXT];
		choices_get(c, i, text);
		FUZZ_TRUE(choices_set(&again, choices_name(i), text, &e) == LSDN_OK);
		choices_get(&again, i, same);
		FUZZ_TRUE(strcmp(text, same) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct choices c = CHOICES_DEFAULT;
	struct error e;
	char *text = fuzz_text(data, size);
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!fuzz_answer(choices_assign(&c, line, &e), &e))
			check_said(&c);
	}
	free(text);
	return 0;
}
