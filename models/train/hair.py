"""Hair of the synthetic faces: styles, roots and strands (model space, cm)."""

from dataclasses import dataclass

import numpy as np

import raster
from mesh import HEAD_CENTRE, smoothstep
from raster import BEARD, BROW, MOUSTACHE, NECK, SCALP, TX, TY

# Linear RGB and how often each is drawn.
COLOURS = [((0.010, 0.008, 0.007), 5), ((0.022, 0.014, 0.010), 4), ((0.05, 0.028, 0.016), 4), ((0.10, 0.058, 0.032), 3),
           ((0.15, 0.055, 0.022), 1.2), ((0.22, 0.145, 0.08), 2), ((0.42, 0.31, 0.17), 2), ((0.60, 0.49, 0.32), 1),
           ((0.20, 0.20, 0.20), 1.5), ((0.50, 0.49, 0.47), 1.5), ((0.75, 0.74, 0.71), 0.7)]


@dataclass
class Strands:
    points: np.ndarray  # n, m, 3
    colour: np.ndarray  # n, 3
    width: np.ndarray  # cm
    alpha: np.ndarray
    shadow: np.ndarray
    tip: float
    taper: float
    gloss: float
    cover: int  # 0 hair, 1 brows, 2 lashes (no label)
    bias: float = 0.15


def draw_colour(rng, melanin):
    weights = np.array([w for _, w in COLOURS])
    weights[:3] *= 1 + 6 * max(0, melanin - 0.45)
    weights[3:8] *= max(0.04, 1 - 1.6 * max(0, melanin - 0.35))
    base = np.array(COLOURS[rng.choice(len(COLOURS), p=weights / weights.sum())][0])
    if rng.random() < 0.03:  # dyed
        base = rng.random(3) ** 2 * 0.5
    return base * np.exp(rng.normal(0, 0.15)) * np.exp(rng.normal(0, 0.06, 3))


def strand_colours(rng, base, n, spread=0.3, grey=0.0):
    c = base * np.exp(rng.normal(0, spread, (n, 1))) * np.exp(rng.normal(0, 0.05, (n, 3)))
    white = rng.random(n) < grey
    c[white] = 0.45 * np.exp(rng.normal(0, 0.2, (white.sum(), 1)))
    return c.astype(np.float32)


def grow(rng, mesh, head, roots, index, comb, length, clearance, segments, lift=0.4, gravity=0.0, stiff=3.0,
         hug=0.0, collide=1.0, curl=0.0, frequency=1.0, clump=0.0):
    """Strands from some of `roots`; `comb` is projected into the surface.

    `collide` shrinks the head that the strands must stay outside of: it is only known to some
    millimetres, too coarse for brows and beards.
    """
    root = roots.at(head.wedge_positions, index)
    normal = roots.at(head.wedge_normals, index)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    comb = comb - (comb * normal).sum(1, keepdims=True) * normal
    comb /= np.linalg.norm(comb, axis=1, keepdims=True) + 1e-6
    k = rng.normal(0, 1.3, (2, 3))
    wave = np.stack([np.sin(root @ k[0]), np.cos(root @ k[1])], 1) * 3 + rng.normal(0, 0.4, (len(root), 2))
    out = np.empty((len(root), segments, 3), np.float32)
    f = np.float32
    raster.grow(root.astype(f), normal.astype(f), comb.astype(f), np.asarray(length, f), wave.astype(f),
                int(rng.integers(1 << 31)), f(gravity), f(stiff), f(lift), f(hug), f(curl), f(frequency), f(clump),
                head.radius_map * f(collide), HEAD_CENTRE, np.asarray(clearance, f), out)
    return out


def hairline(rng, style):
    """Returns density(scalp distance, azimuth, height, x), 0..1."""
    shift = rng.normal(0, 0.7)
    side_shift = rng.normal(0.2, 0.4)
    widow = max(0, rng.normal(0, 0.5))
    recede = rng.uniform(1, 4) if style in ("short", "buzz", "receding") and rng.random() < 0.35 else 0
    front_loss = 0.0
    if style == "receding":
        recede, front_loss = rng.uniform(2, 4), rng.uniform(1, 9)
    soft = rng.uniform(0.3, 1.3)
    wobble = rng.uniform(0, 6.28, 2)

    def density(s, azimuth, x):
        front = smoothstep(60, 20, azimuth)
        corner = np.exp(-((azimuth - 36) / 14) ** 2)
        edge = shift * front + side_shift * (1 - front) + recede * corner - widow * np.exp(-(azimuth / 7) ** 2)
        edge = edge + front_loss * smoothstep(75, 50, azimuth) + 0.2 * np.sin(x * 2.1 + wobble[0]) + 0.12 * np.sin(x * 5.3 + wobble[1])
        return smoothstep(-0.5 * soft, 0.5 * soft, s - edge)

    return density


def head_hair(rng, mesh, head, colour, style, grey, covered):
    """Strand sets, per-wedge density for the undercoat and its opacity; flat under headwear."""
    if style == "bald":
        return [], np.zeros(len(mesh.attr), np.float32), 0.0
    density = hairline(rng, style)
    per_wedge = density(mesh.attr[:, SCALP], mesh.azimuth, mesh.attr[:, TX]).astype(np.float32)
    roots = mesh.scalp_roots
    dens = density(roots.attr[:, SCALP], roots.azimuth, roots.attr[:, TX])
    if rng.random() < 0.12 and style in ("short", "receding", "medium"):  # thin on top
        dens = dens * rng.uniform(0.15, 0.6)
    alive = np.flatnonzero(rng.random(len(dens)) < dens)
    spec = {
        "buzz": (9000, 4, (0.15, 0.6)), "receding": (5500, 6, (0.6, 4)), "short": (8000, 7, (1.2, 5)),
        "medium": (6000, 11, (5, 15)), "long": (5000, 16, (18, 40)), "afro": (9000, 9, (2.5, 9)),
        "tied": (6000, 12, (9, 13)),
    }[style]
    count, segments, (lo, hi) = spec
    index = rng.permutation(alive)[:count]
    if covered:
        index = index[roots.attr[index, TY] < 8]
    n = len(index)
    if n == 0:
        return [], per_wedge, 0.0
    a = roots.attr[index]
    x, s, azimuth = a[:, TX], a[:, SCALP], roots.azimuth[index]
    length = rng.uniform(lo, hi) * np.exp(rng.normal(0, 0.15, n))
    comb = np.zeros((n, 3))
    part = rng.choice([0.0, rng.uniform(-3.5, 3.5)])
    side = np.tanh((x - part) * 2)
    mode = rng.choice(["part", "back", "forward", "side"], p=[0.4, 0.25, 0.2, 0.15])
    if style == "long":
        mode = rng.choice(["part", "back"], p=[0.7, 0.3])
    if style == "tied":
        mode = "back"
    if mode == "part":
        comb[:] = np.c_[side, -0.3 * np.ones(n), np.full(n, rng.uniform(-0.7, 0.2))]
    elif mode == "back":
        comb[:] = np.array([0, 0.2, -1]) + np.c_[0.15 * side, np.zeros(n), np.zeros(n)]
    elif mode == "forward":
        comb[:] = np.array([rng.uniform(-0.4, 0.4), -0.5, 1.0])
    else:
        comb[:] = np.array([rng.choice([-1, 1]), 0.0, rng.uniform(-0.2, 0.5)])
    comb[:, 1] -= 1.2 * smoothstep(50, 110, azimuth)  # sides and back point down
    if style in ("medium", "long"):  # keep the face free; a fringe is drawn separately
        comb[:, 2] -= rng.uniform(0.2, 1.0) * smoothstep(6, 1, s) * smoothstep(90, 50, azimuth)
    comb += rng.normal(0, 0.12, (n, 3))
    lift, gravity, stiff, hug, curl, frequency, clump = 0.35, 0.05, 3.0, rng.uniform(0.5, 1.0), 0.0, 1.0, 0.05
    clear = rng.random(n) * rng.uniform(0.2, 1.0)
    shadow = 0.45 + 0.55 * rng.random(n)
    if style in ("short", "receding"):
        lift = rng.uniform(0.15, 0.8)
        sides = smoothstep(40, 90, azimuth) * rng.uniform(0.2, 0.9)
        length *= (1 - sides) * np.where(a[:, TY] < 1, 0.4, 1.0)  # the nape stays short
        clear = rng.random(n) * rng.uniform(0.2, 0.6) * length
        clump = rng.uniform(0.02, 0.3)
    elif style in ("medium", "long"):
        gravity = rng.uniform(0.25, 0.6) if style == "medium" else rng.uniform(0.35, 0.9)
        stiff = rng.uniform(2, 5)
        clear = rng.random(n) * (0.3 + rng.uniform(0.4, 2.6) * smoothstep(0, 7, s))
        shadow = 0.35 + 0.65 * clear / max(clear.max(), 0.1)
        if rng.random() < 0.5:
            curl, frequency = rng.uniform(0.1, 0.7), rng.uniform(0.3, 2.0)
        clump = rng.uniform(0.01, 0.08)
    elif style == "afro":
        lift, gravity, stiff, comb = 0.95, 0.02, 10.0, comb * 0.1
        hug, curl, frequency, clump = 0.0, rng.uniform(0.7, 1.4), rng.uniform(2, 6), 0.2
        clear = rng.random(n) ** 0.6 * length * 0.75
        shadow = 0.3 + 0.7 * clear / clear.max()
    elif style == "tied":
        clear = rng.random(n) * 0.4
        lift, gravity = 0.05, 0.0
        comb = np.array([0, 3.0, -9.0]) - roots.at(head.wedge_positions, index) + rng.normal(0, 0.3, (n, 3))
    fringe = style in ("short", "medium", "long") and rng.random() < 0.3
    if fringe:
        reach = rng.uniform(2.5, 6)
        front = (azimuth < rng.uniform(35, 60)) & (s < reach)
        comb[front] = np.array([rng.normal(0, 0.3), -0.8, 1.0]) + 0.1 * rng.normal(size=(front.sum(), 3))
        length[front] = s[front] * 0.9 + rng.uniform(1.0, 5.0) + rng.normal(0, 0.3, front.sum())
        clear[front] = 0.15 + clear[front] * 0.4
    if covered:
        lift, hug, curl = 0.0, 1.0, min(curl, 0.2)
        clear = clear * 0.2 / max(clear.max(), 0.2)
    pts = grow(rng, mesh, head, roots, index, comb, length, clear, segments, lift, gravity, stiff, hug,
               1.0, curl, frequency, clump)
    if style in ("medium", "long") and not fringe:  # no stray strands down the middle of the face
        px, py, pz = pts[..., 0], pts[..., 1], pts[..., 2]
        stray = ((np.abs(px) < 4.5) & (py > -9) & (py < 8.5) & (pz > 7)).any(1)
        keep = ~stray | (rng.random(n) < rng.choice([0.0, 0.3], p=[0.85, 0.15]))
        pts, shadow, n = pts[keep], shadow[keep], int(keep.sum())
    width = np.full(n, rng.uniform(0.045, 0.075) * (1.5 if style in ("long", "afro") else 1.0), np.float32)
    sets = [Strands(pts, strand_colours(rng, colour, n, 0.25, grey), width, np.full(n, 0.95, np.float32),
                    shadow.astype(np.float32), rng.uniform(0.9, 1.5), 0.3, rng.choice([0.01, 0.04, 0.1]), 0)]
    if style == "buzz":
        sets[0].alpha[:] = rng.uniform(0.4, 0.9)
    opacity = 0.92 if style != "buzz" else rng.uniform(0.35, 0.85)
    if style == "receding":
        opacity = rng.uniform(0.4, 0.8)
    return sets, per_wedge, opacity


def brows(rng, mesh, head, colour, grey):
    roots = mesh.brow_roots
    raise_, thick = rng.normal(-0.35, 0.2), rng.uniform(0.33, 0.8)
    inner, outer = rng.uniform(0.7, 1.5), rng.uniform(5.0, 6.1)
    ax = np.abs(roots.attr[:, TX])
    t = (ax - inner) / (outer - inner)
    half = 0.5 * thick * smoothstep(-0.05, 0.12, t) * (1 - 0.75 * smoothstep(0.5, 1.0, t)) + 1e-3
    d = np.abs(roots.attr[:, BROW] - raise_) / half
    dense = smoothstep(1.25, 0.7, d) * (t > 0) * (t < 1)
    index = np.flatnonzero(rng.random(len(dense)) < dense * rng.uniform(0.4, 1.0))
    n = len(index)
    if n == 0:
        return []
    side = np.sign(roots.attr[index, TX])
    tt = t[index]
    comb = np.c_[side, 0.9 - 1.5 * tt, -0.3 * np.ones(n)] + rng.normal(0, 0.15, (n, 3))
    length = rng.uniform(0.4, 0.9) * np.exp(rng.normal(0, 0.2, n))
    pts = grow(rng, mesh, head, roots, index, comb, length, np.zeros(n), 4, lift=0.2, collide=0)
    faint = rng.uniform(0.5, 0.95)
    return [Strands(pts, strand_colours(rng, colour, n, 0.2, grey), np.full(n, rng.uniform(0.025, 0.06), np.float32),
                    np.full(n, faint, np.float32), np.ones(n, np.float32), 1.0, 0.6, 0.01, 1, 0.3)]


def lashes(rng, mesh, head):
    """Short dark strands along both lids."""
    lm = head.vertices[mesh.landmark]
    points = []
    strength = rng.uniform(0.15, 1.0)
    for corners, upper, lower in (((36, 39), (37, 38), (41, 40)), ((42, 45), (43, 44), (47, 46))):
        for lid, up, n, reach in ((upper, 1, 70, 0.6), (lower, -1, 40, 0.3)):
            curve = lm[[corners[0], *lid, corners[1]]]
            t = np.sort(rng.uniform(0.06, 0.94, n))
            root = np.stack([np.interp(t, [0, 0.33, 0.67, 1], curve[:, k]) for k in range(3)], 1)
            root[:, 1] += up * 0.06 * np.sin(np.pi * t)
            root[:, 2] += 0.12
            outward = (root[:, :1] - lm[list(corners)].mean(0)[0]) * 0.25
            d = np.c_[outward, np.full(n, 0.35 * up), np.full(n, 0.9)] + rng.normal(0, 0.1, (n, 3))
            d *= reach * strength / np.linalg.norm(d, axis=1, keepdims=True)
            k = np.linspace(0, 1, 4)[None, :, None]
            points.append(root[:, None] + d[:, None] * k + np.array([0, 0.25 * up * reach * strength, 0]) * k ** 2)
    pts = np.concatenate(points).astype(np.float32)
    n = len(pts)
    return [Strands(pts, np.full((n, 3), 0.01, np.float32), np.full(n, 0.04, np.float32),
                    np.full(n, rng.uniform(0.3, 0.9), np.float32), np.ones(n, np.float32), 1.0, 0.7, 0.0, 2, 0.3)]


def beard(rng, mesh, head, colour, grey):
    """Strands of beard and moustache and the per-wedge undercoat density."""
    roots = mesh.beard_roots
    kind = rng.choice(["full", "moustache", "goatee", "stubble", "chinstrap"], p=[0.42, 0.17, 0.14, 0.2, 0.07])

    def density(attr):
        b, m = attr[:, BEARD].copy(), attr[:, MOUSTACHE].copy()
        ax = np.abs(attr[:, TX])
        if kind == "moustache":
            b[:] = 0
            m = m * (attr[:, TY] > -4 + drop)
        elif kind == "goatee":
            b *= smoothstep(goatee + 0.5, goatee, ax)
        elif kind == "chinstrap":
            m *= 0
            b *= smoothstep(-0.2, -1.4, attr[:, TY] + 4.0 - 0.35 * ax ** 1.3)
        return np.maximum(b, m * whiskers)

    drop, goatee, whiskers = rng.uniform(-1.2, 0.6), rng.uniform(2.0, 3.6), rng.choice([1.0, 0.6, 0.0], p=[0.8, 0.12, 0.08])
    if kind == "moustache":
        whiskers = 1.0
    patch = rng.uniform(0.4, 1.0)
    dens = density(roots.attr) * patch
    index = np.flatnonzero(rng.random(len(dens)) < dens)
    long = 0.15 if kind == "stubble" else rng.choice([rng.uniform(0.2, 0.8), rng.uniform(0.8, 2.5), rng.uniform(2, 9)], p=[0.4, 0.4, 0.2])
    count = int(rng.uniform(6000, 14000))
    index = rng.permutation(index)[:count]
    n = len(index)
    if n == 0:
        return [], None, 0.0
    a = roots.attr[index]
    side = np.sign(a[:, TX])
    on_lip = a[:, MOUSTACHE] > a[:, BEARD]
    comb = np.where(on_lip[:, None], np.c_[0.9 * side, -0.9 * np.ones(n), np.full(n, 0.1)],
                    np.c_[0.1 * side, -1.0 * np.ones(n), np.full(n, 0.25)]) + rng.normal(0, 0.25, (n, 3))
    length = long * np.exp(rng.normal(0, 0.25, n))
    length *= 1 - 0.95 * smoothstep(-0.2, 0.6, a[:, NECK])
    length[on_lip] = np.minimum(length[on_lip], rng.uniform(0.5, 1.2))
    clear = rng.random(n) * np.minimum(0.35 * length, 1.0)
    curl = rng.choice([0.0, rng.uniform(0.2, 0.9)])
    pts = grow(rng, mesh, head, roots, index, comb, length, clear, 6 if long > 0.5 else 3, lift=rng.uniform(0.2, 0.5),
               gravity=0.1, collide=0, curl=curl, frequency=rng.uniform(2, 6), clump=0.12)
    alpha = rng.uniform(0.35, 0.8) if kind == "stubble" else rng.uniform(0.75, 1.0)
    sets = [Strands(pts, strand_colours(rng, colour, n, 0.3, grey), np.full(n, rng.uniform(0.03, 0.06), np.float32),
                    np.full(n, alpha, np.float32), (0.55 + 0.45 * rng.random(n)).astype(np.float32),
                    rng.uniform(0.9, 1.3), 0.4, 0.02, 0, 0.3)]
    under = density(mesh.attr) * patch
    opacity = rng.uniform(0.15, 0.5) if kind == "stubble" else rng.uniform(0.5, 0.85)
    return sets, under.astype(np.float32), opacity
