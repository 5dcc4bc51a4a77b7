#!/usr/bin/env python3
"""The alignment beside OpenCV's, on the same pairs.

    SKINDELTA_PAIRS=pairs cargo test --release --test it -- alignment::known --ignored --nocapture
    python3 benches/align.py pairs

The first command writes pairs of photos with the truth and skindelta's own field; this one runs the
peer on them (SIFT + RANSAC similarity, CLAHE, DIS flow at full resolution, finest scale 0, flow
smoothed by 12 px) and prints both, on the same points of skin. A pair on which the peer finds no
similarity, or is more than 5 px off in the median, is counted as lost and left out of its figures.
Needs numpy and opencv-python-headless.
"""
import sys
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

LOST_PX = 5.0


def peer(before, after):
    """For every baseline pixel its place in the follow-up, or None."""
    gray = [cv2.cvtColor(p, cv2.COLOR_BGR2GRAY) for p in (before, after)]
    h, w = gray[0].shape
    k = min(1.0, 1200 / max(h, w))
    small = [cv2.resize(g, None, fx=k, fy=k, interpolation=cv2.INTER_AREA) if k < 1 else g for g in gray]
    sift = cv2.SIFT_create(nfeatures=5000, contrastThreshold=0.02)
    (kb, db), (ka, da) = (sift.detectAndCompute(g, None) for g in small)
    if db is None or da is None:
        return None
    matches = [m for m in cv2.BFMatcher(cv2.NORM_L2).knnMatch(db, da, k=2) if len(m) == 2]
    good = [m for m, n in matches if m.distance < 0.75 * n.distance]
    if len(good) < 6:
        return None
    pb = (np.float32([kb[m.queryIdx].pt for m in good]) + 0.5) / k - 0.5
    pa = (np.float32([ka[m.trainIdx].pt for m in good]) + 0.5) / k - 0.5
    affine, _ = cv2.estimateAffinePartial2D(pb, pa, method=cv2.RANSAC, ransacReprojThreshold=2.5 / k,
                                            maxIters=5000, confidence=0.999)
    if affine is None:
        return None
    laid = cv2.warpAffine(gray[1], affine, (w, h), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
                          borderMode=cv2.BORDER_REFLECT_101)
    clahe = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8))
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)
    flow = cv2.GaussianBlur(dis.calc(clahe.apply(gray[0]), clahe.apply(laid), None), (0, 0), 12)
    x, y = np.meshgrid(np.arange(w, dtype=np.float64), np.arange(h, dtype=np.float64))
    x, y = x + flow[..., 0], y + flow[..., 1]
    return np.stack([affine[0, 0] * x + affine[0, 1] * y + affine[0, 2],
                     affine[1, 0] * x + affine[1, 1] * y + affine[1, 2]], -1)


def main():
    groups = defaultdict(lambda: dict(pairs=0, ours=[], peer=[], lost=[0, 0], refused=[]))
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        kind, level, _ = folder.name.rsplit("-", 2)
        truth = np.load(folder / "truth.npy").astype(float)
        group = groups[level, kind]
        group["pairs"] += 1
        skin = np.isfinite(truth[..., 0])
        if (folder / "ours.npy").exists():
            ours = np.load(folder / "ours.npy").astype(float)
            error = np.hypot(*np.moveaxis(ours - truth, -1, 0))[skin]
            group["ours"].append(error[np.isfinite(error)])
            group["refused"].append(1 - np.isfinite(error).mean())
        else:
            group["lost"][0] += 1
        field = peer(*(cv2.imread(str(folder / name)) for name in ("before.jpg", "after.jpg")))
        error = None if field is None else np.hypot(*np.moveaxis(field[::8, ::8] - truth, -1, 0))[skin]
        if error is None or np.median(error) > LOST_PX:
            group["lost"][1] += 1
        else:
            group["peer"].append(error)
    print("| level | photos | pairs | skindelta median | 95 % | lost | refused % | peer median | 95 % | lost |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")

    def told(errors):
        errors = np.concatenate(errors) if errors else np.array([np.nan])
        return f"{np.median(errors):.3f} | {np.percentile(errors, 95):.3f}"

    for (level, kind), g in sorted(groups.items()):
        refused = 100 * np.mean(g["refused"]) if g["refused"] else float("nan")
        print(f"| {level} | {kind} | {g['pairs']} | {told(g['ours'])} | {g['lost'][0]} | {refused:.1f} "
              f"| {told(g['peer'])} | {g['lost'][1]} |")


if __name__ == "__main__":
    main()
