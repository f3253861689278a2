/* A file of boxes, the ids of the classes, a list of names (may be empty) and a CSV of annotations, with form feeds between them. */
#include "config.h"

#include "calib/boxes.h"
#include "tests/fuzz/fuzz.h"

static void score(const struct box_file *f, const struct class_ids *c, const struct dataset *d, const char *names)
{
	struct box_match m;
	struct box_scores s;
	struct error e;
	if (fuzz_answer(box_match(&m, f, "boxes", d, names, &e), &e))
		return;
	FUZZ_TRUE(m.matched >= 1 && m.matched <= d->count && m.matched + m.unused == f->count);
	if (!fuzz_answer(box_score(&s, f, &m, c, d, &e), &e)) {
		FUZZ_TRUE(s.images == m.matched && s.right_class <= s.images && s.overlap <= s.images && s.unknown <= s.images);
		FUZZ_TRUE(s.both <= s.right_class && s.both <= s.overlap && s.center <= s.sized && s.whole <= s.sized && s.sized <= s.images);
	}
	box_match_free(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_part parts[4];
	struct class_ids c;
	struct box_file f;
	struct dataset d;
	struct error e;
	for (int i = 0; i < 4; i++)
		parts[i] = fuzz_cut(&data, &size);
	if (fuzz_answer(class_ids_read(&c, fuzz_file(1, parts[1].data, parts[1].size), &e), &e))
		return 0;
	if (!fuzz_answer(box_file_read(&f, fuzz_file(0, parts[0].data, parts[0].size), c.count, &e), &e)) {
		for (size_t i = 0; i < f.count; i++)
			FUZZ_TRUE(f.lines[i].class_number >= 1 && (size_t)f.lines[i].class_number <= c.count && f.lines[i].box.xmin <= f.lines[i].box.xmax);
		if (!fuzz_answer(dataset_open_truth(&d, fuzz_file(3, parts[3].data, parts[3].size), NULL, &e), &e)) {
			score(&f, &c, &d, parts[2].size ? fuzz_file(2, parts[2].data, parts[2].size) : NULL);
			dataset_close(&d);
		}
		box_file_free(&f);
	}
	class_ids_free(&c);
	return 0;
}
