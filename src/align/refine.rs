//! The dense stage: a smooth displacement field, coarse to fine.
//!
//! At each level the follow-up is resampled through the current field, both photos are turned into
//! locally normalised band-passed log luminance (so that light, exposure and shading drop out; the
//! normalisation serves registration only, never measurement), each node solves Lucas & Kanade's
//! (1981) normal equations over the skin around it, and the nodes are joined by a penalty on the
//! field's bending. Cost: linear in pixels; about six passes at full resolution.

use super::Field;
use super::estimate::log_luminance;
use crate::filter::gaussian::MaskedBlur;
use crate::filter::resize::shrink_mask;
use crate::filter::stats::median;
use crate::filter::warp::Spline;
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Plane, Window, par_collect};
use crate::region::RegionMap;
use crate::settings::AlignSettings;

/// What one node of the final field knows of its fit.
#[derive(Debug, Clone, Copy)]
pub struct NodeFit {
    /// Baseline px.
    pub x: f64,
    /// Baseline px.
    pub y: f64,
    /// Standard deviation of the displacement there, baseline px, from the curvature of the match
    /// and what of it is left unexplained.
    pub error_px: f64,
}

/// A refined field and how well it fits.
#[derive(Debug, Clone)]
pub struct Refined {
    /// The map.
    pub field: Field,
    /// Nodes that see skin.
    pub nodes: Vec<NodeFit>,
    /// Median over nodes of the local correlation of the two photos; `None` without overlap.
    pub median_correlation: Option<f64>,
}

/// Normal equations of one node.
#[derive(Debug, Clone, Copy, Default)]
struct Normal {
    /// Gradient products xx, xy, yy, divided by the residual variance.
    information: [f64; 3],
    /// Gradient × difference, divided by the residual variance.
    pull: [f64; 2],
    correlation: f64,
    /// Share of the node's window that is skin seen in both photos.
    seen: f64,
}

/// Refines `affine` into a [`Field`] with nodes `spacing_px` apart (at the finest level).
pub fn refine(
    baseline: &Photo,
    follow_up: &Photo,
    regions: &RegionMap,
    affine: [f64; 6],
    spacing_px: f64,
    settings: &AlignSettings,
) -> Refined {
    let window = regions.window;
    let finest =
        if window.width * window.height > settings.full_resolution_max_px { 2usize } else { 1 };
    let mut factor = finest;
    while window.width.max(window.height) / factor > 2 * settings.coarsest_size_px {
        factor *= 2;
    }
    let mut field = Field { affine, ..Field::identity() };
    let mut normals = Grid::filled(1, 1, Normal::default());
    loop {
        let source = field.footprint(window, follow_up.width(), follow_up.height());
        let level = Level {
            factor: factor as f64,
            window,
            skin: shrink_mask(&regions.skin, factor),
            baseline: log_luminance(baseline, window, factor),
            follow_up: Spline::new(&log_luminance(follow_up, source, factor)),
            source: [source.x as f64, source.y as f64],
            frame: [follow_up.width() as f64, follow_up.height() as f64],
        };
        let spacing = spacing_px.max(settings.node_spacing_min_px * level.factor);
        field = regrid(&field, window, spacing);
        let rounds = if factor == finest { settings.rounds_finest } else { settings.rounds };
        for _ in 0..rounds {
            normals = level.normal_equations(&field, settings);
            let steps = solve(&field, &normals, settings);
            for (node, step) in field.nodes.data_mut().iter_mut().zip(steps.data()) {
                node[0] += step[0];
                node[1] += step[1];
            }
        }
        if factor == finest {
            break;
        }
        factor /= 2;
    }
    let stiffness = field.stiffness(settings);
    let mut nodes = Vec::new();
    let mut correlations = Vec::new();
    for y in 0..field.nodes.height() {
        for x in 0..field.nodes.width() {
            let n = normals.at(x, y);
            if n.seen < settings.node_seen_min {
                continue;
            }
            correlations.push(n.correlation);
            nodes.push(NodeFit {
                x: field.origin[0] + x as f64 * field.spacing_px,
                y: field.origin[1] + y as f64 * field.spacing_px,
                error_px: n.error_px(stiffness),
            });
        }
    }
    Refined { field, nodes, median_correlation: median(&mut correlations) }
}

impl Normal {
    /// Standard deviation of the node's displacement, px: the inverse of what its own pixels and
    /// the smoothness say together.
    fn error_px(&self, stiffness: f64) -> f64 {
        let [a, b, c] = self.information;
        let (a, c) = (a + stiffness, c + stiffness);
        ((a + c) / (a * c - b * b)).max(0.0).sqrt()
    }
}

impl Field {
    /// Weight of the bending penalty, 1/px².
    fn stiffness(&self, settings: &AlignSettings) -> f64 {
        1.0 / (settings.bending * self.spacing_px).powi(2)
    }
}

/// The same field on nodes `spacing` px apart that cover `window`.
fn regrid(field: &Field, window: Window, spacing: f64) -> Field {
    let count = |len: usize| (len as f64 / spacing).ceil() as usize + 1;
    let (nx, ny) = (count(window.width), count(window.height));
    let centre = |lo: usize, len: usize, n: usize| {
        lo as f64 + 0.5 * (len as f64 - 1.0) - 0.5 * spacing * (n as f64 - 1.0)
    };
    let origin = [centre(window.x, window.width, nx), centre(window.y, window.height, ny)];
    let mut nodes = Grid::filled(nx, ny, [0.0; 2]);
    for y in 0..ny {
        for x in 0..nx {
            let p = [origin[0] + x as f64 * spacing, origin[1] + y as f64 * spacing];
            nodes.set(x, y, field.displacement(p[0], p[1]));
        }
    }
    Field { affine: field.affine, origin, spacing_px: spacing, nodes }
}

/// Both photos at one resolution.
struct Level {
    /// Full-resolution px per px of this level.
    factor: f64,
    window: Window,
    skin: Mask,
    baseline: Plane,
    follow_up: Spline,
    /// Corner of the follow-up's part that is held, full px.
    source: [f64; 2],
    /// Size of the follow-up, full px.
    frame: [f64; 2],
}

impl Level {
    fn normal_equations(&self, field: &Field, settings: &AlignSettings) -> Grid<Normal> {
        let (w, h) = (self.baseline.width(), self.baseline.height());
        let f = self.factor;
        let to_full = |i: usize, lo: usize| lo as f64 + f * (i as f64 + 0.5) - 0.5;
        let to_level = |v: f64| (v + 0.5) / f - 0.5;
        let mut warped = Grid::filled(w, h, (0.0f32, false));
        warped.par_rows(|y, row| {
            let line = field.row(to_full(y, self.window.y));
            for (x, out) in row.iter_mut().enumerate() {
                if !self.skin.at(x, y) {
                    continue;
                }
                let [qx, qy] = line.at(to_full(x, self.window.x));
                let inside = qx >= 0.0
                    && qy >= 0.0
                    && qx <= self.frame[0] - 1.0
                    && qy <= self.frame[1] - 1.0;
                if inside {
                    let v = self
                        .follow_up
                        .at(to_level(qx - self.source[0]), to_level(qy - self.source[1]));
                    *out = (v, true);
                }
            }
        });
        let seen = warped.map(|(_, s)| s);
        let [a, b] = normalised([&self.baseline, &warped.map(|(v, _)| v)], &seen, settings);
        let n = &field.nodes;
        let cells = par_collect(n.width() * n.height(), |i| {
            let node = [
                to_level(
                    field.origin[0] + (i % n.width()) as f64 * field.spacing_px
                        - self.window.x as f64,
                ),
                to_level(
                    field.origin[1] + (i / n.width()) as f64 * field.spacing_px
                        - self.window.y as f64,
                ),
            ];
            node_normal(&a, &b, &seen, node, field.spacing_px / f, f, settings)
        });
        Grid::from_vec(n.width(), n.height(), cells)
    }
}

/// Band-passed log luminance of both photos over its local contrast.
fn normalised(logs: [&Plane; 2], seen: &Mask, settings: &AlignSettings) -> [Plane; 2] {
    let near = MaskedBlur::new(seen, settings.feature_band_px as f32);
    let far = MaskedBlur::new(seen, 2.0 * settings.feature_band_px as f32);
    let floor = (settings.feature_floor * settings.feature_floor) as f32;
    logs.map(|log| {
        let local = near.mean(log);
        let band = Plane::from_fn(log.width(), log.height(), |x, y| {
            if seen.at(x, y) { log.at(x, y) - local.at(x, y) } else { 0.0 }
        });
        let power = far.mean(&band.map(|v| v * v));
        Plane::from_fn(log.width(), log.height(), |x, y| {
            band.at(x, y) / (power.at(x, y) + floor).sqrt()
        })
    })
}

/// Sums over the window of one node (hat weights, one node spacing to each side). Displacements
/// are returned in full-resolution px: gradients are per level px, hence the `factor`.
fn node_normal(
    a: &Plane,
    b: &Plane,
    seen: &Mask,
    node: [f64; 2],
    reach: f64,
    factor: f64,
    settings: &AlignSettings,
) -> Normal {
    let range = |c: f64, n: usize| {
        let lo = (c - reach).ceil().max(1.0) as usize;
        let hi = ((c + reach).floor() + 1.0).clamp(0.0, (n - 1) as f64) as usize;
        lo..hi.max(lo)
    };
    let (mut gxx, mut gxy, mut gyy, mut gxe, mut gye) = (0.0f64, 0.0, 0.0, 0.0, 0.0);
    let (mut ee, mut aa, mut bb, mut ab, mut total) = (0.0f64, 0.0, 0.0, 0.0, 0.0);
    for y in range(node[1], a.height()) {
        let wy = 1.0 - (y as f64 - node[1]).abs() / reach;
        let (a0, au, ad) = (a.row(y), a.row(y - 1), a.row(y + 1));
        let (b0, bu, bd) = (b.row(y), b.row(y - 1), b.row(y + 1));
        let mask = seen.row(y);
        for x in range(node[0], a.width()) {
            if !(mask[x] && mask[x - 1] && mask[x + 1]) {
                continue;
            }
            let w = wy * (1.0 - (x as f64 - node[0]).abs() / reach);
            let gx = 0.25 * (a0[x + 1] - a0[x - 1] + b0[x + 1] - b0[x - 1]) as f64;
            let gy = 0.25 * (ad[x] - au[x] + bd[x] - bu[x]) as f64;
            let e = (a0[x] - b0[x]) as f64;
            gxx += w * gx * gx;
            gxy += w * gx * gy;
            gyy += w * gy * gy;
            gxe += w * gx * e;
            gye += w * gy * e;
            ee += w * e * e;
            aa += w * (a0[x] as f64).powi(2);
            bb += w * (b0[x] as f64).powi(2);
            ab += w * (a0[x] * b0[x]) as f64;
            total += w;
        }
    }
    if total <= 0.0 || aa <= 0.0 || bb <= 0.0 {
        return Normal::default();
    }
    let correlation = ab / (aa * bb).sqrt();
    // Uncorrelated surroundings say nothing about where the skin went.
    let unexplained = (ee / total + 1e-3) * settings.correlation_area_px;
    let trust = correlation.max(0.0).powi(2) / unexplained;
    let scale = trust / (factor * factor);
    Normal {
        information: [gxx * scale, gxy * scale, gyy * scale],
        pull: [gxe * scale * factor, gye * scale * factor],
        correlation,
        seen: total / (reach * reach),
    }
}

/// One Gauss–Newton step of data term + bending penalty, by conjugate gradients in fixed order.
fn solve(field: &Field, normals: &Grid<Normal>, settings: &AlignSettings) -> Grid<[f64; 2]> {
    let (nx, ny) = (field.nodes.width(), field.nodes.height());
    let stiffness = field.stiffness(settings);
    let mut bend = vec![[0.0f64; 2]; nx * ny];
    let apply_all = |v: &[[f64; 2]], bend: &mut [[f64; 2]], data: bool| -> Vec<[f64; 2]> {
        bending(v, nx, ny, bend);
        (0..nx * ny)
            .map(|i| {
                let [a, b, c] = if data { normals.data()[i].information } else { [0.0; 3] };
                let tiny = if data { 1e-6 } else { 0.0 };
                [
                    (a + tiny) * v[i][0] + b * v[i][1] + stiffness * bend[i][0],
                    b * v[i][0] + (c + tiny) * v[i][1] + stiffness * bend[i][1],
                ]
            })
            .collect()
    };
    let pull_of_bending = apply_all(field.nodes.data(), &mut bend, false);
    let mut r: Vec<[f64; 2]> = (0..nx * ny)
        .map(|i| {
            let p = normals.data()[i].pull;
            [p[0] - pull_of_bending[i][0], p[1] - pull_of_bending[i][1]]
        })
        .collect();
    let dot = |a: &[[f64; 2]], b: &[[f64; 2]]| -> f64 {
        a.iter().zip(b).map(|(p, q)| p[0] * q[0] + p[1] * q[1]).sum()
    };
    // Jacobi preconditioner: 20 is the centre weight of the bending stencil away from borders.
    let precondition = |r: &[[f64; 2]]| -> Vec<[f64; 2]> {
        r.iter()
            .zip(normals.data())
            .map(|(v, n)| {
                let d = |info: f64| info + 20.0 * stiffness + 1e-6;
                [v[0] / d(n.information[0]), v[1] / d(n.information[2])]
            })
            .collect()
    };
    let mut x = vec![[0.0f64; 2]; nx * ny];
    let mut z = precondition(&r);
    let mut p = z.clone();
    let mut rz = dot(&r, &z);
    let target = 1e-10 * rz;
    for _ in 0..settings.solver_steps {
        if rz <= target || rz <= 0.0 {
            break;
        }
        let q = apply_all(&p, &mut bend, true);
        let alpha = rz / dot(&p, &q);
        for i in 0..nx * ny {
            for k in 0..2 {
                x[i][k] += alpha * p[i][k];
                r[i][k] -= alpha * q[i][k];
            }
        }
        z = precondition(&r);
        let next = dot(&r, &z);
        let beta = next / rz;
        rz = next;
        for i in 0..nx * ny {
            for k in 0..2 {
                p[i][k] = z[i][k] + beta * p[i][k];
            }
        }
    }
    Grid::from_vec(nx, ny, x)
}

/// Gradient of ½ Σ (u_xx² + 2u_xy² + u_yy²) over the node grid; affine fields cost nothing.
fn bending(v: &[[f64; 2]], nx: usize, ny: usize, out: &mut [[f64; 2]]) {
    out.fill([0.0; 2]);
    let mut add = |cells: &[(usize, f64)], weight: f64| {
        for k in 0..2 {
            let d: f64 = cells.iter().map(|&(i, c)| c * v[i][k]).sum();
            for &(i, c) in cells {
                out[i][k] += weight * c * d;
            }
        }
    };
    for y in 0..ny {
        for x in 0..nx {
            let i = y * nx + x;
            if x >= 1 && x + 1 < nx {
                add(&[(i - 1, 1.0), (i, -2.0), (i + 1, 1.0)], 1.0);
            }
            if y >= 1 && y + 1 < ny {
                add(&[(i - nx, 1.0), (i, -2.0), (i + nx, 1.0)], 1.0);
            }
            if x + 1 < nx && y + 1 < ny {
                add(&[(i, 1.0), (i + 1, -1.0), (i + nx, -1.0), (i + nx + 1, 1.0)], 2.0);
            }
        }
    }
}
