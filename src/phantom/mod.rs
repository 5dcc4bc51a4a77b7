//! Test skin and test faces with known truth.
//!
//! Skin is a height field in mm with pigments ([`skin`]), lit and photographed ([`camera`]); the
//! truth is what it was made of ([`truth`]), never what a filter sees in the picture. Nothing here
//! uses the formulas of the measuring stages.

pub mod camera;
pub mod face;
pub mod skin;
pub mod truth;

pub use camera::{Capture, Scene, Shot};
pub use skin::{Lattice, Skin, SkinSpec, Treatment, Zone};
pub use truth::{Kind, Spec, outputs, write, write_fixtures};

use crate::plane::Plane;

/// A photo of a flat patch of skin; for several photos of one skin keep the [`Skin`] and the
/// [`Scene`].
pub fn render_closeup(skin: &SkinSpec, treatment: &Treatment, capture: &Capture) -> Shot {
    Scene::of_skin(&Skin::new(skin), treatment).shoot(capture)
}

/// A well-mixed number from a seed and two integers (SplitMix64's finaliser).
fn hash(seed: u64, i: i64, j: i64) -> u64 {
    let mut z = seed
        ^ (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (j as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f).rotate_left(29);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A seeded stream of random numbers (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    /// Stream number `stream` of a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Rng(hash(seed, stream as i64, 0x5eed))
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        hash(self.0, 0, 0)
    }
    /// A stream of its own, so that what it is used for does not move this one.
    pub(crate) fn fork(&mut self) -> Rng {
        Rng(self.next())
    }
    /// Uniform in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
    /// Uniform in [lo, hi).
    pub(crate) fn range(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * self.uniform()
    }
    /// Standard normal (Box–Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Smooth noise of unit variance: random nodes every `cell_mm`, joined by quadratic B-splines.
struct Noise {
    seed: u64,
    cell_mm: f64,
}

impl Noise {
    fn new(seed: u64, stream: u64, cell_mm: f64) -> Self {
        Noise { seed: hash(seed, stream as i64, 0x0015e), cell_mm }
    }

    /// The noise on a grid.
    fn plane(&self, grid: &Lattice) -> Plane {
        let weights = |t: f32| [0.5 * (1.0 - t) * (1.0 - t), 0.5 + t - t * t, 0.5 * t * t];
        let node = |mm: f64| {
            let at = mm / self.cell_mm;
            (at.floor() as i64, weights((at - at.floor()) as f32))
        };
        let first = node(grid.mm(0, 0)[0]).0;
        let last = node(grid.mm(grid.width - 1, 0)[0]).0 + 2;
        let mut plane = Plane::filled(grid.width, grid.height, 0.0);
        plane.par_rows(|y, row| {
            let (j, wy) = node(grid.mm(0, y)[1]);
            let nodes: Vec<f32> = (first..=last)
                .map(|i| {
                    // Uniform nodes of variance 1/3; the spline keeps 0.55² of it on average.
                    let value =
                        |k: i64| (hash(self.seed, i, j + k) >> 40) as f32 / 8_388_608.0 - 1.0;
                    3.15 * (wy[0] * value(0) + wy[1] * value(1) + wy[2] * value(2))
                })
                .collect();
            for (x, v) in row.iter_mut().enumerate() {
                let (i, wx) = node(grid.mm(x, 0)[0]);
                let n = (i - first) as usize;
                *v = wx[0] * nodes[n] + wx[1] * nodes[n + 1] + wx[2] * nodes[n + 2];
            }
        });
        plane
    }
}
