//! Derivatives across, and a long Gaussian mean along, each of many directions.
//!
//! A mean along its direction preserves a line and attenuates microrelief, noise and spots. Across the line, the
//! second derivative responds to a dark line (Lindeberg 1998) and the first to a line lit from one side, one
//! flank dark and the other bright; their quadrature responds to both (Freeman & Adelson 1991). The first
//! derivative at a coarser scale is subtracted from the first, so that a step (the edge of a spot or of a shadow)
//! has no response.

use super::vector::{antisymmetric_sum, symmetric_sum};
use crate::plane::{Grid, Mask, Plane, par_collect};
use std::f32::consts::PI;
use std::ops::Range;

/// Response to a line at a pixel, and the direction of the line.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Oriented {
    /// √(max(E, 0)² + O²), E the second derivative across times σ², O the first times σ minus the same at
    /// [`COARSER`] times σ.
    pub response: f32,
    /// Direction of the line, unit vector.
    pub along: [f32; 2],
}

/// The largest response at each pixel of `mask` over `directions` and over the sigmas `across` (px), each on a
/// Gaussian mean of sigma `along` (px); none elsewhere. Outside the plane is 0. Cost: for each direction two rotations
/// by linear interpolation and 7·`along` + Σ 25·`across` multiplications a pixel, on the rows of the rotated plane
/// between the mask's edges.
pub fn oriented(
    src: &Plane,
    mask: &Mask,
    along: f32,
    across: &[f32],
    directions: usize,
) -> Grid<Oriented> {
    let bank = FilterBank::new(along, across);
    let angle = |k: usize| PI * k as f32 / directions as f32;
    let is_steep = |angle: &f32| *angle > PI / 4.0 && *angle < 3.0 * PI / 4.0;
    let (steep, flat): (Vec<f32>, Vec<f32>) = (0..directions).map(angle).partition(is_steep);
    // Along a steep line each pixel lies in another row, far away in memory: in the transposed plane it is flat.
    let steep: Vec<f32> = steep.into_iter().map(|angle| PI / 2.0 - angle).collect();
    let steep = bank.strongest(&src.transposed(), &mask.transposed(), &steep).transposed();
    bank.strongest(src, mask, &flat).zip(&steep, |flat, steep| {
        let [x, y] = steep.along;
        if steep.response > flat.response { Oriented { along: [y, x], ..steep } } else { flat }
    })
}

/// Side of the blocks in which planes are turned, px: a turned block touches few rows of the other plane, which stay in
/// the cache.
const BLOCK_PX: usize = 32;

/// Kernels along and across a line.
struct FilterBank {
    mean: Kernel,
    /// Second and first derivative of each sigma.
    across: Vec<[Kernel; 2]>,
    /// Largest radius of the latter, px.
    reach: usize,
}

impl FilterBank {
    fn new(along: f32, across: &[f32]) -> FilterBank {
        let across: Vec<[Kernel; 2]> =
            across.iter().map(|&s| [Kernel::gaussian(s, 2), Kernel::without_steps(s)]).collect();
        let reach = across.iter().flatten().map(Kernel::radius).max().unwrap_or(0);
        FilterBank { mean: Kernel::gaussian(along, 0), across, reach }
    }

    /// The largest response over these directions, radians.
    fn strongest(&self, src: &Plane, mask: &Mask, angles: &[f32]) -> Grid<Oriented> {
        let w = src.width();
        let mut best = Grid::filled(w, src.height(), Oriented::default());
        let rotations = par_collect(angles.len(), |k| {
            let rotation = Rotation::new(mask.width(), mask.height(), angles[k]);
            let spans = rotation.spans(mask);
            (rotation, spans)
        });
        for (rotation, spans) in rotations {
            let turned = rotation.mean_along(src, &self.mean, &grown(&spans, self.reach));
            let response = self.response(&turned, &spans);
            best.par_strips(BLOCK_PX, |top, strip| {
                for left in (0..w).step_by(BLOCK_PX) {
                    for (y, row) in (top..).zip(strip.chunks_exact_mut(w)) {
                        let columns = left..(left + BLOCK_PX).min(w);
                        let inside = mask.row(y)[columns.clone()].iter();
                        let pixels = columns.clone().zip(&mut row[columns]).zip(inside);
                        for ((x, best), _) in pixels.filter(|(_, inside)| **inside) {
                            let [u, v] = rotation.turned([x, y]);
                            let here = sample(&response, u, v);
                            if here > best.response {
                                let along = [rotation.cos, rotation.sin];
                                *best = Oriented { response: here, along };
                            }
                        }
                    }
                }
            });
        }
        best
    }

    /// The largest √(max(E, 0)² + O²) of the second and the first derivative down the columns over all sigmas, within
    /// `spans`; 0 elsewhere.
    fn response(&self, turned: &Plane, spans: &[Range<usize>]) -> Plane {
        let zeros = vec![0.0; turned.width()];
        let mut response = Plane::filled(turned.width(), turned.height(), 0.0);
        response.par_rows(|v, row| {
            let span = spans[v].clone();
            if span.is_empty() {
                return;
            }
            // Outside the plane is 0.
            let rows = |y: Option<usize>| {
                let row = y.filter(|y| *y < turned.height()).map_or(&zeros[..], |y| turned.row(y));
                &row[span.clone()]
            };
            let (mut even, mut odd) = (vec![0.0; span.len()], vec![0.0; span.len()]);
            let row = &mut row[span.clone()];
            for [second, first] in &self.across {
                second.across(v, rows, &mut even);
                first.across(v, rows, &mut odd);
                for (r, (e, o)) in row.iter_mut().zip(even.iter().zip(&odd)) {
                    let square = e.max(0.0) * e.max(0.0) + o * o;
                    *r = if square > *r { square } else { *r };
                }
            }
            row.iter_mut().for_each(|r| *r = r.sqrt());
        });
        response
    }
}

/// A plane turned about its middle, on a square that contains it at any rotation.
struct Rotation {
    sin: f32,
    cos: f32,
    middle: [f32; 2],
    side: usize,
    centre: f32,
}

impl Rotation {
    /// By an angle, of a plane of `w`×`h` px.
    fn new(w: usize, h: usize, angle: f32) -> Rotation {
        let (sin, cos) = angle.sin_cos();
        let side = (w as f32).hypot(h as f32).ceil() as usize + 2;
        let middle = [w, h].map(|n| (n as f32 - 1.0) / 2.0);
        Rotation { sin, cos, middle, side, centre: (side as f32 - 1.0) / 2.0 }
    }

    /// Where a pixel of the plane lies on the square.
    fn turned(&self, [x, y]: [usize; 2]) -> [f32; 2] {
        let (dx, dy) = (x as f32 - self.middle[0], y as f32 - self.middle[1]);
        let (sin, cos) = (self.sin, self.cos);
        [self.centre + dx * cos + dy * sin, self.centre - dx * sin + dy * cos]
    }

    /// The columns of each row of the square that the mask's pixels are interpolated from, as far as its edges in
    /// each row of the plane tell.
    fn spans(&self, mask: &Mask) -> Vec<Range<usize>> {
        let mut spans = vec![self.side..0; self.side];
        let mut take = |[u, v]: [f32; 2]| {
            let (first, row) = (u as usize, v as usize);
            let last = (first + 2).min(self.side);
            for span in &mut spans[row..(row + 2).min(self.side)] {
                *span = span.start.min(first)..span.end.max(last);
            }
        };
        for y in 0..mask.height() {
            let row = mask.row(y);
            let Some(left) = row.iter().position(|inside| *inside) else { continue };
            let right = row.iter().rposition(|inside| *inside).unwrap_or(left);
            (left..=right).for_each(|x| take(self.turned([x, y])));
        }
        spans
    }

    /// The mean of `src` along the rows of the square, within `spans`; 0 elsewhere.
    fn mean_along(&self, src: &Plane, mean: &Kernel, spans: &[Range<usize>]) -> Plane {
        let mut turned = Plane::filled(self.side, self.side, 0.0);
        let reach = mean.radius();
        let side = self.side;
        turned.par_strips(BLOCK_PX, |top, strip| {
            let spans = &spans[top..top + strip.len() / side];
            let filled = spans.iter().filter(|span| !span.is_empty());
            let all = filled.fold(side..0, |all, s| all.start.min(s.start)..all.end.max(s.end));
            if all.is_empty() {
                return;
            }
            // The first column lies `reach` px before the span.
            let n = all.len() + 2 * reach;
            let mut lines = vec![0.0; spans.len() * n];
            for left in (0..n).step_by(BLOCK_PX) {
                for (v, line) in (top..).zip(lines.chunks_exact_mut(n)) {
                    let dv = v as f32 - self.centre;
                    let right = (left + BLOCK_PX).min(n);
                    for (i, value) in (left..right).zip(&mut line[left..right]) {
                        let du = (all.start + i) as f32 - reach as f32 - self.centre;
                        let x = self.middle[0] + du * self.cos - dv * self.sin;
                        *value = sample(src, x, self.middle[1] + du * self.sin + dv * self.cos);
                    }
                }
            }
            let rows = strip.chunks_exact_mut(side).zip(lines.chunks_exact(n));
            for ((row, line), span) in rows.zip(spans).filter(|(_, span)| !span.is_empty()) {
                let first = span.start - all.start;
                mean.along(&line[first..first + span.len() + 2 * reach], &mut row[span.clone()]);
            }
        });
        turned
    }
}

/// Spans that hold those of the rows up to `reach` above and below.
fn grown(spans: &[Range<usize>], reach: usize) -> Vec<Range<usize>> {
    let around = |v: usize| {
        let near = &spans[v.saturating_sub(reach)..(v + reach + 1).min(spans.len())];
        let near = near.iter().filter(|span| !span.is_empty());
        near.fold(spans.len()..0, |all, s| all.start.min(s.start)..all.end.max(s.end))
    };
    (0..spans.len()).map(around).collect()
}

/// Linear interpolation; 0 outside.
#[inline(always)]
fn sample(plane: &Plane, x: f32, y: f32) -> f32 {
    let (w, h) = (plane.width(), plane.height());
    if !(x >= 0.0 && y >= 0.0 && x < (w - 1) as f32 && y < (h - 1) as f32) {
        return 0.0;
    }
    let (xi, yi) = (x as usize, y as usize);
    let (fx, fy) = (x - xi as f32, y - yi as f32);
    let (up, low) = (&plane.row(yi)[xi..xi + 2], &plane.row(yi + 1)[xi..xi + 2]);
    let top = up[0] + fx * (up[1] - up[0]);
    top + fy * (low[0] + fx * (low[1] - low[0]) - top)
}

/// Half of a kernel, centre first, and whether it is antisymmetric.
struct Kernel {
    half: Vec<f32>,
    odd: bool,
}

/// Sigma of the coarser scale over that of the finer.
const COARSER: f32 = 2.5;
/// Radius at which kernels are cut, sigma.
const TRUNCATE_SIGMA: f32 = 3.5;

impl Kernel {
    /// The `order`-th derivative (0 … 2) of a Gaussian times σ^order. The second sums to zero.
    fn gaussian(sigma: f32, order: usize) -> Kernel {
        let radius = (TRUNCATE_SIGMA * sigma).ceil() as usize;
        let gauss: Vec<f32> =
            (0..=radius).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
        let both = |half: &[f32]| half[0] + 2.0 * half[1..].iter().sum::<f32>();
        let sum = both(&gauss);
        let mut half: Vec<f32> = (0..=radius)
            .map(|i| {
                let t = i as f32 / sigma;
                gauss[i] / sum * [1.0, t, t * t - 1.0][order]
            })
            .collect();
        if order == 2 {
            let offset = both(&half);
            half.iter_mut().zip(&gauss).for_each(|(k, g)| *k -= offset * g / sum);
        }
        Kernel { half, odd: order == 1 }
    }

    /// The first derivative times σ, minus the same at a coarser scale: no response to a step.
    fn without_steps(sigma: f32) -> Kernel {
        let (fine, coarse) = (Kernel::gaussian(sigma, 1), Kernel::gaussian(COARSER * sigma, 1));
        let mut half: Vec<f32> = coarse.half.iter().map(|v| -v).collect();
        half.iter_mut().zip(&fine.half).for_each(|(k, f)| *k += f);
        Kernel { half, odd: true }
    }

    fn radius(&self) -> usize {
        self.half.len() - 1
    }

    /// The kernel along a line that reaches over `out` by the radius at both ends.
    fn along(&self, line: &[f32], out: &mut [f32]) {
        let (n, r) = (out.len(), self.radius());
        let side = |start: usize| &line[start..start + n];
        let sides: Vec<[&[f32]; 2]> = (0..=r).map(|j| [side(r + j), side(r - j)]).collect();
        self.sum(out, &sides);
    }

    /// The kernel down the columns at row `y` of `rows`.
    fn across<'a>(&self, y: usize, rows: impl Fn(Option<usize>) -> &'a [f32], out: &mut [f32]) {
        let sides: Vec<[&[f32]; 2]> =
            (0..self.half.len()).map(|j| [rows(Some(y + j)), rows(y.checked_sub(j))]).collect();
        self.sum(out, &sides);
    }

    /// The kernel over lines after and before.
    fn sum(&self, out: &mut [f32], sides: &[[&[f32]; 2]]) {
        let sum = if self.odd { antisymmetric_sum } else { symmetric_sum };
        sum(out, &self.half, sides);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Gaussian valley of width s and depth A has the response σ²·A·s/(s²+σ²)^{3/2} at its bottom; its
    /// derivative, as of a valley lit from one side, σ·A·s/(s²+σ²)^{3/2} in the middle.
    #[test]
    fn lines_have_their_analytic_response_and_direction_and_steps_have_none() {
        let (s, a, sigma) = (2.0f32, 0.2f32, 1.5f32);
        for angle in [0.0f32, 0.6, 1.9] {
            let across = |x: usize, y: usize| {
                (y as f32 - 80.0) * angle.cos() - (x as f32 - 80.0) * angle.sin()
            };
            let gauss = |d: f32| (-0.5 * (d / s).powi(2)).exp();
            let curvature = |sigma: f32| a * s / (s * s + sigma * sigma).powf(1.5);
            let coarser = COARSER * sigma;
            let odd = sigma * curvature(sigma) - coarser * curvature(coarser);
            for (plane, expected) in [
                (
                    Plane::from_fn(161, 161, |x, y| -a * gauss(across(x, y))),
                    sigma * sigma * curvature(sigma),
                ),
                (
                    Plane::from_fn(161, 161, |x, y| {
                        a * across(x, y) / (s * s) * gauss(across(x, y))
                    }),
                    odd,
                ),
            ] {
                let found = oriented(
                    &plane,
                    &Mask::filled(plane.width(), plane.height(), true),
                    8.0,
                    &[sigma],
                    32,
                )
                .at(80, 80);
                assert!(
                    (found.response / expected - 1.0).abs() < 0.13,
                    "{angle}: {found:?} {expected}"
                );
                let along = found.along[0] * angle.cos() + found.along[1] * angle.sin();
                assert!(along.abs() > 0.99, "{angle}: {found:?}");
            }
            let step = Plane::from_fn(161, 161, |x, y| if across(x, y) > 0.0 { a } else { 0.0 });
            let edge = oriented(
                &step,
                &Mask::filled(step.width(), step.height(), true),
                8.0,
                &[sigma],
                32,
            )
            .at(80, 80);
            assert!(edge.response < 0.3 * a, "{angle}: a step {edge:?}");
            let bright = Plane::from_fn(161, 161, |x, y| a * gauss(across(x, y)));
            let found = oriented(
                &bright,
                &Mask::filled(bright.width(), bright.height(), true),
                8.0,
                &[sigma],
                32,
            )
            .at(80, 80);
            assert!(found.response < 0.02, "a bright line is none: {found:?}");
        }
    }

    /// Skipping what lies off the mask changes nothing on it.
    #[test]
    fn on_a_mask_the_response_is_that_of_the_whole_plane() {
        let plane = Plane::from_fn(90, 70, |x, y| ((x * 7919 + y * 104_729) % 23) as f32 / 23.0);
        let mask = Mask::from_fn(90, 70, |x, y| {
            (x as isize - 55).pow(2) + (y as isize - 25).pow(2) < 300 && !(50..53).contains(&x)
        });
        let whole = oriented(&plane, &Mask::filled(90, 70, true), 5.0, &[1.0, 2.0], 12);
        let masked = oriented(&plane, &mask, 5.0, &[1.0, 2.0], 12);
        for y in 0..70 {
            for x in 0..90 {
                let expected = if mask.at(x, y) { whole.at(x, y) } else { Oriented::default() };
                assert_eq!(masked.at(x, y), expected, "{x} {y}");
            }
        }
    }
}
