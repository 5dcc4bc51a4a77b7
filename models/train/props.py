"""Things around the face: garments, glasses, headwear, occluders, backgrounds."""

from dataclasses import dataclass

import cv2
import numpy as np

from mesh import smoothstep


@dataclass
class Sheet:
    """A painted surface in model space (cm); `follows` head, body or camera."""
    vertices: np.ndarray
    tris: np.ndarray
    colour: np.ndarray  # linear RGB, one row or one per vertex
    gloss: float
    label: int
    follows: str = "head"


def grid_tris(rows, cols, wrap):
    """Both windings of the triangles of a rows x cols grid, closed around the columns if `wrap`."""
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(cols if wrap else cols - 1), indexing="ij")
    a, b = r * cols + c, r * cols + (c + 1) % cols
    d, e = a + cols, b + cols
    t = np.concatenate([np.stack([a, d, b], -1).reshape(-1, 3), np.stack([b, d, e], -1).reshape(-1, 3)])
    return np.concatenate([t, t[:, ::-1]]).astype(np.int32)


def random_colour(rng):
    """Linear RGB, from black over muted and vivid to white."""
    grey = rng.random() ** 2.0
    return np.clip(grey * np.exp(rng.normal(0, rng.choice([0.03, 0.3, 0.8]), 3)), 0.004, 0.9)


def garment(rng, head):
    """Shoulders in cloth with a neckline, sometimes a collar."""
    cols = 64
    phi = np.linspace(-np.pi, np.pi, cols, endpoint=False)
    drop = rng.choice([0.3, rng.uniform(0.5, 3), rng.uniform(2, 7)])  # how low the front of the neckline is
    sharp = rng.uniform(1, 6)
    front = ((1 + np.cos(phi)) / 2) ** sharp
    grow = rng.uniform(0, 1.5)
    profile = np.array([(6.6, -10.4), (8.5, -11.1), (12, -12.3), (16, -14.2), (19.5, -17.0), (21, -22), (21.5, -34)])
    profile[:, 0] *= np.linspace(1, rng.uniform(0.85, 1.1), len(profile))
    profile[0, 0] += 0.25 + grow
    rings = [np.stack([rx * np.sin(phi),
                       y - drop * front * np.exp(-k * 0.6) - 0.15 * (rx - 6.6) * (np.cos(phi) > 0) * np.cos(phi),
                       -2.2 + (5.6 + 0.8 * (rx - 6.6) * np.where(rx < 13, 1, 0.8)) * np.cos(phi)], 1) for k, (rx, y) in enumerate(profile)]
    if rng.random() < 0.45:  # collar, standing or folded
        top = rings[0].copy()
        height = rng.uniform(0.8, 3)
        top[:, 1] += height * (1 - 0.4 * front)
        top[:, [0, 2]] *= rng.uniform(0.98, 1.1)
        rings.insert(0, top)
    v = np.concatenate(rings)
    colour = np.tile(random_colour(rng), (len(v), 1))
    if rng.random() < 0.3:
        colour[: cols * (1 + (len(rings) > len(profile)))] = random_colour(rng)
    if rng.random() < 0.2:
        stripes = np.sin(v[:, 0] * rng.uniform(1, 4)) > 0
        colour[stripes] = random_colour(rng)
    v = v * [head.neck[0], 1, head.neck[2]] + [rng.normal(0, 0.3), head.neck_drop + rng.uniform(-1.0, 0.6), rng.normal(0, 0.3)]
    return Sheet(v, grid_tris(len(rings), cols, True), colour, 0.1, 0, "body")


def tube(path, radius, colour, gloss, closed=False, sides=7, label=8, follows="head", flat=1.0):
    """A tube along a polyline; `radius` is one number or one per point, `flat` thins it in z."""
    path = np.asarray(path, float)
    n = len(path)
    radius = np.broadcast_to(radius, n)
    along = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    side = np.cross(along, [0.03, 0.05, 1.0])
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    up = np.cross(side, along)
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = side[:, None] * np.cos(turn)[None, :, None] + flat * up[:, None] * np.sin(turn)[None, :, None]
    v = path[:, None] + ring * radius[:, None, None]
    if closed:
        v = np.concatenate([v, v[:1]])
    return Sheet(v.reshape(-1, 3), grid_tris(len(v), sides, True), colour, gloss, label, follows)


@dataclass
class Lenses:
    vertices: np.ndarray
    tris: np.ndarray
    tint: np.ndarray  # transmission per channel
    glare: float


def glasses(rng, head, landmarks):
    """Frame tubes and the lenses, which let the picture behind them through."""
    lm = head.vertices[landmarks]
    eye_y, nasion = head.eyes[:, 1].mean(), lm[27]
    style = rng.choice(["full", "thick", "half", "rimless"], p=[0.5, 0.22, 0.16, 0.12])
    thick = {"full": rng.uniform(0.07, 0.18), "thick": rng.uniform(0.2, 0.42), "half": rng.uniform(0.08, 0.2), "rimless": 0.05}[style]
    colour = rng.choice([rng.uniform(0.003, 0.03), rng.uniform(0.05, 0.5)], p=[0.6, 0.4]) * np.exp(rng.normal(0, 0.25, 3))
    if rng.random() < 0.2:
        colour = random_colour(rng)
    if rng.random() < 0.15:
        colour = np.array([0.5, 0.33, 0.12])  # gold
    gloss = rng.uniform(0.3, 3)
    half_w = rng.uniform(2.1, 2.95)
    half_h = half_w * rng.uniform(0.55, 0.98)
    exponent = rng.uniform(2, 5)
    gap = max(rng.uniform(0.75, 1.15), 3.0 - half_w)  # half of the bridge
    drop = rng.uniform(-0.2, 0.9)
    teardrop = rng.choice([0.0, rng.uniform(-0.25, 0.35)])
    front = nasion[2] + rng.uniform(0.15, 0.6)
    turn = np.linspace(0, 2 * np.pi, 49)[:-1]
    c, s = np.cos(turn), np.sin(turn)
    ox = np.sign(c) * np.abs(c) ** (2 / exponent) * half_w
    oy = np.sign(s) * np.abs(s) ** (2 / exponent) * half_h
    ox = ox * (1 + teardrop * oy / half_h * 0.5)
    cy = eye_y - drop

    def place(x, y):
        return np.stack([x, y, front - 0.018 * x ** 2 + 0.1 * (y - eye_y)], -1)

    sheets, vertices, tris = [], [], []
    for sign in (-1, 1):
        rim = place(sign * (gap + half_w + ox), cy + oy)
        if style in ("full", "thick"):
            sheets.append(tube(rim, thick, colour, gloss, closed=True, flat=0.6))
        elif style == "half":
            sheets.append(tube(rim[(turn < np.pi + 0.3)], thick, colour, gloss, flat=0.6))
        base = sum(len(v) for v in vertices)
        vertices.append(np.vstack([rim.mean(0), rim]))
        k = np.arange(len(rim))
        fan = np.stack([np.zeros_like(k), 1 + k, 1 + (k + 1) % len(rim)], 1) + base
        tris += [fan, fan[:, ::-1]]
        hinge = place(sign * (gap + 2 * half_w), cy + 0.45 * half_h)
        ear = lm[0 if sign < 0 else 16] + [sign * 0.25, 0.2, 0]
        path = np.stack([hinge, hinge * 0.35 + ear * 0.65 + [sign * 0.35, 0, 0], ear, ear + [sign * 0.1, 0, -4.0]])
        t = np.linspace(0, 3, 13)
        path = np.stack([np.interp(t, np.arange(4), path[:, i]) for i in range(3)], 1)
        sheets.append(tube(path, max(thick * rng.uniform(0.8, 1.3), 0.1), colour, gloss))
    x = np.linspace(-gap, gap, 9)
    bridge = place(x, cy + 0.35 * half_h + 0.3 * (1 - (x / gap) ** 2))
    sheets.append(tube(bridge, max(thick * 0.8, 0.07), colour, gloss))
    tint = np.ones(3) * rng.uniform(0.88, 1.0)
    if rng.random() < 0.2:
        tint = rng.choice([rng.uniform(0.02, 0.15), rng.uniform(0.3, 0.8)]) * np.exp(rng.normal(0, 0.2, 3))
    glare = rng.choice([0.0, rng.uniform(0.03, 0.7)], p=[0.5, 0.5])
    return sheets, Lenses(np.concatenate(vertices), np.concatenate(tris).astype(np.int32), np.minimum(tint, 1), glare)


def put_lenses(rng, lenses, mask, image):
    """Tints and reflects where the lenses are visible."""
    size = image.shape[0]
    n = cv2.resize(rng.normal(0, 1, (9, 9)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    edge = rng.choice([0.03, 0.5])
    window = np.clip((n - rng.uniform(0, 1.0)) / edge, 0, 1) * lenses.glare
    haze = rng.choice([0.0, rng.uniform(0, 0.06)])
    image[mask] = image[mask] * lenses.tint + (window[mask] + haze)[:, None] * np.exp(rng.normal(0, 0.1, 3))


def shell(head, centre, lat, lon, offset, colour, gloss, label=8):
    """A sheet `offset` cm above the head for a grid of directions (radians)."""
    r = cv2.blur(np.hstack([head.radius_map] * 3), (7, 5))
    rows, cols = head.radius_map.shape
    r = r[:, cols: 2 * cols]
    fy = ((0.5 - lat / np.pi) * (rows - 1)).astype(np.float32)
    fx = ((lon / (2 * np.pi) + 0.5) * cols - 0.5).astype(np.float32)
    radius = cv2.remap(np.hstack([r[:, -1:], r, r[:, :1]]), fx + 1, fy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    d = np.stack([np.cos(lat) * np.sin(lon), np.sin(lat), np.cos(lat) * np.cos(lon)], -1)
    v = centre + d * (radius + offset)[..., None]
    if np.ndim(colour) == 3:
        colour = colour.reshape(-1, 3)
    return Sheet(v.reshape(-1, 3), grid_tris(*lat.shape, True), colour, gloss, label)


def headwear(rng, head, centre):
    """Sheets of a cap, beanie, brimmed hat, turban, headscarf or headband, and its kind."""
    kind = str(rng.choice(["cap", "beanie", "hat", "turban", "scarf", "band"], p=[0.2, 0.2, 0.15, 0.17, 0.18, 0.1]))
    rows, cols = 28, 72
    lon = np.linspace(-np.pi, np.pi, cols, endpoint=False)
    t = np.linspace(0, 1, rows)[:, None]
    colour, gloss = random_colour(rng), rng.uniform(0.02, 0.2)
    forward = (1 + np.cos(lon)) / 2
    front = np.radians({"cap": rng.uniform(24, 42), "beanie": rng.uniform(20, 44), "hat": rng.uniform(22, 42),
                        "turban": rng.uniform(20, 42), "band": rng.uniform(28, 42), "scarf": 0}[kind])
    back = np.radians(rng.uniform(-22, 0))
    edge = back + (front - back) * forward ** rng.uniform(0.9, 1.6)
    folds = np.exp(rng.normal(0, 0.05, (rows, cols, 1)))
    if kind == "scarf":
        axis = np.radians(rng.uniform(-12, -4))
        psi = lon
        open_v, open_h = np.radians(rng.uniform(44, 54)), np.radians(rng.uniform(56, 74))
        start = np.hypot(open_v * np.cos(psi), open_h * np.sin(psi))
        theta = start + t * (np.radians(165) - start)
        local = np.stack([np.sin(theta) * np.sin(psi), np.sin(theta) * np.cos(psi), np.cos(theta) * np.ones_like(psi)], -1)
        y = local[..., 1] * np.cos(axis) + local[..., 2] * np.sin(axis)
        z = -local[..., 1] * np.sin(axis) + local[..., 2] * np.cos(axis)
        lat, lon2 = np.arcsin(np.clip(y, -1, 1)), np.arctan2(local[..., 0], z)
        wave = 0.15 * np.sin(theta * rng.uniform(10, 25) + rng.uniform(1, 3) * np.sin(2 * psi))
        offset = rng.uniform(0.4, 0.9) + 0.6 * smoothstep(0, 1, t) * np.ones_like(psi) + wave
        offset = offset + 1.1 * np.exp(-((np.abs(lon2) - 1.6) / 0.35) ** 2 - ((lat + 0.25) / 0.4) ** 2)  # over the ears
        return [shell(head, centre, lat, lon2, offset, colour * folds * np.exp(0.8 * wave[..., None]), gloss)], kind
    lat = np.pi / 2 - t * (np.pi / 2 - edge)
    lon2 = np.broadcast_to(lon, lat.shape)
    offset = np.full(lat.shape, rng.uniform(0.7, 1.1))
    shade = folds
    if kind == "beanie":
        offset = offset + rng.uniform(0, 2.5) * (1 - t) ** 2
        shade = shade * np.exp(0.15 * np.sin(lon * rng.integers(20, 60)))[None, :, None]
    elif kind == "hat":
        offset = offset + rng.uniform(1, 4.5) * (1 - t ** 3)
    elif kind == "turban":
        offset = offset + rng.uniform(0.8, 3.0) * np.sin(np.pi * np.clip(t * 0.95, 0, 1)) ** 0.7
        slope = rng.uniform(1, 3)
        wraps = np.sin(rng.uniform(20, 40) * t + slope * np.abs(lon - rng.uniform(-0.4, 0.4)) * 2)
        offset = offset + 0.25 * wraps
        shade = shade * np.exp(0.3 * wraps[..., None])
    elif kind == "band":
        lat = edge + (1 - t) * np.radians(rng.uniform(8, 25))
    sheets = [shell(head, centre, lat, lon2, offset, colour * shade, gloss)]
    if kind in ("cap", "hat"):
        rim = sheets[0].vertices.reshape(rows, cols, 3)[-1]
        s = np.linspace(0, 1, 8)[:, None]
        reach = rng.uniform(4, 8)
        if kind == "cap":
            reach = reach * np.clip(np.cos(lon) * 1.5 - 0.45, 0, 1) ** 0.6
        out = np.stack([np.sin(lon), np.full(cols, rng.uniform(-0.45, 0.1)), np.cos(lon)], 1)
        v = rim[None] + (s * reach)[..., None] * out[None]
        tone = random_colour(rng) if rng.random() < 0.3 else colour
        sheets.append(Sheet(v.reshape(-1, 3), grid_tris(8, cols, True), tone, gloss, 8))
    return sheets, kind


def occluder(rng, skin):
    """A hand or some object before the face or at the border."""
    at = np.array([rng.normal(0, 6), rng.uniform(-9, 4), rng.uniform(12.5, 16)])
    if rng.random() < 0.4:
        at[:2] = rng.choice([-1, 1]) * rng.uniform(8, 14), rng.uniform(-12, 8)
    if rng.random() < 0.5:  # hand: fingers from a palm, the arm leaving downwards
        tone = skin * np.exp(rng.normal(0, 0.12))
        spread = rng.uniform(-0.6, 0.6)
        sheets = []
        for i in range(4):
            angle = spread + (i - 1.5) * rng.uniform(0.05, 0.25)
            d = np.array([np.sin(angle), np.cos(angle), 0])
            start = at + np.array([(i - 1.5) * 1.8 * np.cos(spread), -(i - 1.5) * 1.8 * np.sin(spread), 0])
            s = np.sin(np.linspace(0, np.pi / 2, 14))[:, None]
            path = start + d * s * rng.uniform(6, 8.5) + np.array([0, 0, -2.0]) * s ** 2
            sheets.append(tube(path, 0.95 * np.sqrt(np.clip(1.001 - s[:, 0] ** 20, 0.001, 1)), tone, 0.3, sides=10, follows="camera"))
        wrist = at - 30 * np.array([np.sin(spread), np.cos(spread), 0]) + np.array([0, 0, 1.0])
        s = np.linspace(0, 1, 20)[:, None]
        sheets.append(tube(at + (wrist - at) * s, np.interp(s[:, 0], [0, 0.1, 0.25, 0.35, 1], [3.2, 3.9, 3.6, 2.7, 3.6]), tone, 0.3, sides=14, follows="camera", flat=0.4))
        return sheets
    direction = rng.normal(0, 1, 3) * [1, 1, 0.2]
    direction /= np.linalg.norm(direction)
    s = np.linspace(-1, 1, 12)
    shape = rng.choice(["ball", "rod", "block"])
    size = rng.uniform(1.2, 4.5)
    radius = {"ball": size * np.sqrt(np.clip(1 - s ** 2, 0.001, 1)), "rod": np.full(12, size * 0.35), "block": np.full(12, size)}[shape]
    length = {"ball": size, "rod": rng.uniform(6, 20), "block": size * rng.uniform(1, 2)}[shape]
    colour = random_colour(rng) * np.exp(rng.normal(0, rng.choice([0.02, 0.3]), (12, 1, 1)))
    sides = 4 if shape == "block" else 14
    return [tube(at + direction * s[:, None] * length, radius, np.tile(colour, (1, sides, 1)).reshape(-1, 3), rng.uniform(0, 1), sides=sides, follows="camera")]


def background(rng, size):
    """Linear RGB picture behind the head."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    kind = rng.choice(["studio", "flat", "noise", "shapes", "skinlike"], p=[0.42, 0.16, 0.16, 0.18, 0.08])
    if kind == "skinlike":
        base = np.array([0.45, 0.28, 0.18]) * np.exp(rng.normal(0, 0.4)) * np.exp(rng.normal(0, 0.15, 3))
    elif rng.random() < 0.6:  # grey, white or blueish paper
        base = rng.choice([rng.uniform(0.3, 0.9), rng.uniform(0.02, 0.9)]) * np.exp(rng.normal(0, 0.08, 3))
    else:
        base = random_colour(rng)
    angle = rng.uniform(0, 6.28)
    ramp = np.exp(rng.normal(0, 0.5) * (np.cos(angle) * x + np.sin(angle) * y)
                  - abs(rng.normal(0, 0.8)) * (x ** 2 + y ** 2))
    out = base[None, None] * (ramp if kind != "flat" else np.ones_like(ramp))[..., None]
    if kind in ("noise", "skinlike"):
        for cells in (3, 9, 30, 100):
            n = rng.normal(0, rng.uniform(0, 0.35), (cells, cells, 3 if rng.random() < 0.3 else 1)).astype(np.float32)
            n = cv2.resize(n, (size, size), interpolation=cv2.INTER_CUBIC)
            out = out * np.exp(n if n.ndim == 3 else n[..., None])
    elif kind == "shapes":
        picture = np.ascontiguousarray(out, np.float32)
        for _ in range(rng.integers(3, 25)):
            colour = tuple(float(c) for c in random_colour(rng))
            centre = tuple(int(c) for c in rng.integers(0, size, 2))
            if rng.random() < 0.5:
                cv2.ellipse(picture, centre, tuple(int(c) for c in rng.integers(8, size // 3, 2)), float(rng.uniform(0, 180)), 0, 360, colour, -1)
            else:
                other = tuple(int(c) for c in rng.integers(0, size, 2))
                cv2.line(picture, centre, other, colour, int(rng.integers(2, size // 5)))
        sigma = rng.choice([0.6, 3.0, 10.0]) * rng.uniform(0.7, 1.5)
        out = cv2.GaussianBlur(picture, (0, 0), sigma)
    return np.clip(out, 0, 1.2).astype(np.float32)
