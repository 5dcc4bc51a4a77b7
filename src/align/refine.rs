//! The dense stage: a smooth displacement field, coarse to fine.
//!
//! Both photos become band-passed log luminance over its local contrast, so that light, exposure
//! and shading drop out (the normalisation serves registration only, never measurement). The skin
//! is cut into blocks; each says, by Lucas & Kanade's (1981) normal equations with the gradients of
//! both photos (Vercauteren 2009's symmetric step), where it wants to go and how sure it is, and the
//! nodes around it take that up as far as the field's stiffness lets them. Three octaves are solved
//! together, so that blur, which takes the finest away, leaves the others.

use super::field::Field;
use super::system::{Equations, Factor, Nodes};
use crate::filter::gaussian::{MaskedBlur, blur};
use crate::filter::resize::{shrink, shrink_mask};
use crate::filter::warp::Spline;
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Plane, Window, par_collect};
use crate::settings::AlignSettings;
use crate::srgb;
use std::ops::Range;

/// Blocks of skin along the distance of two nodes.
const BLOCKS_PER_NODE: usize = 3;
/// Octaves that are solved together.
const OCTAVES: usize = 3;

/// One octave of the photo that others are mapped onto.
struct Octave {
    /// Full-resolution px per px.
    factor: usize,
    skin: Mask,
    /// Band-passed log luminance over its local contrast.
    feature: Plane,
}

/// The photo that others are mapped onto, prepared once.
pub struct Reference {
    window: Window,
    /// Finest first.
    octaves: Vec<Octave>,
}

/// What one block of skin says at the present field.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    /// Gradient products xx, xy, yy, 1/px².
    information: [f64; 3],
    /// Gradient × difference, 1/px.
    pull: [f64; 2],
    /// Sum of the products of the two photos' gradients, 1/px²: the signal that both share.
    shared: f64,
    /// Sums of squares of the difference and of both photos, their product, and of 1.
    ee: f64,
    aa: f64,
    bb: f64,
    ab: f64,
    n: f64,
}

/// What the photos say of one node of a [`Field`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Fit {
    /// Correlation of the two photos around it, in the second finest octave: the finest may be
    /// noise, coarser ones show what all faces share.
    pub correlation: f64,
    /// Share of its surroundings that is skin seen in both photos.
    pub seen: f64,
}

/// A refined field and how well it fits: as the last round found it, before its own small step.
pub struct Refined {
    /// The map.
    pub field: Field,
    /// One per node.
    pub fits: Grid<Fit>,
    /// Stated error of each node: root mean square distance from the true place, px. Three parts:
    /// chance (every block of skin and every bond of stiffness may as well have pulled the other
    /// way: a wild bootstrap, Wu 1986), what the octaves disagree about, and a floor.
    pub errors: Grid<f64>,
}

/// The luminance of a follow-up on those pixels of `window` that it `shows`, 0 elsewhere: a stand-in
/// for the baseline.
pub fn laid(photo: &Photo, field: &Field, window: Window, shows: &Mask) -> Plane {
    let source = field.footprint(window, 0.0, photo.width(), photo.height());
    let spline = Spline::new(&photo.luminance(source));
    let mut laid = Plane::filled(window.width, window.height, 0.0);
    laid.par_rows(|y, row| {
        let line = field.row((window.y + y) as f64);
        for (x, out) in row.iter_mut().enumerate().filter(|(x, _)| shows.at(*x, y)) {
            let [px, py] = line.at((window.x + x) as f64);
            *out = spline.at(px - source.x as f64, py - source.y as f64);
        }
    });
    laid
}

impl Reference {
    /// Prepares the `light` of `window`; `skin` covers the same window.
    pub fn new(light: &Plane, skin: &Mask, window: Window, settings: &AlignSettings) -> Self {
        let large = window.width * window.height > settings.full_resolution_max_px;
        let mut factor = if large { 2 } else { 1 };
        let mut light = shrink(light, factor);
        let mut octaves = Vec::new();
        loop {
            let skin = shrink_mask(skin, factor);
            let feature = feature(&light.map(srgb::log), &skin, settings);
            octaves.push(Octave { factor, skin, feature });
            if light.width().max(light.height()) <= 2 * settings.coarsest_size_px {
                break;
            }
            light = shrink(&light, 2);
            factor *= 2;
        }
        Reference { window, octaves }
    }

    /// Refines `affine` into a [`Field`] with nodes `spacing_px` apart (at the finest octave).
    pub fn refine(
        &self,
        follow_up: &Photo,
        affine: [f64; 6],
        spacing_px: f64,
        settings: &AlignSettings,
    ) -> Refined {
        let mut field = Field::rigid(affine);
        let other = Other::new(follow_up, &field, self, settings);
        let mut last = None;
        for first in (0..self.octaves.len()).rev() {
            let octaves = first..(first + OCTAVES).min(self.octaves.len());
            let factor = self.octaves[first].factor as f64;
            let spacing = spacing_px.max(settings.node_spacing_min_px * factor);
            field = field.regridded(self.window, spacing);
            let rounds = if first == 0 { settings.rounds_finest } else { settings.rounds };
            // No step goes farther than the coarsest octave sees.
            let reach = settings.step_px * self.octaves[octaves.end - 1].factor as f64;
            for _ in 0..rounds {
                let blocks: Vec<Grid<Block>> =
                    octaves.clone().map(|k| self.blocks(k, &other, &field, settings)).collect();
                let system = System::new(&blocks, &field, settings);
                let step = system.step(&field);
                for (node, step) in field.nodes.data_mut().iter_mut().zip(step.data()) {
                    let length = step[0].hypot(step[1]);
                    let share = if length > reach { reach / length } else { 1.0 };
                    node[0] += share * step[0];
                    node[1] += share * step[1];
                }
                last = Some((system, blocks));
            }
        }
        match last {
            Some((system, blocks)) => {
                let second = 1.min(blocks.len() - 1);
                let fits = fits(&blocks[second], &field, self.octaves[second].factor);
                let bias = disagreement(&blocks, &field, settings);
                let errors = system.chance(settings).zip(&bias, |chance, bias| {
                    chance.hypot(settings.error_bias_gain * bias).hypot(settings.error_floor_px)
                });
                Refined { fits, errors, field }
            }
            None => Refined {
                fits: Grid::filled(1, 1, Fit::default()),
                errors: Grid::filled(1, 1, f64::INFINITY),
                field,
            },
        }
    }

    /// What each block of skin says in octave `k`.
    fn blocks(
        &self,
        k: usize,
        other: &Other<'_>,
        field: &Field,
        settings: &AlignSettings,
    ) -> Grid<Block> {
        let Octave { factor, skin, feature: a } = &self.octaves[k];
        let f = *factor as f64;
        let to_full = |i: usize, lo: usize| lo as f64 + f * (i as f64 + 0.5) - 0.5;
        let to_octave = |v: f64| (v + 0.5) / f - 0.5;
        let mut warped = Grid::filled(a.width(), a.height(), (0.0f32, false));
        warped.par_rows(|y, row| {
            let line = field.row(to_full(y, self.window.y));
            for (x, out) in row.iter_mut().enumerate() {
                if !skin.at(x, y) {
                    continue;
                }
                let [qx, qy] = line.at(to_full(x, self.window.x));
                let ([left, top], [right, bottom]) = (other.first, other.last);
                let flat = || other.photo.flat.contains(qx.round() as usize, qy.round() as usize);
                if qx >= left && qy >= top && qx <= right && qy <= bottom && !flat() {
                    *out = (other.logs[k].at(to_octave(qx - left), to_octave(qy - top)), true);
                }
            }
        });
        let seen = warped.map(|(_, s)| s);
        let b = feature(&warped.map(|(v, _)| v), &seen, settings);
        let side = field.spacing_px / BLOCKS_PER_NODE as f64;
        let counts =
            [field.nodes.width(), field.nodes.height()].map(|n| (n - 1).max(1) * BLOCKS_PER_NODE);
        let block_of = |i: usize, lo: usize, axis: usize| {
            let at = ((to_full(i, lo) - field.origin[axis]) / side).floor().max(0.0) as usize;
            at.min(counts[axis] - 1)
        };
        let columns: Vec<usize> = (0..a.width()).map(|x| block_of(x, self.window.x, 0)).collect();
        let rows: Vec<usize> = (0..a.height()).map(|y| block_of(y, self.window.y, 1)).collect();
        let strips = par_collect(counts[1], |j| {
            let mut strip = vec![Block::default(); counts[0]];
            let first = rows.partition_point(|r| *r < j).max(1);
            let last = rows.partition_point(|r| *r <= j).min(a.height().saturating_sub(1));
            for y in first..last {
                sum_row(&mut strip, a, &b, &seen, y, &columns, settings);
            }
            // Per full-resolution px.
            for block in &mut strip {
                block.information = block.information.map(|v| v / (f * f));
                block.pull = block.pull.map(|v| v / f);
                block.shared /= f * f;
            }
            strip
        });
        Grid::from_vec(counts[0], counts[1], strips.concat())
    }
}

/// Adds one row of pixels to the blocks they lie in.
fn sum_row(
    strip: &mut [Block],
    a: &Plane,
    b: &Plane,
    seen: &Mask,
    y: usize,
    columns: &[usize],
    settings: &AlignSettings,
) {
    let (a0, au, ad) = (a.row(y), a.row(y - 1), a.row(y + 1));
    let (b0, bu, bd) = (b.row(y), b.row(y - 1), b.row(y + 1));
    let (mask, up, down) = (seen.row(y), seen.row(y - 1), seen.row(y + 1));
    let softness = (1.0 / (settings.outlier * settings.outlier)) as f32;
    for x in 1..a.width().saturating_sub(1) {
        if !(mask[x] && mask[x - 1] && mask[x + 1] && up[x] && down[x]) {
            continue;
        }
        let (ax, bx) = (a0[x + 1] - a0[x - 1], b0[x + 1] - b0[x - 1]);
        let (ay, by) = (ad[x] - au[x], bd[x] - bu[x]);
        let (gx, gy) = (0.25 * (ax + bx), 0.25 * (ay + by));
        let shared = f64::from(0.25 * (ax * bx + ay * by));
        let e = a0[x] - b0[x];
        // What does not fit at all (a hair, a highlight, a healed spot) has little say: Geman &
        // McClure's weight.
        let w = 1.0 / (1.0 + e * e * softness);
        let w = f64::from(w * w);
        let block = &mut strip[columns[x]];
        let [gx, gy, e] = [gx, gy, e].map(f64::from);
        block.information[0] += w * gx * gx;
        block.information[1] += w * gx * gy;
        block.information[2] += w * gy * gy;
        block.pull[0] += w * gx * e;
        block.pull[1] += w * gy * e;
        block.shared += w * shared;
        block.ee += w * e * e;
        block.aa += f64::from(a0[x] * a0[x]);
        block.bb += f64::from(b0[x] * b0[x]);
        block.ab += f64::from(a0[x] * b0[x]);
        block.n += 1.0;
    }
}

/// A follow-up at all octaves of a [`Reference`].
struct Other<'a> {
    photo: &'a Photo,
    logs: Vec<Spline>,
    /// First column and row of the part that is held, full px.
    first: [f64; 2],
    /// Its last column and row.
    last: [f64; 2],
}

impl<'a> Other<'a> {
    fn new(photo: &'a Photo, field: &Field, base: &Reference, settings: &AlignSettings) -> Self {
        let source =
            field.footprint(base.window, settings.seed_margin, photo.width(), photo.height());
        // A finer photo is brought to the baseline's sampling first: what its pixels cannot hold
        // must not fold back.
        let finer = (field.scale().powi(2) - 1.0).max(0.0).sqrt();
        let mut light = blur(&photo.luminance(source), (0.5 * finer) as f32);
        let mut held = 1;
        let logs = base
            .octaves
            .iter()
            .map(|octave| {
                light = shrink(&light, octave.factor / held);
                held = octave.factor;
                Spline::new(&light.map(srgb::log))
            })
            .collect();
        Other {
            photo,
            logs,
            first: [source.x as f64, source.y as f64],
            last: [(source.x + source.width - 1) as f64, (source.y + source.height - 1) as f64],
        }
    }
}

/// Band-passed log luminance over its local contrast; 0 outside `seen`.
fn feature(log: &Plane, seen: &Mask, settings: &AlignSettings) -> Plane {
    let near = MaskedBlur::new(seen, settings.feature_band_px as f32);
    let far = MaskedBlur::new(seen, 2.0 * settings.feature_band_px as f32);
    let floor = (settings.feature_floor * settings.feature_floor) as f32;
    let local = near.mean(log);
    let band = Plane::from_fn(log.width(), log.height(), |x, y| {
        if seen.at(x, y) { log.at(x, y) - local.at(x, y) } else { 0.0 }
    });
    let power = far.mean(&band.map(|v| v * v));
    band.zip(&power, |band, power| band / (power + floor).sqrt())
}

/// Sums of `blocks` over a rectangle of them.
fn sum(blocks: &Grid<Block>, columns: Range<usize>, rows: Range<usize>) -> Block {
    let mut sum = Block::default();
    for y in rows {
        for x in columns.clone() {
            sum.add(&blocks.at(x, y));
        }
    }
    sum
}

/// The block `i` of `n` along one axis, and `reach` to each side.
fn around(i: usize, reach: usize, n: usize) -> Range<usize> {
    i.saturating_sub(reach)..(i + reach + 1).min(n)
}

impl Block {
    /// Adds another block's sums.
    fn add(&mut self, other: &Block) {
        self.information = std::array::from_fn(|k| self.information[k] + other.information[k]);
        self.pull = [self.pull[0] + other.pull[0], self.pull[1] + other.pull[1]];
        self.shared += other.shared;
        self.ee += other.ee;
        self.aa += other.aa;
        self.bb += other.bb;
        self.ab += other.ab;
        self.n += other.n;
    }

    /// Share of the gradients' power that both photos have in common: noise has gradients too, but
    /// not the same ones.
    fn signal(&self) -> f64 {
        let power = self.information[0] + self.information[2];
        if power > 0.0 { (self.shared / power).clamp(0.0, 1.0) } else { 0.0 }
    }

    fn correlation(&self) -> f64 {
        if self.aa > 0.0 && self.bb > 0.0 { self.ab / (self.aa * self.bb).sqrt() } else { 0.0 }
    }
}

/// Correlation and share seen around each node.
fn fits(blocks: &Grid<Block>, field: &Field, factor: usize) -> Grid<Fit> {
    let (nx, ny) = (field.nodes.width(), field.nodes.height());
    Grid::from_fn(nx, ny, |x, y| {
        let beside = |node: usize, n: usize| {
            node.saturating_sub(1) * BLOCKS_PER_NODE..((node + 1) * BLOCKS_PER_NODE).min(n)
        };
        let sum = sum(blocks, beside(x, blocks.width()), beside(y, blocks.height()));
        let side = 2.0 * field.spacing_px / factor as f64;
        Fit { correlation: sum.correlation(), seen: sum.n / (side * side) }
    })
}

/// How far the second finest and the finest octave would move the surroundings of each node apart, px.
/// A lamp that has moved shifts the shading of a furrow or a pore, and with it the skin as it seems,
/// the more the larger they are: no octave knows of it, but they do not agree.
fn disagreement(octaves: &[Grid<Block>], field: &Field, settings: &AlignSettings) -> Grid<f64> {
    let (nx, ny) = (field.nodes.width(), field.nodes.height());
    let (Some(fine), Some(coarse)) = (octaves.first(), octaves.get(1)) else {
        return Grid::filled(nx, ny, 0.0);
    };
    let reach = settings.disagreement_nodes * BLOCKS_PER_NODE;
    let [fine, coarse] =
        [fine, coarse].map(|blocks| wanted(blocks, reach, settings.disagreement_signal));
    Grid::from_fn(nx, ny, |x, y| {
        let at = |n: usize, len: usize| (n * BLOCKS_PER_NODE).min(len - 1);
        let (x, y) = (at(x, fine.width()), at(y, fine.height()));
        let (a, b) = (fine.at(x, y), coarse.at(x, y));
        (a[0] - b[0]).hypot(a[1] - b[1])
    })
}

/// Where the surroundings of each block, `reach` blocks to each side, want to go, px.
fn wanted(blocks: &Grid<Block>, reach: usize, signal_min: f64) -> Grid<[f64; 2]> {
    // Sums along rows, then along columns.
    let across = Grid::from_fn(blocks.width(), blocks.height(), |x, y| {
        sum(blocks, around(x, reach, blocks.width()), y..y + 1)
    });
    Grid::from_fn(blocks.width(), blocks.height(), |x, y| {
        let sum = sum(&across, x..x + 1, around(y, reach, blocks.height()));
        let [a, b, c] = sum.information;
        let share = sum.signal().max(signal_min) * (a * c - b * b);
        if share > 0.0 {
            let [p, q] = sum.pull;
            [(c * p - b * q) / share, (a * q - b * p) / share]
        } else {
            [0.0; 2]
        }
    })
}

/// The normal equations of one round, solved.
struct System {
    factor: Factor,
    /// Nodes that a block touches, and its weighed pull.
    pulls: Vec<(Nodes, [f64; 2])>,
    bending: f64,
    slope: f64,
}

impl System {
    fn new(octaves: &[Grid<Block>], field: &Field, settings: &AlignSettings) -> Self {
        let mut equations = Equations::new(field);
        let (w, h) = (octaves[0].width(), octaves[0].height());
        let side = field.spacing_px / BLOCKS_PER_NODE as f64;
        let mut pulls = Vec::new();
        for y in 0..h {
            let ky = field.knots((y as f64 + 0.5) * side);
            for x in 0..w {
                let (mut information, mut pull) = ([0.0; 3], [0.0; 2]);
                for blocks in octaves {
                    let b = blocks.at(x, y);
                    if b.n == 0.0 {
                        continue;
                    }
                    let near = sum(blocks, around(x, 1, w), around(y, 1, h));
                    let signal = near.signal();
                    let unexplained = (near.ee / near.n + 1e-3) * settings.correlation_area_px;
                    let trust = signal / unexplained;
                    (0..3).for_each(|k| information[k] += trust * signal * b.information[k]);
                    (0..2).for_each(|k| pull[k] += trust * b.pull[k]);
                }
                if information == [0.0; 3] {
                    continue;
                }
                let nodes = equations.nodes(&field.knots((x as f64 + 0.5) * side), &ky);
                equations.inform(&nodes, information);
                pulls.push((nodes, pull));
            }
        }
        let bending = 1.0 / (settings.bending * field.spacing_px).powi(2);
        let slope = bending * settings.slope;
        equations.stiffness(bending, slope);
        System { factor: equations.factored(), pulls, bending, slope }
    }

    /// One Gauss–Newton step of all nodes.
    fn step(&self, field: &Field) -> Grid<[f64; 2]> {
        let equations = self.factor.equations();
        let mut force = equations.penalty_force(&field.nodes, self.bending, self.slope);
        for (nodes, pull) in &self.pulls {
            add(&mut force, nodes, *pull);
        }
        self.factor.solve(force)
    }

    /// How far chance moves each node, px.
    fn chance(&self, settings: &AlignSettings) -> Grid<f64> {
        let equations = self.factor.equations();
        self.factor.spread(settings.bootstrap, |k| {
            let sign = |i: usize| if hash(i, k) >> 63 == 0 { 1.0 } else { -1.0 };
            let [bending, slope] = [self.bending, self.slope].map(|v| settings.bootstrap_bonds * v);
            let mut force = equations.penalty_noise(bending, slope, sign);
            for (i, (nodes, pull)) in self.pulls.iter().enumerate() {
                let sign = if hash(i, k) >> 62 & 1 == 0 { 1.0 } else { -1.0 };
                add(&mut force, nodes, pull.map(|p| sign * p));
            }
            force
        })
    }
}

fn add(force: &mut [f64], nodes: &Nodes, pull: [f64; 2]) {
    for &(i, w) in nodes {
        force[i] += w * pull[0];
        force[i + 1] += w * pull[1];
    }
}

/// A well-mixed number from two (SplitMix64's finaliser).
fn hash(i: usize, k: usize) -> u64 {
    let mut z = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (k as u64 + 1).wrapping_mul(0xc2b2_ae3d_27d4_eb4f).rotate_left(31);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
