#!/usr/bin/python3
"""DeepFool by PyTorch in double precision, as its authors' code has it, on random networks of two convolutions and a Gemm, which tests/test_attack.c makes
from the same random numbers.

deepfool_reference.py >tests/data/deepfool.txt writes a line a case: class before, class after, iterations, distance, and the change of eight pixels.
"""
import numpy
import torch
import torch.nn.functional as F

CASES, SIDE, CHANNELS, NAMES, SEED = 12, 10, 8, 14, 5
CLASSES, OVERSHOOT, ITERATIONS, LEAST_STEP = 10, 0.02, 50, 1e-4


class Pcg:
    """bandit/pcg.c's."""

    def __init__(self, seed, stream):
        self.state, self.increment = 0, stream << 1 | 1
        self.next()
        self.state = (self.state + seed) % 2**64
        self.next()

    def next(self):
        old = self.state
        self.state = (old * 6364136223846793005 + self.increment) % 2**64
        shifted, turn = ((old >> 18 ^ old) >> 27) % 2**32, old >> 59
        return (shifted >> turn | shifted << (-turn & 31)) % 2**32

    def real(self):
        upper, lower = self.next() >> 5, self.next() >> 6
        return (upper << 26 | lower) / 2**53

    def reals(self, least, most, *shape):
        numbers = [least + (most - least) * self.real() for _ in range(int(numpy.prod(shape)))]
        return torch.tensor(numpy.array(numbers, numpy.float32).astype(float).reshape(shape))


def fool(rng):
    pixels = rng.reals(0, 255, SIDE, SIDE, 3).permute(2, 0, 1)[None]
    mean, std = rng.reals(100, 150, 3).reshape(3, 1, 1), rng.reals(40, 70, 3).reshape(3, 1, 1)
    first, first_bias = rng.reals(-0.4, 0.4, CHANNELS, 3, 3, 3).permute(0, 3, 1, 2), rng.reals(-0.4, 0.4, CHANNELS)
    second, second_bias = rng.reals(-0.4, 0.4, CHANNELS, 3, 3, CHANNELS).permute(0, 3, 1, 2), rng.reals(-0.4, 0.4, CHANNELS)
    last, last_bias = rng.reals(-1, 1, NAMES, CHANNELS), rng.reals(-0.4, 0.4, NAMES)

    def network(x):
        x = F.relu(F.conv2d((x - mean) / std, first, first_bias, padding=1))
        x = F.relu(F.conv2d(x, second, second_bias, padding=1))
        return (x.mean((2, 3)) @ last.T + last_bias)[0]

    best = torch.argsort(network(pixels), descending=True, stable=True)[:CLASSES].tolist()
    before = after = best[0]
    total, changed, iterations = torch.zeros_like(pixels), pixels.clone(), 0
    while after == before and iterations < ITERATIONS:
        x = changed.clone().requires_grad_()
        scores = network(x)
        gradients = {k: torch.autograd.grad(scores[k], x, retain_graph=True)[0] for k in best}
        least = numpy.inf
        for k in best[1:]:
            w = gradients[k] - gradients[before]
            way = abs((scores[k] - scores[before]).item()) / w.norm().item()
            if way < least:
                least, nearest = way, w
        total += (least + LEAST_STEP) * nearest / nearest.norm()
        changed = (pixels + (1 + OVERSHOOT) * total).clamp(0, 255)
        after = network(changed).argmax().item()
        iterations += 1
    change = (changed - pixels)[0].permute(1, 2, 0).flatten()
    return before, after, iterations, change.norm().item(), change[::SIDE * SIDE * 3 // 8][:8].tolist()


for case in range(CASES):
    before, after, iterations, distance, change = fool(Pcg(SEED, case))
    print(before, after, iterations, f'{distance:.9g}', *(f'{value:.9g}' for value in change))
