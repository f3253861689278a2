#include "config.h"

#include "calib/generate.h"

#include <stdio.h>
#include <stdlib.h>

#include "bandit/pcg.h"
#include "calib/generate_draw.h"

/* Class = shape * DRAW_TEXTURES + texture. */
const char *const GENERATE_LABELS[GENERATE_CLASSES][2] = {
	{"g00000000", "striped disc"},     {"g00000001", "chequered disc"},     {"g00000002", "dotted disc"},
	{"g00000003", "striped triangle"}, {"g00000004", "chequered triangle"}, {"g00000005", "dotted triangle"},
	{"g00000006", "striped square"},   {"g00000007", "chequered square"},   {"g00000008", "dotted square"},
	{"g00000009", "striped cross"},    {"g00000010", "chequered cross"},    {"g00000011", "dotted cross"},
};

static int between(struct pcg *rng, int low, int high)
{
	return low + (int)pcg_below(rng, (uint32_t)(high - low + 1));
}

/* SplitMix64's finaliser (Steele, Lea, Flood 2014): PCG's streams of one seed are shifted copies of each other, so every image
 * has a seed of its own as well. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static int brightness(const int colour[3])
{
	return (30 * colour[0] + 59 * colour[1] + 11 * colour[2]) / 100;
}

static int distance(const int a[3], const int b[3])
{
	return abs(a[0] - b[0]) + abs(a[1] - b[1]) + abs(a[2] - b[2]);
}

static void pick_colour(struct pcg *rng, int colour[3])
{
	for (int c = 0; c < 3; c++)
		colour[c] = between(rng, 30, 225);
}

/* Two colours that can be told apart, and from the background, without shouting. The last try counts where none is right. */
static void pick_colours(struct pcg *rng, int colours[2][3], const int background[3])
{
	for (int i = 0; i < 100; i++) {
		pick_colour(rng, colours[0]);
		pick_colour(rng, colours[1]);
		int contrast = abs(brightness(colours[0]) - brightness(colours[1]));
		if (contrast >= 45 && contrast <= 110 && distance(colours[0], background) >= 100 && distance(colours[1], background) >= 100)
			return;
	}
}

/* Plain lines and specks, all far smaller than the object. */
static void draw_clutter(const struct draw_canvas *canvas, struct pcg *rng, const int background[3])
{
	for (int i = between(rng, 20, 45); i > 0; i--) {
		struct draw_object o = {.texture = DRAW_PLAIN,
			.x = between(rng, 0, GENERATE_SIDE * DRAW_PIXEL), .y = between(rng, 0, GENERATE_SIDE * DRAW_PIXEL),
			.turn = draw_turn(between(rng, -256, 256))};
		if (pcg_below(rng, 2)) {
			o.shape = DRAW_SQUARE;
			o.half_width = between(rng, 3 * DRAW_PIXEL, 11 * DRAW_PIXEL);
			o.half_height = between(rng, DRAW_PIXEL / 2, DRAW_PIXEL);
		} else {
			o.shape = DRAW_DISC;
			o.half_width = between(rng, 3 * DRAW_PIXEL / 2, 4 * DRAW_PIXEL);
			o.half_height = between(rng, 3 * DRAW_PIXEL / 2, 4 * DRAW_PIXEL);
		}
		for (int c = 0; c < 3; c++)
			o.colours[0][c] = background[c] + between(rng, -90, 90);
		draw_object(canvas, &o);
	}
}

/* Sizes are even in the logarithm, so that the area of most objects is far from the picture's and the centre is no good guess. */
static struct draw_object pick_object(struct pcg *rng, int class, const int background[3])
{
	static const int SIDES[] = {28, 31, 34, 38, 41, 46, 50, 55, 61, 67, 74}; /* 28 * 1.102^i */
	struct draw_object o = {.shape = (enum draw_shape)(class / DRAW_TEXTURES), .texture = (enum draw_texture)(class % DRAW_TEXTURES)};
	const int *sides = SIDES + pcg_below(rng, sizeof SIDES / sizeof *SIDES - 1);
	int side = between(rng, sides[0] * DRAW_PIXEL, sides[1] * DRAW_PIXEL);
	int narrow = side * between(rng, 75, 100) / 100;
	bool upright = pcg_below(rng, 2);
	o.half_width = (upright ? narrow : side) / 2;
	o.half_height = (upright ? side : narrow) / 2;
	o.turn = draw_turn(between(rng, -45, 45)); /* up to 20 degrees */
	/* What the turned frame needs on either side of the centre; a large one is made to fit. */
	int turned = abs(o.turn.sine), straight = o.turn.cosine, room = 46 * DRAW_PIXEL;
	int reach_x = (o.half_width * straight + o.half_height * turned) / DRAW_ONE;
	int reach_y = (o.half_width * turned + o.half_height * straight) / DRAW_ONE;
	int reach = reach_x > reach_y ? reach_x : reach_y;
	if (reach > room) {
		o.half_width = o.half_width * room / reach;
		o.half_height = o.half_height * room / reach;
		reach_x = reach_x * room / reach;
		reach_y = reach_y * room / reach;
	}
	int whole = GENERATE_SIDE * DRAW_PIXEL;
	o.x = between(rng, reach_x + DRAW_PIXEL, whole - reach_x - DRAW_PIXEL);
	o.y = between(rng, reach_y + DRAW_PIXEL, whole - reach_y - DRAW_PIXEL);
	o.period = side / between(rng, 4, 5);
	o.period = o.period < 7 * DRAW_PIXEL ? 7 * DRAW_PIXEL : o.period > 14 * DRAW_PIXEL ? 14 * DRAW_PIXEL : o.period;
	o.grain = draw_turn(between(rng, -256, 256));
	pick_colours(rng, o.colours, background);
	return o;
}

int generate_image(uint64_t seed, uint32_t index, struct photo *photo, struct annotation *truth, struct error *e)
{
	*photo = (struct photo){.width = GENERATE_SIDE, .height = GENERATE_SIDE, .rgb = malloc(3 * GENERATE_SIDE * GENERATE_SIDE)};
	*truth = (struct annotation){.width = GENERATE_SIDE, .height = GENERATE_SIDE, .boxes = calloc(1, sizeof *truth->boxes), .count = 1};
	if (!photo->rgb || !truth->boxes) {
		free(photo->rgb);
		free(truth->boxes);
		*photo = (struct photo){0};
		*truth = (struct annotation){0};
		return error_memory(e, "a generated image");
	}
	struct pcg rng;
	pcg_seed(&rng, mix(seed) ^ mix(~(uint64_t)index), index);
	struct draw_canvas canvas = {GENERATE_SIDE, photo->rgb};
	int class = between(&rng, 0, GENERATE_CLASSES - 1), background[3];
	pick_colour(&rng, background);
	draw_background(&canvas, &rng, background);
	draw_clutter(&canvas, &rng, background);
	struct draw_object object = pick_object(&rng, class, background);
	struct box box = draw_object(&canvas, &object);
	draw_noise(&canvas, &rng, 12);
	truth->boxes[0].box = (struct boxf){box.xmin, box.ymin, box.xmax, box.ymax};
	snprintf(truth->boxes[0].wnid, sizeof truth->boxes[0].wnid, "%s", GENERATE_LABELS[class][0]);
	return LSDN_OK;
}
