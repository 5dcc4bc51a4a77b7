#!/usr/bin/env python3
"""Pores and lines of skindelta beside Frangi, Sato and OpenCV's blobs, on drawn skin of known truth.

    cargo build --release && python3 benches/detectors.py

Six drawn close-ups at two resolutions, the baseline of each (`skindelta phantom`). The others get the same
log light, flattened at the same scale, and, as they have no threshold in units of skin, the threshold that
suits them best on these very photos: the one with the largest F1. skindelta runs as it is. A pore found lies
within half a true diameter (at least 0.125 mm) of a pore, those from 0.25 mm should be found; a line found
lies within 1 mm of a wrinkle, those from 0.15 mm depth should be found; sizes against the truth of what is
found. Needs numpy, scipy, scikit-image, OpenCV and Pillow. Everything is written to a temporary folder.
"""
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "target" / "release" / "skindelta"
SEEDS = range(900, 906)
SCALES = (14, 20)
EDGE_MM = 1.5

try:
    import cv2
    import numpy as np
    from PIL import Image
    from scipy.ndimage import gaussian_filter
    from scipy.spatial import cKDTree
    from skimage.filters import frangi, sato
    from skimage.morphology import remove_small_objects, skeletonize
except ImportError as why:
    sys.exit(f"detectors.py: {why}")


def run(*command):
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def case(folder, seed, px_per_mm):
    """A photo's log light and truth, and what skindelta finds."""
    run(TOOL, "phantom", folder, "--kind", "closeup", "--seed", seed, "--px-per-mm", px_per_mm)
    made = folder / "closeup"
    truth = json.loads((made / "truth.json").read_text())
    mm = truth["mm_per_px"]
    visit = truth["visits"][0]
    photo = made / visit["file"]
    out = folder / "out"
    run(TOOL, "measure", photo, "--regions", "whole", "--mm-per-px", mm, "--maps", "--no-html",
        "--out", out)
    out = next(out.iterdir())
    rows = csv.DictReader((out / "maps/visit-0-pores.csv").open())
    pores = np.array([[float(r[k]) for k in ("x_px", "y_px", "diameter_mm")] for r in rows])
    lines = np.array(Image.open(out / "maps/visit-0-wrinkles.png")) > 0
    rgb = np.array(Image.open(photo)).astype(float) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    log = np.log(np.maximum(linear, 1e-3)) @ [0.36, 0.55, 0.09]
    flat = log - gaussian_filter(log, 4 / mm)
    return {"mm": mm, "flat": flat, "pores": pores, "lines": lines,
            "true_pores": np.array([[p["x_px"], p["y_px"], p["diameter_mm"]] for p in visit["pores"]]),
            "wrinkles": visit["wrinkles"]}


def inside(xy, c):
    h, w = c["flat"].shape
    e = EDGE_MM / c["mm"]
    return (xy[:, 0] > e) & (xy[:, 1] > e) & (xy[:, 0] < w - e) & (xy[:, 1] < h - e)


def judge_pores(found, c):
    """found, right, there, seen, and the sizes told over the true ones."""
    truth = c["true_pores"]
    reach = 0.5 * np.maximum(truth[:, 2], 0.25) / c["mm"]
    big = (truth[:, 2] >= 0.25) & inside(truth, c)
    if len(found) == 0:
        return np.array([0, 0, big.sum(), 0]), np.array([])
    far, near = cKDTree(truth[:, :2]).query(found[:, :2])
    hit = far < reach[near]
    back, _ = cKDTree(found[:, :2]).query(truth[:, :2])
    sizes = found[hit, 2] / truth[near[hit], 2]
    return np.array([len(found), hit.sum(), big.sum(), (big & (back < reach)).sum()]), sizes


def judge_lines(mask, c):
    points = np.concatenate([w["points_px"] for w in c["wrinkles"]])
    deep = np.concatenate([w["depths_mm"] for w in c["wrinkles"]]) >= 0.15
    deep &= inside(points, c)
    found = np.argwhere(mask)[:, ::-1]
    if len(found) == 0:
        return np.array([0, 0, deep.sum(), 0])
    near = 1 / c["mm"]
    right = cKDTree(points).query(found)[0] < near
    seen = cKDTree(found).query(points)[0] < near
    return np.array([len(found), right.sum(), deep.sum(), (deep & seen).sum()])


def f1(counts):
    found, right, there, seen = counts
    precision, recall = right / max(found, 1), seen / max(there, 1)
    return 2 * precision * recall / max(precision + recall, 1e-9)


def ridges(filter_of):
    def answer(c):
        sigmas = [mm / c["mm"] for mm in (0.15, 0.25, 0.4)]
        return filter_of(c["flat"], sigmas)

    def lines(answer, threshold, c):
        # The same least length, 5 mm, that skindelta asks for.
        return remove_small_objects(skeletonize(answer > threshold), max_size=5 / c["mm"], connectivity=2)
    return answer, lines


def blobs(c, threshold):
    """OpenCV's blob detector on flat log light, 8 bits over ±0.5; `threshold` is its step of contrast."""
    p = cv2.SimpleBlobDetector_Params()
    p.minThreshold, p.maxThreshold, p.thresholdStep = 20, 160, 6
    p.minRepeatability = int(threshold)
    p.minDistBetweenBlobs = 0.2 / c["mm"]
    p.filterByColor, p.blobColor = True, 0
    p.filterByArea, p.minArea, p.maxArea = True, 0.02 / c["mm"] ** 2, 0.8 / c["mm"] ** 2
    p.filterByCircularity, p.minCircularity = True, 0.6
    p.filterByConvexity, p.filterByInertia = False, False
    image = (np.clip(gaussian_filter(c["flat"], 0.05 / c["mm"]) + 0.5, 0, 1) * 255).astype(np.uint8)
    points = cv2.SimpleBlobDetector_create(p).detect(image)
    return np.array([[k.pt[0], k.pt[1], k.size * c["mm"]] for k in points]).reshape(-1, 3)


def percent(counts):
    found, right, there, seen = counts
    return f"{100 * right / max(found, 1):.0f} % | {100 * seen / max(there, 1):.0f} % | {f1(counts):.2f}"


def main():
    print("| | what is found that is one | what is there that is found | F1 | size, median |")
    print("|---|---:|---:|---:|---:|")
    for scale in SCALES:
        with tempfile.TemporaryDirectory() as folder:
            cases = [case(Path(folder) / str(seed), seed, scale) for seed in SEEDS]
        judged = [judge_pores(c["pores"], c) for c in cases]
        sizes = np.median(np.concatenate([j[1] for j in judged]))
        print(f"| pores, {scale} px/mm: **skindelta** | {percent(sum(j[0] for j in judged))} | {sizes:.2f} |")
        tried = [[judge_pores(blobs(c, t), c) for c in cases] for t in (2, 3, 4, 5, 6, 8, 10, 12)]
        best = max(tried, key=lambda judged: f1(sum(j[0] for j in judged)))
        sizes = np.median(np.concatenate([j[1] for j in best]))
        print(f"| OpenCV SimpleBlobDetector | {percent(sum(j[0] for j in best))} | {sizes:.2f} |")
        lines = sum(judge_lines(c["lines"], c) for c in cases)
        print(f"| lines, {scale} px/mm: **skindelta** | {percent(lines)} | |")
        for name, of in (("Frangi", lambda f, s: frangi(f, s, black_ridges=True)),
                         ("Sato", lambda f, s: sato(f, s, black_ridges=True))):
            answer, lines = ridges(of)
            answers = [answer(c) for c in cases]
            limits = np.quantile(np.concatenate([a.ravel() for a in answers]),
                                 [0.8, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995])
            tried = [sum(judge_lines(lines(a, t, c), c) for a, c in zip(answers, cases)) for t in limits]
            print(f"| scikit-image {name} | {percent(max(tried, key=f1))} | |")


if __name__ == "__main__":
    main()
