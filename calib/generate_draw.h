/* Drawing for the image generator: shapes with a texture, and clutter, in integers only, so that every machine draws the same pixels. */
#ifndef LSDN_CALIB_GENERATE_DRAW_H
#define LSDN_CALIB_GENERATE_DRAW_H

#include <stdint.h>

#include "bandit/pcg.h"
#include "core/image/box.h"

enum draw_shape { DRAW_DISC, DRAW_TRIANGLE, DRAW_SQUARE, DRAW_CROSS, DRAW_SHAPES };
enum draw_texture { DRAW_STRIPES, DRAW_CHECKER, DRAW_DOTS, DRAW_TEXTURES, DRAW_PLAIN = DRAW_TEXTURES };

/* Lengths are in 1/64 of a pixel, cosines and sines in 1/16384. */
enum { DRAW_PIXEL = 64, DRAW_ONE = 16384 };

struct draw_turn {
	int cosine, sine;
};

/* By 2 atan(k / 256), k from -256 to 256: a quarter turn at most, rational in k. */
struct draw_turn draw_turn(int k);

struct draw_canvas {
	int side;
	uint8_t *rgb; /* side x side x 3, not owned */
};

struct draw_object {
	enum draw_shape shape;
	enum draw_texture texture;
	int x, y;                    /* the centre; pixel (0, 0) reaches from 0 to DRAW_PIXEL */
	int half_width, half_height; /* before the turn, at most half the canvas */
	struct draw_turn turn;
	int period;             /* of the texture */
	struct draw_turn grain; /* the texture's own turn, relative to the object's */
	int colours[2][3];      /* cut to 0..255 when drawn; PLAIN uses the first */
};

/* Draws with smooth edges. Returns the least box around the pixels that are at least half covered (xmin > xmax where none is). */
struct box draw_object(const struct draw_canvas *canvas, const struct draw_object *object);

/* Fills the canvas with a mild gradient and soft patches around `colour`. */
void draw_background(const struct draw_canvas *canvas, struct pcg *rng, const int colour[3]);

/* Adds to every number of the canvas a whole number from -amplitude to amplitude. */
void draw_noise(const struct draw_canvas *canvas, struct pcg *rng, int amplitude);

#endif
