#!/usr/bin/env python3
"""How a long groove looks from above: the tables behind `GrooveSettings::depth_factor` and
`profile_width_ratio`, and behind how depth is told from the height of a dip (`src/metric/wrinkles/groove.rs`).

    python3 benches/groove.py          (needs numpy)

Radiosity in two dimensions. The section of a groove of width 1 (full, at half depth) and depth q is cut
into patches; each gets a uniform sky as its horizon leaves it, a lamp of a few degrees, and light from
every patch it sees. The first table is D/q^2, D the integral of ln(flat/groove) over the section, for
Gaussian, V and U shapes under several mixtures of light: the tool's K/(1 + q^2/2) with K = 1.1 lies
between them. The second is, over shapes, lamps and albedos, what power of the depth the dip's height goes
as, and how wide the dark dip is beside the groove: medians, and 10 and 90 %. Nothing here is shared with
the phantoms' renderer.
"""
import numpy as np

DEPTHS = np.array([0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0])
PATCHES = 240
REACH = 2.2
LAMP_EDGE = np.radians(8)
# Sigma of the blur before height and width are told, in widths: its full width is a quarter of the groove's.
BLUR = 0.11


def profile(shape, x):
    """Depth at x of a groove of depth and width 1."""
    a = np.abs(x)
    if shape == "V":
        return np.maximum(0, 1 - a)
    power = {"Gauss": 2, "U": 4}[shape]
    return np.exp(-np.log(2) * (2 * a) ** power)


def section(shape, q, albedo=0.5, lamp=0.5, elevation=52, azimuth=90, scatter=0):
    """Places and ln(groove/flat) there; azimuth 90 lies across the groove."""
    x = np.linspace(-REACH, REACH, PATCHES + 1)
    z = -q * profile(shape, x)
    xm, zm = (x[1:] + x[:-1]) / 2, (z[1:] + z[:-1]) / 2
    dx, dz = np.diff(x), np.diff(z)
    ds = np.hypot(dx, dz)
    nx, nz = -dz / ds, dx / ds
    tilt = np.arctan2(nx, nz)
    rise = np.arctan2(z[None, :] - zm[:, None], np.abs(x[None, :] - xm[:, None]))
    right = np.array([max(0, rise[i, i + 1:].max()) for i in range(PATCHES)])
    left = np.array([max(0, rise[i, : i + 1].max()) for i in range(PATCHES)])

    # The sky between both horizons, seen from the patch's own normal.
    first = np.maximum(left - np.pi / 2, tilt - np.pi / 2) - tilt
    last = np.minimum(np.pi / 2 - right, tilt + np.pi / 2) - tilt
    sky = np.maximum((np.sin(last) - np.sin(first)) / 2, 0)

    e, a = np.radians([elevation, azimuth])
    across, up = np.cos(e) * np.sin(a), np.sin(e)
    horizon = right if across > 0 else left
    seen = np.clip(0.5 + (np.arctan2(up, abs(across) + 1e-9) - horizon) / LAMP_EDGE, 0, 1)
    direct = np.maximum(nx * across + nz * up, 0) * seen
    irradiance = (1 - lamp) * sky + lamp * direct

    factors = np.zeros((PATCHES, PATCHES))
    for i in range(PATCHES):
        angle = np.arctan2(x - xm[i], z - zm[i]) - tilt[i]
        angle = (angle + np.pi) % (2 * np.pi) - np.pi
        share = np.abs(np.diff(np.sin(np.clip(angle, -np.pi / 2, np.pi / 2)))) / 2
        faces = (xm - xm[i]) * nx[i] + (zm - zm[i]) * nz[i] > 1e-12
        faced = (xm[i] - xm) * nx + (zm[i] - zm) * nz > 1e-12
        factors[i] = np.where(faces & faced, share, 0)
    light = np.linalg.solve(np.eye(PATCHES) - albedo * factors, albedo * irradiance)
    if scatter:
        kernel = np.exp(-0.5 * ((xm[:, None] - xm[None, :]) / scatter) ** 2)
        light = (light + kernel @ light / kernel.sum(1)) / 2
    flat = albedo * ((1 - lamp) + lamp * up)
    return xm, np.log(light / flat)


def deficit(shape, q, **light):
    """Integral of ln(flat/groove)."""
    x, seen = section(shape, q, **light)
    return -seen.sum() * (x[1] - x[0])


def blurred(shape, q, **light):
    """The section behind a blur of a quarter of its width, around its darkest place."""
    x, seen = section(shape, q, **light)
    kernel = np.exp(-0.5 * ((x[:, None] - x[None, :]) / BLUR) ** 2)
    seen = np.log(kernel @ np.exp(seen) / kernel.sum(1))
    at = np.linspace(-1.5, 1.5, 61)
    return at, np.interp(at + x[seen.argmin()], x, seen)


def height_and_width(shape, q, **light):
    """Power of the depth that the height of the dip goes as, over 20 % of depth; width of the dark dip."""
    (at, deep), (_, shallow) = (blurred(shape, f * q, **light) for f in (1, 0.8))
    mean = (deep + shallow) / 2
    share = [((s - s.mean()) * (mean - mean.mean())).sum() for s in (deep, shallow)]
    power = np.log(share[1] / share[0]) / np.log(0.8)
    # As the tool has it: the width of the Gaussian of the dark area and the height, beside what is around.
    level = np.mean([deep[0], deep[-1]])
    bottom = len(at) // 2
    left = deep[: bottom + 1][::-1] < level
    right = deep[bottom:] < level
    first = bottom - (left.argmin() if not left.all() else len(left) - 1)
    last = bottom + (right.argmin() if not right.all() else len(right) - 1)
    area = (level - deep[first : last + 1]).sum() * (at[1] - at[0])
    width = area / (level - deep[bottom]) / 1.0645
    return power, np.sqrt(max(width**2 - (2.355 * BLUR) ** 2, 0))


def main():
    print("| light | shape |" + "".join(f" q = {q} |" for q in DEPTHS))
    print("|---|---|" + "---:|" * len(DEPTHS))
    for name, light in [
        ("half lamp, 52 degrees, across", {}),
        ("sky alone", {"lamp": 0}),
        ("lamp 0.8", {"lamp": 0.8}),
        ("lamp at 70 degrees", {"elevation": 70}),
        ("lamp at 38 degrees", {"elevation": 38}),
        ("lamp nearly along", {"azimuth": 30}),
        ("albedo 0.3", {"albedo": 0.3}),
        ("albedo 0.65", {"albedo": 0.65}),
        ("half scattered by 0.15 widths", {"scatter": 0.15}),
    ]:
        for shape in ["Gauss", "V", "U"]:
            row = [deficit(shape, q, **light) / q**2 for q in DEPTHS]
            print(f"| {name} | {shape} |" + "".join(f" {v:.2f} |" for v in row))

    print("\n| light | height goes as depth to the | dark dip's width, of the groove's |\n|---|---:|---:|")
    for name, lamps in [
        ("sky alone", [(0, 52, 90)]),
        ("a lamp, 60 to 90 degrees across", [(m, e, a) for m in (0.4, 0.7) for e in (38, 52, 65) for a in (60, 90)]),
        ("a lamp, 25 degrees across", [(m, e, 25) for m in (0.4, 0.7) for e in (38, 52, 65)]),
    ]:
        rows = np.array([
            height_and_width(shape, q, albedo=albedo, lamp=lamp, elevation=elevation, azimuth=azimuth)
            for shape in ("Gauss", "V", "U")
            for q in (0.2, 0.4, 0.7)
            for albedo in (0.3, 0.55)
            for lamp, elevation, azimuth in lamps
        ])
        told = ["{1:.2f} ({0:.2f} to {2:.2f})".format(*np.percentile(v, [10, 50, 90])) for v in rows.T]
        print(f"| {name} | {told[0]} | {told[1]} |")


if __name__ == "__main__":
    main()
