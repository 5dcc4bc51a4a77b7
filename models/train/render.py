"""Renders labelled synthetic faces from the ICT face mesh (ICT-FaceKit, MIT licence).

    python render.py --mesh ict_face.npz --out DIR --first SEED --count N [--workers 1]
    python render.py --mesh ict_face.npz --preview FILE.png --count 24

Model space is in cm: x to the picture's right, y up, z towards the camera.  View space is the
same after the head's turn, with the midpoint of the eyes at the origin.
"""

import argparse
import math
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read by numpy when it is imported
import cv2
import numpy as np

import hair
import props
import raster
from mesh import HEAD_CENTRE, Mesh, light_screen, noise_bank, smoothstep
from raster import AO, ATTRIBUTES, HAIR, PAINT, SHADOW, U, UNDER, V

CLASSES = ("background", "skin", "brows", "eyes", "nose", "lips", "hair", "ears_neck", "occlusion")
POINTS = ("pupil_right", "pupil_left", "eye_outer_right", "eye_inner_right", "eye_inner_left", "eye_outer_left",
          "mouth_right", "mouth_left", "mouth_centre", "nose_tip", "subnasale", "menton")
SUPERSAMPLE = 1.5
# Linear RGB reflectance from very light to very dark skin.
SKIN_LEVELS = (0, 0.25, 0.5, 0.75, 1)
SKIN_TONES = np.array([(0.78, 0.58, 0.47), (0.64, 0.42, 0.29), (0.40, 0.22, 0.125), (0.18, 0.088, 0.05), (0.055, 0.033, 0.024)])
SHARD = 250
cv2.setNumThreads(1)
BANK = noise_bank()
NECK_PIVOT = np.array([0, -8, -1], np.float32)


@dataclass
class Sample:
    rgb: np.ndarray
    label: np.ndarray
    points: np.ndarray  # POINTS x (x, y); right and left are the subject's
    pose: np.ndarray  # yaw, pitch, roll in degrees


def rotation(yaw, pitch, roll):
    """Turn by yaw (to the picture's right), then pitch (upwards), then roll (clockwise)."""
    y, p, r = np.radians([yaw, -pitch, -roll])
    ry = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    rx = np.array([[1, 0, 0], [0, math.cos(p), -math.sin(p)], [0, math.sin(p), math.cos(p)]])
    rz = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    return rz @ rx @ ry


def draw_pose(rng):
    yaw = rng.uniform(-12, 12) if rng.random() < 0.5 else rng.uniform(-40, 40)
    pitch = np.clip(rng.normal(0, 7), -18, 18)
    roll = np.clip(rng.normal(0, 4) if rng.random() < 0.75 else rng.uniform(-20, 20), -20, 20)
    return np.array([yaw, pitch, roll])


def draw_expression(rng, mesh):
    """Weights of the mesh's expression modes: neutral, or a few acts at random strength."""
    weights = np.zeros(len(mesh.basis))

    def act(strength, *names):
        for name in names:
            hits = [i for n, i in mesh.expression.items() if n == name or n[:-2] == name and n[-2] == "_"]
            for i in hits:
                weights[i] += strength * rng.uniform(0.8, 1.2)

    if rng.random() < 0.5:
        for i in mesh.expression.values():
            if rng.random() < 0.1:
                weights[i] = rng.uniform(0, 0.12)
    else:
        if rng.random() < 0.45:
            s = rng.uniform(0.2, 1.0)
            act(s, "mouthSmile")
            act(s * rng.uniform(0, 0.6), "cheekSquint", "mouthUpperUp")
        elif rng.random() < 0.3:
            act(rng.uniform(0.2, 0.9), str(rng.choice(["mouthPucker", "mouthFrown", "mouthPress", "mouthRollLower", "mouthFunnel", "mouthStretch"])))
        if rng.random() < 0.35:
            act(rng.uniform(0.05, 0.6), "jawOpen")
        if rng.random() < 0.35:
            act(rng.uniform(0.2, 0.9), str(rng.choice(["browDown", "browInnerUp", "browOuterUp"])))
        if rng.random() < 0.15:
            act(rng.uniform(0.3, 1.0), "noseSneer")
    blink = rng.random()
    if blink < 0.06:
        act(1.0, "eyeBlink")
    elif blink < 0.22:
        act(rng.uniform(0.2, 0.7), "eyeBlink")
    elif blink < 0.35:
        act(rng.uniform(0.2, 0.8), "eyeWide")
    elif blink < 0.5:
        act(rng.uniform(0.2, 0.9), "eyeSquint")
    weights[: mesh.identities] = 0
    return weights


def draw_head(rng, mesh, pose):
    """A random person's geometry in model space; the body follows only part of the head's turn."""
    weights = draw_expression(rng, mesh)
    weights[: mesh.identities] = rng.normal(0, rng.uniform(0.6, 1.15), mesh.identities)
    weights = weights.astype(np.float32)
    offset = weights[: mesh.identities] @ mesh.basis[: mesh.identities]
    for i in np.flatnonzero(weights[mesh.identities:]) + mesh.identities:
        offset += weights[i] * mesh.basis[i]
    scale = np.exp(rng.normal(0, [0.035, 0.03, 0.03])).astype(np.float32)
    vertices = (mesh.mean + offset.reshape(-1, 3)) * scale
    body = rotation(*(-pose * rng.uniform(0.1, 0.9)))
    stay = (1 - smoothstep(-12.0, -6.5, mesh.mean[:, 1]))[:, None]
    turned = (vertices - NECK_PIVOT) @ body.T + NECK_PIVOT
    vertices = (vertices + stay * (turned - vertices)).astype(np.float32)
    normals = np.empty_like(vertices)
    raster.vertex_normals(vertices, mesh.vertex_tris, normals)
    upright = (vertices[mesh.collar] - NECK_PIVOT) @ body + NECK_PIVOT
    return SimpleNamespace(
        body=body,
        vertices=vertices, wedge_positions=vertices[mesh.wedge_vertex], wedge_normals=normals[mesh.wedge_vertex],
        radius_map=mesh.radius_map(vertices[mesh.wedge_vertex]),
        eyes=np.array([vertices[v].mean(0) for v in mesh.eye_vertices]),
        neck=np.abs(upright).max(0) / np.abs(mesh.mean[mesh.collar]).max(0),
        neck_drop=float((upright[:, 1] - mesh.mean[mesh.collar, 1]).mean()))


def skin_parameters(rng):
    """The parameter vector `raster.surface` reads, and the melanin level 0..1."""
    melanin = rng.random()
    base = np.exp([np.interp(melanin, SKIN_LEVELS, c) for c in np.log(SKIN_TONES).T])
    base *= np.exp(rng.normal(0, [0.08, 0.05, 0.14])) * np.exp(rng.normal(0, 0.1))
    red = max(0.0, rng.normal(0.25, 0.25)) * (1 - 0.5 * melanin)
    lip = base * np.exp(-np.array([0.18, 0.6, 0.45]) * rng.uniform(0.3, 1.5))
    paint = rng.random()
    if paint < 0.12:
        lip = np.array([0.42, 0.03, 0.05]) * np.exp(rng.normal(0, 0.4, 3))
    elif paint < 0.25:
        lip = base * np.exp(-np.array([0.3, 0.7, 0.6]) * rng.uniform(0.5, 1.5))
    age = rng.random() ** 1.5
    oily = rng.choice([rng.uniform(0, 0.4), rng.uniform(0.4, 1.6)])
    p = np.zeros(25, np.float32)
    p[0:3] = np.log(base)
    p[3] = rng.uniform(0.03, 0.10) * (1 + 0.8 * rng.random() ** 3)  # uneven tone
    p[4] = max(0, rng.normal(0.12, 0.15))  # dark eye sockets
    p[5], p[6] = red, rng.uniform(0, 0.14)
    p[7] = rng.choice([0.0, rng.uniform(0.1, 0.9)], p=[0.8, 0.2]) * (1 - 0.7 * melanin)
    p[8] = rng.choice([0.0, rng.uniform(0.1, 0.8)], p=[0.65, 0.35])
    p[9] = oily
    p[10], p[11] = rng.uniform(0.2, 1.2), age * rng.uniform(0.2, 1.0)
    p[12] = age * rng.uniform(0, 1.4)
    p[13] = rng.uniform(5, 10)
    p[14], p[15] = age * rng.uniform(0, 1.2), age * rng.uniform(0.2, 1.5)
    p[16] = rng.uniform(0, 1)
    p[17] = rng.choice([0.0, rng.uniform(0, 0.3)], p=[0.7, 0.3])  # blotches
    p[18:21] = lip
    p[21] = rng.choice([rng.uniform(0, 0.5), rng.uniform(0.5, 2.0)])
    if rng.random() < 0.1:  # eye shadow
        p[22:25] = rng.normal(-0.15, 0.3, 3)
    return p, melanin


def draw_moles(rng, mesh):
    """Moles and blemishes: centre on the neutral mesh, radius (cm), strength, height."""
    n = rng.poisson(rng.choice([0.7, 5], p=[0.7, 0.3]))
    moles = np.zeros((n, 6), np.float32)
    front = np.flatnonzero(mesh.mean[:, 2] > 3)
    moles[:, :3] = mesh.mean[rng.choice(front, n)]
    moles[:, 3] = np.exp(rng.uniform(np.log(0.08), np.log(0.28), n))
    moles[:, 4], moles[:, 5] = rng.uniform(0.2, 1.4, n), rng.random(n)
    return moles


def draw_eyes(rng, melanin):
    """Iris colour, ring angle, pupil share, gloss, sclera level and yellowness, tooth level."""
    palette = [((0.035, 0.015, 0.008), 4 + 8 * melanin), ((0.09, 0.045, 0.02), 3), ((0.12, 0.13, 0.07), 1.2),
               ((0.13, 0.19, 0.25), 2), ((0.2, 0.22, 0.23), 1)]
    w = np.array([q for _, q in palette])
    w[2:] *= (1 - melanin) ** 2 + 0.03
    iris = np.array(palette[rng.choice(len(palette), p=w / w.sum())][0]) * np.exp(rng.normal(0, 0.25))
    return np.array([*iris, rng.uniform(0.38, 0.44), rng.uniform(0.25, 0.6), rng.uniform(0.4, 1.6),
                     rng.uniform(0.28, 0.55) * (1 - 0.3 * melanin), rng.uniform(0.02, 0.16), rng.uniform(0.5, 1.1)], np.float32)


def draw_lights(rng, reflectance):
    """Light rows and ambient colours, scaled to a plausible exposure of the face."""
    kind = rng.choice(["studio", "flash", "side", "soft"], p=[0.45, 0.18, 0.15, 0.22])
    azimuth, height = {"studio": (rng.normal(0, 35), rng.uniform(5, 55)), "flash": (rng.normal(0, 6), rng.normal(6, 6)),
                       "side": (rng.choice([-1, 1]) * rng.uniform(45, 100), rng.uniform(-10, 50)),
                       "soft": (rng.uniform(-90, 90), rng.uniform(-15, 85))}[kind]
    key = {"studio": rng.uniform(0.4, 1.2), "flash": rng.uniform(0.6, 1.2), "side": rng.uniform(0.6, 1.5), "soft": rng.uniform(0.05, 0.35)}[kind]

    def direction(a, h):
        a, h = np.radians([a, h])
        return np.array([math.sin(a) * math.cos(h), math.sin(h), math.cos(a) * math.cos(h)])

    tint = rng.normal(0, 0.06)
    colour = np.exp([tint, 0, -tint])
    rows = [np.r_[direction(azimuth, height), key * colour, 1]]
    for _ in range(rng.integers(0, 3)):  # fill and rim lights without shadow maps
        tint = rng.normal(0, rng.choice([0.04, 0.2]))
        rows.append(np.r_[direction(rng.uniform(-130, 130), rng.uniform(-20, 60)), rng.uniform(0.05, 0.5) * key * np.exp([tint, 0, -tint]), 0])
    level = rng.uniform(0.1, 0.5) if kind != "soft" else 0.6
    sky = level * np.exp(rng.normal(0, 0.08, 3)) * rng.uniform(0.6, 1.4)
    ground = sky * rng.uniform(0.2, 0.9) * np.exp(rng.normal(0, 0.12, 3))
    ambient = np.array([sky, ground, level * np.full(3, rng.uniform(0, 0.8))])
    lights = np.array(rows, np.float32)
    facing = np.maximum(0.35, lights[:, 2])
    total = (lights[:, 3:6].mean(1) * facing).sum() + (ambient[0] + ambient[1]).mean() / 2 + ambient[2].mean()
    # Cameras and photographers open up for dark skin, but not all the way.
    exposure = np.exp(rng.normal(0.14, 0.22)) * (0.35 / max(0.05, reflectance)) ** rng.uniform(0.1, 0.5) / total
    lights[:, 3:6] *= exposure
    return lights, np.vstack([ambient * exposure, np.zeros(3)]).astype(np.float32)


def photograph(rng, image):
    """Linear RGB to an 8-bit picture through a random camera."""
    size = image.shape[0]
    image = image * np.exp(rng.normal(0, 0.07, 3)).astype(np.float32)  # white balance
    if rng.random() < 0.15:
        y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
        image = image * (1 - rng.uniform(0.2, 0.9) * (x ** 2 + y ** 2))[..., None]
    image = np.maximum(image, 0)
    image = image / (1 + np.maximum(image - 0.75, 0))  # soft shoulder
    image = np.clip(image, 0, 1) ** (1 / 2.2)
    contrast = np.exp(rng.normal(0, 0.12))
    pivot = rng.uniform(0.35, 0.6)
    image = np.clip(pivot + (image - pivot) * contrast, 0, 1) ** np.exp(rng.normal(0, 0.1))
    grey = image.mean(2, keepdims=True)
    image = grey + (image - grey) * (rng.uniform(0.75, 1.5) if rng.random() > 0.05 else 0)
    if rng.random() < 0.12:
        image = image * (1 + rng.normal(0, 0.1, 3))
    image = image.astype(np.float32)
    low = rng.random() < 0.35
    if low:  # fewer pixels, then enlarged
        small = int(np.exp(rng.uniform(np.log(96), np.log(size * 0.9))))
        image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    elif rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.7:
        sigma = rng.choice([rng.uniform(0, 0.012), rng.uniform(0.01, 0.05)], p=[0.7, 0.3])
        noise = rng.normal(0, sigma, image.shape if rng.random() < 0.6 else image.shape[:2] + (1,))
        if rng.random() < 0.4:
            noise = cv2.GaussianBlur(noise.astype(np.float32), (0, 0), 0.8).reshape(image.shape[0], image.shape[1], -1)
        image = image + noise
    if rng.random() < 0.25:
        soft = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 1.0)
        image = image + rng.uniform(0.3, 1.2) * (image - soft)
    out = np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.75:
        _, data = cv2.imencode(".jpg", out[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(40, 98))])
        out = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
    if low:
        out = cv2.resize(out, (size, size), interpolation=cv2.INTER_CUBIC if rng.random() < 0.6 else cv2.INTER_LINEAR)
    return np.ascontiguousarray(out)


def render(seed, mesh, size=320):
    """One labelled picture; everything random comes from `seed`."""
    rng = np.random.default_rng(seed)
    pose = draw_pose(rng)
    head = draw_head(rng, mesh, pose)
    turn = rotation(*pose)
    skin, melanin = skin_parameters(rng)
    middle = head.eyes.mean(0)
    pd = np.linalg.norm(head.eyes[1] - head.eyes[0])
    distance = np.exp(rng.uniform(np.log(50), np.log(300)))
    big = int(size * SUPERSAMPLE)
    pd_pixels = size / 4.875 * np.exp(rng.uniform(np.log(0.85), np.log(1.2)))
    focal = pd_pixels * SUPERSAMPLE * distance / pd
    shift = rng.uniform(-0.25, 0.25, 2) * pd_pixels
    at = (np.array([size / 2, size / 2 - 0.38 * pd_pixels]) + shift) * SUPERSAMPLE

    def view(points):
        return ((points - middle) @ turn.T).astype(np.float32)

    def project(points):
        inverse = 1 / (distance - points[..., 2])
        return np.stack([at[0] + focal * points[..., 0] * inverse, at[1] - focal * points[..., 1] * inverse, inverse], -1).astype(np.float32)

    lights, ambient = draw_lights(rng, float(np.exp(skin[:3]).mean()))
    ambient[3, 0] = distance

    # Hair.
    styles = ("bald", "buzz", "receding", "short", "medium", "long", "afro", "tied")
    chance = np.array([0.05, 0.09, 0.08, 0.27, 0.19, 0.19, 0.06 + 0.08 * melanin, 0.06])
    style = str(rng.choice(styles, p=chance / chance.sum()))
    sheets = [props.garment(rng, head)]
    lenses = None
    if rng.random() < 0.25:
        frame, lenses = props.glasses(rng, head, mesh.landmark)
        sheets += frame
    covered = rng.random() < 0.1
    if covered:
        worn, wear = props.headwear(rng, head, HEAD_CENTRE)
        sheets += worn
        covered = wear != "band"
        if covered:
            style = "bald" if wear in ("scarf", "turban") else str(rng.choice(["bald", "buzz", "short", "long"]))
    if rng.random() < 0.08:
        sheets += props.occluder(rng, np.exp(skin[:3]))
    colour = hair.draw_colour(rng, melanin)
    grey = rng.choice([0.0, rng.uniform(0.05, 0.8)], p=[0.8, 0.2])
    groups, density, opacity = hair.head_hair(rng, mesh, head, colour, style, grey, covered)
    attr = mesh.attr.copy()
    attr[:, HAIR] = density
    attr[:, UNDER] = opacity
    groups += hair.brows(rng, mesh, head, colour * rng.uniform(0.35, 1.0), grey * 0.5)
    groups += hair.lashes(rng, mesh, head)
    if rng.random() < (0.08 if style in ("long", "tied") or covered and wear == "scarf" else 0.45):
        sets, under, hidden = hair.beard(rng, mesh, head, colour * rng.uniform(0.6, 1.3), grey)
        groups += sets
        if sets:
            more = under > attr[:, HAIR]
            attr[more, HAIR], attr[more, UNDER] = under[more], hidden

    # Head and sheets in one list of wedges and triangles.
    positions, normals, attrs = [view(head.wedge_positions)], [(head.wedge_normals @ turn.T).astype(np.float32)], [attr]
    tris, kinds, labels = [mesh.tris], [mesh.tri_kind], [mesh.tri_label]
    base = len(attr)
    for sheet in sheets:
        spin = {"head": np.eye(3), "body": head.body, "camera": turn.T}[sheet.follows]
        v = view((sheet.vertices - NECK_PIVOT) @ spin.T + NECK_PIVOT)
        n = np.empty_like(v)
        raster.vertex_normals(v, sheet.tris[: len(sheet.tris) // 2], n)
        a = np.zeros((len(v), ATTRIBUTES), np.float32)
        a[:, :3], a[:, 3], a[:, AO] = sheet.colour, sheet.gloss, 1
        a[:, U], a[:, V] = v[:, 0] * 0.1, v[:, 1] * 0.1
        positions.append(v)
        normals.append(n)
        attrs.append(a)
        tris.append(sheet.tris + base)
        kinds.append(np.full(len(sheet.tris), PAINT, np.uint8))
        labels.append(np.full(len(sheet.tris), sheet.label, np.uint8))
        base += len(v)
    positions, normals, attrs = map(np.concatenate, (positions, normals, attrs))
    tris, kinds, labels = map(np.concatenate, (tris, kinds, labels))
    for g in groups:
        g.view = view(g.points)

    # What the key light sees; hair casts its shadow as points.
    map_size, map_scale = 288, 8.0
    depth = np.full((map_size, map_size), -1e9, np.float32)
    raster.triangles(light_screen(positions, lights[0, :3], map_size, map_scale), tris, 0, depth, np.empty((map_size, map_size), np.int32))
    for g in groups:
        if g.cover == 0:
            raster.splat_points(light_screen(np.ascontiguousarray(g.view[:, 1:].reshape(-1, 3)), lights[0, :3], map_size, map_scale), depth)
    visible = np.empty(len(positions), np.float32)
    raster.light_visibility(light_screen(positions + 0.15 * normals, lights[0, :3], map_size, map_scale), depth,
                            np.float32(np.exp(rng.uniform(0, np.log(7)))), np.float32(0.2), visible)
    attrs[:, SHADOW] = visible

    # Surfaces.
    screen = project(positions)
    zbuf = np.zeros((big, big), np.float32)
    ids = np.full((big, big), -1, np.int32)
    raster.triangles(screen, tris, 0, zbuf, ids)
    albedo, normal, point = (np.empty((big, big, 3), np.float32) for _ in range(3))
    misc = np.empty((big, big, 4), np.float32)
    label = np.zeros((big, big), np.uint8)
    covers = np.zeros((3, big, big), np.float32)
    eye_view = view(head.eyes)
    gaze_turn = rotation(rng.normal(0, 8), rng.normal(0, 4), 0)
    gaze = gaze_turn[:, 2] if rng.random() < 0.4 else turn.T @ np.array([0, 0, 1.0])  # at the camera
    gaze = gaze * [0.6, 0.6, 1]
    gaze_view = turn @ (gaze / np.linalg.norm(gaze))
    eyes = np.concatenate([eye_view, np.tile(gaze_view, (2, 1))], 1).astype(np.float32)
    undercoat = (colour * 0.7).astype(np.float32)
    raster.surface(ids, screen, tris, kinds, labels, positions, normals, attrs, BANK, rng.uniform(0, 512, 8).astype(np.float32),
                   skin, draw_moles(rng, mesh), eyes, draw_eyes(rng, melanin), undercoat, albedo, normal, point, misc, label, covers[0])
    image = cv2.resize(props.background(rng, size), (big, big), interpolation=cv2.INTER_LINEAR)
    raster.shade(ids, albedo, normal, point, misc, lights, ambient, np.float32(0.3), np.float32(np.exp(rng.uniform(np.log(6), np.log(40)))), image)

    # Strands.
    centre = view(HEAD_CENTRE)
    for g in groups:
        outward = g.view - centre
        outward /= np.linalg.norm(outward, axis=2, keepdims=True)
        shades = np.empty_like(g.view)
        raster.light_strands(g.view, outward, g.colour, np.float32(g.tip), lights, ambient, np.float32(g.gloss), g.shadow, shades)
        width = (g.width * focal / distance).astype(np.float32)
        raster.strands(project(g.view), shades, width, g.alpha, np.float32(g.taper), np.float32(g.bias / distance ** 2), zbuf, image, covers[g.cover])

    # Labels from the strands' local coverage.
    blur = max(1.0, 0.045 * pd_pixels * SUPERSAMPLE)
    brow = cv2.GaussianBlur(covers[1], (0, 0), 0.5 * blur)
    label[(brow > 0.22) & (label != 8)] = 2
    label[cv2.GaussianBlur(covers[0], (0, 0), blur) > 0.4] = 6
    if lenses:
        seen = np.full((big, big), -1, np.int32)
        raster.triangles(project(view(lenses.vertices)), lenses.tris, 0, zbuf, seen)
        props.put_lenses(rng, lenses, seen >= 0, image)
        label[seen >= 0] = 8
    label = cv2.resize(label, (size, size), interpolation=cv2.INTER_NEAREST_EXACT)
    image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)

    lm = mesh.landmark
    v = head.vertices
    pupils = head.eyes + gaze / np.linalg.norm(gaze) * 1.5
    named = np.concatenate([pupils, v[lm[[36, 39, 42, 45, 48, 54]]], [(v[lm[62]] + v[lm[66]]) / 2], v[lm[[30, 33]]], [v[mesh.menton]]])
    points = (project(view(named))[:, :2] - (SUPERSAMPLE - 1) / 2) / SUPERSAMPLE
    return Sample(photograph(rng, image), label, points.astype(np.float32), pose.astype(np.float32))


PALETTE = np.array([(0, 0, 0), (255, 200, 170), (90, 50, 20), (60, 140, 255), (255, 150, 60), (230, 30, 60),
                    (130, 60, 200), (60, 200, 110), (250, 240, 40)], np.uint8)


def preview(path, mesh, first, count):
    """Contact sheet: each picture beside itself with the labels and points over it."""
    cells = []
    for seed in range(first, first + count):
        s = render(seed, mesh)
        over = (s.rgb * 0.45 + PALETTE[s.label] * 0.55).astype(np.uint8)
        for x, y in s.points:
            cv2.circle(over, (round(float(x)), round(float(y))), 2, (255, 255, 255), -1)
        cells.append(np.hstack([s.rgb, over]))
    columns = 4 if count >= 8 else 2
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    rows = [np.hstack(cells[i: i + columns]) for i in range(0, len(cells), columns)]
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])


def load_once(path):
    """Per process: the mesh that `write_shard` uses."""
    global process_mesh
    process_mesh = Mesh(path)


def write_shard(job):
    path, first, count = job
    samples = [render(seed, process_mesh) for seed in range(first, first + count)]
    partial = path.with_suffix(".tmp.npz")
    np.savez_compressed(partial, **{k: np.stack([getattr(s, k) for s in samples]) for k in ("rgb", "label", "points", "pose")})
    partial.rename(path)
    print(path, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mesh", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--preview", type=Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    if args.preview:
        preview(args.preview, Mesh(args.mesh), args.first, args.count)
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        end = args.first + args.count
        jobs = [(args.out / f"shard-{s}.npz", s, min(SHARD, end - s)) for s in range(args.first, end, SHARD)]
        jobs = [j for j in jobs if not j[0].exists()]
        if args.workers == 1:
            load_once(args.mesh)
            for job in jobs:
                write_shard(job)
        else:
            with ProcessPoolExecutor(args.workers, initializer=load_once, initargs=(args.mesh,)) as pool:
                list(pool.map(write_shard, jobs))


if __name__ == "__main__":
    main()
