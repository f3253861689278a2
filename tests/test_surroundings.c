/* What is drawn for windows of an image: worked out by hand, against dense matrices, and by many draws. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/methods/cholesky.h"
#include "core/methods/surroundings.h"
#include "tests/random.h"
#include "tests/suite.h"

enum { C = SURROUNDINGS_CHANNELS };

START_TEST(cholesky_by_hand)
{
	double two[] = {4, 9, 2, 5}, three[] = {4, 9, 9, 12, 37, 9, -16, -43, 98}, x[] = {2, 1 + 6, -8 + 5 * 2 + 3 * 3};
	cholesky_factor(two, 2);
	ck_assert(two[0] == 2 && two[1] == 9 && two[2] == 1 && two[3] == 2);
	cholesky_factor(three, 3);
	ck_assert(three[0] == 2 && three[3] == 6 && three[4] == 1 && three[6] == -8 && three[7] == 5 && three[8] == 3);
	cholesky_solve_lower(three, 3, x); /* 2 1, 6 1 + 1 1, -8 1 + 5 1 + 3 y */
	ck_assert(x[0] == 1 && x[1] == 1 && fabs(x[2] - 14.0 / 3) < 1e-12);
	x[0] = 2 * 1 + 6 * 2 - 8 * 3;
	x[1] = 1 * 2 + 5 * 3;
	x[2] = 3 * 3;
	cholesky_solve_upper(three, 3, x);
	ck_assert(x[0] == 1 && x[1] == 2 && x[2] == 3);
}
END_TEST

START_TEST(cholesky_gives_the_matrix_back)
{
	enum { MOST = 70 };
	static double half[MOST * MOST], matrix[MOST * MOST], factor[MOST * MOST];
	struct pcg rng;
	pcg_seed(&rng, random_seed(), 1);
	for (int trial = 0; trial < 50; trial++) {
		size_t n = (size_t)between(&rng, 1, MOST);
		double wanted[MOST], x[MOST];
		for (size_t i = 0; i < n * n; i++)
			half[i] = pcg_normal(&rng);
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++) {
				matrix[i * n + j] = i == j;
				for (size_t k = 0; k < n; k++)
					matrix[i * n + j] += half[i * n + k] * half[j * n + k];
			}
		memcpy(factor, matrix, n * n * sizeof *factor);
		cholesky_factor(factor, n);
		for (size_t i = 0; i < n; i++) {
			wanted[i] = pcg_normal(&rng);
			for (size_t j = 0; j <= i; j++) {
				double sum = 0;
				for (size_t k = 0; k <= j; k++)
					sum += factor[i * n + k] * factor[j * n + k];
				ck_assert_msg(fabs(sum - matrix[i * n + j]) < 1e-9, "seed %llu: %g, not %g", (unsigned long long)random_seed(), sum, matrix[i * n + j]);
			}
		}
		for (size_t i = 0; i < n; i++) {
			x[i] = 0;
			for (size_t k = 0; k < n; k++)
				x[i] += matrix[i * n + k] * wanted[k];
		}
		cholesky_solve_lower(factor, n, x);
		cholesky_solve_upper(factor, n, x);
		for (size_t i = 0; i < n; i++)
			ck_assert_msg(fabs(x[i] - wanted[i]) < 1e-9, "seed %llu: solved to %g, not %g", (unsigned long long)random_seed(), x[i], wanted[i]);
	}
}
END_TEST

/* 1, 2, 6 less their mean are -2, -1, 3. */
START_TEST(stationary_by_hand)
{
	const float values[] = {1, 2, 6};
	const double u[] = {0, 0, 1, 10, 0}, v[] = {0, 0, 1};
	double patch[3];
	struct stationary s;
	struct error e;
	ck_assert(stationary_open(&s, values, 1, 1, 3, 1, 3, &e) == 0);
	const double *covariance = stationary_covariance(&s, 0);
	ck_assert(s.mean == 3);
	ck_assert(fabs(covariance[0] - 1.001 * 14 / 3) < 1e-12 && fabs(s.extra - 0.014 / 3) < 1e-12);
	ck_assert(fabs(covariance[1] + 1.0 / 3) < 1e-12 && covariance[-1] == covariance[1]);
	ck_assert(fabs(covariance[2] + 2) < 1e-12 && covariance[-2] == covariance[2]);
	stationary_draw(&s, u, v, patch); /* pixel p has u from 2 - p on */
	ck_assert(fabs(patch[0] - (-2 * 1 - 1 * 10) / sqrt(3)) < 1e-12);
	ck_assert(fabs(patch[1] - (-1 * 1 + 3 * 10) / sqrt(3)) < 1e-12);
	ck_assert(fabs(patch[2] - (3 * 1) / sqrt(3) - sqrt(0.014 / 3)) < 1e-12);
	stationary_close(&s);
}
END_TEST

/* Without noise and range: the conditional mean. */
static void open_without_noise(struct surroundings *s, const float *image, int height, int width)
{
	struct error e;
	ck_assert(surroundings_open(s, image, height, width, 1, 1, &e) == 0);
	memset(s->drawn, 0, (size_t)(C * s->channels[0].patch_height * s->channels[0].patch_width) * sizeof *s->drawn);
	for (int c = 0; c < C; c++) {
		s->least[c] = -INFINITY;
		s->most[c] = INFINITY;
	}
}

/* In two numbers the mean of one given the other is mu + C(1) / C(0) (x - mu), in three that of the middle one
 * mu + C(1) / (C(0) + C(2)) (x_0 + x_2 - 2 mu). */
START_TEST(condition_by_hand)
{
	const float two[2 * C] = {0, 8, 5, 2, 0, 5}, three[3 * C] = {1, 0, 5, 2, 0, 5, 6, 3, 5};
	float changed[3 * C];
	struct surroundings s;
	open_without_noise(&s, two, 1, 2);
	surroundings_look(&s, &(struct input_window){0, 0, 1, 1});
	memcpy(changed, two, sizeof two);
	surroundings_draw(&s, 0, changed);
	ck_assert(fabs((double)changed[0] - (1 - 0.5 / 1.001)) < 1e-6 && fabs((double)changed[1] - (4 + 2 / 1.001)) < 1e-6 && fabs((double)changed[2] - 5) < 1e-6);
	ck_assert(memcmp(changed + C, two + C, C * sizeof *two) == 0);
	surroundings_close(&s);
	open_without_noise(&s, three, 1, 3);
	surroundings_look(&s, &(struct input_window){0, 1, 1, 2});
	memcpy(changed, three, sizeof three);
	surroundings_draw(&s, 0, changed);
	ck_assert(fabs((double)changed[3] - (3 - 1.0 / 3 / (1.001 * 14 / 3 - 2) * (1 + 6 - 6))) < 1e-6);
	ck_assert(fabs((double)changed[4] - (1 - 1.0 / 3 / (1.001 * 2 - 2.0 / 3) * (0 + 3 - 2))) < 1e-6);
	ck_assert(fabs((double)changed[5] - 5) < 1e-6);
	surroundings_close(&s);
}
END_TEST

/* A smooth image, whose numbers hang together, and noise; its third channel is the first one's negative. */
static float *random_image(struct pcg *rng, int height, int width)
{
	float *image = malloc((size_t)(height * width * C) * sizeof *image);
	double waves[2][3];
	for (int c = 0; c < 2; c++)
		for (int i = 0; i < 3; i++)
			waves[c][i] = pcg_double(rng);
	for (int i = 0; i < height * width; i++) {
		for (int c = 0; c < 2; c++)
			image[i * C + c] = (float)(2 * sin(waves[c][0] * (i / width) + waves[c][1] * (i % width) + 6 * waves[c][2]) + 0.3 * pcg_normal(rng));
		image[i * C + 2] = -image[i * C];
	}
	return image;
}

/* The window number n of those that maps are made of; how many there are. */
static int window_of(int n, int height, int width, struct input_window *w)
{
	int down = windows_stride(height), right = windows_stride(width), rows = (height - 1) / down + 2, columns = (width - 1) / right + 2;
	int top = (n / columns - 1) * down, left = (n % columns - 1) * right, bottom = top + 2 * down, beyond = left + 2 * right;
	*w = (struct input_window){top < 0 ? 0 : top, left < 0 ? 0 : left, bottom < height ? bottom : height, beyond < width ? beyond : width};
	return rows * columns;
}

/* Dense: the window's pixels, the pixels less than three from it, and what the formula says. */
struct dense {
	int inside, outside;
	int y[200], x[200]; /* inside, then outside */
	double mean[200], covariance[200][200]; /* of what is inside, given what is outside */
};

static double autocovariance(const float *image, int height, int width, int c, int dy, int dx)
{
	double mean = 0, sum = 0;
	for (int i = 0; i < height * width; i++)
		mean += (double)image[i * C + c] / (height * width);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			if (y + dy >= 0 && y + dy < height && x + dx >= 0 && x + dx < width)
				sum += ((double)image[(y * width + x) * C + c] - mean) * ((double)image[((y + dy) * width + x + dx) * C + c] - mean);
	return sum / (height * width) * (dy == 0 && dx == 0 ? 1.001 : 1);
}

static void list_places(struct dense *d, const struct input_window *w, int height, int width)
{
	d->inside = d->outside = 0;
	for (int round = 0; round < 2; round++)
		for (int y = 0; y < height; y++)
			for (int x = 0; x < width; x++) {
				bool in = y >= w->top && y < w->bottom && x >= w->left && x < w->right;
				if (y < w->top - 2 || y >= w->bottom + 2 || x < w->left - 2 || x >= w->right + 2 || in == (round == 1))
					continue;
				ck_assert_int_lt(d->inside + d->outside, 200);
				d->y[d->inside + d->outside] = y;
				d->x[d->inside + d->outside] = x;
				d->inside += in;
				d->outside += !in;
			}
}

/* By elimination of what is outside, one number after the other: conditioning on one number x_k takes C_ik C_kj / C_kk from C_ij, and adds C_ik / C_kk
 * (x_k less its mean so far) to the mean of i. */
static void condition_densely(struct dense *d, const float *image, int height, int width, int c, const struct input_window *w)
{
	double lags[41][41], mean = 0;
	list_places(d, w, height, width);
	int all = d->inside + d->outside;
	for (int dy = -20; dy <= 20; dy++)
		for (int dx = -20; dx <= 20; dx++)
			lags[dy + 20][dx + 20] = autocovariance(image, height, width, c, dy, dx);
	for (int i = 0; i < height * width; i++)
		mean += (double)image[i * C + c] / (height * width);
	for (int i = 0; i < all; i++) {
		d->mean[i] = mean;
		for (int j = 0; j < all; j++)
			d->covariance[i][j] = lags[d->y[i] - d->y[j] + 20][d->x[i] - d->x[j] + 20];
	}
	for (int k = d->inside; k < all; k++) {
		double column[200], excess = ((double)image[(d->y[k] * width + d->x[k]) * C + c] - d->mean[k]) / d->covariance[k][k];
		for (int i = 0; i < all; i++)
			column[i] = d->covariance[i][k];
		for (int i = 0; i < all; i++) {
			d->mean[i] += column[i] * excess;
			for (int j = 0; j < all; j++)
				d->covariance[i][j] -= column[i] * column[j] / column[k];
		}
	}
}

START_TEST(means_as_dense)
{
	struct pcg rng;
	pcg_seed(&rng, random_seed(), 2);
	static struct dense d;
	for (int trial = 0; trial < 8; trial++) {
		int height = between(&rng, 1, 30), width = between(&rng, 1, 30);
		float *image = random_image(&rng, height, width), *changed = malloc((size_t)(height * width * C) * sizeof *changed);
		struct input_window w;
		struct surroundings s;
		open_without_noise(&s, image, height, width);
		for (int n = 0; n < window_of(0, height, width, &w); n += between(&rng, 1, 12)) {
			window_of(n, height, width, &w);
			memcpy(changed, image, (size_t)(height * width * C) * sizeof *changed);
			surroundings_look(&s, &w);
			surroundings_draw(&s, 0, changed);
			for (int c = 0; c < C; c++) {
				condition_densely(&d, image, height, width, c, &w);
				for (int i = 0; i < d.inside; i++) {
					float *got = &changed[(d.y[i] * width + d.x[i]) * C + c];
					ck_assert_msg(fabs((double)*got - d.mean[i]) < 1e-5, "seed %llu: %d x %d, window %d: %g, not %g", (unsigned long long)random_seed(), height,
						width, n, (double)*got, d.mean[i]);
					*got = image[(d.y[i] * width + d.x[i]) * C + c];
				}
			}
			ck_assert_msg(memcmp(changed, image, (size_t)(height * width * C) * sizeof *changed) == 0, "window %d: pixels outside are changed", n);
		}
		surroundings_close(&s);
		free(image);
		free(changed);
	}
}
END_TEST

/* Means and covariances of draws are within six standard errors. The third channel is the first one's negative in them too (but for what C(0) has more). */
START_TEST(draws_as_dense)
{
	enum { HEIGHT = 17, WIDTH = 22, DRAWS = 4000 };
	struct pcg rng;
	struct error e;
	struct surroundings s;
	struct input_window w;
	static struct dense d;
	static double sums[200], squares[200][200];
	pcg_seed(&rng, random_seed(), 3);
	float *image = random_image(&rng, HEIGHT, WIDTH), changed[HEIGHT * WIDTH * C];
	ck_assert(surroundings_open(&s, image, HEIGHT, WIDTH, DRAWS, random_seed(), &e) == 0);
	for (int c = 0; c < C; c++) {
		s.least[c] = -INFINITY;
		s.most[c] = INFINITY;
	}
	for (int n = 0; n < window_of(0, HEIGHT, WIDTH, &w); n += 17) {
		window_of(n, HEIGHT, WIDTH, &w);
		surroundings_look(&s, &w);
		condition_densely(&d, image, HEIGHT, WIDTH, 0, &w);
		double opposite = 0, variances = 0;
		memset(sums, 0, sizeof sums);
		memset(squares, 0, sizeof squares);
		for (int k = 0; k < DRAWS; k++) {
			surroundings_draw(&s, k, changed);
			for (int i = 0; i < d.inside; i++) {
				const float *pixel = changed + (d.y[i] * WIDTH + d.x[i]) * C;
				sums[i] += (double)pixel[0] - d.mean[i];
				opposite += (double)(pixel[0] + pixel[2]) * (double)(pixel[0] + pixel[2]) / DRAWS;
				for (int j = 0; j <= i; j++)
					squares[i][j] += ((double)pixel[0] - d.mean[i]) * ((double)changed[(d.y[j] * WIDTH + d.x[j]) * C] - d.mean[j]);
			}
		}
		for (int i = 0; i < d.inside; i++) {
			double variance = d.covariance[i][i];
			variances += variance;
			ck_assert_msg(fabs(sums[i] / DRAWS) < 6 * sqrt(variance / DRAWS), "seed %llu: mean %g too high", (unsigned long long)random_seed(), sums[i] / DRAWS);
			for (int j = 0; j <= i; j++) {
				double wanted = d.covariance[i][j], error = sqrt((variance * d.covariance[j][j] + wanted * wanted) / DRAWS);
				ck_assert_msg(fabs(squares[i][j] / DRAWS - wanted) < 6 * error, "seed %llu: covariance %g, not %g +- %g", (unsigned long long)random_seed(),
					squares[i][j] / DRAWS, wanted, error);
			}
		}
		ck_assert_msg(opposite < 0.1 * variances, "seed %llu: a channel and its negative have a sum of variance %g, one alone %g", (unsigned long long)random_seed(),
			opposite, variances);
	}
	surroundings_close(&s);
	free(image);
}
END_TEST

/* In the image's range, nothing outside the window, and of one colour that colour. */
START_TEST(any_size)
{
	static const int SIDES[][2] = {{1, 1}, {1, 9}, {2, 2}, {3, 50}, {50, 1}, {4, 4}, {12, 7}, {40, 33}};
	struct pcg rng;
	struct error e;
	pcg_seed(&rng, random_seed(), 4);
	for (size_t k = 0; k < 2 * sizeof SIDES / sizeof *SIDES; k++) {
		int height = SIDES[k / 2][0], width = SIDES[k / 2][1], size = height * width * C;
		float *image = random_image(&rng, height, width), *changed = malloc((size_t)size * sizeof *changed);
		struct input_window w;
		struct surroundings s;
		for (int i = 0; i < size && k % 2; i++)
			image[i] = (float)(i % C) / 7;
		ck_assert(surroundings_open(&s, image, height, width, 2, 1, &e) == 0);
		for (int n = 0; n < window_of(0, height, width, &w); n++) {
			window_of(n, height, width, &w);
			memcpy(changed, image, (size_t)size * sizeof *changed);
			surroundings_look(&s, &w);
			surroundings_draw(&s, n % 2, changed);
			for (int i = 0; i < size; i++) {
				int y = i / C / width, x = i / C % width;
				bool in = y >= w.top && y < w.bottom && x >= w.left && x < w.right;
				ck_assert_msg(changed[i] >= s.least[i % C] && changed[i] <= s.most[i % C], "%d x %d, window %d: %g", height, width, n, (double)changed[i]);
				ck_assert_msg((in && k % 2 == 0) || changed[i] == image[i], "%d x %d, window %d: %g is changed", height, width, n, (double)image[i]);
			}
		}
		surroundings_close(&s);
		free(image);
		free(changed);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("surroundings");
	TCase *cases = tcase_create("surroundings");
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, cholesky_by_hand);
	tcase_add_test(cases, cholesky_gives_the_matrix_back);
	tcase_add_test(cases, stationary_by_hand);
	tcase_add_test(cases, condition_by_hand);
	tcase_add_test(cases, means_as_dense);
	tcase_add_test(cases, draws_as_dense);
	tcase_add_test(cases, any_size);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
