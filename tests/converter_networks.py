#!/usr/bin/python3
"""Writes small networks as converters other than PyTorch's write them (TensorFlow's, old ones, hand-made), node by node.

With Debian's python3-torch and python3-onnx: tests/converter_networks.py FOLDER writes, for every network below, what
tests/torchvision_networks.py writes; every node's value is worked out with PyTorch as the node is added. For networks that must not be
loaded it writes NAME.onnx and NAME.refused, which holds what the refusal must say, one text a line. The names are printed.
"""

import sys
from pathlib import Path

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional

sys.dont_write_bytecode = True
from torchvision_networks import CONFIG  # noqa: E402

SIDE = 24


class Network:
    """A graph that grows node by node, with the value of everything in it; `image` is the input, 1 x 3 x SIDE x SIDE."""

    def __init__(self, opset=13, shape=("n", 3, SIDE, SIDE)):
        self.opset, self.nodes, self.initializers, self.values, self.shape = opset, [], [], {}, shape
        self.random = torch.Generator().manual_seed(11)
        self.values["image"] = self.image = torch.randn(1, 3, SIDE, SIDE, generator=self.random)

    def name(self, kind):
        return f"{kind}_{len(self.nodes) + len(self.initializers)}"

    def constant(self, value, kind="initializer"):
        """A constant: an initializer, a Constant node, or an initializer behind an Identity."""
        tensor = torch.as_tensor(value)
        tensor = tensor.float() if tensor.is_floating_point() else tensor
        name = self.name(kind)
        proto = numpy_helper.from_array(tensor.numpy(), name)
        self.values[name] = tensor
        if kind == "Constant":
            self.nodes.append(helper.make_node("Constant", [], [name], name, value=proto))
            return name
        self.initializers.append(proto)
        return self("Identity", name, value=lambda x: x) if kind == "Identity" else name

    def weights(self, *shape, scale=2.0, kind="initializer"):
        return self.constant(torch.randn(*shape, generator=self.random) * scale / max(1, numpy.prod(shape[1:])) ** 0.5, kind)

    def __call__(self, op_type, *inputs, value, outputs=None, **attributes):
        names = [self.name(op_type)] if outputs is None else [self.name(op_type) + f"_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(op_type, inputs, names, names[0], **attributes))
        results = value(*(self.values[i] for i in inputs if i))
        for name, result in zip(names, [results] if outputs is None else results):
            self.values[name] = result
        return names[0] if outputs is None else names

    def transpose(self, x, *perm):
        return self("Transpose", x, value=lambda v: v.permute(*perm), perm=perm)

    def conv(self, x, outputs, side=3, pads=None, stride=1, groups=1, kind="initializer", **attributes):
        w = self.weights(outputs, self.values[x].shape[1] // groups, side, side, kind=kind)
        around = pads if pads else [side // 2] * 4 if not attributes else [0] * 4
        if attributes.get("auto_pad", "").startswith("SAME"):
            around = []
            for n in self.values[x].shape[2:]:
                total = max((-(-n // stride) - 1) * stride + side - n, 0)
                less, more = total // 2, total - total // 2
                around.append((less, more) if attributes["auto_pad"] == "SAME_UPPER" else (more, less))
            around = [around[0][0], around[1][0], around[0][1], around[1][1]]
        else:
            attributes["pads"] = around
        top, left, bottom, right = around
        return self("Conv", x, w, strides=[stride, stride], group=groups, **attributes,
                    value=lambda v, w: functional.conv2d(functional.pad(v, (left, right, top, bottom)), w, None, stride, 0, 1, groups))

    def relu(self, x):
        return self("Relu", x, value=functional.relu)

    def add(self, x, y):
        return self("Add", x, y, value=torch.add)

    def mul(self, x, y):
        return self("Mul", x, y, value=torch.mul)

    def clip(self, x, low, high):
        if self.opset < 11:
            return self("Clip", x, min=low, max=high, value=lambda v: v.clamp(low, high))
        return self("Clip", x, self.constant(low), self.constant(high, "Constant"), value=lambda v, a, b: v.clamp(a, b))

    def pad(self, x, pads, value=0.0, mode="constant"):
        rank = len(pads) // 2
        torch_pads = [p for d in reversed(range(rank)) for p in (pads[d], pads[rank + d])]
        compute = {"constant": lambda v: functional.pad(v, torch_pads, "constant", value),
                   "edge": lambda v: functional.pad(v, torch_pads[:4], "replicate"),
                   "reflect": lambda v: functional.pad(v, torch_pads[:4], "reflect")}[mode]
        if self.opset < 11:
            return self("Pad", x, pads=pads, value=compute, mode=mode)
        inputs = [x, self.constant(numpy.array(pads, numpy.int64))] + ([self.constant(float(value))] if mode == "constant" else [])
        return self("Pad", *inputs, value=lambda v, *_: compute(v), mode=mode)

    def reshape(self, x, *shape, through_shape=False):
        """To a constant shape, or to one whose batch is worked out from the tensor's."""
        target = self.constant(numpy.array(shape, numpy.int64))
        if through_shape:
            size = self("Shape", x, value=lambda v: torch.tensor(v.shape))
            batch = self("Gather", size, self.constant(numpy.array(0, numpy.int64)), axis=0, value=lambda s, i: s[i])
            batch = self.unsqueeze(batch, 0)
            target = self("Concat", batch, self.constant(numpy.array(shape[1:], numpy.int64)), axis=0, value=lambda *v: torch.cat(v))
        return self("Reshape", x, target, value=lambda v, _: v.reshape([side or v.shape[d] for d, side in enumerate(shape)]))

    def unsqueeze(self, x, *axes):
        def compute(v, *_):
            for axis in axes:
                v = v.unsqueeze(axis)
            return v
        if self.opset < 13:
            return self("Unsqueeze", x, value=compute, axes=axes)
        return self("Unsqueeze", x, self.constant(numpy.array(axes, numpy.int64)), value=compute)

    def mean(self, x, axes, keep):
        return self("ReduceMean", x, axes=axes, keepdims=int(keep), value=lambda v: v.mean(axes, keepdim=keep))

    def dense(self, x, outputs):
        """MatMul and Add over the last dimension."""
        x = self("MatMul", x, self.weights(self.values[x].shape[-1], outputs, scale=6), value=torch.matmul)
        return self.add(x, self.weights(outputs))

    def gemm(self, x, outputs=10):
        w = self.weights(outputs, self.values[x].shape[1], scale=6)
        return self("Gemm", x, w, self.weights(outputs), transB=1, value=lambda v, w, c: v @ w.t() + c)

    def head(self, x):
        """GlobalAveragePool and Gemm."""
        x = self("GlobalAveragePool", x, value=lambda v: v.mean((2, 3), keepdim=True))
        return self.gemm(self("Flatten", x, value=lambda v: v.flatten(1)))

    def model(self, scores):
        shape = ["n", *self.values[scores].shape[1:]]
        graph = helper.make_graph(self.nodes, "network", [helper.make_tensor_value_info("image", TensorProto.FLOAT, self.shape)],
                                  [helper.make_tensor_value_info(scores, TensorProto.FLOAT, shape)], self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=7)


def mobilenet(n):
    """TensorFlow's MobileNet: asymmetric pads, BatchNormalization as Mul and Add, ReLU6, the mean over both sides, MatMul and Add."""
    x = n.transpose(n.transpose("image", 0, 2, 3, 1), 0, 3, 1, 2)
    x = n.conv(n.pad(x, [0, 0, 0, 0, 0, 0, 1, 1]), 8, stride=2, pads=[0, 0, 0, 0])
    x = n.add(n.mul(x, n.weights(1, 8, 1, 1, scale=3)), n.weights(8, 1, 1))
    x = n.clip(x, 0.0, 6.0)
    x = n.clip(n.conv(x, 8, groups=8, stride=2, auto_pad="SAME_UPPER"), 0.0, 6.0)
    x = n.relu(n.conv(x, 12, stride=2, auto_pad="SAME_LOWER", kind="Identity"))
    x = n.mean(x, [2, 3], True)
    if n.opset < 13:
        x = n("Squeeze", x, axes=[2, 3], value=lambda v: v.flatten(1))
    else:
        x = n("Squeeze", x, n.constant(numpy.array([2, 3], numpy.int64)), value=lambda v, _: v.flatten(1))
    return n("Softmax", n.dense(x, 10), value=lambda v: v.softmax(1), axis=1)


def channels_last(n):
    """Everything but convolutions is written N x H x W x C, and a Concat, a mean and the classifier are too."""
    x = n.transpose("image", 0, 2, 3, 1)
    x = n.transpose(n.conv(n.transpose(x, 0, 3, 1, 2), 8, stride=2), 0, 2, 3, 1)
    x = n.relu(n.add(n.mul(x, n.weights(8, scale=3)), n.weights(1, 1, 8)))
    y = n.transpose(n.conv(n.transpose(x, 0, 3, 1, 2), 6), 0, 2, 3, 1)
    y = n("Elu", n.add(y, n.weights(6)), value=functional.elu)
    x = n("Concat", x, y, axis=3, value=lambda *v: torch.cat(v, 3))
    x = n.relu(n.dense(x, 9))
    gate = n("Sigmoid", n.dense(n.mean(x, [1, 2], True), 9), value=torch.sigmoid)
    x = n.add(n.mul(x, gate), x)
    return n.dense(n.mean(x, [1, 2], False), 10)


def channels_last_flatten(n):
    """A map that is flattened as N x H x W x C is; the target's batch is worked out from the tensor's shape."""
    x = n.relu(n.conv("image", 5, stride=4, kind="Constant"))
    x = n.reshape(n.transpose(x, 0, 2, 3, 1), -1, 6 * 6 * 5, through_shape=True)
    return n.dense(n.relu(n.dense(x, 16)), 10)


def hard_swishes(n):
    """Every way to write HardSwish, and squeeze-excitation with the pieces of HardSigmoid."""
    x = n.conv("image", 8, stride=2)

    def inner(v):
        return n.clip(n.add(v, n.constant(3.0)), 0.0, 6.0)

    x = n.conv(n("Div", n.mul(x, inner(x)), n.constant(6.0), value=torch.div), 8)
    x = n.conv(n.mul(x, n("Div", inner(x), n.constant([6.0]), value=torch.div)), 8)
    x = n.conv(n.mul(n.mul(inner(x), n.constant(1 / 6)), x), 8)
    x = n.conv(n.mul(n.mul(x, inner(x)), n.constant(1 / 6)), 8)
    x = n.conv(n.mul(x, n("HardSigmoid", x, alpha=1 / 6, beta=0.5, value=functional.hardsigmoid)), 8)
    x = n.mul(n("Sigmoid", x, value=torch.sigmoid), x)
    gate = n.reshape(n.mean(x, [2, 3], False), -1, 8, 1, 1, through_shape=True)
    gate = n.conv(n.relu(n.conv(gate, 4, side=1)), 8, side=1)
    gate = n("Div", inner(gate), n.constant(6.0), value=torch.div)
    return n.head(n.conv(n.mul(x, gate), 12))


def normalised(n):
    """ConvNeXt as its authors wrote it, channels first, and with other ways to write the same; GELU thrice."""
    def norm(x, axis, reciprocal, square):
        c = n.values[x].shape[axis]
        centred = n("Sub", x, n.mean(x, [axis], True), value=torch.sub)
        squared = n.mul(centred, centred) if square else n("Pow", centred, n.constant(2.0), value=torch.pow)
        deviation = n("Sqrt", n.add(n.mean(squared, [axis], True), n.constant(1e-6)), value=torch.sqrt)
        if reciprocal:
            x = n.mul(centred, n("Reciprocal", deviation, value=torch.reciprocal))
        else:
            x = n("Div", centred, deviation, value=torch.div)
        shape = (c, 1, 1) if axis == 1 else (c,)
        return n.add(n.mul(n.weights(*shape, scale=3), x), n.weights(*shape))

    def erf(x, divide):
        x = n("Div", x, n.constant(2 ** 0.5), value=torch.div) if divide else n.mul(x, n.constant(0.5 ** 0.5))
        return n.add(n("Erf", x, value=torch.erf), n.constant(1.0))

    x = norm(n.conv("image", 8, side=4, stride=4, pads=[0, 0, 0, 0]), 1, False, False)
    y = norm(n.transpose(n.conv(x, 8, side=7, groups=8), 0, 2, 3, 1), -1, True, True)
    y = n.dense(y, 16)
    y = n.dense(n.mul(n.mul(y, n.constant(0.5)), erf(y, True)), 8)
    x = n.add(x, n.mul(n.transpose(y, 0, 3, 1, 2), n.weights(8, 1, 1, scale=3)))
    y = n.conv(norm(x, 1, True, False), 8)
    y = n.conv(n.mul(n.mul(y, erf(y, False)), n.constant(0.5)), 8)
    y = n.mul(y, n.mul(erf(y, True), n.constant(0.5)))
    return n.head(n.add(norm(x, 1, False, True), y))


def pads(n):
    """Pads that cannot be a convolution's, and averages over padding."""
    x = n.conv(n.pad("image", [0, 0, 2, 1, 0, 0, 0, 3], 0.5), 6, pads=[0, 1, 1, 0])
    x = n.conv(n.pad(x, [0, 0, 1, 1, 0, 0, 1, 1]), 6, stride=2)
    x = n("MaxPool", n.pad(x, [0, 0, 1, 1, 0, 0, 1, 1]), kernel_shape=[3, 3], strides=[2, 2], value=lambda v: functional.max_pool2d(v, 3, 2))
    x = n("AveragePool", n.pad(x, [0, 0, 1, 1, 0, 0, 1, 1]), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1,
          value=lambda v: functional.avg_pool2d(v, 3, 2, ceil_mode=True))
    x = n("AveragePool", x, kernel_shape=[2, 2], pads=[1, 1, 1, 1], strides=[2, 2], ceil_mode=1, count_include_pad=1,
          value=lambda v: functional.avg_pool2d(v, 2, 2, 1, True, True))
    x = n("AveragePool", n.pad(x, [0, 0, 2, 2, 0, 0, 2, 2]), kernel_shape=[2, 2], pads=[1, 1, 1, 1],
          value=lambda v: functional.avg_pool2d(v, 2, 1, 1, count_include_pad=False))
    x = n.conv(n.pad(x, [0, 0, 2, 1, 0, 0, 1, 2], mode="reflect"), 6)
    x = n.conv(n.pad(x, [0, 0, 1, 2, 0, 0, 0, 1], mode="edge"), 6)
    x = n.conv(n.pad(x, [0, 1, 0, 0, 0, 1, 0, 0]), 6)
    padded = n.pad(x, [0, 0, 1, 1, 0, 0, 1, 1])
    x = n.conv(padded, 7, pads=[0, 0, 0, 0])
    return n.head(n("Concat", x, n.conv(n.relu(padded), 5, pads=[0, 0, 0, 0]), axis=1, value=lambda *v: torch.cat(v, 1)))


def picks(n):
    """Channels reversed, split, sliced with steps, shuffled; pixels to channels."""
    x = n("Gather", "image", n.constant(numpy.array([2, 1, 0], numpy.int64)), axis=1, value=lambda v, i: v[:, i])
    x = n.reshape(n.transpose(n.reshape(x, -1, 3, 12, 2, 12, 2), 0, 1, 3, 5, 2, 4), -1, 12, 12, 12)
    x = n.relu(n.conv(x, 12))
    if n.opset < 13:
        parts = n("Split", x, axis=1, split=[5, 7], outputs=2, value=lambda v: v.split([5, 7], 1))
    else:
        parts = n("Split", x, n.constant(numpy.array([5, 7], numpy.int64)), axis=1, outputs=2, value=lambda v, _: v.split([5, 7], 1))
    x = n("Concat", parts[1], n.conv(parts[0], 5), axis=-3, value=lambda *v: torch.cat(v, 1))
    x = n.reshape(n.transpose(n.reshape(x, 0, 3, 4, 12, 12), 0, 2, 1, 3, 4), 0, -1, 12, 12)
    if n.opset < 10:
        x = n("Slice", x, starts=[1, 0], ends=[1000, -1], axes=[1, 3], value=lambda v: v[:, 1:, :, :-1])
    else:
        bounds = [n.constant(numpy.array(b, numpy.int64)) for b in ([0, 11, -100], [2 ** 62, -100, 11], [0, 1, -1], [1, -2, 2])]
        x = n("Slice", x, *bounds, value=lambda v, *_: v.flip(1)[:, ::2, :, :11:2])
    x = n.conv(n.relu(x), 8)
    last = n("Gather", x, n.constant(numpy.array(-1, numpy.int64)), axis=1, value=lambda v, i: v[:, i])
    last = n.unsqueeze(last, 1)
    return n.head(n("Concat", last, x, last, axis=1, value=lambda *v: torch.cat(v, 1)))


def computed_constants(n):
    """BatchNormalization worked out from its parts, weights behind Transpose, Cast, Identity and Constant nodes, and Dropout."""
    x = n.conv("image", 8, stride=2, kind="Constant")
    deviation = n("Sqrt", n.add(n.constant(torch.rand(8, generator=n.random) + 0.5), n.constant(1e-3)), value=torch.sqrt)
    factor = n("Div", n.weights(8, scale=2), deviation, value=torch.div)
    shift = n("Sub", n.weights(8), n.mul(factor, n.weights(8)), value=torch.sub)
    x = n.relu(n.add(n.mul(x, n.reshape(factor, 1, 8, 1, 1)), n.unsqueeze(shift, 1, 2)))
    slopes = n.unsqueeze(n.weights(8, kind="Constant"), 1, 2)
    x = n("PRelu", x, slopes, value=lambda v, s: torch.where(v > 0, v, s * v))
    x = n("Dropout", n.mean(x, (2, 3), False), value=lambda v: v)
    w = n.transpose(n("Cast", n.weights(10, 8, scale=6), to=1, value=lambda v: v), 1, 0)
    return n.add(n("MatMul", x, w, value=torch.matmul), n.weights(10, kind="Identity"))


NETWORKS = {
    "mobilenet": (mobilenet, 13), "mobilenet-opset9": (mobilenet, 9), "channels_last": (channels_last, 13),
    "channels_last_flatten": (channels_last_flatten, 13), "channels_last_flatten-opset11": (channels_last_flatten, 11),
    "hard_swishes": (hard_swishes, 13), "hard_swishes-opset8": (hard_swishes, 8), "normalised": (normalised, 13), "pads": (pads, 13),
    "pads-opset11": (pads, 11), "picks": (picks, 13), "picks-opset9": (picks, 9), "computed_constants": (computed_constants, 13),
}


def refused():
    """Networks that must not be loaded: the name, the network's scores and what the refusal must name."""
    def start(**arguments):
        net = Network(**arguments)
        return net, net.conv("image", 4, stride=4)

    net = Network(shape=("n", SIDE, SIDE, 3))
    net.values["image"] = net.image.permute(0, 2, 3, 1)
    yield "channels_last_image", net, net.head(net.conv(net.transpose("image", 0, 3, 1, 2), 4)), ["'image'", "N x 3 x H x W"]
    net, x = start()
    x = net.reshape(x, -1, 4, 36)
    attention = net("MatMul", net.transpose(x, 0, 2, 1), x, value=torch.matmul)
    yield "attention", net, net.mean(attention, [1], False), ["MatMul_", "MatMul:", "attention"]
    net, x = start()
    x = net("Relu", x, value=torch.relu, slope=0.5)
    yield "unknown_attribute", net, net.head(x), ["Relu_", "Relu:", "'slope'"]
    net, x = start()
    x = net("MaxPool", x, kernel_shape=[2, 2], value=lambda v: functional.max_pool2d(v, 2, 1), dilatoins=[1, 1])
    yield "misspelt_attribute", net, net.head(x), ["MaxPool_", "'dilatoins'"]
    net, x = start(opset=14)
    p = [net.constant(v) for v in (torch.ones(4), torch.zeros(4), torch.zeros(4), torch.ones(4))]
    x = net("BatchNormalization", x, *p, value=lambda v, *_: v, training_mode=1)
    yield "training", net, net.head(x), ["BatchNormalization:", "training mode"]
    net, x = start()
    x = net("Concat", x, x, axis=2, value=lambda *v: torch.cat(v, 2))
    yield "rows_joined", net, net.head(x), ["Concat:", "axis 2"]
    net, x = start()
    x = net("Resize", x, "", net.constant([1.0, 1, 2, 2]), value=lambda v, _: v)
    yield "resized", net, net.head(x), ["Resize_", "Resize:", "not supported"]
    net, x = start()
    x = net("Flatten", x, axis=0, value=lambda v: v.flatten(0)[None])
    yield "batch_flattened", net, net.gemm(x), ["Flatten:", "axis 0"]
    net, x = start()
    x = net.pad(x, [0, 0, 1, 1, 0, 0, 1, 1], mode="edge")
    net.nodes[-1].attribute[0].s = b"wrap"
    yield "wrapped", net, net.head(x), ["Pad:", "'wrap'"]
    net, x = start()
    x = net.add(x, net.weights(6, 6))
    yield "position_shift", net, net.head(x), ["Add:", "one a channel"]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    torch.set_grad_enabled(False)
    for name, (build, opset) in NETWORKS.items():
        n = Network(opset)
        scores = build(n)
        onnx.checker.check_model(n.model(scores))
        onnx.save(n.model(scores), folder / f"{name}.onnx")
        (folder / f"{name}.cfg").write_text(CONFIG.format(side=SIDE))
        numpy.save(folder / f"{name}.npy", n.image[0].numpy())
        n.values[scores].contiguous().numpy().astype("<f4").tofile(folder / f"{name}.scores")
        assert n.values[scores].std() > (0.5 if build is not mobilenet else 0.1), "scores that do not differ show no error"
        print(name)
    for name, n, scores, texts in refused():
        onnx.save(n.model(scores), folder / f"{name}.onnx")
        (folder / f"{name}.refused").write_text("".join(text + "\n" for text in texts))
        print(name)


if __name__ == "__main__":
    main()
