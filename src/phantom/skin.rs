//! A patch of skin: a height field in mm and concentrations of pigments.
//!
//! Coordinates are mm, (0, 0) in the middle of the patch, x right, y down; heights grow towards
//! the camera. Everything is a function of the seed and of the position in mm, so the same skin
//! can be sampled on any grid.

use super::{Rng, SmoothNoise, TURN, hash};
use crate::plane::{Grid, Plane, Window, par_collect};
use serde::Serialize;
use std::f64::consts::{PI, TAU};

/// Linear sRGB albedo of the six skin tones, light to dark (Fitzpatrick I … VI, chosen by eye).
const TONES: [[f32; 3]; 6] = [
    [0.63, 0.42, 0.335],
    [0.56, 0.345, 0.255],
    [0.47, 0.275, 0.185],
    [0.35, 0.19, 0.118],
    [0.215, 0.112, 0.066],
    [0.115, 0.062, 0.038],
];
/// Absorbance of one unit of melanin, natural log of linear RGB.
const MELANIN: [f32; 3] = [0.33, 0.62, 0.86];
/// Absorbance of one unit of haemoglobin, natural log of linear RGB.
const HAEMOGLOBIN: [f32; 3] = [0.10, 0.90, 0.62];
/// Spacing of the points of a wrinkle's centre line, mm.
pub(super) const STEP_MM: f64 = 0.1;
/// Width of the soft edge of a treated zone, mm.
const ZONE_EDGE_MM: f64 = 1.0;

/// Parameters of a patch of skin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SkinSpec {
    /// Seed of all random values.
    pub seed: u64,
    /// Skin tone, 1 (lightest) … 6 (darkest).
    pub tone: u8,
    /// Size of the patch in mm; it must contain the frames of the photos.
    pub size_mm: [f64; 2],
    /// Samples of the height field per mm; twice the px/mm of the photo is enough.
    pub samples_per_mm: f64,
    /// Number of wrinkles on the patch.
    pub wrinkles: usize,
    /// Range of the maximum depth of a wrinkle, mm; most are shallow.
    pub wrinkle_depth_mm: [f64; 2],
    /// Pores per cm².
    pub pore_density: f64,
    /// Median diameter of a pore in mm.
    pub pore_diameter_mm: f64,
    /// Factor on the depth of the microrelief (skin lines and grain).
    pub fine_relief: f64,
    /// Number of atrophic scars, depressions of 1.5–5 mm diameter.
    pub scars: usize,
    /// Range of the depth of a scar, mm.
    pub scar_depth_mm: [f64; 2],
    /// Number of pigmented spots of 1.5–5 mm.
    pub spots: usize,
    /// Freckles per cm².
    pub freckle_density: f64,
}

impl Default for SkinSpec {
    fn default() -> Self {
        SkinSpec {
            seed: 1,
            tone: 2,
            size_mm: [78.0, 62.0],
            samples_per_mm: 28.0,
            wrinkles: 9,
            wrinkle_depth_mm: [0.07, 0.45],
            pore_density: 45.0,
            pore_diameter_mm: 0.31,
            fine_relief: 1.0,
            scars: 0,
            scar_depth_mm: [0.12, 0.35],
            spots: 3,
            freckle_density: 1.2,
        }
    }
}

/// A treated part of the skin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Zone {
    /// Middle, mm.
    pub centre_mm: [f64; 2],
    /// Half the width and half the height, mm.
    pub half_mm: [f64; 2],
    /// Whether it is an ellipse instead of a rectangle.
    pub ellipse: bool,
}

impl Zone {
    /// 1 inside, 0 outside, smooth over an edge of 1 mm.
    pub fn weight(&self, at: [f64; 2]) -> f64 {
        let [u, v] = [0, 1].map(|k| (at[k] - self.centre_mm[k]).abs());
        let inside_mm = if self.ellipse {
            let r = (u / self.half_mm[0]).hypot(v / self.half_mm[1]);
            (1.0 - r) * self.half_mm[0].min(self.half_mm[1])
        } else {
            (self.half_mm[0] - u).min(self.half_mm[1] - v)
        };
        smoothstep(inside_mm / ZONE_EDGE_MM + 0.5)
    }
}

/// Factors on the parameters of the baseline's skin at a visit; 1 = untreated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Treatment {
    /// Depth of wrinkles.
    pub wrinkle_depth: f64,
    /// Width of wrinkles.
    pub wrinkle_width: f64,
    /// Length of wrinkles, shortened at both ends.
    pub wrinkle_length: f64,
    /// Diameter and depth of pores.
    pub pore_diameter: f64,
    /// Share of the pores that remain.
    pub pore_count: f64,
    /// Height of the microrelief.
    pub fine_relief: f64,
    /// Deviation of melanin from its mean: spots, freckles, mottling.
    pub pigment: f64,
    /// Deviation of haemoglobin from its mean: red mottling.
    pub redness: f64,
    /// Depth of scars.
    pub scar_depth: f64,
    /// Treated part of the skin; all of it when absent.
    pub zone: Option<Zone>,
}

impl Default for Treatment {
    fn default() -> Self {
        Treatment {
            wrinkle_depth: 1.0,
            wrinkle_width: 1.0,
            wrinkle_length: 1.0,
            pore_diameter: 1.0,
            pore_count: 1.0,
            fine_relief: 1.0,
            pigment: 1.0,
            redness: 1.0,
            scar_depth: 1.0,
            zone: None,
        }
    }
}

impl Treatment {
    /// `factor` inside the treated zone, 1 outside.
    fn factor(&self, factor: f64, at: [f64; 2]) -> f64 {
        match &self.zone {
            Some(zone) if factor != 1.0 => 1.0 + (factor - 1.0) * zone.weight(at),
            _ => factor,
        }
    }
}

/// A groove along a smooth curve.
#[derive(Debug, Clone)]
pub struct Wrinkle {
    /// Centre line, mm, evenly spaced.
    pub points_mm: Vec<[f64; 2]>,
    /// Depth at each point, mm: tapered towards the ends.
    pub depth_mm: Vec<f64>,
    /// Full width at half depth, mm.
    pub width_mm: f64,
    /// Shares of the Gaussian, V and U profiles in the cross-section.
    profile: [f64; 3],
}

impl Wrinkle {
    /// A wrinkle along `points_mm` (evenly spaced) whose depth reaches `peak_mm`.
    pub(super) fn along(points_mm: Vec<[f64; 2]>, peak_mm: f64, width_mm: f64, r: Rng) -> Self {
        let mut rng = r;
        let (a, b) = (rng.uniform(), rng.uniform());
        let profile = [a.min(b), (a - b).abs(), 1.0 - a.max(b)];
        let n = points_mm.len().max(2);
        let (f1, f2) = (rng.range(1.5, 3.0), rng.range(4.0, 7.0));
        let (p1, p2) = (rng.range(0.0, TAU), rng.range(0.0, TAU));
        let depth_mm = (0..points_mm.len())
            .map(|i| {
                let s = i as f64 / (n - 1) as f64;
                let wave =
                    0.85 + 0.09 * (TAU * f1 * s + p1).sin() + 0.06 * (TAU * f2 * s + p2).sin();
                peak_mm * wave * taper(s)
            })
            .collect();
        Wrinkle { points_mm, depth_mm, width_mm, profile }
    }

    /// Length of the centre line, mm.
    pub fn length_mm(&self) -> f64 {
        self.points_mm.windows(2).map(|p| (p[1][0] - p[0][0]).hypot(p[1][1] - p[0][1])).sum()
    }

    /// Mean depth along the centre line, mm.
    pub fn mean_depth_mm(&self) -> f64 {
        self.depth_mm.iter().sum::<f64>() / self.depth_mm.len().max(1) as f64
    }

    /// This wrinkle after a treatment.
    fn treated(&self, t: &Treatment) -> Wrinkle {
        let n = self.points_mm.len();
        let middle = self.points_mm[n / 2];
        let keep = ((n as f64 * t.factor(t.wrinkle_length, middle)).round() as usize).clamp(2, n);
        let first = (n - keep) / 2;
        let points_mm = self.points_mm[first..first + keep].to_vec();
        let depth_mm = (0..keep)
            .map(|i| {
                // The taper moves inwards with the ends.
                let (old, new) =
                    ((first + i) as f64 / (n - 1) as f64, i as f64 / (keep - 1) as f64);
                let end = if keep < n { taper(new) / taper(old).max(1e-3) } else { 1.0 };
                self.depth_mm[first + i] * end.min(1.0) * t.factor(t.wrinkle_depth, points_mm[i])
            })
            .collect();
        let width_mm = self.width_mm * t.factor(t.wrinkle_width, middle);
        Wrinkle { points_mm, depth_mm, width_mm, profile: self.profile }
    }

    /// Depth of the groove, mm, in the window of the grid that it covers.
    fn stamp(&self, grid: &Lattice) -> (Window, Plane) {
        let reach = 2.4 * self.width_mm;
        let window = grid.window(&self.points_mm, reach);
        // Nearest point of the centre line: squared distance and depth there.
        let mut near = Grid::filled(window.width, window.height, [f32::MAX, 0.0f32]);
        for (i, p) in self.points_mm.windows(2).enumerate() {
            let [dx, dy] = [p[1][0] - p[0][0], p[1][1] - p[0][1]];
            let len2 = (dx * dx + dy * dy).max(1e-12);
            let local = grid.window(p, reach);
            for y in local.y..local.y + local.height {
                for x in local.x..local.x + local.width {
                    let at = grid.mm(x, y);
                    let [ax, ay] = [at[0] - p[0][0], at[1] - p[0][1]];
                    let t = ((ax * dx + ay * dy) / len2).clamp(0.0, 1.0);
                    let d2 = ((ax - t * dx).powi(2) + (ay - t * dy).powi(2)) as f32;
                    let (wx, wy) = (x - window.x, y - window.y);
                    if d2 < near.at(wx, wy)[0] {
                        let depth = self.depth_mm[i] * (1.0 - t) + self.depth_mm[i + 1] * t;
                        near.set(wx, wy, [d2, depth as f32]);
                    }
                }
            }
        }
        let half = (self.width_mm / 2.0) as f32;
        let [gauss, vee, u] = self.profile.map(|w| w as f32);
        let stamp = near.map(|[d2, depth]| {
            let q = d2 / (half * half);
            if q > 23.0 {
                return 0.0;
            }
            depth
                * (gauss * (-q).exp2() + vee * (1.0 - q.sqrt() / 2.0).max(0.0) + u / (1.0 + q * q))
        });
        (window, stamp)
    }
}

/// A small elliptical object on the skin: a pore, a scar, a spot.
#[derive(Debug, Clone, Copy)]
pub struct Dot {
    /// Middle, mm.
    pub at_mm: [f64; 2],
    /// Equivalent diameter at half depth (half concentration), mm.
    pub diameter_mm: f64,
    /// Depth in mm, or concentration of melanin.
    pub depth: f64,
    /// Ratio of the long axis to the short.
    pub elongation: f64,
    /// Direction of the long axis, radians.
    pub angle: f64,
    /// Melanin of the plug that darkens a pore.
    plug: f64,
    /// Uniform random number: pores are removed in the order of falling rank.
    rank: f64,
}

/// The sampling grid of a patch.
#[derive(Debug, Clone, Copy)]
pub struct Lattice {
    /// Samples per mm.
    pub per_mm: f64,
    /// Samples across.
    pub width: usize,
    /// Samples down.
    pub height: usize,
}

impl Lattice {
    /// Position of a sample in mm.
    pub fn mm(&self, x: usize, y: usize) -> [f64; 2] {
        [
            (x as f64 - (self.width - 1) as f64 / 2.0) / self.per_mm,
            (y as f64 - (self.height - 1) as f64 / 2.0) / self.per_mm,
        ]
    }

    /// Window of the samples within `reach_mm` of some points.
    fn window(&self, points: &[[f64; 2]], reach_mm: f64) -> Window {
        let side = |k: usize, n: usize| {
            let lo = points.iter().map(|p| p[k]).fold(f64::MAX, f64::min) - reach_mm;
            let hi = points.iter().map(|p| p[k]).fold(f64::MIN, f64::max) + reach_mm;
            let index = |mm: f64| mm * self.per_mm + (n - 1) as f64 / 2.0;
            let first = index(lo).floor().clamp(0.0, n as f64) as usize;
            let end = (index(hi).ceil() + 1.0).clamp(first as f64, n as f64) as usize;
            (first, end - first)
        };
        let ((x, width), (y, height)) = (side(0, self.width), side(1, self.height));
        Window { x, y, width, height }
    }
}

/// One person's patch of skin, untreated.
#[derive(Debug, Clone)]
pub struct Skin {
    /// Its parameters.
    pub spec: SkinSpec,
    /// The sampling grid.
    pub grid: Lattice,
    /// Microrelief (skin lines and grain), mm.
    pub relief: Plane,
    /// Low-frequency shape of the patch, mm.
    pub shape: Plane,
    /// Wrinkles.
    pub wrinkles: Vec<Wrinkle>,
    /// Pores.
    pub pores: Vec<Dot>,
    /// Atrophic scars.
    pub scars: Vec<Dot>,
    /// Pigmented spots.
    pub spots: Vec<Dot>,
    melanin: Plane,
    haemoglobin: Plane,
}

impl Skin {
    /// Generates a flat patch of skin.
    pub fn new(spec: &SkinSpec) -> Skin {
        let [width, height] = spec.size_mm.map(|mm| (mm * spec.samples_per_mm).ceil() as usize);
        let grid = Lattice { per_mm: spec.samples_per_mm, width, height };
        let mut rng = Rng::new(spec.seed, 1);
        let angle = rng.range(-0.9, 0.9);
        let wrinkles = random_wrinkles(spec, angle, Rng::new(spec.seed, 2));
        let pores = random_pores(spec, Rng::new(spec.seed, 3));
        let scars =
            random_dots(spec, spec.scars, [1.5, 5.0], spec.scar_depth_mm, Rng::new(spec.seed, 4));
        let spots = random_dots(spec, spec.spots, [1.5, 5.0], [0.25, 0.6], Rng::new(spec.seed, 5));
        let area_cm2 = spec.size_mm[0] * spec.size_mm[1] / 100.0;
        let freckles = (spec.freckle_density * area_cm2).round() as usize;
        let freckles =
            random_dots(spec, freckles, [0.35, 1.4], [0.06, 0.32], Rng::new(spec.seed, 6));
        let noise = |stream, cell_mm| SmoothNoise::new(spec.seed, stream, cell_mm).plane(&grid);
        let shape = sum(&[(&noise(20, 22.0), 0.9), (&noise(21, 8.0), 0.1)]);
        let mut melanin = sum(&[
            (&noise(30, 9.0), 0.03),
            (&noise(31, 2.2), 0.03),
            (&noise(32, 0.7), 0.03),
            (&noise(33, 0.25), 0.03),
        ]);
        stamp_dots(&mut melanin, &freckles, &grid, |d| d.depth, 2.0);
        let haemoglobin = sum(&[
            (&noise(40, 12.0), 0.028),
            (&noise(41, 3.5), 0.028),
            (&noise(42, 1.1), 0.034),
            (&noise(43, 0.4), 0.034),
        ]);
        let relief = fine_relief(spec, &grid, angle);
        let spec = spec.clone();
        Skin { spec, grid, relief, shape, wrinkles, pores, scars, spots, melanin, haemoglobin }
    }

    /// The wrinkles after a treatment.
    pub fn wrinkles(&self, t: &Treatment) -> Vec<Wrinkle> {
        self.wrinkles.iter().map(|w| w.treated(t)).collect()
    }

    /// The pores after a treatment: those that remain.
    pub fn pores(&self, t: &Treatment) -> Vec<Dot> {
        let stays = |p: &&Dot| p.rank < t.factor(t.pore_count, p.at_mm);
        let treat = |p: &Dot| {
            let f = t.factor(t.pore_diameter, p.at_mm);
            Dot { diameter_mm: p.diameter_mm * f, depth: p.depth * f, plug: p.plug * f, ..*p }
        };
        self.pores.iter().filter(stays).map(treat).collect()
    }

    /// The scars after a treatment.
    pub fn scars(&self, t: &Treatment) -> Vec<Dot> {
        let treat = |s: &Dot| Dot { depth: s.depth * t.factor(t.scar_depth, s.at_mm), ..*s };
        self.scars.iter().map(treat).collect()
    }

    /// The height field after a treatment, mm.
    pub fn height(&self, t: &Treatment) -> Plane {
        let mut height = Plane::from_fn(self.grid.width, self.grid.height, |x, y| {
            let f = t.factor(t.fine_relief, self.grid.mm(x, y)) as f32;
            self.shape.at(x, y) + f * self.relief.at(x, y)
        });
        let wrinkles = self.wrinkles(t);
        for (window, stamp) in par_collect(wrinkles.len(), |i| wrinkles[i].stamp(&self.grid)) {
            for y in 0..window.height {
                for x in 0..window.width {
                    let (gx, gy) = (window.x + x, window.y + y);
                    height.set(gx, gy, height.at(gx, gy) - stamp.at(x, y));
                }
            }
        }
        stamp_dots(&mut height, &self.pores(t), &self.grid, |d| -d.depth, 3.5);
        stamp_dots(&mut height, &self.scars(t), &self.grid, |d| -d.depth, 3.0);
        height
    }

    /// The albedo after a treatment, linear RGB.
    pub fn albedo(&self, t: &Treatment) -> Grid<[f32; 3]> {
        let mut melanin = self.melanin.clone();
        stamp_dots(&mut melanin, &self.spots, &self.grid, |d| d.depth, 6.0);
        let mut plugs = Plane::filled(self.grid.width, self.grid.height, 0.0);
        stamp_dots(&mut plugs, &self.pores(t), &self.grid, |d| d.plug, 3.0);
        let base = TONES[(self.spec.tone.clamp(1, 6) - 1) as usize];
        Grid::from_fn(self.grid.width, self.grid.height, |x, y| {
            let at = self.grid.mm(x, y);
            let m = melanin.at(x, y) * t.factor(t.pigment, at) as f32 + plugs.at(x, y);
            let h = self.haemoglobin.at(x, y) * t.factor(t.redness, at) as f32;
            [0, 1, 2].map(|c| base[c] * (-m * MELANIN[c] - h * HAEMOGLOBIN[c]).exp())
        })
    }
}

/// 0 below 0, 1 above 1, smooth between.
pub(super) fn smoothstep(x: f64) -> f64 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// Depth along a wrinkle, 0 at the ends.
fn taper(s: f64) -> f64 {
    smoothstep(s.min(1.0 - s) / 0.2 + 0.02)
}

/// Weighted sum of planes of one size.
fn sum(terms: &[(&Plane, f32)]) -> Plane {
    let first = terms[0].0;
    Plane::from_fn(first.width(), first.height(), |x, y| {
        terms.iter().map(|(plane, w)| w * plane.at(x, y)).sum()
    })
}

/// Adds `amount(dot)` · 1/(1 + ρ^2n), ρ the elliptical radius in half diameters, to `plane`:
/// flat in the middle, half at the rim; `n` sets how steep the rim is.
fn stamp_dots(
    plane: &mut Plane,
    dots: &[Dot],
    grid: &Lattice,
    amount: impl Fn(&Dot) -> f64,
    n: f32,
) {
    for dot in dots {
        let reach = if n < 3.0 { 2.5 } else { 1.6 } * dot.diameter_mm;
        let (sin, cos) = dot.angle.sin_cos();
        let stretch = dot.elongation.sqrt();
        let (rx, ry) = (dot.diameter_mm / 2.0 * stretch, dot.diameter_mm / 2.0 / stretch);
        let window = grid.window(&[dot.at_mm], reach);
        let amount = amount(dot) as f32;
        for y in window.y..window.y + window.height {
            for x in window.x..window.x + window.width {
                let at = grid.mm(x, y);
                let [dx, dy] = [at[0] - dot.at_mm[0], at[1] - dot.at_mm[1]];
                let (u, v) = ((dx * cos + dy * sin) / rx, (dy * cos - dx * sin) / ry);
                let rho2 = (u * u + v * v) as f32;
                plane.set(x, y, plane.at(x, y) + amount / (1.0 + rho2.powf(n / 2.0 + 0.5)));
            }
        }
    }
}

/// A curve from its middle to both ends whose heading is a sum of random waves; points every [`STEP_MM`].
pub(super) fn curve(
    middle: [f64; 2],
    heading: f64,
    length_mm: f64,
    bend: f64,
    mut rng: Rng,
) -> Vec<[f64; 2]> {
    let steps = (length_mm / 2.0 / STEP_MM).round().max(2.0) as usize;
    let waves: Vec<[f64; 3]> = (0..5)
        .map(|k| {
            let period_mm = [70.0, 28.0, 11.0, 4.5, 2.0][k];
            [TAU / period_mm, rng.range(0.0, TAU), bend * [0.5, 0.4, 0.3, 0.22, 0.16][k]]
        })
        .collect();
    let turn =
        |s: f64| waves.iter().map(|[k, p, a]| a * ((k * s + p).sin() - p.sin())).sum::<f64>();
    let walk = |sign: f64| {
        let mut at = middle;
        let mut points = Vec::with_capacity(steps);
        for i in 0..steps {
            let angle = heading + turn(sign * (i as f64 + 0.5) * STEP_MM);
            at = [at[0] + sign * STEP_MM * angle.cos(), at[1] + sign * STEP_MM * angle.sin()];
            points.push(at);
        }
        points
    };
    let mut points = walk(-1.0);
    points.reverse();
    points.push(middle);
    points.extend(walk(1.0));
    points
}

/// Wrinkles of one main direction that do not touch each other.
fn random_wrinkles(spec: &SkinSpec, angle: f64, mut rng: Rng) -> Vec<Wrinkle> {
    let [w, h] = spec.size_mm;
    let mut wrinkles: Vec<Wrinkle> = Vec::new();
    for _ in 0..spec.wrinkles * 40 {
        if wrinkles.len() == spec.wrinkles {
            break;
        }
        let middle = [w * rng.range(-0.4, 0.4), h * rng.range(-0.4, 0.4)];
        let length = rng.range(0.15, 0.6) * w.min(h).min(70.0) + 4.0;
        let heading = angle + rng.range(-0.3, 0.3);
        let points = curve(middle, heading, length, 0.35, rng.fork());
        let [least, most] = spec.wrinkle_depth_mm;
        let depth = least + (most - least) * rng.uniform().powi(2);
        let width = 0.3 + 1.3 * depth * rng.range(0.7, 1.3) + 0.12 * rng.uniform();
        let gap = 2.5 + width;
        let near = |a: &[f64; 2], b: &[f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]) < gap;
        let touches = wrinkles.iter().any(|other| {
            let sparse = || other.points_mm.iter().step_by(8);
            points.iter().step_by(8).any(|a| sparse().any(|b| near(a, b)))
        });
        let candidate = Wrinkle::along(points, depth, width, rng.fork());
        if !touches {
            wrinkles.push(candidate);
        }
    }
    wrinkles
}

/// Pores by dart throwing: most keep a minimum distance to the next one.
fn random_pores(spec: &SkinSpec, mut rng: Rng) -> Vec<Dot> {
    let [w, h] = spec.size_mm;
    let count = (spec.pore_density * w * h / 100.0).round() as usize;
    let gap = 0.62 * 10.0 / spec.pore_density.max(1.0).sqrt();
    let columns = (w / gap).ceil() as usize + 1;
    let rows = (h / gap).ceil() as usize + 1;
    let mut cells: Vec<Vec<[f64; 2]>> = vec![Vec::new(); columns * rows];
    let mut pores = Vec::with_capacity(count);
    for _ in 0..count * 12 {
        if pores.len() == count {
            break;
        }
        let at = [w * (rng.uniform() - 0.5), h * (rng.uniform() - 0.5)];
        let free_gap = gap * if rng.uniform() < 0.06 { 0.4 } else { 1.0 };
        let (cx, cy) = (((at[0] + w / 2.0) / gap) as usize, ((at[1] + h / 2.0) / gap) as usize);
        let near = |p: &[f64; 2]| (p[0] - at[0]).hypot(p[1] - at[1]) < free_gap;
        let taken = (cy.saturating_sub(1)..(cy + 2).min(rows)).any(|y| {
            (cx.saturating_sub(1)..(cx + 2).min(columns))
                .any(|x| cells[y * columns + x].iter().any(near))
        });
        if taken {
            continue;
        }
        cells[cy * columns + cx].push(at);
        let diameter_mm = (spec.pore_diameter_mm * (0.28 * rng.normal()).exp()).clamp(0.16, 0.62);
        pores.push(Dot {
            at_mm: at,
            diameter_mm,
            depth: diameter_mm * 0.38 * (0.42 * rng.normal()).exp().min(2.2),
            elongation: 1.0 + 0.45 * rng.uniform().powi(2),
            angle: rng.range(0.0, PI),
            plug: 0.05 + 0.4 * rng.uniform().powi(4),
            rank: rng.uniform(),
        });
    }
    pores
}

/// `count` dots at random positions of the patch.
fn random_dots(
    spec: &SkinSpec,
    count: usize,
    diameter_mm: [f64; 2],
    depth: [f64; 2],
    mut rng: Rng,
) -> Vec<Dot> {
    let [w, h] = spec.size_mm;
    (0..count)
        .map(|_| Dot {
            at_mm: [w * rng.range(-0.46, 0.46), h * rng.range(-0.46, 0.46)],
            diameter_mm: diameter_mm[0] + (diameter_mm[1] - diameter_mm[0]) * rng.uniform().powi(2),
            depth: rng.range(depth[0], depth[1]),
            elongation: rng.range(1.0, 1.5),
            angle: rng.range(0.0, PI),
            plug: 0.0,
            rank: rng.uniform(),
        })
        .collect()
}

/// Microrelief, mm: two polygonal networks of furrows (primary and secondary skin lines) between smooth plateaus, and
/// grain.
fn fine_relief(spec: &SkinSpec, grid: &Lattice, angle: f64) -> Plane {
    let noise = |stream, cell_mm| SmoothNoise::new(spec.seed, stream, cell_mm).plane(grid);
    let warp = [0, 1].map(|k| {
        sum(&[(&noise(50 + k, 3.0), 0.5), (&noise(52 + k, 0.8), 0.11), (&noise(54 + k, 0.3), 0.03)])
    });
    let patchy = noise(60, 4.0);
    let grain =
        sum(&[(&noise(61, 1.3), 0.02), (&noise(62, 0.4), 0.011), (&noise(63, 0.15), 0.005)]);
    let (sin, cos) = angle.sin_cos();
    let primary = Furrows { seed: spec.seed ^ 0x51, cell_mm: 0.95, width_mm: 0.13 };
    let secondary = Furrows { seed: spec.seed ^ 0x52, cell_mm: 0.45, width_mm: 0.065 };
    let scale = spec.fine_relief as f32;
    Plane::from_fn(grid.width, grid.height, |x, y| {
        let at = grid.mm(x, y);
        let [px, py] = [0, 1].map(|k| at[k] + warp[k].at(x, y) as f64);
        // Cells are elongated along the tension lines.
        let (u, v) = ((px * cos + py * sin) / 1.45, py * cos - px * sin);
        let uneven = (1.0 + 0.35 * patchy.at(x, y)).clamp(0.25, 1.9);
        let (line, dome) = primary.depth(u, v);
        let (fine, _) = secondary.depth(u, v);
        scale * (grain.at(x, y) + uneven * (0.03 * dome - 0.085 * line - 0.03 * fine))
    })
}

/// A polygonal network: the borders of the Voronoi cells of scattered points, each border with a depth of its own.
struct Furrows {
    seed: u64,
    cell_mm: f64,
    width_mm: f64,
}

impl Furrows {
    /// Relative depth of the furrow and relative height of the plateau at (u, v) mm, both 0 … 1.
    fn depth(&self, u: f64, v: f64) -> (f32, f32) {
        let (u, v) = ((u / self.cell_mm) as f32, (v / self.cell_mm) as f32);
        let (cu, cv) = (u.floor(), v.floor());
        let mut near = [(f32::MAX, 0.0, 0.0, 0u64); 3];
        for j in -1..=1i64 {
            for i in -1..=1i64 {
                let id = hash(self.seed, cu as i64 + i, cv as i64 + j, TURN);
                let px = cu + i as f32 + 0.5 + 0.9 * ((id & 0xffff) as f32 / 65536.0 - 0.5);
                let py = cv + j as f32 + 0.5 + 0.9 * ((id >> 16 & 0xffff) as f32 / 65536.0 - 0.5);
                let d2 = (px - u) * (px - u) + (py - v) * (py - v);
                if d2 < near[2].0 {
                    near[2] = (d2, px, py, id);
                    if near[2].0 < near[1].0 {
                        near.swap(1, 2);
                    }
                    if near[1].0 < near[0].0 {
                        near.swap(0, 1);
                    }
                }
            }
        }
        let width = (self.width_mm / self.cell_mm) as f32;
        let groove = |k: usize| {
            let apart = (near[k].1 - near[0].1).hypot(near[k].2 - near[0].2).max(1e-3);
            let border = (near[k].0 - near[0].0) / (2.0 * apart);
            let depth = ((near[k].3.wrapping_add(near[0].3) >> 40 & 0xff) as f32 / 255.0).powf(1.3);
            let w = width * (0.7 + 0.7 * depth);
            (0.08 + 0.92 * depth) * (-(border / w) * (border / w)).exp()
        };
        let dome = (1.0 - near[0].0 * 2.2).max(0.0);
        (groove(1).max(groove(2)), dome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> SkinSpec {
        SkinSpec { size_mm: [24.0, 20.0], samples_per_mm: 20.0, scars: 2, ..SkinSpec::default() }
    }

    #[test]
    fn a_straight_wrinkle_has_its_nominal_depth_and_width() {
        let points: Vec<[f64; 2]> = (0..=200).map(|i| [0.1 * i as f64 - 10.0, 0.0]).collect();
        for seed in 0..6 {
            let wrinkle = Wrinkle::along(points.clone(), 0.4, 1.2, Rng::new(seed, 0));
            let grid = Lattice { per_mm: 40.0, width: 1001, height: 401 };
            let (window, stamp) = wrinkle.stamp(&grid);
            // x = 0 is column 500, the centre line row 200.
            let column =
                |mm: f64| stamp.at(500 - window.x, (200.0 + 40.0 * mm) as usize - window.y);
            let depth = wrinkle.depth_mm[100] as f32;
            assert!((column(0.0) - depth).abs() < 1e-5);
            for side in [-0.6, 0.6] {
                assert!((column(side) / depth - 0.5).abs() < 0.01, "seed {seed}");
            }
            assert!((wrinkle.length_mm() - 20.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_factor_scales_its_parameter() {
        let skin = Skin::new(&small());
        let height = |t: &Treatment| skin.height(t);
        let plain = Treatment::default();
        type Set = fn(&mut Treatment, f64);
        let factors: [Set; 3] =
            [|t, f| t.wrinkle_depth = f, |t, f| t.fine_relief = f, |t, f| t.scar_depth = f];
        for set in factors {
            let with = |f| {
                let mut t = plain;
                set(&mut t, f);
                height(&t)
            };
            let (all, half, none) = (with(1.0), with(0.5), with(0.0));
            let mut moved = 0.0f32;
            for i in 0..all.data().len() {
                let (whole, part) =
                    (all.data()[i] - none.data()[i], half.data()[i] - none.data()[i]);
                assert!((part - 0.5 * whole).abs() < 2e-6);
                moved = moved.max(whole.abs());
            }
            assert!(moved > 0.03, "the factor must act: {moved}");
        }
    }

    #[test]
    fn skin_outside_the_zone_is_unchanged() {
        let skin = Skin::new(&small());
        let zone = Zone { centre_mm: [-6.0, 0.0], half_mm: [4.0, 6.0], ellipse: true };
        let treatment = Treatment {
            fine_relief: 0.5,
            wrinkle_depth: 0.5,
            zone: Some(zone),
            ..Default::default()
        };
        let (before, after) = (skin.height(&Treatment::default()), skin.height(&treatment));
        let mut inside = 0;
        for y in 0..before.height() {
            for x in 0..before.width() {
                let weight = zone.weight(skin.grid.mm(x, y));
                let moved = before.at(x, y) != after.at(x, y);
                // A wrinkle's depth follows its centre line, which may lie in the zone's edge.
                if skin.grid.mm(x, y)[0] > 0.0 {
                    assert!(!moved || weight > 0.0);
                }
                inside += usize::from(moved && weight == 1.0);
            }
        }
        assert!(inside > 10_000);
    }

    #[test]
    fn a_shorter_wrinkle_keeps_its_middle() {
        let skin = Skin::new(&small());
        let treatment = Treatment { wrinkle_length: 0.7, ..Treatment::default() };
        for (before, after) in skin.wrinkles.iter().zip(skin.wrinkles(&treatment)) {
            assert!((after.length_mm() / before.length_mm() - 0.7).abs() < 0.01);
            assert!(after.depth_mm[0] < 0.1 * before.depth_mm[before.depth_mm.len() / 2]);
            let middle = |w: &Wrinkle| w.depth_mm[w.depth_mm.len() / 2];
            assert!((middle(&after) / middle(before) - 1.0).abs() < 0.02);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_skin_on_any_grid() {
        let fine = Skin::new(&small());
        let coarse = Skin::new(&SkinSpec { samples_per_mm: 10.0, ..small() });
        assert_eq!(fine.pores.len(), coarse.pores.len());
        assert_eq!(fine.pores[7].at_mm, coarse.pores[7].at_mm);
        let other = Skin::new(&SkinSpec { seed: 2, ..small() });
        assert_ne!(fine.pores[7].at_mm, other.pores[7].at_mm);
    }

    #[test]
    fn most_pores_keep_their_distance() {
        let pores = Skin::new(&small()).pores;
        let touching = |a: &Dot| {
            let near = |b: &&Dot| {
                let d = (a.at_mm[0] - b.at_mm[0]).hypot(a.at_mm[1] - b.at_mm[1]);
                d > 0.0 && d < (a.diameter_mm + b.diameter_mm) / 2.0
            };
            pores.iter().find(near).is_some()
        };
        let share = pores.iter().filter(|p| touching(p)).count() as f64 / pores.len() as f64;
        assert!(pores.len() > 150 && share < 0.05, "{share} of {}", pores.len());
    }
}
