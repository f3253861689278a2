#!/usr/bin/python3
"""Gradients and maps of an ONNX network worked out by PyTorch in double precision, for tests/compare_maps to hold the methods against.

methods_reference.py --input MODEL.onnx IMAGE.png TENSOR.npy preprocesses an image of the network's size as MODEL.cfg says.

methods_reference.py MODEL.onnx TENSOR.npy FOLDER [METHOD...] explains TENSOR (3 x H x W) for the network's own class by every METHOD (default: all; without
those that take hundreds of passes where the network is large) and
writes FOLDER/METHOD.map, float32 in NHWC. Standard output has a line for each: METHOD CLASS LAYER FILE, LAYER being - for the input, FILE
"refused" where the network does not allow the method.

FOLDER/activations has what compare_maps wrote: a line for each tensor, NAME C H W FILE. Single precision may see a number on the other side of where an
activation or a maximum turns than double; the derivative there is another. Such places are taken to be where single precision saw them, if that is
within rounding. Nothing else is shared with the C code but the formulas of core/methods/README.md."""
import re
import sys

import numpy
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

torch.set_default_dtype(torch.float64)
torch.set_num_threads(2)

ROUNDING = 1e-4  # of the largest value of a tensor


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


class Network:
    """Nodes in order, every BatchNormalization folded into the Conv before it."""

    def __init__(self, path, single):
        self.single = single
        graph = onnx.load(path).graph
        self.constants = {t.name: torch.tensor(numpy_helper.to_array(t)) for t in graph.initializer}
        for name, value in self.constants.items():
            if value.is_floating_point():
                self.constants[name] = value.double()
        for node in graph.node:
            if node.op_type == 'Constant':
                self.constants[node.output[0]] = torch.tensor(numpy_helper.to_array(attributes(node)['value']))
        self.input = next(i.name for i in graph.input if i.name not in self.constants)
        self.nodes = [n for n in graph.node if n.op_type != 'Constant']
        self.fold()
        last = self.nodes[-1]
        self.scores = last.input[0] if last.op_type in ('Softmax', 'LogSoftmax') else last.output[0]

    def fold(self):
        makers = {n.output[0]: n for n in self.nodes}
        kept = []
        for node in self.nodes:
            conv = makers.get(node.input[0])
            readers = sum(list(n.input).count(node.input[0]) for n in self.nodes)
            if node.op_type != 'BatchNormalization' or conv is None or conv.op_type != 'Conv' or readers != 1:
                kept.append(node)
                continue
            scale, shift, mean, variance = (self.constants[name] for name in node.input[1:5])
            factor = scale / torch.sqrt(variance + attributes(node).get('epsilon', 1e-5))
            bias = self.constants[conv.input[2]] if len(conv.input) > 2 else torch.zeros(len(factor))
            weights, name = self.constants[conv.input[1]], conv.output[0]
            self.constants[name + '/weights'] = weights * factor.reshape(-1, 1, 1, 1)
            self.constants[name + '/bias'] = (bias - mean) * factor + shift
            inputs = [conv.input[0], name + '/weights', name + '/bias']
            del conv.input[:]
            conv.input.extend(inputs)
            conv.output[0] = node.output[0]
            makers[conv.output[0]] = conv
        self.nodes = kept

    def linear(self, node, x, weights, bias):
        a = attributes(node)
        if node.op_type == 'Gemm':
            return x @ (weights.T if a.get('transB') else weights) + (0 if bias is None else bias)
        top, left, bottom, right = a.get('pads', [0] * 4)
        return F.conv2d(F.pad(x, (left, right, top, bottom)), weights, bias, a.get('strides', [1, 1]), 0, a.get('dilations', [1, 1]), a.get('group', 1))

    def max_pool(self, node, x, pads, size, strides, ceil):
        single = self.single.get(node.input[0], x) if self.single else x
        if pads[::2] == pads[1::2]:
            made, where = F.max_pool2d(single, size, strides, pads[2::-2], ceil_mode=ceil, return_indices=True)
        else:
            x = F.pad(x, pads, value=-numpy.inf)
            made, where = F.max_pool2d(F.pad(single, pads, value=-numpy.inf), size, strides, ceil_mode=ceil, return_indices=True)
        made = x.flatten(2).gather(2, where.flatten(2)).reshape(made.shape)
        best = F.max_pool2d(x, size, strides, pads[2::-2], ceil_mode=ceil) if pads[::2] == pads[1::2] else F.max_pool2d(x, size, strides, ceil_mode=ceil)
        assert (best - made <= ROUNDING * best.abs().max()).all(), node.name
        return made

    def weights(self, node):
        return self.constants[node.input[1]], self.constants[node.input[2]] if len(node.input) > 2 else None

    def compute(self, node, x, rectify=None):
        """One node; rectify replaces F.relu and the like, for rules that change what goes back through them."""
        a, kind = attributes(node), node.op_type
        if kind in ('Conv', 'Gemm'):
            return self.linear(node, x[0], *self.weights(node))
        if kind in ('Relu', 'Clip', 'LeakyRelu'):
            least, most = 0, numpy.inf
            if kind == 'Clip':
                least, most = (float(x[1]), float(x[2])) if len(x) > 1 else (a['min'], a['max'])
            slope = a.get('alpha', 0.01) if kind == 'LeakyRelu' else 0
            single = self.single[node.output[0]].reshape(x[0].shape) if self.single else x[0]
            within = (single > least) & (single < most)
            turned = within != ((x[0] > least) & (x[0] < most))
            near = torch.minimum((x[0] - least).abs(), (x[0] - most).abs())
            assert (near[turned] <= ROUNDING * x[0].abs().max()).all(), node.name
            f = lambda v: torch.where(within, v, torch.where(single >= most, torch.full_like(v, most), least + slope * v))
            return rectify(f, x[0]) if rectify else f(x[0])
        if kind == 'BatchNormalization':
            return F.batch_norm(x[0], x[3], x[4], x[1], x[2], eps=a.get('epsilon', 1e-5))
        if kind in ('MaxPool', 'AveragePool'):
            top, left, bottom, right = a.get('pads', [0] * 4)
            size, strides, ceil = a['kernel_shape'], a.get('strides', [1, 1]), bool(a.get('ceil_mode', 0))
            if kind == 'MaxPool':
                return self.max_pool(node, x[0], (left, right, top, bottom), size, strides, ceil)
            if (top, left) != (bottom, right):
                ones = F.avg_pool2d(F.pad(torch.ones_like(x[0]), (left, right, top, bottom), value=float(a.get('count_include_pad', 0))), size, strides, ceil_mode=ceil)
                return F.avg_pool2d(F.pad(x[0], (left, right, top, bottom)), size, strides, ceil_mode=ceil) / ones
            return F.avg_pool2d(x[0], size, strides, (top, left), ceil, bool(a.get('count_include_pad', 0)))
        if kind == 'GlobalAveragePool':
            return x[0].mean((2, 3), keepdim=True)
        if kind == 'GlobalMaxPool':
            return x[0].amax((2, 3), keepdim=True)
        if kind == 'LRN':
            return F.local_response_norm(x[0], a['size'], a['alpha'], a['beta'], a['bias'])
        if kind in ('Add', 'Sum'):
            return sum(x)
        if kind == 'Mul':
            return x[0] * x[1]
        if kind == 'Concat':
            return torch.cat(x, a['axis'])
        if kind == 'Flatten':
            return x[0].flatten(1)
        if kind == 'Reshape':
            return x[0].reshape(x[0].shape[0], -1)
        if kind in ('Dropout', 'Identity'):
            return x[0]
        if kind == 'Softmax':
            return F.softmax(x[0], -1)
        raise SystemExit('no such operator here: ' + kind)

    def run(self, image, rectify=None):
        values = {**self.constants, self.input: image}
        for node in self.nodes:
            values[node.output[0]] = self.compute(node, [values[i] for i in node.input if i], rectify)
        return values

    def target(self, values):
        """The last value with places, but before pools."""
        makers = {n.output[0]: n for n in self.nodes}
        last = next(n.output[0] for n in reversed(self.nodes) if values[n.output[0]].dim() == 4 and values[n.output[0]][0, 0].numel() > 1)
        while makers[last].op_type in ('MaxPool', 'AveragePool'):
            last = makers[last].input[0]
        return last


class Backwards(torch.autograd.Function):
    """Any function, whose gradient goes another way."""

    @staticmethod
    def forward(context, x, f, back):
        context.save_for_backward(x)
        context.f, context.back = f, back
        return f(x)

    @staticmethod
    def backward(context, gradient):
        x = context.saved_tensors[0].detach().requires_grad_()
        with torch.enable_grad():
            slope, = torch.autograd.grad(context.f(x).sum(), x)
        return context.back(gradient, slope), None, None


RULES = {
    'deconvnet': lambda gradient, slope: gradient.clamp(min=0),
    'guided-backprop': lambda gradient, slope: gradient.clamp(min=0) * slope,
}


class Question:
    def __init__(self, network, image):
        self.network, self.image = network, image.requires_grad_()
        self.values = network.run(self.image)
        self.scores = self.values[network.scores].reshape(-1)
        self.index = int(self.scores.argmax())
        self.layer = network.target(self.values)

    def probability(self, images):
        """The mean of the class's on other images, for which nothing of single precision is known."""
        single, self.network.single = self.network.single, None
        with torch.no_grad():
            scores = self.network.run(images)[self.network.scores].flatten(1)
        self.network.single = single
        return float(F.softmax(scores, 1)[:, self.index].mean())

    def gradient(self, of, by):
        return torch.autograd.grad(of, by, retain_graph=True)[0]


def logit(q):
    return '-', q.gradient(q.scores[q.index], q.image)


def logit_at_layer(q):
    return q.layer, q.gradient(q.scores[q.index], q.values[q.layer])


def probability(q):
    return '-', q.gradient(F.softmax(q.scores, 0)[q.index], q.image)


def grad_cam(q):
    a = q.values[q.layer]
    alpha = q.gradient(q.scores[q.index], a).mean((2, 3), keepdim=True)
    return q.layer, F.relu((alpha * a).sum(1))


def grad_cam_plus(q):
    """As the paper writes it, derivatives of exp(S) and all; divided by exp(S)."""
    a = q.values[q.layer]
    g = q.gradient(q.scores[q.index], a)
    second, third = g ** 2, g ** 3
    denominator = 2 * second + a.sum((2, 3), keepdim=True) * third
    alpha = torch.where(denominator == 0, torch.zeros_like(g), second / torch.where(denominator == 0, torch.ones_like(g), denominator))
    return q.layer, F.relu(((alpha * F.relu(g)).sum((2, 3), keepdim=True) * a).sum(1))


def cam(q):
    """The class's weights, as the derivative of its score by each channel's average: heads that have no such weights are told apart by hand."""
    nodes = {n.output[0]: n for n in q.network.nodes}
    node = nodes[q.network.scores]
    while node.op_type not in ('GlobalAveragePool', 'AveragePool'):
        if node.op_type not in ('Gemm', 'Conv', 'Flatten', 'Reshape', 'Dropout', 'Squeeze'):
            return None
        node = nodes[node.input[0]]
    pooled, a = q.values[node.output[0]], q.values[node.input[0]]
    return None if pooled[0, 0].numel() > 1 else ('-', F.relu((q.gradient(q.scores[q.index], pooled) * a).sum(1)))


def pixels(gradient):
    return '-', gradient.abs().amax(1)


def gradient(q):
    return pixels(q.gradient(q.scores[q.index], q.image))


def by_rule(name):
    def method(q):
        rectify = lambda f, x: Backwards.apply(x, f, RULES[name])
        scores = q.network.run(q.image, rectify)[q.network.scores].reshape(-1)
        return pixels(q.gradient(scores[q.index], q.image))
    return method


def ratio(a, b):
    return torch.where(b == 0, torch.zeros_like(b), a / torch.where(b == 0, torch.ones_like(b), b))


def transposed(f, x, y):
    """What y gives back through the linear f to something of x's shape."""
    x = torch.zeros_like(x).requires_grad_()
    return torch.autograd.grad(f(x), x, y)[0]


def walk(q, start, relevance, end, linear, share):
    """Relevance from value `start` down to value `end`: linear(node, f, x, r) gives what a Conv or Gemm passes on, f(x, weights, bias) being the map;
    share(parts, r) what each of the parts of a sum gets."""
    network, values = q.network, {k: v.detach() for k, v in q.values.items()}
    got = {start: relevance}

    def give(name, r):
        got[name] = got[name] + r if name in got else r

    for node in reversed(network.nodes):
        r, kind, x = got.get(node.output[0]), node.op_type, [values[i] for i in node.input if i]
        if r is None or node.output[0] == end:
            continue
        if kind in ('Conv', 'Gemm'):
            give(node.input[0], linear(node, lambda a, w, b=None: network.linear(node, a, w, b), x[0], r))
        elif kind in ('Add', 'Sum'):
            for name, part in zip(node.input, share(x, r)):
                give(name, part)
        elif kind in ('AveragePool', 'GlobalAveragePool'):
            f = lambda a: network.compute(node, [a])
            give(node.input[0], share.average(f, x[0], r))
        elif kind in ('Relu', 'LeakyRelu', 'Clip', 'LRN', 'BatchNormalization'):
            give(node.input[0], r)
        elif kind == 'Mul':
            for name in node.input[:2]:
                give(name, r / 2)
        else:  # MaxPool, Concat, Flatten and the like: as their gradients go
            inputs = [values[name].clone().requires_grad_() for name in node.input if name not in network.constants]
            places = [name for name in node.input if name not in network.constants]
            for name, back in zip(places, torch.autograd.grad(network.compute(node, inputs + x[len(inputs):]), inputs, r)):
                give(name, back)
    return got.get(end)


class Positive:
    def __call__(self, x, r):
        x = [v.clamp(min=0) for v in x]
        return [ratio(v * r, sum(x)) for v in x]

    def average(self, f, x, r):
        x = x.clamp(min=0)
        return x * transposed(f, x, ratio(r, f(x)))


class Epsilon:
    def stable(self, z):
        return z + torch.where(z < 0, -0.01, 0.01)

    def __call__(self, x, r):
        return [v * r / self.stable(sum(x)) for v in x]

    def average(self, f, x, r):
        return x * transposed(f, x, r / self.stable(f(x)))


def first(q):
    one = torch.zeros_like(q.values[q.network.scores])
    one.reshape(-1)[q.index] = 1
    return one


def excite(q, start, relevance, end, dual=None):
    def linear(node, f, x, r):
        weights = q.network.weights(node)[0]
        weights = (-weights if node is dual else weights).clamp(min=0)
        x = x.clamp(min=0)
        return x * transposed(lambda a: f(a, weights), x, ratio(r, f(x, weights)))
    return walk(q, start, relevance, end, linear, Positive())


def eighth(q):
    """The first value of an eighth of the height that all ways go through, by trying what is reached without it."""
    for node in q.network.nodes:
        name = node.output[0]
        value = q.values[name]
        if value.dim() != 4 or value[0, 0].numel() == 1 or 8 * value.shape[2] > q.image.shape[2]:
            continue
        reached = {q.network.input}
        for n in q.network.nodes:
            if reached & set(n.input) and n.output[0] != name:
                reached.add(n.output[0])
        # A tensor behind which an activation is fused is that activation's.
        if q.network.scores not in reached and name in q.network.single:
            return name
    return q.layer


def excitation(q):
    layer = eighth(q)
    return layer, excite(q, q.network.scores, first(q), layer).sum(1).clamp(min=0)


def contrastive(q):
    layer, last = eighth(q), next(n for n in reversed(q.network.nodes) if n.op_type in ('Conv', 'Gemm'))
    read = last.input[0]
    contrast = excite(q, q.network.scores, first(q), read) - excite(q, q.network.scores, first(q), read, last)
    back = excite(q, read, contrast, layer)
    return None if back is None else (layer, back.sum(1).clamp(min=0))


def relevance(linear, share):
    def method(q):
        def with_weights(node, f, x, r):
            return linear(q, node, f, x, r, *q.network.weights(node))
        return '-', walk(q, q.network.scores, first(q), q.network.input, with_weights, share()).sum(1).clamp(min=0)
    return method


def epsilon(q, node, f, x, r, weights, bias):
    z = f(x, weights, bias)
    return x * transposed(lambda a: f(a, weights), x, r / Epsilon().stable(z))


def alpha_beta(alpha, beta, with_bias):
    def linear(q, node, f, x, r, w, bias):
        shape = [1, -1] + [1] * (r.dim() - 2)
        bias = torch.zeros(r.shape[1]) if bias is None or not with_bias else bias
        up, down, back, below = x.clamp(min=0), x.clamp(max=0), torch.zeros_like(x), (x < 0).any()
        for sign, factor in ((1, alpha), (-1, beta)):
            over, under = (sign * w).clamp(min=0) * sign, (-sign * w).clamp(min=0) * -sign
            if factor == 0:
                continue
            z = f(up, over) + ((sign * bias).clamp(min=0) * sign).reshape(shape)
            if below:
                z = z + f(down, under)
            s = sign * factor * ratio(r, z)
            back = back + up * transposed(lambda a: f(a, over), x, s)
            if below:
                back = back + down * transposed(lambda a: f(a, under), x, s)
        return back
    return linear


def argmax(q, node, f, x, r, w, bias):
    if node.op_type == 'Gemm' or node.input[0] == q.network.input or x[0, 0].numel() == 1:
        return alpha_beta(1, 0, False)(q, node, f, x, r, w, bias)
    a = attributes(node)
    top, left, bottom, right = a.get('pads', [0] * 4)
    kernel, strides, dilations = w.shape[2:], a.get('strides', [1, 1]), a.get('dilations', [1, 1])
    channels, outputs = w.shape[1], w.shape[0] // a.get('group', 1)
    padded, inside = (F.pad(v, (left, right, top, bottom)) for v in (x, torch.ones_like(x)))
    taps, size = kernel[0] * kernel[1], padded[0].numel()
    unfold = lambda v: F.unfold(v, kernel, dilations, 0, strides)[0]
    patches, within, places = unfold(padded), unfold(inside) > 0, unfold(torch.arange(size, dtype=torch.float64).reshape(padded.shape)).long()
    back, flat = torch.zeros(size), r[0].flatten(1)
    for some in flat.nonzero().split(500):
        o, at = some[:, 0], some[:, 1]
        rows = (o // outputs * channels * taps)[:, None] + torch.arange(channels * taps)
        products = torch.where(within[rows, at[:, None]], patches[rows, at[:, None]] * w.flatten(1)[o], -numpy.inf)
        best = rows.gather(1, products.argmax(1, keepdim=True))[:, 0]
        back.index_add_(0, places[best, at], flat[o, at])
    back = back.reshape(padded.shape)
    return back[:, :, top:back.shape[2] - bottom, left:back.shape[3] - right]


class Highest(Positive):
    def __call__(self, x, r):
        best = torch.stack(x).argmax(0)
        return [torch.where(best == k, r, torch.zeros_like(r)) for k in range(len(x))]


def by_windows(times, change, loss):
    def method(q):
        height, width = q.image.shape[2:]
        down, right = max(1, (height + 5) // 10), max(1, (width + 5) // 10)
        losses, number, before = torch.zeros(1, height, width), 0, q.probability(q.image.detach())
        for top in range(-down, height, down):
            for left in range(-right, width, right):
                window = slice(max(top, 0), top + 2 * down), slice(max(left, 0), left + 2 * right)
                images = q.image.detach().repeat(times, 1, 1, 1)
                for image in images:
                    image[:, window[0], window[1]] = change(q.image.detach()[0], window, number)
                    number += 1
                losses[:, window[0], window[1]] += loss(q, before, q.probability(images)) / 4
        return '-', losses.clamp(min=0)
    method.slow = True
    return method


def sample(image, window, number):
    shape = image[0, window[0], window[1]].shape
    y, x = (int((0.5 + number * factor) % 1 * (image.shape[1 + i] - shape[i] + 1)) for i, factor in enumerate((0.7548776662466927, 0.5698402909980532)))
    return image[:, y:y + shape[0], x:x + shape[1]]


def normal_numbers(count):
    """PCG32 (XSH-RR) of seed 1 and stream 0, two draws to a number of 53 bits, two such numbers to a normal one."""
    mask, state, draws = (1 << 64) - 1, 0, []
    step = lambda state: (state * 6364136223846793005 + 1) & mask
    state = step((step(state) + 1) & mask)
    for _ in range(4 * count):
        shifted, turn = ((state >> 18 ^ state) >> 27) & 0xffffffff, state >> 59
        draws.append((shifted >> turn | shifted << (-turn & 31)) & 0xffffffff)
        state = step(state)
    draws = numpy.array(draws, numpy.uint64).reshape(count, 2, 2)
    uniform = ((draws[..., 0] >> 5 << 26) + (draws[..., 1] >> 6)) / 2.0 ** 53
    return numpy.sqrt(-2 * numpy.log(1 - uniform[:, 0])) * numpy.cos(2 * numpy.pi * uniform[:, 1])


class Surroundings:
    """Whole covariance matrices of patches, and patches drawn from noise by the definition."""

    def __init__(self, image, times):
        self.x = image.numpy()
        self.mean = self.x.mean((1, 2))
        _, height, width = self.x.shape
        self.patch = [min(side, 2 * (max(1, (side + 5) // 10) + 2)) for side in (height, width)]
        centred = self.x - self.mean[:, None, None]
        padded = numpy.pad(centred, ((0, 0), (height, height), (width, width)))
        lag = lambda dy, dx: (centred * padded[:, height + dy:2 * height + dy, width + dx:2 * width + dx]).mean((1, 2))
        self.covariance = numpy.array([[lag(dy, dx) * (1 if dy or dx else 1.001) for dx in range(1 - self.patch[1], self.patch[1])]
                                       for dy in range(1 - self.patch[0], self.patch[0])])
        around = (height + self.patch[0] - 1, width + self.patch[1] - 1)
        counts = around[0] * around[1], self.patch[0] * self.patch[1]
        numbers = normal_numbers(times * sum(counts)).reshape(times, -1)
        self.drawn = []
        for u, v in zip(numbers[:, :counts[0]].reshape(times, *around), numbers[:, counts[0]:].reshape(times, *self.patch)):
            y = numpy.array([[(centred * u[self.patch[0] - 1 - i:, self.patch[1] - 1 - j:][:height, :width]).sum((1, 2)) for j in range(self.patch[1])]
                             for i in range(self.patch[0])]).transpose(2, 0, 1) / numpy.sqrt(height * width)
            self.drawn.append(self.mean[:, None, None] + y + numpy.sqrt(lag(0, 0) / 1000)[:, None, None] * v)

    def sample(self, window, number):
        _, height, width = self.x.shape
        first = [max(0, w.start - 2) for w in window]
        y, x = (places.ravel() for places in numpy.mgrid[first[0]:min(height, window[0].stop + 2), first[1]:min(width, window[1].stop + 2)])
        inside = (window[0].start <= y) & (y < window[0].stop) & (window[1].start <= x) & (x < window[1].stop)
        whole = self.covariance[y[:, None] - y + self.patch[0] - 1, x[:, None] - x + self.patch[1] - 1]
        samples = []
        for c in range(3):
            drawn, seen = self.drawn[number][c, y - first[0], x - first[1]], self.x[c, y, x]
            gain = numpy.linalg.solve(whole[~inside][:, ~inside, c], whole[~inside][:, inside, c]).T
            samples.append((drawn[inside] + gain @ (seen - drawn)[~inside]).clip(self.x[c].min(), self.x[c].max()))
        return torch.tensor(numpy.array(samples)).reshape(3, window[0].stop - window[0].start, window[1].stop - window[1].start)


def sample_conditionally(image, window, number):
    if number == 0:
        sample_conditionally.surroundings = Surroundings(image, 2)
    within = [slice(w.start, min(w.stop, side)) for w, side in zip(window, image.shape[1:])]
    return sample_conditionally.surroundings.sample(within, number % 2)


def evidence(q, before, after):
    odds = lambda p: (p * 1e6 + 1) / (1e6 + len(q.scores))
    bits = lambda p: numpy.log2(p / (1 - p))
    return bits(odds(before)) - bits(odds(after))


METHODS = {
    'logit': logit,
    'logit-at-layer': logit_at_layer,
    'probability': probability,
    'grad-cam': grad_cam,
    'grad-cam++': grad_cam_plus,
    'cam': cam,
    'gradient': gradient,
    'deconvnet': by_rule('deconvnet'),
    'guided-backprop': by_rule('guided-backprop'),
    'excitation-backprop': excitation,
    'contrastive-excitation-backprop': contrastive,
    'lrp-epsilon': relevance(epsilon, Epsilon),
    'lrp-alpha-beta': relevance(alpha_beta(2, 1, True), Positive),
    'lrp-argmax': relevance(argmax, Highest),
    'occlusion': by_windows(1, lambda image, window, number: 0, lambda q, before, after: before - after),
    'prediction-difference': by_windows(2, sample, evidence),
    'prediction-difference-conditional': by_windows(2, sample_conditionally, evidence),
}


def preprocess(model, path, to):
    from PIL import Image
    config = open(model[:-len('onnx')] + 'cfg').read()
    mean, std = (numpy.array([float(n) for n in re.search(key + r' = \[ (.*?) \]', config)[1].split(',')]) for key in ('mean', 'std'))
    pixels = numpy.array(Image.open(path).convert('RGB'), float)
    if re.search(r'order = "bgr"', config):
        pixels = pixels[:, :, ::-1]
    numpy.save(to, ((pixels - mean) / std).transpose(2, 0, 1).astype('<f4'))


def activations(folder):
    values = {}
    for line in open(f'{folder}/activations'):
        name, c, h, w, file = line.split()
        values[name] = torch.tensor(numpy.fromfile(file, '<f4').reshape(1, int(h), int(w), int(c))).permute(0, 3, 1, 2).double()
    return values


def main(model, path, folder, *methods):
    network = Network(model, activations(folder))
    image = numpy.load(path)
    q = Question(network, torch.tensor(image).double()[None])
    large = image.size * len(network.nodes) > 40000
    for method in methods or (m for m in METHODS if not (large and hasattr(METHODS[m], 'slow'))):
        answer = METHODS[method](q)
        if not answer:
            print(method, q.index, '-', 'refused')
            continue
        layer, values = answer
        values = values.detach()
        values = values.permute(0, 2, 3, 1) if values.dim() == 4 else values
        file = f'{folder}/{method}.map'
        values.numpy().astype('<f4').tofile(file)
        print(method, q.index, layer, file)


if sys.argv[1] == '--input':
    preprocess(*sys.argv[2:])
else:
    main(*sys.argv[1:])
