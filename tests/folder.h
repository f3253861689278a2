/* A fresh folder for each test that asks for one: give both functions to tcase_add_checked_fixture. */
#ifndef LSDN_TESTS_FOLDER_H
#define LSDN_TESTS_FOLDER_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char root[] = "/tmp/lsdn-test-XXXXXX";

static void in_new_folder(void)
{
	strcpy(strrchr(root, '-') + 1, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static void remove_folder(void)
{
	char command[200];
	snprintf(command, sizeof command, "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

#endif
