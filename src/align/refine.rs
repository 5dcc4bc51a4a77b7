//! The dense stage: a smooth displacement field, coarse to fine.
//!
//! The features of both photos are band-passed log luminance divided by its local contrast, so that light,
//! exposure and shading cancel (the normalisation is for registration only, never for measurement). The
//! skin is divided into blocks; each contributes the normal equations of Lucas & Kanade (1981), with the
//! gradients of both photos (symmetric step of Vercauteren 2009), to the nodes around it, together with the
//! stiffness of the field. Three octaves are solved together: blur removes the finest and leaves the others.

use super::field::Field;
use super::system::{Equations, Factor, Nodes};
use crate::filter::gaussian::{MaskedBlur, blur};
use crate::filter::resize::{shrink, shrink_mask};
use crate::filter::warp::Spline;
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Plane, Window, par_collect};
use crate::rng;
use crate::settings::AlignSettings;
use crate::srgb;
use std::ops::Range;

/// Blocks of skin per node spacing, along each axis.
const BLOCKS_PER_NODE: usize = 3;
/// Octaves that are solved together.
const OCTAVES: usize = 3;

/// One octave of a [`FeaturePyramid`].
struct FeatureOctave {
    /// Full-resolution px per px.
    factor: usize,
    skin: Mask,
    /// Band-passed log luminance over its local contrast.
    feature: Plane,
}

/// Features of the photo to which others are registered, in octaves, prepared once.
pub struct FeaturePyramid {
    window: Window,
    /// Finest first.
    octaves: Vec<FeatureOctave>,
}

/// Sums over one block of skin, at the current field.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    /// Gradient products xx, xy, yy, 1/px².
    information: [f64; 3],
    /// Gradient × difference, 1/px: right-hand side of the normal equations.
    force: [f64; 2],
    /// Sum of the products of the two photos' gradients, 1/px²: the signal common to both.
    shared: f64,
    /// Sums of squares of the difference and of both photos, sum of their product, number of pixels.
    ee: f64,
    aa: f64,
    bb: f64,
    ab: f64,
    n: f64,
}

/// Agreement of the two photos around one node of a [`Field`].
#[derive(Debug, Clone, Copy, Default)]
pub struct NodeFit {
    /// Correlation of the two photos in the second finest octave: the finest may be noise, and coarser ones
    /// show what all faces have in common.
    pub correlation: f64,
    /// Fraction of its surroundings that is skin visible in both photos.
    pub visible: f64,
}

/// A refined field and its fit, as computed in the last round, before that round's own small step.
pub struct Refined {
    /// The map.
    pub field: Field,
    /// One per node.
    pub fits: Grid<NodeFit>,
    /// Estimated error of each node: root mean square distance from the true position, px. Three parts: the
    /// random error (wild bootstrap, Wu 1986: the forces of all blocks and penalties with random signs),
    /// the difference between octaves, and a floor.
    pub errors: Grid<f64>,
}

/// The luminance of a follow-up, resampled on the `visible` pixels of the baseline's `window`; 0 elsewhere.
pub fn resample(photo: &Photo, field: &Field, window: Window, visible: &Mask) -> Plane {
    let source = field.footprint(window, 0.0, photo.width(), photo.height());
    let spline = Spline::new(&photo.luminance(source));
    let mut out = Plane::filled(window.width, window.height, 0.0);
    out.par_rows(|y, row| {
        let line = field.row((window.y + y) as f64);
        let columns: Vec<usize> = (0..row.len()).filter(|x| visible.at(*x, y)).collect();
        let position = |x: &usize| {
            let [px, py] = line.at((window.x + x) as f64);
            [px - source.x as f64, py - source.y as f64]
        };
        let positions: Vec<[f64; 2]> = columns.iter().map(position).collect();
        let mut values = vec![0.0; positions.len()];
        spline.row(&positions, &mut values);
        columns.into_iter().zip(values).for_each(|(x, value)| row[x] = value);
    });
    out
}

impl FeaturePyramid {
    /// Prepares the `light` of `window`; `skin` covers the same window.
    pub fn new(light: &Plane, skin: &Mask, window: Window, settings: &AlignSettings) -> Self {
        let large = window.width * window.height > settings.full_resolution_max_px;
        let mut factor = if large { 2 } else { 1 };
        let mut light = shrink(light, factor);
        let mut octaves = Vec::new();
        loop {
            let skin = shrink_mask(skin, factor);
            let feature = feature(&light.map(srgb::log), &skin, settings);
            octaves.push(FeatureOctave { factor, skin, feature });
            if light.width().max(light.height()) <= 2 * settings.coarsest_size_px {
                break;
            }
            light = shrink(&light, 2);
            factor *= 2;
        }
        FeaturePyramid { window, octaves }
    }

    /// Refines `affine` into a [`Field`] with nodes `spacing_px` apart (at the finest octave).
    pub fn refine(
        &self,
        follow_up: &Photo,
        affine: [f64; 6],
        spacing_px: f64,
        settings: &AlignSettings,
    ) -> Refined {
        let mut field = Field::from_affine(affine);
        let other = FollowUpPyramid::new(follow_up, &field, self, settings);
        let mut last = None;
        for first in (0..self.octaves.len()).rev() {
            let octaves = first..(first + OCTAVES).min(self.octaves.len());
            let factor = self.octaves[first].factor as f64;
            let spacing = spacing_px.max(settings.node_spacing_min_px * factor);
            field = field.regridded(self.window, spacing);
            let rounds = if first == 0 { settings.rounds_finest } else { settings.rounds };
            // No step is longer than the capture range of the coarsest octave.
            let reach = settings.step_px * self.octaves[octaves.end - 1].factor as f64;
            for _ in 0..rounds {
                let blocks: Vec<Grid<Block>> =
                    octaves.clone().map(|k| self.blocks(k, &other, &field, settings)).collect();
                let system = System::new(&blocks, &field, settings);
                let step = system.step(&field);
                for (node, step) in field.nodes.data_mut().iter_mut().zip(step.data()) {
                    let length = step[0].hypot(step[1]);
                    let factor = if length > reach { reach / length } else { 1.0 };
                    node[0] += factor * step[0];
                    node[1] += factor * step[1];
                }
                last = Some((system, blocks));
            }
        }
        match last {
            Some((system, blocks)) => {
                let second = 1.min(blocks.len() - 1);
                let fits = fits(&blocks[second], &field, self.octaves[second].factor);
                let bias = octave_difference(&blocks, &field, settings);
                let errors = system.random_error(settings).zip(&bias, |random, bias| {
                    random.hypot(settings.bias_gain * bias).hypot(settings.error_floor_px)
                });
                Refined { fits, errors, field }
            }
            None => Refined {
                fits: Grid::filled(1, 1, NodeFit::default()),
                errors: Grid::filled(1, 1, f64::INFINITY),
                field,
            },
        }
    }

    /// The sums of each block in octave `k`.
    fn blocks(
        &self,
        k: usize,
        other: &FollowUpPyramid<'_>,
        field: &Field,
        settings: &AlignSettings,
    ) -> Grid<Block> {
        let FeatureOctave { factor, skin, feature: a } = &self.octaves[k];
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
        let visible = &warped.map(|(_, visible)| visible);
        let b = &feature(&warped.map(|(v, _)| v), visible, settings);
        let features = FeaturePair { a, b, visible };
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
                sum_row(&mut strip, &features, y, &columns, settings);
            }
            // To units of full-resolution px.
            for block in &mut strip {
                block.information = block.information.map(|v| v / (f * f));
                block.force = block.force.map(|v| v / f);
                block.shared /= f * f;
            }
            strip
        });
        Grid::from_vec(counts[0], counts[1], strips.concat())
    }
}

/// Features of the two photos in one octave, on the same pixels.
struct FeaturePair<'a> {
    a: &'a Plane,
    b: &'a Plane,
    /// Skin visible in both.
    visible: &'a Mask,
}

/// Adds the pixels of row `y` to the blocks they lie in; `columns` holds the block of each column.
fn sum_row(
    strip: &mut [Block],
    features: &FeaturePair<'_>,
    y: usize,
    columns: &[usize],
    settings: &AlignSettings,
) {
    let FeaturePair { a, b, visible } = *features;
    let (a0, au, ad) = (a.row(y), a.row(y - 1), a.row(y + 1));
    let (b0, bu, bd) = (b.row(y), b.row(y - 1), b.row(y + 1));
    let (mask, up, down) = (visible.row(y), visible.row(y - 1), visible.row(y + 1));
    let softness = (1.0 / (settings.outlier_difference * settings.outlier_difference)) as f32;
    for x in 1..a.width().saturating_sub(1) {
        if !(mask[x] && mask[x - 1] && mask[x + 1] && up[x] && down[x]) {
            continue;
        }
        let (ax, bx) = (a0[x + 1] - a0[x - 1], b0[x + 1] - b0[x - 1]);
        let (ay, by) = (ad[x] - au[x], bd[x] - bu[x]);
        let (gx, gy) = (0.25 * (ax + bx), 0.25 * (ay + by));
        let shared = f64::from(0.25 * (ax * bx + ay * by));
        let e = a0[x] - b0[x];
        // Outliers (a hair, a highlight, a healed spot) are down-weighted (Geman & McClure).
        let w = 1.0 / (1.0 + e * e * softness);
        let w = f64::from(w * w);
        let block = &mut strip[columns[x]];
        let [gx, gy, e] = [gx, gy, e].map(f64::from);
        block.information[0] += w * gx * gx;
        block.information[1] += w * gx * gy;
        block.information[2] += w * gy * gy;
        block.force[0] += w * gx * e;
        block.force[1] += w * gy * e;
        block.shared += w * shared;
        block.ee += w * e * e;
        block.aa += f64::from(a0[x] * a0[x]);
        block.bb += f64::from(b0[x] * b0[x]);
        block.ab += f64::from(a0[x] * b0[x]);
        block.n += 1.0;
    }
}

/// A follow-up's log luminance at all octaves of a [`FeaturePyramid`].
struct FollowUpPyramid<'a> {
    photo: &'a Photo,
    logs: Vec<Spline>,
    /// First column and row of the part that is covered, full px.
    first: [f64; 2],
    /// Its last column and row.
    last: [f64; 2],
}

impl<'a> FollowUpPyramid<'a> {
    fn new(
        photo: &'a Photo,
        field: &Field,
        base: &FeaturePyramid,
        settings: &AlignSettings,
    ) -> Self {
        let source =
            field.footprint(base.window, settings.seed_margin, photo.width(), photo.height());
        // Anti-aliasing: a finer photo is blurred to the baseline's sampling first.
        let finer = (field.scale().powi(2) - 1.0).max(0.0).sqrt();
        let mut light = blur(&photo.luminance(source), (0.5 * finer) as f32);
        let mut done = 1;
        let logs = base
            .octaves
            .iter()
            .map(|octave| {
                light = shrink(&light, octave.factor / done);
                done = octave.factor;
                Spline::new(&light.map(srgb::log))
            })
            .collect();
        FollowUpPyramid {
            photo,
            logs,
            first: [source.x as f64, source.y as f64],
            last: [(source.x + source.width - 1) as f64, (source.y + source.height - 1) as f64],
        }
    }
}

/// Band-passed log luminance over its local contrast; 0 outside `visible`.
fn feature(log: &Plane, visible: &Mask, settings: &AlignSettings) -> Plane {
    let near = MaskedBlur::new(visible, settings.feature_band_px as f32);
    let far = MaskedBlur::new(visible, 2.0 * settings.feature_band_px as f32);
    let floor = (settings.feature_floor * settings.feature_floor) as f32;
    let local = near.mean(log);
    let band = Plane::from_fn(log.width(), log.height(), |x, y| {
        if visible.at(x, y) { log.at(x, y) - local.at(x, y) } else { 0.0 }
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
        self.force = [self.force[0] + other.force[0], self.force[1] + other.force[1]];
        self.shared += other.shared;
        self.ee += other.ee;
        self.aa += other.aa;
        self.bb += other.bb;
        self.ab += other.ab;
        self.n += other.n;
    }

    /// Fraction of the gradients' power that is common to both photos: the gradients of noise are not.
    fn signal(&self) -> f64 {
        let power = self.information[0] + self.information[2];
        if power > 0.0 { (self.shared / power).clamp(0.0, 1.0) } else { 0.0 }
    }

    fn correlation(&self) -> f64 {
        if self.aa > 0.0 && self.bb > 0.0 { self.ab / (self.aa * self.bb).sqrt() } else { 0.0 }
    }
}

/// Correlation and visible fraction around each node.
fn fits(blocks: &Grid<Block>, field: &Field, factor: usize) -> Grid<NodeFit> {
    let (nx, ny) = (field.nodes.width(), field.nodes.height());
    Grid::from_fn(nx, ny, |x, y| {
        let around_node = |node: usize, n: usize| {
            node.saturating_sub(1) * BLOCKS_PER_NODE..((node + 1) * BLOCKS_PER_NODE).min(n)
        };
        let sum = sum(blocks, around_node(x, blocks.width()), around_node(y, blocks.height()));
        let side = 2.0 * field.spacing_px / factor as f64;
        NodeFit { correlation: sum.correlation(), visible: sum.n / (side * side) }
    })
}

/// Distance between the displacements that the finest and the second finest octave would give the
/// surroundings of each node, px. Another light direction shifts the shading of furrows and pores, and with it
/// their apparent position, the more the larger they are: a bias that shows as a difference between octaves.
fn octave_difference(
    octaves: &[Grid<Block>],
    field: &Field,
    settings: &AlignSettings,
) -> Grid<f64> {
    let (nx, ny) = (field.nodes.width(), field.nodes.height());
    let (Some(fine), Some(coarse)) = (octaves.first(), octaves.get(1)) else {
        return Grid::filled(nx, ny, 0.0);
    };
    let reach = settings.bias_nodes * BLOCKS_PER_NODE;
    let [fine, coarse] =
        [fine, coarse].map(|blocks| displacements(blocks, reach, settings.bias_signal_min));
    Grid::from_fn(nx, ny, |x, y| {
        let at = |n: usize, len: usize| (n * BLOCKS_PER_NODE).min(len - 1);
        let (x, y) = (at(x, fine.width()), at(y, fine.height()));
        let (a, b) = (fine.at(x, y), coarse.at(x, y));
        (a[0] - b[0]).hypot(a[1] - b[1])
    })
}

/// Lucas–Kanade displacement of the surroundings of each block, `reach` blocks to each side, px.
fn displacements(blocks: &Grid<Block>, reach: usize, signal_min: f64) -> Grid<[f64; 2]> {
    // Sums along rows, then along columns.
    let across = Grid::from_fn(blocks.width(), blocks.height(), |x, y| {
        sum(blocks, around(x, reach, blocks.width()), y..y + 1)
    });
    Grid::from_fn(blocks.width(), blocks.height(), |x, y| {
        let sum = sum(&across, x..x + 1, around(y, reach, blocks.height()));
        let [a, b, c] = sum.information;
        let determinant = sum.signal().max(signal_min) * (a * c - b * b);
        if determinant > 0.0 {
            let [p, q] = sum.force;
            [(c * p - b * q) / determinant, (a * q - b * p) / determinant]
        } else {
            [0.0; 2]
        }
    })
}

/// The normal equations of one round, solved.
struct System {
    factor: Factor,
    /// Nodes that a block depends on, and its weighted force.
    block_forces: Vec<(Nodes, [f64; 2])>,
    bending: f64,
    slope: f64,
}

impl System {
    fn new(octaves: &[Grid<Block>], field: &Field, settings: &AlignSettings) -> Self {
        let mut equations = Equations::new(field);
        let (w, h) = (octaves[0].width(), octaves[0].height());
        let side = field.spacing_px / BLOCKS_PER_NODE as f64;
        let mut block_forces = Vec::new();
        for y in 0..h {
            let ky = field.knots((y as f64 + 0.5) * side);
            for x in 0..w {
                let (mut information, mut force) = ([0.0; 3], [0.0; 2]);
                for blocks in octaves {
                    let b = blocks.at(x, y);
                    if b.n == 0.0 {
                        continue;
                    }
                    let near = sum(blocks, around(x, 1, w), around(y, 1, h));
                    let signal = near.signal();
                    let unexplained = (near.ee / near.n + 1e-3) * settings.correlation_area_px;
                    let weight = signal / unexplained;
                    (0..3).for_each(|k| information[k] += weight * signal * b.information[k]);
                    (0..2).for_each(|k| force[k] += weight * b.force[k]);
                }
                if information == [0.0; 3] {
                    continue;
                }
                let nodes = equations.nodes(&field.knots((x as f64 + 0.5) * side), &ky);
                equations.add_information(&nodes, information);
                block_forces.push((nodes, force));
            }
        }
        let bending = 1.0 / (settings.bending * field.spacing_px).powi(2);
        let slope = bending * settings.slope;
        equations.add_penalties(bending, slope);
        System { factor: equations.factored(), block_forces, bending, slope }
    }

    /// One Gauss–Newton step of all nodes.
    fn step(&self, field: &Field) -> Grid<[f64; 2]> {
        let equations = self.factor.equations();
        let mut force = equations.penalty_force(&field.nodes, self.bending, self.slope);
        for (nodes, block_force) in &self.block_forces {
            add(&mut force, nodes, *block_force);
        }
        self.factor.solve(force)
    }

    /// Random error of each node by a wild bootstrap, px.
    fn random_error(&self, settings: &AlignSettings) -> Grid<f64> {
        let equations = self.factor.equations();
        self.factor.spread(settings.bootstrap_draws, |k| {
            let sign = |i: usize| if hash(i, k) >> 63 == 0 { 1.0 } else { -1.0 };
            let [bending, slope] =
                [self.bending, self.slope].map(|v| settings.bootstrap_penalties * v);
            let mut force = equations.penalty_noise(bending, slope, sign);
            for (i, (nodes, block_force)) in self.block_forces.iter().enumerate() {
                let sign = if hash(i, k) >> 62 & 1 == 0 { 1.0 } else { -1.0 };
                add(&mut force, nodes, block_force.map(|p| sign * p));
            }
            force
        })
    }
}

/// Adds a force at a position to the nodes that it depends on.
fn add(forces: &mut [f64], nodes: &Nodes, force: [f64; 2]) {
    for &(i, w) in nodes {
        forces[i] += w * force[0];
        forces[i + 1] += w * force[1];
    }
}

/// Random bits of block or penalty `i` in draw `k`.
fn hash(i: usize, k: usize) -> u64 {
    rng::hash(0, i as i64 + 1, k as i64 + 1, 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Texture, noisy, similarity};

    const SIDE: usize = 256;
    const SPACING_PX: f64 = 32.0;
    const STILL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    fn all() -> Mask {
        Mask::filled(SIDE, SIDE, true)
    }

    fn reference(log: &Plane) -> FeaturePyramid {
        let window = Window::full(SIDE, SIDE);
        FeaturePyramid::new(&log.map(f32::exp), &all(), window, &AlignSettings::default())
    }

    fn refined(before: &Plane, after: &Plane) -> Refined {
        let photo = testing::photo(after, 0.2);
        reference(before).refine(&photo, STILL, SPACING_PX, &AlignSettings::default())
    }

    /// A texture blurred by a pixel, as by a lens.
    fn skin(seed: u64) -> Texture {
        Texture::new(seed, 0.08).blurred(1.0)
    }

    fn root_mean_square(values: &[f64]) -> f64 {
        (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
    }

    /// Distance from the truth and estimated error of each node at least 16 px inside, px.
    fn errors_of(found: &Refined, truth: impl Fn(f64, f64) -> [f64; 2]) -> [Vec<f64>; 2] {
        let inside = 16.0..=SIDE as f64 - 17.0;
        let (mut distances, mut errors) = (Vec::new(), Vec::new());
        let (nx, ny) = (found.errors.width(), found.errors.height());
        for (i, j) in (0..ny).flat_map(|j| (0..nx).map(move |i| (i, j))) {
            let [x, y] = found.field.node(i, j);
            if inside.contains(&x) && inside.contains(&y) {
                let (p, q) = (found.field.at(x, y), truth(x, y));
                distances.push((p[0] - q[0]).hypot(p[1] - q[1]));
                errors.push(found.errors.at(i, j));
            }
        }
        assert!(distances.len() >= 36);
        [distances, errors]
    }

    #[test]
    fn a_subpixel_shift_is_found_within_its_estimated_error() {
        for (seed, shift) in [(1, [0.37, -0.62]), (2, [1.5, 0.25]), (3, [0.0, 0.0])] {
            let texture = skin(seed);
            let before = noisy(&texture.plane(SIDE, SIDE), 11, 0.005);
            let moved = texture.moved(&similarity(1.0, 0.0, shift)).plane(SIDE, SIDE);
            let found = refined(&before, &noisy(&moved, 12, 0.005));
            let [distances, errors] = errors_of(&found, |x, y| [x + shift[0], y + shift[1]]);
            let (off, estimated) = (root_mean_square(&distances), root_mean_square(&errors));
            println!("{shift:?}: {off} ± {estimated}");
            let covered =
                distances.iter().zip(&errors).filter(|(off, error)| **off < 2.0 * **error);
            println!("{} of {}", covered.clone().count(), distances.len());
            assert!(covered.count() * 20 >= distances.len() * 19, "{distances:?} {errors:?}");
        }
    }

    #[test]
    fn the_estimated_error_covers_more_noise_too() {
        let texture = skin(4);
        let (plane, shift) = (texture.plane(SIDE, SIDE), [0.4, 0.3]);
        let moved = texture.moved(&similarity(1.0, 0.0, shift)).plane(SIDE, SIDE);
        let _estimated = [0.01, 0.04].map(|sd| {
            let found = refined(&noisy(&plane, 11, sd), &noisy(&moved, 12, sd));
            let [distances, errors] = errors_of(&found, |x, y| [x + shift[0], y + shift[1]]);
            println!("{sd} {} {}", root_mean_square(&distances), root_mean_square(&errors));
            assert!(root_mean_square(&distances) < 1.5 * root_mean_square(&errors));
            root_mean_square(&errors)
        });
    }

    #[test]
    fn a_smooth_bend_is_followed() {
        let texture = skin(5);
        // The skin at q in the follow-up was at q − bend(q).
        let bend = |x: f64, y: f64| [2.0 * (y / 60.0).sin(), 1.5 * (x / 70.0).cos()];
        let after = Plane::from_fn(SIDE, SIDE, |x, y| {
            let (x, y) = (x as f64, y as f64);
            let [u, v] = bend(x, y);
            texture.at(x - u, y - v) as f32
        });
        let found = refined(&texture.plane(SIDE, SIDE), &after);
        let [distances, _] = errors_of(&found, |x, y| {
            let mut q = [x, y];
            for _ in 0..20 {
                let [u, v] = bend(q[0], q[1]);
                q = [x + u, y + v];
            }
            q
        });
        println!("bend {}", root_mean_square(&distances));
        assert!(root_mean_square(&distances) < 0.05, "{}", root_mean_square(&distances));
    }

    #[test]
    fn the_same_skin_correlates_and_another_does_not() {
        let plane = |seed: u64| Texture::new(seed, 0.08).plane(SIDE, SIDE);
        let correlation = |after: &Plane| {
            let fits = refined(&plane(6), after).fits;
            assert!(fits.data().iter().all(|fit| fit.visible > 0.2));
            let sum: f64 = fits.data().iter().map(|fit| fit.correlation).sum();
            sum / fits.data().len() as f64
        };
        let (same, other) = (correlation(&noisy(&plane(6), 12, 0.005)), correlation(&plane(7)));
        println!("{same} {other}");
        assert!(same > 0.9 && other < 0.3, "{same} {other}");
    }

    #[test]
    fn features_depend_neither_on_exposure_nor_on_hidden_pixels() {
        let settings = AlignSettings::default();
        let log = Texture::new(8, 0.08).plane(96, 96);
        let visible = Mask::from_fn(96, 96, |x, _| x < 60);
        let plain = feature(&log, &visible, &settings);
        let brighter = feature(&log.map(|v| v + 0.7), &visible, &settings);
        let hidden = log.zip(&visible, |v, visible| if visible { v } else { 9.0 });
        let hidden = feature(&hidden, &visible, &settings);
        for (x, y) in (0..96).flat_map(|y| (0..96).map(move |x| (x, y))) {
            assert!((plain.at(x, y) - brighter.at(x, y)).abs() < 1e-3);
            assert_eq!(plain.at(x, y), hidden.at(x, y));
            assert!(x < 60 || plain.at(x, y) == 0.0);
        }
        let power = plain.data().iter().map(|v| v * v).sum::<f32>() / (60.0 * 96.0);
        assert!((0.3..1.2).contains(&power), "{power}");
    }

    #[test]
    fn a_moved_photo_is_resampled_on_the_baselines_pixels() {
        let (texture, map) = (Texture::new(9, 0.08), similarity(1.0, 5.0, [7.3, -2.6]));
        let photo = testing::photo(&texture.moved(&map).plane(140, 140), 0.2);
        let visible = Mask::from_fn(64, 48, |x, _| x > 5);
        let window = Window { x: 40, y: 30, width: 64, height: 48 };
        let resampled = resample(&photo, &Field::from_affine(map), window, &visible);
        for (x, y) in (0..48).flat_map(|y| (0..64).map(move |x| (x, y))) {
            let truth = 0.2 * texture.at(40.0 + x as f64, 30.0 + y as f64).exp();
            let found = f64::from(resampled.at(x, y));
            let right = if x > 5 { (found / truth - 1.0).abs() < 0.01 } else { found == 0.0 };
            assert!(right, "({x}, {y}): {found} {truth}");
        }
    }

    /// Noise-free blocks with the same displacement.
    fn blocks(shift: [f64; 2]) -> Grid<Block> {
        let [a, b, c] = [4.0, 1.0, 2.0];
        let block = Block {
            information: [a, b, c],
            force: [a * shift[0] + b * shift[1], b * shift[0] + c * shift[1]],
            shared: a + c,
            n: 1.0,
            ..Block::default()
        };
        Grid::filled(6, 6, block)
    }

    #[test]
    fn the_difference_of_octaves_is_the_distance_of_their_displacements() {
        let settings = AlignSettings::default();
        let nodes = Grid::filled(3, 3, [0.0; 2]);
        let field = Field { nodes, spacing_px: 30.0, ..Field::identity() };
        let between = |fine: [f64; 2], coarse: [f64; 2]| {
            octave_difference(&[blocks(fine), blocks(coarse)], &field, &settings)
        };
        assert!(between([0.3, -0.2], [0.3, -0.2]).data().iter().all(|d| d.abs() < 1e-12));
        let apart = between([0.5, 0.1], [0.2, -0.3]);
        assert!(apart.data().iter().all(|d| (d - 0.5).abs() < 1e-9), "{apart:?}");
        let alone = octave_difference(&[blocks([1.0, 1.0])], &field, &settings);
        assert!(alone.data().iter().all(|d| *d == 0.0));
    }

    /// Gradients of noise are not common to both photos and do not count.
    #[test]
    fn unshared_gradients_do_not_shorten_a_displacement() {
        let noisy = blocks([0.4, -0.1]).map(|block| Block {
            // As much again of noise, in all directions alike.
            information: block.information.map(|v| 2.0 * v),
            ..block
        });
        let shift = displacements(&noisy, 1, 0.25).at(2, 2);
        assert!((shift[0] - 0.4).abs() < 1e-9 && (shift[1] + 0.1).abs() < 1e-9, "{shift:?}");
    }
}
