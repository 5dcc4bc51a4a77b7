"""Accuracy of the net on real labelled photos, which are never trained on nor shipped.

A photo's crop comes from its labelled eyes; in the product it comes from a face detector.
"""

import argparse
import glob
import os

import cv2
import numpy as np
import onnxruntime

SIDE, SIDE_PD, BELOW_PD = 256, 3.9, 0.38  # the crop: pixels, pupil distances, centre below the eyes
MEAN, STD = 0.5, 0.25
FOLDERS = ("seg_gt/fasseg_v2", "pairs/pointing04_2sessions")
TRUTH = ["background", "skin", "hair", "eyes", "nose", "mouth"]
PALETTE = np.array([[255, 0, 0], [255, 255, 0], [127, 0, 0], [0, 0, 255], [0, 255, 255], [0, 255, 0]])
# Of our classes: background skin brows eyes nose lips hair ears_neck occlusion.
UNKNOWN = 255
AS_TRUTH = np.array([0, 1, 2, 3, 4, 5, 2, 1, UNKNOWN], np.uint8)
SKIN, NOSE = 1, 4
SHEET_COLOURS = np.array(
    [[90, 90, 90], [80, 220, 80], [160, 60, 220], [60, 120, 255], [255, 220, 60], [255, 60, 60]]
    + [[120, 70, 30], [60, 220, 220], [255, 0, 255]]
)
THRESHOLDS = (0.5, 0.8, 0.9)


def photos(root):
    for folder in FOLDERS:
        for name in sorted(glob.glob(os.path.join(root, folder, "*_label.png"))):
            rgb = cv2.imread(name.replace("_label", ""))[:, :, ::-1]
            painted = cv2.imread(name)[:, :, ::-1].astype(int)
            distance = np.abs(painted[:, :, None] - PALETTE).sum(-1)
            yield folder, rgb, distance.argmin(-1).astype(np.uint8)


def crop(rgb, label):
    """The net's view of a photo, and of its labels, UNKNOWN outside the photo."""
    y, x = np.nonzero(label == TRUTH.index("eyes"))
    left = x < x.mean()
    a = np.array([x[left].mean(), y[left].mean()])
    b = np.array([x[~left].mean(), y[~left].mean()])
    across = b - a
    down = np.array([-across[1], across[0]])
    centre = (a + b) / 2 + BELOW_PD * down

    def warp(picture, side, flags, **border):
        turn = np.column_stack([across, down]) * SIDE_PD / side
        m = np.column_stack([turn, centre - turn @ np.full(2, (side - 1) / 2)])
        return cv2.warpAffine(picture, m, (side, side), flags=flags | cv2.WARP_INVERSE_MAP, **border)

    fine = warp(rgb, 4 * SIDE, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(fine, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return small, warp(label, SIDE, cv2.INTER_NEAREST, borderValue=UNKNOWN)


def probabilities(session, rgb):
    x = ((rgb.astype(np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1)[None]
    logits = session.run(None, {"image": x.astype(np.float32)})[0][0].transpose(1, 2, 0)
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return cv2.resize(e / e.sum(-1, keepdims=True), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def measure(p, truth):
    """One photo's numbers by name; nan where the photo has none of it."""
    row = {}
    got = AS_TRUTH[p.argmax(-1)]
    counted = (got != UNKNOWN) & (truth != UNKNOWN)
    for k, name in enumerate(TRUTH):
        either = counted & ((got == k) | (truth == k))
        row["IoU " + name] = (counted & (got == k) & (truth == k)).sum() / either.sum() if either.any() else np.nan
    skin = p[:, :, SKIN] + p[:, :, NOSE]
    is_skin = (truth == SKIN) | (truth == NOSE)
    unit = SIDE / SIDE_PD
    y, x = np.mgrid[:SIDE, :SIDE]
    eyes = SIDE / 2 - BELOW_PD * unit
    mouth = np.nonzero(truth == TRUTH.index("mouth"))[0].mean()
    v = (y - eyes) / (mouth - eyes)
    face = (np.abs(x - (SIDE - 1) / 2) < 1.05 * unit) & (v > -0.25) & (v < 1.6) & is_skin
    for t in THRESHOLDS:
        found = (skin > t) & (truth != UNKNOWN)
        row[f"purity {t}"] = is_skin[found].mean() if found.any() else np.nan
        row[f"coverage {t}"] = (skin > t)[face].mean()
    return row


def overlay(rgb, p):
    """The photo beside its classes painted on it."""
    painted = rgb * 0.45 + SHEET_COLOURS[p.argmax(-1)] * 0.55
    return np.hstack([rgb, painted.astype(np.uint8)])


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--onnx", required=True)
    a.add_argument("--photos", required=True, help="folder that holds " + " and ".join(FOLDERS))
    a.add_argument("--sheet", help="contact sheet PNG; keep it out of the repository")
    args = a.parse_args()
    session = onnxruntime.InferenceSession(args.onnx, providers=["CPUExecutionProvider"])
    rows, cells = [], []
    for folder, rgb, label in photos(args.photos):
        view, truth = crop(rgb, label)
        p = probabilities(session, view)
        rows.append((folder, measure(p, truth)))
        cells.append(overlay(view, p))
    groups = {f: [r for g, r in rows if g == f] for f in FOLDERS} | {"all": [r for _, r in rows]}
    print(f"{'mean over photos, %':20}" + "".join(f"{f.split('/')[-1]:>24}" for f in groups))
    print(f"{'photos':20}" + "".join(f"{len(g):24}" for g in groups.values()))
    for name in rows[0][1]:
        values = [[r[name] for r in g if not np.isnan(r[name])] for g in groups.values()]
        print(f"{name:20}" + "".join(f"{100 * np.mean(v) if v else np.nan:24.1f}" for v in values))
    if args.sheet:
        cells += [np.zeros_like(cells[0])] * (-len(cells) % 4)
        sheet = np.vstack([np.hstack(cells[i : i + 4]) for i in range(0, len(cells), 4)])
        cv2.imwrite(args.sheet, sheet[:, :, ::-1])


if __name__ == "__main__":
    main()
