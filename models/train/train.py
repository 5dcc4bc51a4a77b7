"""Trains the face-region net on renders and writes it as ONNX with batch norm folded."""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

import data

MEAN, STD = 0.5, 0.25  # of v / 255, all channels
WIDTHS = (16, 32, 48, 80, 112)  # at 128, 64, 32, 16 and 8 px
TINY = (8, 12, 16, 24, 32)
#               back skin brow eyes nose lips hair ears occl
LOSS_WEIGHTS = (1.0, 1.0, 2.0, 2.5, 1.2, 2.0, 1.0, 1.0, 1.5)
EMA, BN_EPSILON = 0.999, 1e-3
WARM_UP, WARM_UP_PART = 8000, 0.05  # samples, or this part of a short run
CHECKPOINT_EVERY = 120  # seconds


def net(b, x, widths):
    """The net, in whatever `b` builds: training, inference or ONNX."""

    def residual(x, name, c):
        return b.add_relu(x, b.conv(b.conv(x, name + "a", c), name + "b", c, relu=False))

    skips = []
    for i, c in enumerate(widths):
        x = b.conv(x, f"down{i}", c, stride=2)
        if i < 2:
            x = b.conv(x, f"enc{i}", c)
        else:
            x = residual(x, f"enc{i}", c)
        skips.append(x)
    x = residual(x, "mid", widths[-1])
    for i in (3, 2, 1, 0):
        x = b.add_relu(b.up(b.conv(x, f"up{i}", widths[i], kernel=1, relu=False)), skips[i])
        x = residual(x, f"dec{i}", widths[i]) if i in (1, 2) else b.conv(x, f"dec{i}", widths[i])
    return b.conv(x, "logits", len(data.CLASSES), kernel=1, relu=False, norm=False)


class Tf:
    def up(self, x):
        n, h, w, c = x.shape
        return tf.reshape(tf.tile(x[:, :, None, :, None], [1, 1, 2, 1, 2, 1]), [-1, 2 * h, 2 * w, c])

    def add_relu(self, x, y):
        return tf.nn.relu(x + y)


class Training(Tf):
    """Convolutions in bfloat16 with batch norm; makes the variables on its first use."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.variables, self.stats, self.macs = {}, {}, 0

    def conv(self, x, name, c, kernel=3, stride=1, relu=True, norm=True):
        v = self.variables
        if name + "/w" not in v:
            fan_in = kernel * kernel * x.shape[-1]
            w = self.rng.normal(0, (2 / fan_in) ** 0.5, (kernel, kernel, x.shape[-1], c))
            v[name + "/w"] = tf.Variable(w.astype(np.float32))
            v[name + "/b"] = tf.Variable(np.zeros(c, np.float32))
            if norm:
                v[name + "/g"] = tf.Variable(np.ones(c, np.float32))
            self.macs += fan_in * c * (x.shape[1] // stride) ** 2
        x = tf.nn.conv2d(x, tf.cast(v[name + "/w"], x.dtype), stride, "SAME")
        if norm:
            x, mean, var, *_ = tf.raw_ops.FusedBatchNormV3(
                x=x, scale=v[name + "/g"], offset=v[name + "/b"], mean=[], variance=[], epsilon=BN_EPSILON
            )
            self.stats[name + "/mean"], self.stats[name + "/var"] = mean, var
        else:
            x = tf.nn.bias_add(x, tf.cast(v[name + "/b"], x.dtype))
        return tf.nn.relu(x) if relu else x


class Inference(Tf):
    def __init__(self, folded):
        self.folded = folded

    def conv(self, x, name, c, kernel=3, stride=1, relu=True, norm=True):
        w, b = self.folded[name]
        x = tf.nn.conv2d(x, w, stride, "SAME") + b
        return tf.nn.relu(x) if relu else x


class Onnx:
    """Nodes of plain ONNX; a tensor is (name, side, channels)."""

    def __init__(self, folded):
        self.folded, self.nodes, self.constants = folded, [], {}

    def node(self, op, inputs, **attributes):
        out = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [out], **attributes))
        return out

    def conv(self, x, name, c, kernel=3, stride=1, relu=True, norm=True):
        x, side, _ = x
        w, b = self.folded[name]
        self.constants[name + ".weight"] = w.transpose(3, 2, 0, 1).copy()
        self.constants[name + ".bias"] = b
        # What TensorFlow calls SAME.
        pads = {(1, 1): [0, 0, 0, 0], (3, 1): [1, 1, 1, 1], (3, 2): [0, 0, 1, 1]}[kernel, stride]
        shape = dict(kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads)
        y = self.node("Conv", [x, name + ".weight", name + ".bias"], **shape)
        return (self.node("Relu", [y]) if relu else y), side // stride, c

    def up(self, x):
        x, side, c = x
        self.constants["twice"] = np.array([1, 1, 2, 2], np.float32)
        how = dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        return self.node("Resize", [x, "", "twice"], **how), 2 * side, c

    def add_relu(self, x, y):
        return self.node("Relu", [self.node("Add", [x[0], y[0]])]), *x[1:]


def fold(state):
    """Each convolution's weights and bias with its batch norm inside, float32."""
    folded = {}
    for name in (k[:-2] for k in state if k.endswith("/w")):
        w, b = state[name + "/w"], state[name + "/b"]
        if name + "/g" in state:
            g = state[name + "/g"] / np.sqrt(state[name + "/var"] + BN_EPSILON)
            w, b = w * g, b - state[name + "/mean"] * g
        folded[name] = np.float32(w), np.float32(b)
    return folded


def export(state, widths, path):
    """Writes the ONNX file and checks it against TensorFlow."""
    folded = fold(state)
    b = Onnx(folded)
    out, side, classes = net(b, ("image", data.SIDE, 3), widths)
    b.nodes[-1].output[0] = "logits"
    graph = helper.make_graph(
        b.nodes,
        "face_regions",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, data.SIDE, data.SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, classes, side, side])],
        [numpy_helper.from_array(v, k) for k, v in b.constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    model.producer_name = "skindelta models/train"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    x = np.random.default_rng(0).normal(0, 1, (1, data.SIDE, data.SIDE, 3)).astype(np.float32)
    a = net(Inference(folded), tf.constant(x), widths).numpy().transpose(0, 3, 1, 2)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    c = session.run(None, {"image": x.transpose(0, 3, 1, 2)})[0]
    difference = np.abs(a - c).max()
    assert difference < 1e-3, difference
    print(f"{path}: {os.path.getsize(path)} bytes, differs from TensorFlow by {difference:.1e}")


def normalise(x, dtype):
    return tf.cast((tf.cast(x, tf.float32) / 255 - MEAN) / STD, dtype)


def intersection_over_union(state, widths, xs, ys):
    """Of the averaged net in float32, by class; nan where a class is absent."""
    run = tf.function(lambda x, b=Inference(fold(state)): net(b, normalise(x, tf.float32), widths))
    n = len(data.CLASSES)
    confusion = np.zeros((n, n))
    for i in range(0, len(xs), data.BATCH):
        got = run(tf.constant(xs[i : i + data.BATCH])).numpy().argmax(-1)
        want = ys[i : i + data.BATCH].argmax(-1)
        confusion += np.bincount((want * n + got).ravel(), minlength=n * n).reshape(n, n)
    hit = confusion.diagonal()
    with np.errstate(invalid="ignore"):
        return hit / (confusion.sum(0) + confusion.sum(1) - hit)


class Trainer:
    def __init__(self, args):
        self.args = args
        self.widths = TINY if args.tiny else WIDTHS
        self.model = Training(args.seed)
        self.dtype = tf.float32 if args.fp32 else tf.bfloat16
        net(self.model, tf.zeros((1, data.SIDE, data.SIDE, 3), self.dtype), self.widths)
        v = self.model.variables
        self.m = {k: tf.Variable(tf.zeros_like(x)) for k, x in v.items()}
        self.s = {k: tf.Variable(tf.zeros_like(x)) for k, x in v.items()}
        averaged = {**v, **self.model.stats}
        self.ema = {k: tf.Variable(tf.identity(x)) for k, x in averaged.items()}
        self.step, self.spent = 0, 0.0
        self.run_step = tf.function(self.step_graph)
        size = sum(int(np.prod(w.shape)) + int(b.shape[0]) for w, b in fold(self.averaged()).values())
        print(f"{size} parameters, {self.model.macs / 1e6:.0f} MMAC")

    def averaged(self):
        return {k: v.numpy() for k, v in self.ema.items()}

    def step_graph(self, x, y, rate, t):
        with tf.GradientTape() as tape:
            logits = tf.cast(net(self.model, normalise(x, self.dtype), self.widths), tf.float32)
            target = tf.cast(y, tf.float32) / 4
            nll = -tf.nn.log_softmax(logits) * target * tf.constant(LOSS_WEIGHTS)
            loss = tf.reduce_mean(tf.reduce_sum(nll, -1))
        v = self.model.variables
        gradients = tape.gradient(loss, v)
        norm = tf.linalg.global_norm(list(gradients.values()))
        clip = tf.minimum(1.0, 5.0 / norm)
        for k, g in gradients.items():  # AdamW; decay on convolution weights only
            g = g * clip
            m, s = self.m[k], self.s[k]
            m.assign(0.9 * m + 0.1 * g)
            s.assign(0.99 * s + 0.01 * g * g)
            move = m / (1 - 0.9**t) / (tf.sqrt(s / (1 - 0.99**t)) + 1e-8)
            if k.endswith("/w"):
                move += self.args.decay * v[k]
            v[k].assign_sub(rate * move)
        keep = tf.minimum(EMA, (1 + t) / (10 + t))
        for k, e in self.ema.items():
            e.assign(keep * e + (1 - keep) * (v[k] if k in v else self.model.stats[k]))
        return loss

    def tensors(self):
        groups = dict(v=self.model.variables, m=self.m, s=self.s, e=self.ema)
        return {f"{g}:{k}": x for g, group in groups.items() for k, x in group.items()}

    def save(self, path):
        np.savez(path + ".new.npz", step=self.step, spent=self.spent, **self.tensors())
        os.replace(path + ".new.npz", path)

    def restore(self, path):
        with np.load(path) as saved:
            self.step, self.spent = int(saved["step"]), float(saved["spent"])
            for k, x in self.tensors().items():
                x.assign(saved[k])

    def progress(self):
        if self.args.steps:
            return self.step / self.args.steps
        return self.spent / (60 * self.args.minutes)

    def rate(self):
        """Linear warm-up, then half a cosine down to a hundredth."""
        warm = min(1.0, max((self.step + 1) * data.BATCH / WARM_UP, self.progress() / WARM_UP_PART))
        return self.args.rate * warm * (0.505 + 0.495 * np.cos(np.pi * min(1.0, self.progress())))

    def report(self, loss, valid, checkpoint):
        iou = intersection_over_union(self.averaged(), self.widths, *valid)
        by_class = " ".join(f"{c} {100 * v:.1f}" for c, v in zip(data.CLASSES, iou))
        print(
            f"step {self.step}, {self.spent / 60:.1f} min, {100 * self.progress():.0f} %, loss {loss:.4f}, "
            f"IoU {100 * np.nanmean(iou):.1f}: {by_class}",
            flush=True,
        )
        self.save(checkpoint)

    def train(self, batches, valid, checkpoint):
        reported, losses = time.monotonic(), []
        while self.progress() < 1:
            start = time.monotonic()
            x, y = next(batches)
            rate = tf.constant(self.rate(), tf.float32)
            t = tf.constant(self.step + 1, tf.float32)
            losses.append(float(self.run_step(tf.constant(x), tf.constant(y), rate, t)))
            if not np.isfinite(losses[-1]):
                raise SystemExit(f"the loss is {losses[-1]} in step {self.step}")
            self.step += 1
            self.spent += time.monotonic() - start
            if time.monotonic() - reported > CHECKPOINT_EVERY:
                self.report(np.mean(losses), valid, checkpoint)
                reported, losses = time.monotonic(), []
        self.report(np.mean(losses) if losses else np.nan, valid, checkpoint)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", required=True, help="folder of shard-*.npz from render.py")
    p.add_argument("--out", required=True, help="folder for the checkpoint and face-regions.onnx")
    length = p.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="of training; how many steps depends on the machine")
    length.add_argument("--steps", type=int, help="instead: repeatable")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=2, help="of TensorFlow")
    p.add_argument("--feeders", type=int, default=1, help="processes that augment")
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--decay", type=float, default=0.02)
    p.add_argument("--held-out", type=int, default=250, help="renders, the last ones, kept for IoU")
    p.add_argument("--tiny", action="store_true", help="a net for trying things out")
    p.add_argument("--fp32", action="store_true", help="instead of bfloat16 convolutions")
    args = p.parse_args()

    os.makedirs(args.out, exist_ok=True)
    rgb, label = data.load(args.data)
    n = len(rgb) - args.held_out
    print(f"{n} renders to train on, {args.held_out} held out", flush=True)
    checkpoint = os.path.join(args.out, "checkpoint.npz")
    first = 0
    if os.path.exists(checkpoint):
        with np.load(checkpoint) as saved:
            first = int(saved["step"])
    batches = data.Batches(rgb[:n], label[:n], args.seed).start(first, args.feeders)

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    tf.random.set_seed(args.seed)
    trainer = Trainer(args)
    if first:
        trainer.restore(checkpoint)
        print(f"goes on from step {trainer.step}")
    valid = data.held_out(rgb[n:], label[n:], args.seed + 1)
    trainer.train(batches, valid, checkpoint)
    export(trainer.averaged(), trainer.widths, os.path.join(args.out, "face-regions.onnx"))


if __name__ == "__main__":
    main()
