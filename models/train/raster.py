"""Compiled kernels of the synthetic-face renderer: triangles, shading, strands."""

import math

import numba as nb
import numpy as np

# What a triangle is made of.
SKIN, EYE, MOUTH, TEETH, PAINT = 0, 1, 2, 3, 4

# Columns of the per-vertex attribute table (signed distances in cm, positive inside).
(LIPS, NOSE, NECK, EAR, BEARD, MOUSTACHE, CHEEK, SOCKET, SCALP, BROW, SHADOW, AO,
 U, V, TX, TY, TZ, HAIR, UNDER) = range(19)
ATTRIBUTES = 19

_jit = nb.njit(cache=True, fastmath=True, error_model="numpy")


@_jit
def triangles(screen, tris, first, zbuf, ids):
    """Z-buffers counter-clockwise triangles; `screen` holds x, y (pixels) and 1/depth."""
    height, width = zbuf.shape
    for k in range(tris.shape[0]):
        a, b, c = tris[k, 0], tris[k, 1], tris[k, 2]
        x0, y0, z0 = screen[a, 0], screen[a, 1], screen[a, 2]
        x1, y1, z1 = screen[b, 0], screen[b, 1], screen[b, 2]
        x2, y2, z2 = screen[c, 0], screen[c, 1], screen[c, 2]
        area = (x2 - x0) * (y1 - y0) - (x1 - x0) * (y2 - y0)
        if area <= 1e-6:
            continue
        ya = max(0, int(math.ceil(min(y0, y1, y2))))
        yb = min(height - 1, int(math.floor(max(y0, y1, y2))))
        xa = max(0, int(math.ceil(min(x0, x1, x2))))
        xb = min(width - 1, int(math.floor(max(x0, x1, x2))))
        if ya > yb or xa > xb:
            continue
        inv = 1.0 / area
        for y in range(ya, yb + 1):
            for x in range(xa, xb + 1):
                w0 = ((x2 - x) * (y1 - y) - (x1 - x) * (y2 - y)) * inv
                w1 = ((x0 - x) * (y2 - y) - (x2 - x) * (y0 - y)) * inv
                w2 = 1.0 - w0 - w1
                if w0 < 0 or w1 < 0 or w2 < 0:
                    continue
                z = w0 * z0 + w1 * z1 + w2 * z2
                if z > zbuf[y, x]:
                    zbuf[y, x] = z
                    ids[y, x] = first + k


@_jit
def vertex_normals(pos, tris, out):
    out[:] = 0
    for k in range(tris.shape[0]):
        a, b, c = tris[k, 0], tris[k, 1], tris[k, 2]
        ux, uy, uz = pos[b, 0] - pos[a, 0], pos[b, 1] - pos[a, 1], pos[b, 2] - pos[a, 2]
        vx, vy, vz = pos[c, 0] - pos[a, 0], pos[c, 1] - pos[a, 1], pos[c, 2] - pos[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for j in range(3):
            i = tris[k, j]
            out[i, 0] += nx
            out[i, 1] += ny
            out[i, 2] += nz
    for i in range(out.shape[0]):
        s = 1.0 / (math.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2) + 1e-12)
        out[i, 0] *= s
        out[i, 1] *= s
        out[i, 2] *= s


@_jit
def light_visibility(screen, zbuf, radius, bias, out):
    """Share of a (2r+1)^2 neighbourhood of the light's depth map that each vertex sees."""
    height, width = zbuf.shape
    for i in range(screen.shape[0]):
        x, y, z = screen[i, 0], screen[i, 1], screen[i, 2] + bias
        seen = 0.0
        total = 0.0
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                px = int(x + dx * radius * 0.5 + 0.5)
                py = int(y + dy * radius * 0.5 + 0.5)
                if px < 0 or py < 0 or px >= width or py >= height:
                    seen += 1.0
                elif zbuf[py, px] <= z:
                    seen += 1.0
                total += 1.0
        out[i] = seen / total


@_jit
def look_along(points, frame, size, scale, out):
    """Orthographic projection: rows of `frame` are right, up and towards the viewer."""
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        out[i, 0] = size * 0.5 + scale * (x * frame[0, 0] + y * frame[0, 1] + z * frame[0, 2])
        out[i, 1] = size * 0.5 - scale * (x * frame[1, 0] + y * frame[1, 1] + z * frame[1, 2])
        out[i, 2] = x * frame[2, 0] + y * frame[2, 1] + z * frame[2, 2]


@_jit
def splat_points(screen, zbuf):
    """Points (hair) into a light's depth map, 2x2 texels each."""
    height, width = zbuf.shape
    for i in range(screen.shape[0]):
        x, y = int(screen[i, 0]), int(screen[i, 1])
        if x < 0 or y < 0 or x >= width - 1 or y >= height - 1:
            continue
        for yy in range(y, y + 2):
            for xx in range(x, x + 2):
                if screen[i, 2] > zbuf[yy, xx]:
                    zbuf[yy, xx] = screen[i, 2]


@_jit
def _noise(bank, channel, u, v):
    """Bilinear look-up in a tileable noise texture of 2^k texels; u, v in texels."""
    mask = bank.shape[1] - 1
    iu, iv = int(math.floor(u)), int(math.floor(v))
    au, av = u - iu, v - iv
    x, y = iu & mask, iv & mask
    x1, y1 = (x + 1) & mask, (y + 1) & mask
    return (bank[channel, y, x] * (1 - au) + bank[channel, y, x1] * au) * (1 - av) + \
           (bank[channel, y1, x] * (1 - au) + bank[channel, y1, x1] * au) * av


@_jit
def _smooth(a, b, x):
    t = min(1.0, max(0.0, (x - a) / (b - a)))
    return t * t * (3 - 2 * t)


@_jit
def surface(ids, screen, tris, tri_kind, tri_label, pos, nor, attr, bank, offs, skin, moles,
            eyes, irises, undercoat, albedo, normal, point, misc, label, cover):
    """Fills the surface buffers of every covered pixel.

    `misc`: bump height (cm), gloss, light visibility, ambient occlusion.  `skin` is the
    parameter vector that `render.skin_parameters` writes; `eyes` has centre and gaze of both
    eyes in view space, `irises` the eye colours; `cover` receives hair coverage of the scalp.
    """
    height, width = ids.shape
    w = np.empty(3, np.float32)
    a = np.empty(attr.shape[1], np.float32)
    for y in range(height):
        for x in range(width):
            t = ids[y, x]
            if t < 0:
                continue
            i0, i1, i2 = tris[t, 0], tris[t, 1], tris[t, 2]
            x0, y0 = screen[i0, 0], screen[i0, 1]
            x1, y1 = screen[i1, 0], screen[i1, 1]
            x2, y2 = screen[i2, 0], screen[i2, 1]
            inv = 1.0 / ((x2 - x0) * (y1 - y0) - (x1 - x0) * (y2 - y0))
            b0 = ((x2 - x) * (y1 - y) - (x1 - x) * (y2 - y)) * inv
            b1 = ((x0 - x) * (y2 - y) - (x2 - x) * (y0 - y)) * inv
            w[0] = b0 * screen[i0, 2]
            w[1] = b1 * screen[i1, 2]
            w[2] = (1 - b0 - b1) * screen[i2, 2]
            s = 1.0 / (w[0] + w[1] + w[2])
            w0, w1, w2 = w[0] * s, w[1] * s, w[2] * s
            px = w0 * pos[i0, 0] + w1 * pos[i1, 0] + w2 * pos[i2, 0]
            py = w0 * pos[i0, 1] + w1 * pos[i1, 1] + w2 * pos[i2, 1]
            pz = w0 * pos[i0, 2] + w1 * pos[i1, 2] + w2 * pos[i2, 2]
            nx = w0 * nor[i0, 0] + w1 * nor[i1, 0] + w2 * nor[i2, 0]
            ny = w0 * nor[i0, 1] + w1 * nor[i1, 1] + w2 * nor[i2, 1]
            nz = w0 * nor[i0, 2] + w1 * nor[i1, 2] + w2 * nor[i2, 2]
            s = 1.0 / (math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9)
            point[y, x, 0], point[y, x, 1], point[y, x, 2] = px, py, pz
            normal[y, x, 0], normal[y, x, 1], normal[y, x, 2] = nx * s, ny * s, nz * s
            for c in range(attr.shape[1]):
                a[c] = w0 * attr[i0, c] + w1 * attr[i1, c] + w2 * attr[i2, c]
            kind = tri_kind[t]
            lab = tri_label[t]
            h = 0.0
            gloss = 0.0
            vis, ao = a[SHADOW], a[AO]
            r, g, b = a[0], a[1], a[2]
            if kind == PAINT:
                if nz < 0:  # sheets are seen from both sides
                    normal[y, x, 0], normal[y, x, 1], normal[y, x, 2] = -nx * s, -ny * s, -nz * s
                n = _noise(bank, 2, a[U] * 512 + offs[0], a[V] * 512 + offs[1])
                k = math.exp(0.06 * n)
                r, g, b = r * k, g * k, b * k
                gloss = a[3]
                h = 0.004 * n
            elif kind == SKIN:
                tu, tv = a[U] * 512, a[V] * 512
                n_low = _noise(bank, 0, tu * 0.5 + offs[0], tv * 0.5 + offs[1])
                n_mid = _noise(bank, 1, tu + offs[2], tv + offs[3])
                n_fine = _noise(bank, 2, tu * 1.5 + offs[4], tv * 1.5 + offs[5])
                n_pore = _noise(bank, 3, tu * 2.5 + offs[6], tv * 2.5 + offs[7])
                # Reflectance is summed up as logarithms.
                k = skin[3] * (n_low * 0.6 + n_mid * 0.5 + n_fine * 0.45) - skin[4] * a[SOCKET] - skin[17] * max(0.0, 0.8 * n_low + 0.3 * n_mid - 0.5)
                red = skin[5] * a[CHEEK] + skin[6] * (n_mid * 0.5 + n_low * 0.5)
                r = skin[0] + k - 0.05 * red
                g = skin[1] + k - 0.5 * red - 0.06 * a[SOCKET] * skin[4]
                b = skin[2] + k - 0.35 * red
                r, g, b = r + skin[22] * a[SOCKET], g + skin[23] * a[SOCKET], b + skin[24] * a[SOCKET]
                # Freckles on cheeks and nose, then single moles.
                f = 0.0
                if skin[7] > 0:
                    f = skin[7] * (0.3 + a[CHEEK]) * _smooth(1.0, 2.0, _noise(bank, 3, tu * 0.8 + offs[1], tv * 0.8 + offs[0]) + 0.5 * n_mid)
                for m in range(moles.shape[0]):
                    dx, dy, dz = a[TX] - moles[m, 0], a[TY] - moles[m, 1], a[TZ] - moles[m, 2]
                    d = (dx * dx + dy * dy + dz * dz) / (moles[m, 3] * moles[m, 3])
                    if d < 1:
                        f += moles[m, 4] * (1 - d)
                        h += 0.03 * (1 - d) * moles[m, 5]
                r, g, b = r - 0.5 * f, g - 0.85 * f, b - 1.1 * f
                # Shaven beard: grey-blue shade that is still skin.
                st = skin[8] * max(a[BEARD], a[MOUSTACHE]) * (0.75 + 0.25 * n_pore)
                r, g, b = math.exp(r - 0.75 * st), math.exp(g - 0.62 * st), math.exp(b - 0.5 * st)
                gloss = skin[9] * (0.7 + 0.5 * a[CHEEK]) * (1 + 0.3 * n_fine)
                h += skin[10] * (0.006 * n_pore + 0.01 * n_fine) + skin[11] * 0.03 * n_mid
                # Forehead lines and, at the outer eye corners, crow's feet.
                if skin[12] > 0.1 and a[TY] > 6.3 and a[TZ] > 3:
                    m = _smooth(6.3, 7.4, a[TY]) * (1 - _smooth(9.6, 11.0, a[TY])) * (1 - _smooth(4.0, 6.0, abs(a[TX])))
                    h -= skin[12] * 0.05 * m * max(0.0, math.sin(a[TY] * skin[13] + 0.5 * n_low + 0.02 * a[TX] * a[TX])) ** 3
                dx, dy = abs(a[TX]) - 4.3, a[TY] - 3.4
                if skin[14] > 0.1 and 0.3 < dx < 2.4 and abs(dy) < 1.6:
                    m = _smooth(0.3, 0.8, dx) * (1 - _smooth(1.2, 2.4, dx))
                    h -= skin[14] * 0.04 * m * max(0.0, math.sin(9 * math.atan2(dy, dx) + n_low)) ** 2
                # Nasolabial fold: a groove from the alae to beside the mouth corners.
                if -5.0 < a[TY] < 0.2 and a[TZ] > 6:
                    d = (abs(a[TX]) - (2.15 + 0.42 * (0.2 - a[TY]) - 0.035 * (0.2 - a[TY]) ** 2)) / 0.22
                    if d * d < 6:
                        m = _smooth(0.2, -0.6, a[TY]) * (1 - _smooth(-3.0, -5.0, a[TY]))
                        h -= skin[15] * 0.09 * m * math.exp(-d * d)
                lip = _smooth(-0.09, 0.07, a[LIPS] + 0.03 * n_fine)
                if lip > 0:
                    k = math.exp(0.10 * n_fine + 0.10 * n_mid + skin[16] * 0.3 * n_pore)
                    r = r * (1 - lip) + skin[18] * k * lip
                    g = g * (1 - lip) + skin[19] * k * lip
                    b = b * (1 - lip) + skin[20] * k * lip
                    gloss = gloss * (1 - lip) + skin[21] * lip
                    h += lip * 0.012 * math.sin(a[TX] * 14 + 2 * n_mid)
                lab = 1
                if a[LIPS] > 0:
                    lab = 5
                elif a[NOSE] > 0:
                    lab = 4
                elif a[EAR] > 0 or a[NECK] > 0:
                    lab = 7
                den = a[HAIR]
                if den > 0.01:
                    den = _smooth(0.25, 0.65, den + 0.12 * n_fine + 0.1 * n_pore)
                    k = den * a[UNDER]
                    n = math.exp(0.3 * n_pore)
                    r = r * (1 - k) + undercoat[0] * k * n
                    g = g * (1 - k) + undercoat[1] * k * n
                    b = b * (1 - k) + undercoat[2] * k * n
                    gloss *= 1 - k
                    cover[y, x] = k
            elif kind == EYE:
                e = 0
                if (px - eyes[0, 0]) ** 2 + (py - eyes[0, 1]) ** 2 > (px - eyes[1, 0]) ** 2 + (py - eyes[1, 1]) ** 2:
                    e = 1
                dx, dy, dz = px - eyes[e, 0], py - eyes[e, 1], pz - eyes[e, 2]
                s = 1.0 / math.sqrt(dx * dx + dy * dy + dz * dz)
                cosine = (dx * eyes[e, 3] + dy * eyes[e, 4] + dz * eyes[e, 5]) * s
                angle = math.acos(min(1.0, max(-1.0, cosine)))
                n_mid = _noise(bank, 1, px * 60 + offs[0], py * 60 + offs[1])
                k = irises[6] * math.exp(0.05 * n_mid - 0.8 * _smooth(0.0, 0.6, dy))  # under the upper lid
                r, g, b = k, k * (1 - irises[7]), k * (1 - 1.5 * irises[7])
                ring = angle / irises[3]
                if ring < 1.1:
                    q = _noise(bank, 2, ring * 12 + offs[2], math.atan2(dy, dx) * 81.5)
                    k = math.exp(0.3 * q - 0.9 * _smooth(0.75, 1.0, ring) + 0.3 * (1 - ring))
                    m = _smooth(1.1, 0.92, ring)
                    r = r * (1 - m) + irises[0] * k * m
                    g = g * (1 - m) + irises[1] * k * m
                    b = b * (1 - m) + irises[2] * k * m
                    m = _smooth(irises[4] + 0.06, irises[4] - 0.06, ring)
                    r, g, b = r * (1 - m) + 0.004 * m, g * (1 - m) + 0.004 * m, b * (1 - m) + 0.004 * m
                gloss = -irises[5]  # negative: mirror-like
                lab = 3
            elif kind == MOUTH:
                r, g, b = 0.28, 0.07, 0.065
                gloss = 0.3
                vis *= 0.5
                lab = 5
            else:
                r, g, b = 0.6 * irises[8], 0.55 * irises[8], 0.46 * irises[8]
                gloss = 0.5
                lab = 5
            albedo[y, x, 0], albedo[y, x, 1], albedo[y, x, 2] = r, g, b
            misc[y, x, 0], misc[y, x, 1], misc[y, x, 2], misc[y, x, 3] = h, gloss, vis, ao
            label[y, x] = lab


@_jit
def shade(ids, albedo, normal, point, misc, lights, ambient, wrap, power, image):
    """Lights the surface buffers into `image` (linear RGB).

    Rows of `lights`: direction, colour, 1 when the light casts the shadow held in `misc`.
    `ambient`: sky, ground and front colours.
    """
    height, width = ids.shape
    for y in range(height):
        for x in range(width):
            if ids[y, x] < 0:
                continue
            nx, ny, nz = normal[y, x, 0], normal[y, x, 1], normal[y, x, 2]
            h, gloss, vis, ao = misc[y, x, 0], misc[y, x, 1], misc[y, x, 2], misc[y, x, 3]
            px, py, pz = point[y, x, 0], point[y, x, 1], point[y, x, 2]
            # Bump from the height differences to the right and lower pixels.
            if x + 1 < width and y + 1 < height and ids[y, x + 1] >= 0 and ids[y + 1, x] >= 0:
                ax, ay, az = point[y, x + 1, 0] - px, point[y, x + 1, 1] - py, point[y, x + 1, 2] - pz
                bx, by, bz = point[y + 1, x, 0] - px, point[y + 1, x, 1] - py, point[y + 1, x, 2] - pz
                if ax * ax + ay * ay + az * az < 0.1 and bx * bx + by * by + bz * bz < 0.1:
                    ha = min(0.05, max(-0.05, misc[y, x + 1, 0] - h))
                    hb = min(0.05, max(-0.05, misc[y + 1, x, 0] - h))
                    r1x, r1y, r1z = by * nz - bz * ny, bz * nx - bx * nz, bx * ny - by * nx
                    r2x, r2y, r2z = ny * az - nz * ay, nz * ax - nx * az, nx * ay - ny * ax
                    det = ax * r1x + ay * r1y + az * r1z
                    if abs(det) > 1e-7:
                        gx, gy, gz = (ha * r1x + hb * r2x) / det, (ha * r1y + hb * r2y) / det, (ha * r1z + hb * r2z) / det
                        nx, ny, nz = nx - gx, ny - gy, nz - gz
                        s = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz)
                        nx, ny, nz = nx * s, ny * s, nz * s
            vx, vy, vz = -px, -py, -pz + ambient[3, 0]
            s = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
            vx, vy, vz = vx * s, vy * s, vz * s
            fresnel = 0.04 + 0.5 * (1 - max(0.0, nx * vx + ny * vy + nz * vz)) ** 5
            up = 0.5 + 0.5 * ny
            front = max(0.0, nz)
            mirror = gloss < 0
            shine = 350.0 if mirror else power
            amount = -gloss * 2 if mirror else gloss
            er, eg, eb = 0.0, 0.0, 0.0
            sr, sg, sb = 0.0, 0.0, 0.0
            for i in range(lights.shape[0]):
                lx, ly, lz = lights[i, 0], lights[i, 1], lights[i, 2]
                d = nx * lx + ny * ly + nz * lz
                v = vis if lights[i, 6] > 0 else 0.4 + 0.6 * ao
                er += lights[i, 3] * v * max(0.0, (d + wrap) / (1 + wrap))
                eg += lights[i, 4] * v * max(0.0, (d + wrap * 0.5) / (1 + wrap * 0.5))
                eb += lights[i, 5] * v * max(0.0, (d + wrap * 0.35) / (1 + wrap * 0.35))
                if d > 0:
                    hx, hy, hz = lx + vx, ly + vy, lz + vz
                    s = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz)
                    c = max(0.0, (nx * hx + ny * hy + nz * hz) * s)
                    q = amount * fresnel * v * d * (shine + 2) * 0.16 * c ** shine
                    sr += q * lights[i, 3]
                    sg += q * lights[i, 4]
                    sb += q * lights[i, 5]
            er += ao * (ambient[0, 0] * up + ambient[1, 0] * (1 - up) + ambient[2, 0] * front)
            eg += ao * (ambient[0, 1] * up + ambient[1, 1] * (1 - up) + ambient[2, 1] * front)
            eb += ao * (ambient[0, 2] * up + ambient[1, 2] * (1 - up) + ambient[2, 2] * front)
            q = abs(gloss) * fresnel * ao * up
            image[y, x, 0] = albedo[y, x, 0] * er + sr + q * ambient[0, 0]
            image[y, x, 1] = albedo[y, x, 1] * eg + sg + q * ambient[0, 1]
            image[y, x, 2] = albedo[y, x, 2] * eb + sb + q * ambient[0, 2]


@_jit
def grow(root, normal, comb, length, wave, seed, gravity, stiff, lift, hug, curl, frequency, clump,
         radius_map, centre, clearance, out):
    """Grows strands from `root`: they leave along `normal`, turn to `comb` and hang by `gravity`.

    `radius_map` (latitude x longitude about `centre`) keeps them outside the head; `clearance`
    is each strand's distance from it.  `hug` bends strands that would leave the head's curve
    back along it.  `wave` holds each clump's phases.
    """
    n, m = out.shape[0], out.shape[1]
    rows, cols = radius_map.shape
    np.random.seed(seed)
    for i in range(n):
        step = length[i] / (m - 1)
        x, y, z = root[i, 0], root[i, 1], root[i, 2]
        dx = normal[i, 0] * lift + comb[i, 0] * (1 - lift)
        dy = normal[i, 1] * lift + comb[i, 1] * (1 - lift)
        dz = normal[i, 2] * lift + comb[i, 2] * (1 - lift)
        jx, jy, jz = np.random.normal(), np.random.normal(), np.random.normal()
        out[i, 0, 0], out[i, 0, 1], out[i, 0, 2] = x, y, z
        travelled = 0.0
        for k in range(1, m):
            # The combed direction is followed near the root, then weight takes over.
            pull = min(1.0, gravity * travelled / (stiff + travelled)) * step
            dx, dy, dz = dx + comb[i, 0] * 0.25 * step / stiff, dy - pull + comb[i, 1] * 0.25 * step / stiff, dz + comb[i, 2] * 0.25 * step / stiff
            s = 1.0 / (math.sqrt(dx * dx + dy * dy + dz * dz) + 1e-9)
            dx, dy, dz = dx * s, dy * s, dz * s
            travelled += step
            ph = frequency * travelled
            wx = curl * math.sin(ph + wave[i, 0]) + clump * jx
            wy = curl * math.cos(ph + wave[i, 0]) * 0.7 + clump * jy
            wz = curl * math.sin(ph + wave[i, 1]) + clump * jz
            x += (dx + wx) * step
            y += (dy + wy) * step
            z += (dz + wz) * step
            rx, ry, rz = x - centre[0], y - centre[1], z - centre[2]
            r = math.sqrt(rx * rx + ry * ry + rz * rz) + 1e-9
            fy = (0.5 - math.asin(min(1.0, max(-1.0, ry / r))) / math.pi) * (rows - 1)
            fx = (math.atan2(rx, rz) / (2 * math.pi) + 0.5) * cols - 0.5
            iy = min(rows - 2, int(fy))
            ix = int(math.floor(fx))
            ay, ax = fy - iy, fx - ix
            ia, ib = ix % cols, (ix + 1) % cols
            lim = (radius_map[iy, ia] * (1 - ax) + radius_map[iy, ib] * ax) * (1 - ay) + \
                  (radius_map[iy + 1, ia] * (1 - ax) + radius_map[iy + 1, ib] * ax) * ay
            lim += clearance[i] * min(1.0, travelled)
            away = (dx * rx + dy * ry + dz * rz) / r
            if r > lim and away > 0 and travelled > 0.8 * clearance[i]:
                q = hug * (away + 0.03 * (r - lim)) / r
                dx, dy, dz = dx - q * rx, dy - q * ry, dz - q * rz
            if r < lim and ry < -5:  # beside neck and shoulders: sideways, or strands would lengthen
                q = 1 + min(lim - r, 0.5 * step) / (math.sqrt(rx * rx + rz * rz) + 1e-3)
                x, z = centre[0] + rx * q, centre[2] + rz * q
            elif r < lim:
                q = lim / r
                x, y, z = centre[0] + rx * q, centre[1] + ry * q, centre[2] + rz * q
            out[i, k, 0], out[i, k, 1], out[i, k, 2] = x, y, z


@_jit
def light_strands(pts, outward, colour, tip, lights, ambient, gloss, shadow, out):
    """Kajiya-Kay shading of strand points (view space); `tip` multiplies towards the end."""
    n, m = pts.shape[0], pts.shape[1]
    for i in range(n):
        for k in range(m):
            a, b = max(0, k - 1), min(m - 1, k + 1)
            tx, ty, tz = pts[i, b, 0] - pts[i, a, 0], pts[i, b, 1] - pts[i, a, 1], pts[i, b, 2] - pts[i, a, 2]
            s = 1.0 / (math.sqrt(tx * tx + ty * ty + tz * tz) + 1e-9)
            tx, ty, tz = tx * s, ty * s, tz * s
            ox, oy, oz = outward[i, k, 0], outward[i, k, 1], outward[i, k, 2]
            er = ambient[0, 0] * (0.5 + 0.5 * oy) + ambient[1, 0] * (0.5 - 0.5 * oy) + ambient[2, 0] * max(0.0, oz)
            eg = ambient[0, 1] * (0.5 + 0.5 * oy) + ambient[1, 1] * (0.5 - 0.5 * oy) + ambient[2, 1] * max(0.0, oz)
            eb = ambient[0, 2] * (0.5 + 0.5 * oy) + ambient[1, 2] * (0.5 - 0.5 * oy) + ambient[2, 2] * max(0.0, oz)
            er, eg, eb = er * 0.8, eg * 0.8, eb * 0.8
            spec = 0.0
            sr, sg, sb = 0.0, 0.0, 0.0
            for j in range(lights.shape[0]):
                lx, ly, lz = lights[j, 0], lights[j, 1], lights[j, 2]
                facing = max(0.0, (ox * lx + oy * ly + oz * lz + 0.3) / 1.3)
                c = tx * lx + ty * ly + tz * lz
                d = math.sqrt(max(0.0, 1 - c * c)) * facing
                hx, hy, hz = lx, ly, lz + 1
                s = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz)
                c = (tx * hx + ty * hy + tz * hz) * s
                spec = gloss * facing * max(0.0, 1 - c * c) ** 20
                er += lights[j, 3] * d
                eg += lights[j, 4] * d
                eb += lights[j, 5] * d
                sr += lights[j, 3] * spec
                sg += lights[j, 4] * spec
                sb += lights[j, 5] * spec
            f = shadow[i] * (1 + (tip - 1) * k / (m - 1))
            out[i, k, 0] = (colour[i, 0] * er + sr) * f
            out[i, k, 1] = (colour[i, 1] * eg + sg) * f
            out[i, k, 2] = (colour[i, 2] * eb + sb) * f


@_jit
def strands(screen, colour, width, alpha, taper, bias, zbuf, image, cover):
    """Draws polylines with a depth test; `cover` collects the opacity drawn per pixel.

    A strand narrower than a pixel is drawn one pixel wide with less opacity.
    """
    n, m = screen.shape[0], screen.shape[1]
    height, wide = zbuf.shape
    for i in range(n):
        for k in range(m - 1):
            x0, y0, z0 = screen[i, k, 0], screen[i, k, 1], screen[i, k, 2]
            x1, y1, z1 = screen[i, k + 1, 0], screen[i, k + 1, 1], screen[i, k + 1, 2]
            dx, dy = x1 - x0, y1 - y0
            major = max(abs(dx), abs(dy))
            steps = max(1, int(math.ceil(major)))
            if max(x0, x1) < -4 or min(x0, x1) > wide + 4 or max(y0, y1) < -4 or min(y0, y1) > height + 4:
                continue
            if steps > 4 * wide:
                continue
            flat = abs(dx) > abs(dy)  # mostly horizontal: the width runs along y
            stretch = math.sqrt(dx * dx + dy * dy) / (major + 1e-6)
            for q in range(steps):
                t = q / steps
                z = z0 + (z1 - z0) * t
                f = 1.0 - taper * (k + t) / (m - 1)
                w = max(0.05, width[i] * f * stretch)
                al = alpha[i] * min(1.0, w)
                half = 0.5 * max(1.0, w)
                cx, cy = x0 + dx * t, y0 + dy * t
                centre = cy if flat else cx
                lo, hi = int(math.floor(centre - half + 0.5)), int(math.floor(centre + half - 0.5))
                for p in range(lo, hi + 1):
                    xx = int(cx + 0.5) if flat else p
                    yy = p if flat else int(cy + 0.5)
                    if xx < 0 or yy < 0 or xx >= wide or yy >= height:
                        continue
                    if z + bias < zbuf[yy, xx]:
                        continue
                    for c in range(3):
                        v = colour[i, k, c] + (colour[i, k + 1, c] - colour[i, k, c]) * t
                        image[yy, xx, c] += (v - image[yy, xx, c]) * al
                    cover[yy, xx] += (1 - cover[yy, xx]) * al
                    if al > 0.6 and z > zbuf[yy, xx]:
                        zbuf[yy, xx] = z
