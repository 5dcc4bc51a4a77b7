"""Writes tests/reference/onnx.json, what onnxruntime says: python3 tests/onnx/reference.py FOLDER

FOLDER holds the ONNX files named below. Needs the packages onnxruntime and numpy. An input is a
pattern of an integer hash, which the test in src/region/onnx/tests.rs makes again; of an output
every n-th value is kept, and the range of all of them.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import onnxruntime

# File and the range of its input.
MODELS = {
    "portraitseg_SINet.onnx": (-0.0065, 0.0095),
    "portraitseg_prisma_nchw.onnx": (0.0, 1.0),
    "ultraface_version-slim-320_simplified.onnx": (-1.0, 1.0),
    "zaru_face_detection_full_range.onnx": (-1.0, 1.0),
    "zaru_face_detection_short_range.onnx": (-1.0, 1.0),
    "zaru_face_landmark.onnx": (0.0, 1.0),
    "zaru_slim_160_latest.onnx": (-1.0, 1.0),
}
MOST_VALUES = 400


def pattern(shape, seed, low, high):
    """Squares of 8 px, each a number in [low, high) that depends on seed, channel and place."""
    _, channels, height, width = shape
    c, y, x = np.meshgrid(*map(np.arange, (channels, height, width)), indexing="ij")
    h = seed * 0x9E3779B1 + c * 0x85EBCA6B + (y // 8) * 0xC2B2AE35 + (x // 8) * 0x27D4EB2F
    h = h.astype(np.uint64) & 0xFFFFFFFF
    for shift, factor in ((15, 0x2C1B3C6D), (12, 0x297A2D39)):
        h ^= h >> shift
        h = (h * factor) & 0xFFFFFFFF
    h ^= h >> 15
    unit = (h >> 8).astype(np.float64) / 2**24
    return (low + (high - low) * unit).astype(np.float32)[None]


def kept(name, values):
    flat = values.ravel()
    every = math.ceil(flat.size / MOST_VALUES)
    # Prime to the size, so that the values come from all rows, columns and planes.
    while math.gcd(every, flat.size) > 1:
        every += 1
    return {
        "name": name,
        "shape": list(values.shape),
        "low": float(flat.min()),
        "high": float(flat.max()),
        "every": every,
        "values": [float(f"{v:.7g}") for v in flat[::every]],
    }


def main(folder):
    onnxruntime.set_default_logger_severity(4)
    lines = []
    for seed, (file, (low, high)) in enumerate(MODELS.items(), start=1):
        session = onnxruntime.InferenceSession(folder / file, providers=["CPUExecutionProvider"])
        (given,) = session.get_inputs()
        shape = [n if isinstance(n, int) else 1 for n in given.shape]
        names = [output.name for output in session.get_outputs()]
        values = session.run(names, {given.name: pattern(shape, seed, low, high)})
        recipe = {"shape": shape, "seed": seed, "low": low, "high": high}
        outputs = [kept(*pair) for pair in zip(names, values)]
        lines.append(json.dumps({"file": file, "input": recipe, "outputs": outputs}))
        for output in outputs:
            print(file, output["name"], output["shape"], output["low"], output["high"])
    out = Path(__file__).parents[1] / "reference" / "onnx.json"
    out.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(out, out.stat().st_size)


main(Path(sys.argv[1]))
