"""The ICT face mesh with everything the renderer derives from it once: label regions, ambient
occlusion, hair roots."""

import json
from pathlib import Path

import numpy as np

import raster
from raster import (AO, ATTRIBUTES, BEARD, BROW, CHEEK, EAR, EYE, LIPS, MOUSTACHE, MOUTH, NECK, NOSE,
                    SCALP, SKIN, SOCKET, TEETH, TX, TY, TZ, U, V)

HEAD_CENTRE = np.array([0, 4.0, 1.5], np.float32)

# Outlines in the neutral mesh's frontal view (x, y in cm; x >= 0 half, mirrored on use).
NOSE_HALF = [(0, 4.1), (0.55, 3.9), (0.85, 3.2), (1.12, 2.2), (1.4, 1.2), (1.72, 0.5), (1.95, -0.1), (2.02, -0.6),
             (1.8, -1.02), (1.35, -1.2), (0.9, -1.22), (0.5, -1.3), (0, -1.36)]

# Hairline height (cm) against azimuth (degrees from the front, about HEAD_CENTRE).
HAIRLINE = np.array([(0, 11.2), (20, 11.1), (35, 10.6), (45, 9.6), (52, 8.2), (60, 6.8), (70, 5.6), (78, 4.0),
                     (84, 2.0), (90, 2.5), (98, 4.0), (115, 3.2), (125, 0.0), (140, -3.5), (180, -5.0)])

# Lower edge of the jaw in the side view (z, y).
JAW = np.array([(1.8, -2.7), (2.3, -4.0), (3.2, -5.6), (5.0, -7.1), (7.0, -8.1), (9.0, -8.6), (10.5, -8.7)])


def smoothstep(a, b, x):
    t = np.clip((x - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


def signed_distance(polygon, points):
    """Distance of 2-D points from a closed polygon, positive inside."""
    polygon = np.asarray(polygon, np.float32)
    a, b = polygon, np.roll(polygon, -1, 0)
    ab = b - a
    best = np.full(len(points), np.inf, np.float32)
    inside = np.zeros(len(points), bool)
    for p, q, d in zip(a, b, ab):
        r = points - p
        t = np.clip((r @ d) / (d @ d), 0, 1)
        best = np.minimum(best, np.hypot(*(r - t[:, None] * d).T))
        cross = (p[1] > points[:, 1]) != (q[1] > points[:, 1])
        at = d[0] * (points[:, 1] - p[1]) / np.where(d[1] == 0, 1e-9, d[1]) + p[0]
        inside ^= cross & (points[:, 0] < at)
    return np.where(inside, best, -best)


def mirrored(half):
    half = np.array(half, np.float32)
    return np.concatenate([half, (half * [-1, 1])[-2:0:-1]])  # both ends lie on the axis


class Roots:
    """Points scattered evenly over part of the surface, as triangle corners and weights."""

    def __init__(self, mesh, chosen, count, rng):
        tris = mesh.tris[chosen]
        corners = mesh.mean[mesh.wedge_vertex[tris]]
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        pick = rng.choice(len(tris), count, p=area / area.sum())
        uv = rng.random((count, 2))
        uv = np.where(uv.sum(1, keepdims=True) > 1, 1 - uv, uv)
        self.tris = tris[pick]
        self.weights = np.c_[1 - uv.sum(1), uv].astype(np.float32)
        self.attr = (mesh.attr[self.tris] * self.weights[..., None]).sum(1)
        self.azimuth = (mesh.azimuth[self.tris] * self.weights).sum(1)

    def at(self, values, index):
        """Interpolates a per-wedge array at some of the points."""
        return np.einsum("nkc,nk->nc", values[self.tris[index]], self.weights[index])


class Mesh:
    """Compact arrays: `vertices` move with identity and expression, `wedges` carry the
    attributes (a vertex on a texture seam has several)."""

    def __init__(self, path):
        data = np.load(path)
        path = Path(path)
        landmarks = json.loads((path.parent / "ict_vertex_indices.json").read_text())["idx_to_landmark_verts"]
        verts, tris, tris_uv = data["vertices_cm"], data["triangles"], data["triangles_uv"]
        material = data["triangle_material"]
        # Irises, tear film, lashes and the eye helper meshes are replaced by shading and
        # strands; the shoulders by a garment.
        corner = verts[tris]
        shoulder = (np.abs(corner[..., 0]) > 7.8).any(1) & (corner[..., 1] < -9.5).all(1)
        keep = np.isin(material, [0, 1, 2, 3, 4, 6]) & ~shoulder
        tris, tris_uv, material = tris[keep], tris_uv[keep], material[keep]

        used, compact = np.unique(tris, return_inverse=True)
        vtris = compact.reshape(-1, 3).astype(np.int32)
        pairs, wedge = np.unique(np.c_[vtris.ravel(), tris_uv.ravel()], axis=0, return_inverse=True)
        self.mean = verts[used]
        self.vertex_tris = vtris
        self.wedge_vertex = pairs[:, 0].astype(np.int32)
        self.tris = wedge.reshape(-1, 3).astype(np.int32)
        self.basis = np.concatenate([data["identities"], data["expressions"]])[:, used].astype(np.float32)
        self.basis = self.basis.reshape(len(self.basis), -1)
        self.identities = len(data["identities"])
        self.expression = {str(n): i + self.identities for i, n in enumerate(data["expression_names"])}
        position = {v: i for i, v in enumerate(used)}
        self.landmark = np.array([position[v] for v in landmarks])

        origin = used[vtris[:, 0]]  # ranges of the ICT vertex numbering
        kind = np.full(len(tris), SKIN, np.uint8)
        kind[(origin >= 11248) & (origin < 13294)] = MOUTH
        kind[material == 2] = MOUTH
        kind[material == 3] = TEETH
        kind[(material == 4) | (material == 6)] = EYE
        self.tri_kind = kind
        self.tri_label = np.zeros(len(tris), np.uint8)
        self.eye_vertices = [np.unique(vtris[material == m]) for m in (6, 4)]  # subject's right, left
        self.collar = np.flatnonzero((self.mean[:, 1] > -11.5) & (self.mean[:, 1] < -10))

        self.attr = self._regions(self.mean[self.wedge_vertex])
        w = self.mean[self.wedge_vertex]
        self.azimuth = np.degrees(np.arctan2(np.abs(w[:, 0]), w[:, 2] - HEAD_CENTRE[2])).astype(np.float32)
        self.attr[:, AO] = self._ambient_occlusion()[self.wedge_vertex]
        self._radius_cells()
        self._scatter_roots()
        front = (np.abs(self.mean[:, 0]) < 0.1) & (self.mean[:, 2] > 8.5) & (self.mean[:, 1] > -10)
        front &= np.isin(np.arange(len(used)), vtris[kind == SKIN])
        self.menton = np.flatnonzero(front)[np.argmin(np.abs(self.mean[front, 1] + 8.4))]

    def _regions(self, p):
        """Signed distances and weights of the anatomical regions at points `p` of the neutral mesh."""
        x, y, z = p.T
        ax = np.abs(x)
        a = np.zeros((len(p), ATTRIBUTES), np.float32)
        front = z > 6.5
        lm = self.mean[self.landmark]
        lips = lm[48:60, :2]
        a[:, LIPS] = np.where(front, signed_distance(lips, p[:, :2]) + 0.05, -3)
        a[:, NOSE] = np.where(front, signed_distance(mirrored(NOSE_HALF), p[:, :2]), -3)
        jaw = np.interp(z, JAW[:, 0], JAW[:, 1])
        a[:, NECK] = np.clip(jaw - y, -3, 3)
        # The ear: outward of a plane through its root, and behind the cheek.
        ear = np.minimum(np.minimum(2.15 + 0.05 * y - z, z + 3.5), np.minimum(y + 2.9, 4.2 - y))
        ear = np.minimum(ear, (ax - (7.0 + 0.02 * y)) * 1.5 + 0.3)
        a[:, EAR] = np.clip(ear, -3, 3)

        phi = np.degrees(np.arctan2(ax, z - HEAD_CENTRE[2]))
        line = np.interp(phi, HAIRLINE[:, 0], HAIRLINE[:, 1])
        slope = np.gradient(np.interp(np.arange(181), HAIRLINE[:, 0], HAIRLINE[:, 1]))
        slope = np.interp(phi, np.arange(181), slope) / (8 * np.pi / 180)
        s = (y - line) / np.sqrt(1 + slope ** 2)
        s[(a[:, EAR] > -0.1) & (phi > 84)] = -3
        s[y < -8] = -3
        a[:, SCALP] = s

        upper = np.interp(ax, [0, 1.2, 2.6, 3.2, 4, 5, 6, 7.5], [-4.95, -4.95, -4.5, -3.4, -2.6, -1.3, 1.2, 3.0])
        beard = smoothstep(-0.5, 0.4, upper - y) * smoothstep(-10.5, -8.6, y) * smoothstep(0.9, 1.8, z)
        beard *= smoothstep(0.0, 0.25, -a[:, LIPS]) * smoothstep(0, 0.3, -a[:, EAR])
        soul = smoothstep(0.7, 0.2, ax) * smoothstep(-4.3, -4.6, y) * front
        a[:, BEARD] = np.maximum(beard, soul * (a[:, LIPS] < 0) * (y > -6) * (y < -4.3))
        moustache = smoothstep(3.4, 2.8, ax) * smoothstep(-1.25, -1.6, y) * smoothstep(-3.7, -3.2, y) * front
        corner = smoothstep(0.55, 0.3, np.abs(ax - 3.15)) * smoothstep(-5.4, -4.8, y) * smoothstep(-2.4, -2.9, y) * front
        a[:, MOUSTACHE] = np.maximum(moustache, corner) * smoothstep(0.02, 0.2, -a[:, LIPS]) * (a[:, NOSE] < 0)

        cheek = np.exp(-((ax - 4.2) / 1.9) ** 2 - ((y + 0.2) / 1.9) ** 2)
        tip = np.exp(-(x / 1.6) ** 2 - ((y - 0.2) / 1.3) ** 2) * front
        a[:, CHEEK] = np.maximum(np.maximum(cheek * (z > 3), tip), 0.8 * (a[:, EAR] > 0))
        d = np.hypot((ax - 3.0) / 1.9, (y - 3.0) / 1.2)
        a[:, SOCKET] = smoothstep(1.15, 0.5, d) * front
        # Brow band around a raised arc through the landmarks.
        arc_x, arc_y = lm[22:27, 0], lm[22:27, 1]
        a[:, BROW] = np.where(front & (y > 4), y - np.interp(ax, arc_x, arc_y), 9)
        # Texture coordinates of even density: around and along the head, 16 cm to the tile.
        a[:, U] = np.arctan2(x, z) * 8 / 16
        a[:, V] = (y - 0.5 * z) / 16
        a[:, TX], a[:, TY], a[:, TZ] = x, y, z
        return a

    def _ambient_occlusion(self):
        """Cosine-weighted share of the sky that each vertex of the neutral mesh sees."""
        normals = np.empty_like(self.mean)
        raster.vertex_normals(self.mean, self.vertex_tris, normals)
        count, size, scale = 96, 256, 6.5
        k = np.arange(count) + 0.5
        polar, turn = np.arccos(1 - 2 * k / count), np.pi * (1 + 5 ** 0.5) * k
        directions = np.stack([np.sin(polar) * np.cos(turn), np.cos(polar), np.sin(polar) * np.sin(turn)], 1)
        total, seen = np.zeros(len(self.mean)), np.zeros(len(self.mean))
        visible = np.empty(len(self.mean), np.float32)
        for d in directions:
            screen = light_screen(self.mean, d, size, scale)
            depth = np.full((size, size), -1e9, np.float32)
            raster.triangles(screen, self.vertex_tris, 0, depth, np.empty((size, size), np.int32))
            raster.light_visibility(screen, depth, 1.0, 0.25, visible)
            cosine = np.maximum(normals @ d, 0)
            total += cosine
            seen += cosine * visible
        return (seen / np.maximum(total, 1e-6)).astype(np.float32)

    def _radius_cells(self):
        """For each direction from HEAD_CENTRE the vertex of head, neck or chest nearest to it."""
        rows, cols = 48, 96
        w = self.wedge_vertex[(self.attr[:, EAR] < 0) & (self.attr[:, LIPS] < -0.2)]
        w = np.intersect1d(w, self.tris[self.tri_kind == SKIN])
        outer = self.mean[self.wedge_vertex[w]] - HEAD_CENTRE
        unit = outer / np.linalg.norm(outer, axis=1, keepdims=True)
        lat = np.pi * (0.5 - np.arange(rows) / (rows - 1))
        lon = 2 * np.pi * ((np.arange(cols) + 0.5) / cols - 0.5)
        lat, lon = np.meshgrid(lat, lon, indexing="ij")
        d = np.stack([np.cos(lat) * np.sin(lon), np.sin(lat), np.cos(lat) * np.cos(lon)], -1).reshape(-1, 3)
        self.cells = w[np.argmax(d.astype(np.float32) @ unit.T, 1)]
        self.cell_shape = (rows, cols)
        self.cell_direction = d.astype(np.float32)

    def radius_map(self, vertices):
        r = np.linalg.norm(vertices[self.cells] - HEAD_CENTRE, axis=1).reshape(self.cell_shape)
        return np.ascontiguousarray(r, np.float32)

    def _scatter_roots(self):
        rng = np.random.default_rng(1)
        skin = self.tri_kind == SKIN
        mean = self.attr[self.tris].mean(1)
        self.scalp_roots = Roots(self, skin & (mean[:, SCALP] > -2.5), 40000, rng)
        beard = np.maximum(mean[:, BEARD], mean[:, MOUSTACHE]) > 0.01
        self.beard_roots = Roots(self, skin & beard, 40000, rng)
        brow = (np.abs(mean[:, BROW]) < 1.8) & (np.abs(mean[:, TX]) < 6.6)
        self.brow_roots = Roots(self, skin & brow, 14000, rng)


def light_screen(points, direction, size, scale):
    """Orthographic view of `points` from `direction`; depth grows towards the light."""
    z = np.asarray(direction, np.float32)
    side = np.cross([0, 1, 0], z)
    if np.linalg.norm(side) < 1e-3:
        side = np.array([1.0, 0, 0])
    side = side / np.linalg.norm(side)
    frame = np.stack([side, np.cross(z, side), z]).astype(np.float32)
    out = np.empty_like(points)
    raster.look_along(points, frame, size, np.float32(scale), out)
    return out


def noise_bank(size=512):
    """Four tileable noise textures, coarse to fine, of zero mean and unit deviation."""
    rng = np.random.default_rng(7)
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size))) * size
    bank = []
    for centre, width in ((3, 0.8), (14, 0.8), (55, 0.7), (150, 0.5)):
        gain = np.exp(-(np.log(np.maximum(f, 0.5) / centre) / width) ** 2) / np.maximum(f, 1)
        tile = np.fft.ifft2(np.fft.fft2(rng.standard_normal((size, size))) * gain).real
        bank.append((tile - tile.mean()) / tile.std())
    return np.array(bank, np.float32)
