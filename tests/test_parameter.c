/* What --tune says, and how many combinations there may be. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "calib/calibrate.h"
#include "tests/suite.h"

static const char *values_of(const char *text)
{
	static char all[LSDN_MESSAGE];
	struct parameter p;
	struct error e;
	size_t used = 0;
	if (parameter_parse(&p, text, &e)) {
		snprintf(all, sizeof all, "%s", e.message);
		return all;
	}
	for (int i = 0; i < p.count; i++)
		used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? " " : "", p.values[i].text);
	parameter_free(&p);
	return all;
}

START_TEST(values_of_parameters)
{
	ck_assert_str_eq(values_of("k_conv=1,2,64"), "1 2 64");
	ck_assert_str_eq(values_of("k_fc=all,010"), "all 10");
	ck_assert_str_eq(values_of("k_conv=1:4:7"), "1 2 3 4"); /* 1, 1.5, 2, 2.5, 3, 3.5, 4: the nearest whole numbers */
	ck_assert_str_eq(values_of("margin=-0.1:0.1:5"), "-0.1 -0.05 0 0.05 0.1");
	ck_assert_str_eq(values_of("pre=0:1:3"), "0 0.5 1");
	ck_assert_str_eq(values_of("locate=center,strongest"), "center strongest");
	ck_assert_str_eq(values_of("signed=false,true"), "false true");
	static const struct {
		const char *text, *message;
	} WRONG[] = {
		{"k_conv", "NAME=LO:HI:K"}, {"=1", "no choice"}, {"colour=1,2", "colour: is no choice"}, {"colour=1,2", "weights cur, pre, suc"},
		{"k_conv=", "whole number"}, {"k_conv=1,,2", "whole number"}, {"k_conv=1,", "whole number"}, {"k_conv=1,1", "named twice"},
		{"margin=0,0.0", "named twice"}, {"margin=0:1", "LO:HI:K"}, {"margin=0:1:1", "LO:HI:K"}, {"margin=1:0:3", "LO:HI:K"}, {"margin=0:1:3:4", "LO:HI:K"},
		{"margin=0:5:3", "from -0.5 to 1"}, {"margin=a:1:3", "LO:HI:K"}, {"margin=0:1:9999", "LO:HI:K"}, {"locate=0:1:3", "strongest, center"},
		{"pre=-1,1", "from 0"}, {"pre=nan", "from 0"}, {"pre=1x", "from 0"}, {"method=lsdn,cnn-fixations", "is not tuned"}, {"target=predicted", "is not tuned"},
	};
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
		ck_assert_msg(strstr(values_of(WRONG[i].text), WRONG[i].message), "%s: %s", WRONG[i].text, values_of(WRONG[i].text));
}
END_TEST

/* Refusals, and that what is one setting is one arm. */
START_TEST(sizes_of_joint)
{
	struct parameter parameters[3];
	struct calibration c;
	struct error e;
	struct calibration_plan plan = {.images = 10, .parameters = parameters, .parameter_count = 3, .schedule = SCHEDULE_JOINT, .rules = BANDIT_DEFAULT};
	ck_assert_int_eq(parameter_parse(&parameters[0], "pre=0:1:32", &e), 0);
	ck_assert_int_eq(parameter_parse(&parameters[1], "margin=0:1:32", &e), 0);
	ck_assert_int_eq(parameter_parse(&parameters[2], "suc=0.1:1:20", &e), 0);
	ck_assert_int_ne(calibration_open(&c, &plan, &CHOICES_DEFAULT, &e), 0);
	ck_assert_msg(strstr(e.message, "20480 combinations") && strstr(e.message, "1000 different"), "%s", e.message);
	calibration_close(&c);
	parameter_free(&parameters[1]);
	ck_assert_int_eq(parameter_parse(&parameters[1], "margin=0:1:31", &e), 0); /* 992 */
	ck_assert_msg(calibration_open(&c, &plan, &CHOICES_DEFAULT, &e) == 0, "%s", e.message);
	ck_assert_int_eq(c.tunings[0].count, 992);
	calibration_close(&c);
	parameter_free(&parameters[1]);
	ck_assert_int_eq(parameter_parse(&parameters[1], "margin=0:1:1000", &e), 0);
	ck_assert_int_ne(calibration_open(&c, &plan, &CHOICES_DEFAULT, &e), 0);
	ck_assert_msg(strstr(e.message, "640000 combinations"), "%s", e.message);
	calibration_close(&c);
	for (int p = 0; p < 3; p++)
		parameter_free(&parameters[p]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parameter");
	TCase *cases = tcase_create("parameter");
	tcase_add_test(cases, values_of_parameters);
	tcase_add_test(cases, sizes_of_joint);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
