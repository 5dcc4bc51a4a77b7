"""Renders from render.py as training batches: crop, pose and colour augmentation, no framework."""

import glob
import itertools
import multiprocessing as mp
import os
import threading

import cv2
import numpy as np

CLASSES = ["background", "skin", "brows", "eyes", "nose", "lips", "hair", "ears_neck", "occlusion"]
BACKGROUND, OCCLUSION = 0, 8
SIDE = 256  # of the net's input, 3.9 pupil distances
BATCH = 16


def load(folder, limit=None):
    """All shards of a folder as (rgb, label), uint8."""
    rgb, label = [], []
    for name in sorted(glob.glob(os.path.join(folder, "shard-*.npz")))[:limit]:
        with np.load(name) as shard:
            rgb.append(shard["rgb"])
            label.append(shard["label"])
    if not rgb:
        raise SystemExit(f"no shard-*.npz in {folder}")
    return np.concatenate(rgb), np.concatenate(label)


def crop(rgb, label, rng=None):
    """The 256-px crop of a 320-px render: the middle, or a random similarity of it.

    Beyond the photo its edge pixels go on, as background. Some random crops are of photos cut
    off early."""
    scale, roll, shift, flip, edges = 1.0, 0.0, np.zeros(2), 1.0, np.zeros(4, int)
    if rng is not None:
        scale = np.exp(rng.uniform(np.log(0.8), np.log(1.25)))
        roll = np.radians(rng.uniform(-20, 20))
        shift = rng.uniform(-0.08, 0.08, 2) * SIDE
        flip = rng.choice([-1.0, 1.0])
        edges = rng.integers(0, 56, 4) * (rng.random(4) < 0.15)
    # Output to input, about the middles.
    turn = scale * np.array([[np.cos(roll) * flip, -np.sin(roll)], [np.sin(roll) * flip, np.cos(roll)]])
    middle = (rgb.shape[0] - 1) / 2 + shift - edges[:2]
    m = np.column_stack([turn, middle - turn @ np.full(2, (SIDE - 1) / 2)])
    left, top, right, bottom = edges

    def warp(picture, how, border):
        h, w = picture.shape[:2]
        return cv2.warpAffine(
            np.ascontiguousarray(picture[top : h - bottom, left : w - right]),
            m,
            (SIDE, SIDE),
            flags=how | cv2.WARP_INVERSE_MAP,
            borderMode=border,
        )

    return (
        warp(rgb, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE),
        warp(label, cv2.INTER_NEAREST, cv2.BORDER_CONSTANT),
    )


def field(rng, cells, channels):
    """A smooth random picture, about N(0, 1) at its knots."""
    knots = rng.standard_normal((cells, cells, channels)).astype(np.float32)
    return cv2.resize(knots, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).reshape(SIDE, SIDE, channels)


def cut_out(x, label, rng, others):
    """Covers patches with noise, a colour or another render; big ones become occlusion."""
    for _ in range(rng.integers(1, 4)):
        centre = rng.uniform(0.1, 0.9, 2) * SIDE
        axes = np.exp(rng.uniform(np.log(2), np.log(45), 2))
        box = cv2.boxPoints((tuple(centre), tuple(2 * axes), rng.uniform(0, 180)))
        mask = np.zeros((SIDE, SIDE), np.uint8)
        if rng.random() < 0.5:
            cv2.fillConvexPoly(mask, np.int32(box), 1)
        else:
            cv2.ellipse(mask, (tuple(centre), tuple(2 * axes), rng.uniform(0, 180)), 1, -1)
        inside = mask > 0
        kind = rng.integers(3)
        if kind == 0:
            other = others[rng.integers(len(others))]
            y, x0 = rng.integers(0, other.shape[0] - SIDE, 2)
            fill = other[y : y + SIDE, x0 : x0 + SIDE][inside]
        else:
            fill = rng.uniform(0, 255, 3)
            if kind == 1:
                fill = fill + rng.normal(0, rng.uniform(5, 50), (int(inside.sum()), 1))
        x[inside] = np.clip(fill, 0, 255)
        if axes.min() > 7:  # smaller ones are spots, jewellery, threads: the net looks through them
            label[inside & (label != BACKGROUND)] = OCCLUSION


def photometric(x, rng, noise):
    """What light, a camera and a file format do, on uint8."""
    v = np.arange(256, dtype=np.float32) / 255
    gain = np.exp(rng.normal(0, 0.22) + rng.normal(0, 0.10, 3))
    gamma = np.exp(rng.normal(0, 0.25) + rng.normal(0, 0.05, 3))
    contrast, brightness = np.exp(rng.normal(0, 0.2)), rng.normal(0, 0.06)
    curve = ((v[:, None] ** gamma * gain - 0.5) * contrast + 0.5 + brightness) * 255
    x = cv2.LUT(x, np.clip(curve, 0, 255).astype(np.uint8)[:, None])
    saturation = 0.0 if rng.random() < 0.06 else np.exp(rng.normal(0, 0.35))
    luma = np.tile(np.array([0.3, 0.59, 0.11]), (3, 1))
    mix = saturation * np.eye(3) + (1 - saturation) * luma + rng.normal(0, 0.03, (3, 3))
    x = cv2.transform(x.astype(np.float32), mix)
    if rng.random() < 0.6:
        cells = rng.integers(2, 5)
        light = rng.uniform(0, 0.45) * field(rng, cells, 1)
        if rng.random() < 0.3:
            light = light + rng.uniform(0, 0.15) * field(rng, cells, 3)
        x *= np.exp(np.clip(light, -1.5, 0.7))
    softness = rng.random()
    if softness < 0.3:
        x = cv2.GaussianBlur(x, (0, 0), np.exp(rng.uniform(np.log(0.4), np.log(2.5))))
    elif softness < 0.5:
        small = int(SIDE / np.exp(rng.uniform(np.log(1.3), np.log(4))))
        how = [cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC]
        x = cv2.resize(x, (small, small), interpolation=how[rng.integers(3)])
        x = cv2.resize(x, (SIDE, SIDE), interpolation=how[rng.integers(3)])
    elif softness < 0.7:
        x += rng.uniform(0.3, 1.5) * (x - cv2.GaussianBlur(x, (0, 0), rng.uniform(0.6, 2.0)))
    if rng.random() < 0.6:
        start = rng.integers(len(noise) - x.size)
        grain = noise[start : start + x.size].reshape(x.shape)
        if rng.random() < 0.3:
            grain = cv2.GaussianBlur(grain, (3, 3), 0) * 2
        x += np.exp(rng.uniform(np.log(0.5), np.log(14))) * grain
    x = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.integers(25, 96))
        x = cv2.imdecode(cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return x


def soft(label):
    """How many of each output pixel's 2 x 2 input pixels have which class."""
    one_hot = label[:, :, :, None] == np.arange(len(CLASSES), dtype=np.uint8)
    n = len(label)
    return one_hot.reshape(n, SIDE // 2, 2, SIDE // 2, 2, -1).sum((2, 4), dtype=np.uint8)


class Batches:
    """Random batches; batch number k is the same however many processes make them."""

    def __init__(self, rgb, label, seed):
        self.rgb, self.label, self.seed = rgb, label, seed
        self.noise = np.random.default_rng(seed).standard_normal(1 << 21, np.float32)

    def sample(self, g):
        n = len(self.rgb)
        i = np.random.default_rng([self.seed, 1, g // n]).permutation(n)[g % n]
        rng = np.random.default_rng([self.seed, 2, g])
        x, y = crop(self.rgb[i], self.label[i], rng)
        if rng.random() < 0.35:
            cut_out(x, y, rng, self.rgb)
        return photometric(x, rng, self.noise), y

    def batch(self, k):
        x, y = zip(*(self.sample(k * BATCH + j) for j in range(BATCH)))
        return np.stack(x), soft(np.stack(y))

    def start(self, first, processes=1):
        """Batches first, first + 1, ... from background processes, forked here: call this before
        a framework starts its threads."""
        ctx = mp.get_context("fork")
        queues = [ctx.Queue(6) for _ in range(processes)]

        def end_with_parent():
            mp.parent_process().join()
            os._exit(0)

        def feed(p):
            threading.Thread(target=end_with_parent, daemon=True).start()
            cv2.setNumThreads(0)
            for k in itertools.count(first + p, processes):
                queues[p].put(self.batch(k))

        for p in range(processes):
            ctx.Process(target=feed, args=(p,), daemon=True).start()
        return (q.get() for q in itertools.cycle(queues))


def held_out(rgb, label, seed):
    """Validation renders as batches: every second one augmented, the others only cropped."""
    makes = Batches(rgb, label, seed)
    xs, ys = [], []
    for i in range(len(rgb) // BATCH * BATCH):
        x, y = makes.sample(i) if i % 2 else crop(rgb[i], label[i])
        xs.append(x)
        ys.append(y)
    return np.stack(xs), soft(np.stack(ys))
