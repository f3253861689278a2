/* Files of answers to a survey, scored with a person who answered as the page would. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calib/survey.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct survey_answers *a)
{
	FUZZ_TRUE(a->count > 0);
	for (size_t i = 0; i < a->count; i++) {
		const struct survey_answer *answer = &a->answers[i];
		FUZZ_TRUE(answer->best >> 1 == 0 && answer->left >> 1 == 0 && (i == 0 || strcmp(a->answers[i - 1].image, answer->image) < 0));
		for (int n = 0; n < SURVEY_NETWORKS; n++)
			FUZZ_TRUE(answer->reliability[n] >= SURVEY_LEAST && answer->reliability[n] <= SURVEY_MOST);
	}
}

static void score(const struct survey_answers *a)
{
	static char person[] = "another", image[] = "x.png";
	struct survey_answer answer = {.image = image, .best = 1, .reliability = {2, 4}};
	struct survey_answers files[] = {*a, {.survey = a->survey, .person = person, .networks = {a->networks[0], a->networks[1]}, .answers = &answer, .count = 1}};
	struct survey_score s;
	struct error e;
	if (fuzz_answer(survey_score(&s, files, 2, &e), &e))
		return;
	FUZZ_TRUE(s.persons == 2 && s.answers == a->count + 1 && s.prefer[0] + s.prefer[1] <= 2 && s.left <= s.answers);
	FUZZ_TRUE(fabs(s.votes[0].value + s.votes[1].value - 1) < 1e-9 && s.reliability[0].value >= 1 && s.reliability[1].value <= 5);
	FUZZ_TRUE(!(s.agreement_votes.value > 1 + 1e-9) && !(s.agreement_reliability.value > 1 + 1e-9));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct survey_answers a;
	struct error e;
	char *text = fuzz_text(data, size);
	if (!fuzz_answer(survey_answers_parse(&a, text, "answers.json", &e), &e)) {
		check(&a);
		score(&a);
		survey_answers_free(&a);
	}
	free(text);
	return 0;
}
