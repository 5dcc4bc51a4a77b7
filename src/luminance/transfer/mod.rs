//! Differences between two photos of the same skin that come from the camera, its focus and its
//! processing, estimated on the measured skin itself.
//!
//! 1. [`focus_difference`]: the Gaussian blur by which one photo is softer, as a map over the picture with
//!    its standard error, and the noise of both photos.
//! 2. [`processing`], once the two photos have the same focus: the gain of a linear filter or a tone curve
//!    that acts on all skin alike (sharpening, clarity, smoothing).
//! 3. [`denoising`]: loss of weak detail where strong detail is kept.

mod blur_map;
mod dark_noise;
mod denoising;
mod focus;
mod processing;

pub use blur_map::BlurMap;
pub use denoising::denoising;
pub use focus::{FocusDifference, focus_difference};
pub use processing::{Processing, processing};

use crate::filter::gaussian::MaskedBlur;
use crate::filter::vector::add_octave_products;
use crate::plane::{Mask, Plane, par_collect};
use crate::settings::TransferSettings;

/// Mean products of two photos over a tile in one octave.
#[derive(Debug, Clone, Copy)]
struct OctaveProducts {
    /// The first photo with itself.
    aa: f64,
    /// The second photo with itself.
    bb: f64,
    /// Both photos.
    ab: f64,
    /// The gradients of both, 1/px².
    gradient: f64,
}

impl OctaveProducts {
    /// Over the `valid` pixels of a tile, of the octave between a finer and a coarser scale of both photos; gradients by
    /// forward differences.
    fn of(
        finer: &[Plane; 2],
        coarser: &[Plane; 2],
        valid: &Mask,
        [left, top]: [usize; 2],
        side: usize,
    ) -> Self {
        let (width, height) = (valid.width(), valid.height());
        let end = (left + side + 1).min(width);
        // A row of each photo, the last column and the last row of the frame repeated.
        let row = |y: usize, out: &mut [Vec<f32>; 2]| {
            let y = y.min(height - 1);
            for (k, out) in out.iter_mut().enumerate() {
                let both = finer[k].row(y)[left..end].iter().zip(&coarser[k].row(y)[left..end]);
                out.clear();
                out.extend(both.map(|(fine, coarse)| fine - coarse));
                out.resize(side + 1, out[end - left - 1]);
            }
        };
        let (mut here, mut below) = <([Vec<f32>; 2], [Vec<f32>; 2])>::default();
        let (mut sums, mut n) = ([0.0f64; 4], 0usize);
        row(top, &mut here);
        for y in top..top + side {
            row(y + 1, &mut below);
            let mask = &valid.row(y)[left..left + side];
            n += mask.iter().filter(|m| **m).count();
            add_octave_products(&mut sums, [&here[0], &here[1]], [&below[0], &below[1]], mask);
            std::mem::swap(&mut here, &mut below);
        }
        let [aa, bb, ab, gradient] = sums.map(|sum| sum / n.max(1) as f64);
        OctaveProducts { aa, bb, ab, gradient }
    }
}

/// A square of skin, and its products by octave, finest first.
struct Tile {
    /// Centre, px.
    centre: [f64; 2],
    octaves: Vec<OctaveProducts>,
}

impl Tile {
    /// Column and row of the cell of side `cell_px` that holds the centre.
    fn cell(&self, cell_px: usize) -> [usize; 2] {
        self.centre.map(|v| v as usize / cell_px)
    }

    /// Energy in octave `k` that each photo does not share with the other, where the amplitude of the second is
    /// that of the first times exp(`gain` − ½·`variance`·q), q the octave's mean squared angular frequency.
    fn unshared(&self, k: usize, gain: f64, variance: f64) -> [f64; 2] {
        let OctaveProducts { aa, bb, ab, gradient } = self.octaves[k];
        let q = if ab > 0.0 { gradient / ab } else { 0.0 };
        let rho = (gain - 0.5 * variance * q).exp();
        [aa - ab.max(0.0) / rho, bb - ab.max(0.0) * rho]
    }
}

/// Tiles of which at least nine tenths are `valid`, with their products in the octaves between `sigmas`.
fn tiles(
    planes: [&Plane; 2],
    valid: &Mask,
    sigmas: &[f64],
    settings: &TransferSettings,
) -> Vec<Tile> {
    let side = settings.tile_px;
    let (nx, ny) = (valid.width() / side, valid.height() / side);
    let corners: Vec<[usize; 2]> = (0..nx * ny)
        .map(|i| [i % nx * side, i / nx * side])
        .filter(|&[left, top]| {
            let full: usize = (top..top + side)
                .map(|y| valid.row(y)[left..left + side].iter().filter(|v| **v).count())
                .sum();
            full * 10 >= side * side * 9
        })
        .collect();
    let mut all: Vec<Tile> = corners
        .iter()
        .map(|&[x, y]| Tile {
            centre: [x, y].map(|v| v as f64 + 0.5 * (side as f64 - 1.0)),
            octaves: Vec::new(),
        })
        .collect();
    let smooth = |sigma: f64| {
        let blur = MaskedBlur::new(valid, sigma as f32);
        planes.map(|p| blur.mean(p))
    };
    let mut finer = smooth(sigmas[0]);
    for &sigma in &sigmas[1..] {
        let coarser = smooth(sigma);
        let products = par_collect(corners.len(), |i| {
            OctaveProducts::of(&finer, &coarser, valid, corners[i], side)
        });
        all.iter_mut().zip(products).for_each(|(tile, products)| tile.octaves.push(products));
        finer = coarser;
    }
    all
}

#[cfg(test)]
mod samples {
    use crate::filter::gaussian::blur;
    use crate::luminance::Luminance;
    use crate::plane::{Mask, Plane};
    use crate::testing::{self, Texture, noise};

    /// Side of a large plane, px.
    pub const LARGE: usize = 480;
    /// Side of a plane of 5 × 5 tiles, px.
    pub const SMALL: usize = 256;

    /// A mask of all pixels of a plane of this side.
    pub fn all(side: usize) -> Mask {
        Mask::filled(side, side, true)
    }

    /// Noise in octaves of sigma 0.8 to 13 px, as skin has.
    pub fn skin() -> Plane {
        let mut sum = Plane::filled(LARGE, LARGE, 0.0);
        for (stream, sigma) in (1..).zip([0.8f32, 1.6, 3.2, 6.4, 12.8]) {
            let scale = blur(&noise(LARGE, LARGE, stream), sigma);
            sum = sum.zip(&scale, |a, b| a + 0.05 * sigma * b);
        }
        sum
    }

    /// A plane under white noise of standard deviation `sd`.
    pub fn noisy(plane: &Plane, stream: u64, sd: f32) -> Luminance {
        let mut own = Luminance::synthetic(testing::noisy(plane, stream, sd));
        own.noise.white = f64::from(sd * sd);
        own
    }

    /// Photos of a texture before and after, under white noise of standard deviation `sd`.
    pub fn shots([before, after]: [&Texture; 2], sd: f32) -> [Luminance; 2] {
        [(before, 11), (after, 12)]
            .map(|(texture, stream)| noisy(&texture.plane(SMALL, SMALL), stream, sd))
    }
}
