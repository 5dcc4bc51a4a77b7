#!/usr/bin/env python3
"""How much light a long groove keeps from a camera above it: the table behind `GrooveSettings::dip`.

    python3 benches/groove.py          (needs numpy)

Radiosity in two dimensions. The section of a groove of width 1 (full, at half depth) and depth q is cut
into patches; each gets a uniform sky as its horizon leaves it, a lamp of a few degrees, and light from
every patch it sees. Printed is D/q^2, D the integral of ln(flat/groove) over the section, for Gaussian,
V and U shapes under several mixtures of light: the tool's K/(1 + q^2/2) with K = 0.85 lies between them.
Nothing here is shared with the phantoms' renderer.
"""
import numpy as np

DEPTHS = np.array([0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0])
PATCHES = 240
REACH = 2.2
LAMP_EDGE = np.radians(8)


def profile(shape, x):
    """Depth at x of a groove of depth and width 1."""
    a = np.abs(x)
    if shape == "V":
        return np.maximum(0, 1 - a)
    power = {"Gauss": 2, "U": 4}[shape]
    return np.exp(-np.log(2) * (2 * a) ** power)


def deficit(shape, q, albedo=0.5, lamp=0.5, elevation=52, azimuth=90, scatter=0):
    """Integral of ln(flat/groove); azimuth 90 lies across the groove."""
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
    return -(np.log(light / flat) * dx).sum()


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


if __name__ == "__main__":
    main()
