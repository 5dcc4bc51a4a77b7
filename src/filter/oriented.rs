//! Derivatives across, and a long Gaussian mean along, each of many directions.
//!
//! A mean along its direction preserves a line and attenuates microrelief, noise and spots. Across the line, the
//! second derivative responds to a dark line (Lindeberg 1998) and the first to a line lit from one side, one
//! flank dark and the other bright; their quadrature responds to both (Freeman & Adelson 1991). The first
//! derivative at a coarser scale is subtracted from the first, so that a step (the edge of a spot or of a shadow)
//! has no response.

use super::vector::{antisymmetric_sum, symmetric_sum};
use crate::plane::{Grid, Plane};
use std::f32::consts::PI;

/// Response to a line at a pixel, and the direction of the line.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Oriented {
    /// √(max(E, 0)² + O²), E the second derivative across times σ², O the first times σ minus the same at
    /// [`COARSER`] times σ.
    pub response: f32,
    /// Direction of the line, unit vector.
    pub along: [f32; 2],
}

/// The largest response at each pixel over `directions` and over the sigmas `across` (px), each on a
/// Gaussian mean of sigma `along` (px). Outside the plane is 0. Cost: for each direction two rotations
/// by linear interpolation and 7·`along` + Σ 25·`across` multiplications a pixel.
pub fn oriented(src: &Plane, along: f32, across: &[f32], directions: usize) -> Grid<Oriented> {
    let (w, h) = (src.width(), src.height());
    let mut best = Grid::filled(w, h, Oriented::default());
    // Side of a square that contains the plane at any rotation.
    let side = (w as f32).hypot(h as f32).ceil() as usize + 2;
    let middle = [w, h].map(|n| (n as f32 - 1.0) / 2.0);
    let centre = (side as f32 - 1.0) / 2.0;
    let mean = Kernel::gaussian(along, 0);
    let zeros = vec![0.0; side];
    let kernels: Vec<[Kernel; 2]> =
        across.iter().map(|&s| [Kernel::gaussian(s, 2), Kernel::without_steps(s)]).collect();
    for k in 0..directions {
        let (sin, cos) = (PI * k as f32 / directions as f32).sin_cos();
        let mut turned = Plane::filled(side, side, 0.0);
        turned.par_rows(|v, row| {
            let dv = v as f32 - centre;
            let line: Vec<f32> = (0..side)
                .map(|u| {
                    let du = u as f32 - centre;
                    sample(src, middle[0] + du * cos - dv * sin, middle[1] + du * sin + dv * cos)
                })
                .collect();
            mean.along(&line, row);
        });
        for [second, first] in &kernels {
            let mut response = Plane::filled(side, side, 0.0);
            response.par_rows(|v, row| {
                let mut odd = vec![0.0; side];
                second.across(&turned, &zeros, v, row);
                first.across(&turned, &zeros, v, &mut odd);
                for (e, o) in row.iter_mut().zip(odd) {
                    *e = (e.max(0.0) * e.max(0.0) + o * o).sqrt();
                }
            });
            best.par_rows(|y, row| {
                let dy = y as f32 - middle[1];
                for (x, b) in row.iter_mut().enumerate() {
                    let dx = x as f32 - middle[0];
                    let (u, v) = (centre + dx * cos + dy * sin, centre - dx * sin + dy * cos);
                    let here = sample(&response, u, v);
                    if here > b.response {
                        *b = Oriented { response: here, along: [cos, sin] };
                    }
                }
            });
        }
    }
    best
}

/// Linear interpolation; 0 outside.
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

    /// The kernel along one line; 0 outside.
    fn along(&self, line: &[f32], out: &mut [f32]) {
        let (n, r) = (line.len(), self.half.len() - 1);
        let mut padded = vec![0.0; n + 2 * r];
        padded[r..r + n].copy_from_slice(line);
        let side = |start: usize| &padded[start..start + n];
        let sides: Vec<[&[f32]; 2]> = (0..=r).map(|j| [side(r + j), side(r - j)]).collect();
        self.sum(out, &sides);
    }

    /// The kernel down the columns at one row; 0 outside, as in `zeros`, a row.
    fn across(&self, plane: &Plane, zeros: &[f32], y: usize, out: &mut [f32]) {
        let row =
            |y: Option<usize>| y.filter(|y| *y < plane.height()).map_or(zeros, |y| plane.row(y));
        let sides: Vec<[&[f32]; 2]> =
            (0..self.half.len()).map(|j| [row(Some(y + j)), row(y.checked_sub(j))]).collect();
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
                let found = oriented(&plane, 8.0, &[sigma], 32).at(80, 80);
                assert!(
                    (found.response / expected - 1.0).abs() < 0.13,
                    "{angle}: {found:?} {expected}"
                );
                let along = found.along[0] * angle.cos() + found.along[1] * angle.sin();
                assert!(along.abs() > 0.99, "{angle}: {found:?}");
            }
            let step = Plane::from_fn(161, 161, |x, y| if across(x, y) > 0.0 { a } else { 0.0 });
            let edge = oriented(&step, 8.0, &[sigma], 32).at(80, 80);
            assert!(edge.response < 0.3 * a, "{angle}: a step {edge:?}");
            let bright = Plane::from_fn(161, 161, |x, y| a * gauss(across(x, y)));
            let found = oriented(&bright, 8.0, &[sigma], 32).at(80, 80);
            assert!(found.response < 0.02, "a bright line is none: {found:?}");
        }
    }
}
