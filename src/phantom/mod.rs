//! Test skin and test faces with known truth.
//!
//! Skin is a height field in mm with pigments ([`skin`]), illuminated and photographed ([`camera`]). The truth
//! ([`truth`]) consists of the parameters of the skin, never of what a filter finds in the image. Nothing here uses
//! the formulas of the measuring stages.

pub mod camera;
pub mod face;
mod fixtures;
pub mod skin;
pub mod truth;

pub use camera::{Capture, Scene, Shot};
pub use fixtures::write_fixtures;
pub use skin::{Lattice, Skin, SkinSpec, Treatment, Zone};
pub use truth::{Kind, Spec, outputs, write};

use crate::plane::Plane;
use crate::rng::{Rng, TURN, hash};

/// A photo of a flat patch of skin. For several photos of one skin keep its [`Skin`] and [`Scene`].
pub fn render_closeup(skin: &SkinSpec, treatment: &Treatment, capture: &Capture) -> Shot {
    Scene::of_skin(&Skin::new(skin), treatment).shoot(capture)
}

/// Smooth noise of unit variance: random nodes every `cell_mm`, interpolated by quadratic B-splines.
struct SmoothNoise {
    seed: u64,
    cell_mm: f64,
}

impl SmoothNoise {
    fn new(seed: u64, stream: u64, cell_mm: f64) -> Self {
        SmoothNoise { seed: hash(seed, stream as i64, 0x0015e, TURN), cell_mm }
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
                    // Uniform nodes of variance 1/3, of which the spline keeps 0.55² on average.
                    let value =
                        |k: i64| (hash(self.seed, i, j + k, TURN) >> 40) as f32 / 8_388_608.0 - 1.0;
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
