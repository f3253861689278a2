/* Finds photographs that one of two networks gets right and the other wrong, and shows what each looked at. */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/compare.h"
#include "calib/evidence.h"
#include "calib/html.h"
#include "calib/html_page.h"
#include "core/json.h"
#include "core/output.h"
#include "core/utf8.h"

enum { USUAL_IMAGES = 1000, PATH_ROOM = 4096, NAME_ROOM = 200 };

/* What is kept of a photograph. */
struct kept {
	bool right[COMPARED];
	int classes[COMPARED];
	double probabilities[COMPARED];
	char name[NAME_ROOM]; /* of what is annotated, UTF-8 */
};

struct work {
	const struct comparison *comparison;
	const char *pictures;
	struct kept *kept; /* one a taken image */
};

static void path_of(char path[PATH_ROOM], const struct work *w, uint32_t index)
{
	char buffer[32];
	snprintf(path, PATH_ROOM, "%s/%s.png", w->pictures, source_name(&w->comparison->source, index, buffer));
}

static int draw(const struct work *w, const struct taking *t, struct compared *c, struct error *e)
{
	char path[PATH_ROOM], captions[COMPARED][600];
	struct picture pictures[COMPARED];
	path_of(path, w, t->index);
	for (int i = 0; i < COMPARED; i++) {
		snprintf(captions[i], sizeof captions[i], "%s, %s: %s", w->comparison->subjects[i].name, c->right[i] ? "right" : "wrong", c->explained[i].caption);
		pictures[i] = explained_picture(&c->explained[i], t->photo);
		pictures[i].caption = captions[i];
	}
	return pictures_write(pictures, COMPARED, path, e);
}

static int take(void *context, struct explainer *x, struct taking *t, struct error *e)
{
	const struct work *w = context;
	struct kept *k = &w->kept[t->i];
	struct compared c;
	int code = compared_make(&c, w->comparison->subjects, x, t->photo, t->truth, e);
	for (int i = 0; i < COMPARED && !code; i++) {
		k->right[i] = c.right[i];
		k->classes[i] = c.explained[i].class_index;
		k->probabilities[i] = c.explained[i].probability;
	}
	if (!code) {
		snprintf(k->name, sizeof k->name, "%s", c.name);
		utf8_mend(k->name);
		if (w->pictures && c.right[0] != c.right[1]) {
			code = draw(w, t, &c, e);
			t->fatal = code != LSDN_OK;
		}
	}
	compared_free(&c);
	return code;
}

/* How many of the photographs the first and the second got right. */
struct counts {
	uint64_t of[2][2];
};

static struct counts count(const struct work *w, const struct taken *t)
{
	struct counts c = {{{0}}};
	for (size_t i = 0; i < t->taken; i++)
		if (t->images[i].counts)
			c.of[w->kept[i].right[0]][w->kept[i].right[1]]++;
	return c;
}

static void class_name(const struct work *w, const struct kept *k, int i, char text[NAME_ROOM])
{
	char buffer[32];
	snprintf(text, NAME_ROOM, "%s", net_class_name(&w->comparison->subjects[i].net, k->classes[i], buffer));
	utf8_mend(text);
}

static void print_text(const struct work *w, const struct taken *t)
{
	const char *a = w->comparison->subjects[0].name, *b = w->comparison->subjects[1].name;
	struct counts c = count(w, t);
	char buffer[32], name[NAME_ROOM];
	printf("A: %s\nB: %s\n\n%zu images        B right    B wrong\n", a, b, t->count);
	for (int right = 1; right >= 0; right--)
		printf("  A %s  %14llu %10llu\n", right ? "right" : "wrong", (unsigned long long)c.of[right][1], (unsigned long long)c.of[right][0]);
	putchar('\n');
	for (int i = 0; i < COMPARED; i++) {
		uint64_t right = c.of[1][1] + (i ? c.of[0][1] : c.of[1][0]);
		struct interval in = wilson_interval(right, t->count);
		printf("%c is right on %.1f percent [%.1f, %.1f]\n", "AB"[i], 100 * (double)right / (double)t->count, 100 * in.low, 100 * in.high);
	}
	printf("McNemar's exact p = %.3g\n", mcnemar_exact(c.of[1][0], c.of[0][1]));
	for (int only = 0; only < COMPARED; only++) {
		printf("\nOnly %c is right:%s\n", "AB"[only], (only ? c.of[0][1] : c.of[1][0]) ? "" : " none");
		for (size_t i = 0; i < t->taken; i++) {
			const struct kept *k = &w->kept[i];
			if (!t->images[i].counts || !k->right[only] || k->right[!only])
				continue;
			printf("  %s: %s;", source_name(&w->comparison->source, t->images[i].index, buffer), k->name);
			for (int n = 0; n < COMPARED; n++) {
				class_name(w, k, n, name);
				printf(" %c %s, p = %.3f%s", "AB"[n], name, k->probabilities[n], n ? "\n" : ";");
			}
		}
	}
}

static json_t *said(const struct work *w, const struct kept *k, int i)
{
	char name[NAME_ROOM];
	class_name(w, k, i, name);
	return json_pack("{s:s, s:i, s:s, s:f, s:b}", "network", w->comparison->subjects[i].name, "class", k->classes[i], "name", name, "probability",
		k->probabilities[i], "right", k->right[i]);
}

static int print_json(const struct work *w, const struct taken *t, struct error *e)
{
	struct counts c = count(w, t);
	char buffer[32];
	int code = json_line(stdout, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:f}", "first", w->comparison->subjects[0].name, "second",
		w->comparison->subjects[1].name, "images", (json_int_t)t->count, "both", (json_int_t)c.of[1][1], "only_first", (json_int_t)c.of[1][0], "only_second",
		(json_int_t)c.of[0][1], "neither", (json_int_t)c.of[0][0], "p", mcnemar_exact(c.of[1][0], c.of[0][1])), 9, e);
	for (size_t i = 0; i < t->taken && !code; i++)
		if (t->images[i].counts && w->kept[i].right[0] != w->kept[i].right[1])
			code = json_line(stdout, json_pack("{s:o, s:s, s:o, s:o}", "image", json_text(source_name(&w->comparison->source, t->images[i].index, buffer)),
				"annotated", w->kept[i].name, "first", said(w, &w->kept[i], 0), "second", said(w, &w->kept[i], 1)), 9, e);
	return code;
}

static int write_page(const struct work *w, const struct taken *t, struct error *e)
{
	char path[PATH_ROOM], buffer[32];
	struct output out;
	snprintf(path, sizeof path, "%s/index.html", w->pictures);
	int code = output_open(&out, path, e);
	if (code)
		return code;
	html_page_begin(out.file, "Images that one of two networks gets right");
	for (int only = 0; only < COMPARED; only++) {
		fputs("<h2>Only ", out.file);
		html_text(out.file, w->comparison->subjects[only].name);
		fputs(" is right</h2>\n", out.file);
		for (size_t i = 0; i < t->taken && !code; i++) {
			const struct kept *k = &w->kept[i];
			struct photo photo;
			if (!t->images[i].counts || !k->right[only] || k->right[!only])
				continue;
			path_of(path, w, t->images[i].index);
			code = photo_read(&photo, path, e);
			fputs("<figure><figcaption>", out.file);
			html_text(out.file, source_name(&w->comparison->source, t->images[i].index, buffer));
			fputs(": ", out.file);
			html_text(out.file, k->name);
			fputs("</figcaption>", out.file);
			if (!code)
				code = html_image(out.file, &photo, true, false, "What the two networks looked at, and what they said", e);
			fputs("</figure>\n", out.file);
			photo_free(&photo);
		}
	}
	html_page_end(out.file);
	if (!code)
		return output_close(&out, e);
	output_abandon(&out);
	return code;
}

static int print(const struct work *w, const struct taken *t, bool json, struct error *e)
{
	int code = LSDN_OK;
	if (json)
		code = print_json(w, t, e);
	else
		print_text(w, t);
	return code || !w->pictures ? code : write_page(w, t, e);
}

int evaluate_compare(const struct evaluate_options *o, struct error *e)
{
	struct comparison c;
	struct taken t = {0};
	struct error other;
	size_t wanted = o->images ? o->images : USUAL_IMAGES;
	int code = comparison_open(&c, o, wanted, e);
	struct work w = {.comparison = &c, .pictures = o->pictures};
	if (!code && o->pictures)
		code = subject_folder(o->pictures, e);
	if (!code && !(w.kept = calloc(c.source.count + 1, sizeof *w.kept)))
		code = error_memory(e, "images");
	if (!code) {
		code = subject_take(&c.subjects[0], &t, o, &c.source, wanted, "can be used", take, &w, e);
		int printed = t.count && (!code || code == LSDN_ERROR_INTERRUPTED) ? print(&w, &t, o->json, &other) : LSDN_OK;
		if (printed && !code)
			code = error_set(e, (enum lsdn_error)printed, "%s", other.message);
	}
	taken_close(&t);
	free(w.kept);
	comparison_close(&c);
	return code;
}
