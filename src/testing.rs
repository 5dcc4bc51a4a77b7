//! What unit tests draw: textures and noise that are functions of the place and of a seed, so that a
//! shift, a turn, a blur and a gain of them are known exactly and owe nothing to the filters under test.

use crate::align::{Field, apply};
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Plane, Window};
use crate::region::{Face, Region, RegionMap, RegionSource, WHOLE};
use crate::series::{Scale, ScaleSource};
use crate::units::MmPerPx;
use std::f64::consts::TAU;

/// Cosines of a [`Texture`].
const WAVES: u64 = 96;
/// Shortest and longest period of a [`Texture`], px.
const PERIODS_PX: [f64; 2] = [2.5, 160.0];

/// A number of 0 … 1 from two (SplitMix64's finaliser).
fn random(stream: u64, i: u64) -> f64 {
    let mut z = (stream << 40) ^ i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2 {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    }
    (z >> 11) as f64 / (1u64 << 53) as f64
}

/// White noise, uniform, of mean 0 and variance 1; another stream is independent.
pub fn noise(width: usize, height: usize, stream: u64) -> Plane {
    Plane::from_fn(width, height, |x, y| {
        ((random(stream, (y * width + x) as u64) - 0.5) * 12f64.sqrt()) as f32
    })
}

/// `plane` under white noise of standard deviation `sd`.
pub fn noisy(plane: &Plane, stream: u64, sd: f32) -> Plane {
    plane.zip(&noise(plane.width(), plane.height(), stream), |v, n| v + sd * n)
}

/// One cosine.
#[derive(Clone, Copy)]
struct Wave {
    /// Angular frequency along x and y, 1/px.
    frequency: [f64; 2],
    phase: f64,
    amplitude: f64,
}

/// A sum of cosines whose power is alike in all octaves from 2.5 to 160 px, as skin's is.
#[derive(Clone)]
pub struct Texture(Vec<Wave>);

impl Texture {
    /// A texture of standard deviation `sd`; another seed is another skin.
    pub fn new(seed: u64, sd: f64) -> Texture {
        let amplitude = sd * (2.0 / WAVES as f64).sqrt();
        let [short, long] = PERIODS_PX;
        Texture(
            (0..WAVES)
                .map(|i| {
                    let period = short * (long / short).powf((i as f64 + 0.5) / WAVES as f64);
                    let [direction, phase] = [2 * i, 2 * i + 1].map(|i| TAU * random(seed, i));
                    let frequency = [direction.cos(), direction.sin()].map(|v| v * TAU / period);
                    Wave { frequency, phase, amplitude }
                })
                .collect(),
        )
    }

    fn map(&self, f: impl Fn(Wave) -> Wave) -> Texture {
        Texture(self.0.iter().map(|wave| f(*wave)).collect())
    }

    /// The texture whose every place p has moved to `map`(p).
    pub fn moved(&self, map: &[f64; 6]) -> Texture {
        let [a, b, tx, c, d, ty] = *map;
        let det = a * d - b * c;
        self.map(|wave| {
            let [u, v] = wave.frequency;
            // The transposed inverse.
            let frequency = [(d * u - c * v) / det, (a * v - b * u) / det];
            let phase = wave.phase - frequency[0] * tx - frequency[1] * ty;
            Wave { frequency, phase, ..wave }
        })
    }

    /// The texture under a filter of this gain at each angular frequency, 1/px.
    pub fn filtered(&self, gain: impl Fn(f64) -> f64) -> Texture {
        self.map(|wave| {
            let [u, v] = wave.frequency;
            Wave { amplitude: wave.amplitude * gain(u.hypot(v)), ..wave }
        })
    }

    /// The texture under a Gaussian blur of this variance, px².
    pub fn blurred(&self, variance: f64) -> Texture {
        self.filtered(|q| (-0.5 * variance * q * q).exp())
    }

    /// Mean square of the texture.
    pub fn power(&self) -> f64 {
        self.0.iter().map(|wave| 0.5 * wave.amplitude * wave.amplitude).sum()
    }

    /// The value at a place, px.
    pub fn at(&self, x: f64, y: f64) -> f64 {
        let value =
            |w: &Wave| w.amplitude * (w.frequency[0] * x + w.frequency[1] * y + w.phase).cos();
        self.0.iter().map(value).sum()
    }

    /// The values at the pixels.
    pub fn plane(&self, width: usize, height: usize) -> Plane {
        let mut plane = Plane::filled(width, height, 0.0);
        plane.par_rows(|y, row| {
            let mut sums = vec![0.0f64; row.len()];
            for Wave { frequency: [u, v], phase, amplitude } in &self.0 {
                // Each pixel turns the wave's phase by `u`.
                let (sin, cos) = u.sin_cos();
                let (mut s, mut c) = (v * y as f64 + phase).sin_cos();
                for sum in &mut sums {
                    *sum += amplitude * c;
                    (s, c) = (s * cos + c * sin, c * cos - s * sin);
                }
            }
            row.iter_mut().zip(&sums).for_each(|(out, sum)| *out = *sum as f32);
        });
        plane
    }
}

/// A similarity: enlarged by `scale` and turned by `degrees` about (0, 0), then shifted, px.
pub fn similarity(scale: f64, degrees: f64, shift: [f64; 2]) -> [f64; 6] {
    let (sin, cos) = degrees.to_radians().sin_cos();
    [scale * cos, -scale * sin, shift[0], scale * sin, scale * cos, shift[1]]
}

/// An affine map as a field.
pub fn rigid(affine: [f64; 6]) -> Field {
    Field { affine, ..Field::identity() }
}

/// Largest distance of two maps over the corners of a square of `side` px.
pub fn farthest(a: &[f64; 6], b: &[f64; 6], side: f64) -> f64 {
    let corners = [[0.0, 0.0], [side, 0.0], [0.0, side], [side, side]];
    let distance = |[x, y]: [f64; 2]| {
        let (p, q) = (apply(a, x, y), apply(b, x, y));
        (p[0] - q[0]).hypot(p[1] - q[1])
    };
    corners.into_iter().map(distance).fold(0.0, f64::max)
}

/// A grey photo whose light is `level` (0 … 1) times the exponential of `log`.
pub fn photo(log: &Plane, level: f64) -> Photo {
    Photo::drawn(Grid::from_fn(log.width(), log.height(), |x, y| {
        [(65535.0 * level * f64::from(log.at(x, y)).exp()).round() as u16; 3]
    }))
}

/// All of a window is skin, and the only region.
pub fn whole(window: Window) -> RegionMap {
    let all = Mask::filled(window.width, window.height, true);
    RegionMap {
        source: RegionSource::Whole,
        window,
        skin: all.clone(),
        regions: vec![Region { name: WHOLE.into(), window, inside: all }],
        face: None,
        model: None,
        notices: Vec::new(),
    }
}

/// A face of which no more is known than its eyes and its mouth, photo px.
pub fn face(eyes: [[f64; 2]; 2], mouth: [f64; 2]) -> Face {
    Face {
        eyes,
        mouth,
        width_px: 2.22 * (eyes[1][0] - eyes[0][0]).hypot(eyes[1][1] - eyes[0][1]),
        nose_base: None,
        chin: None,
        pose: None,
        expression: None,
        mm_per_px: None,
    }
}

/// A scale that was given.
pub fn scale(mm_per_px: f64) -> Scale {
    Scale {
        mm_per_px: Some(MmPerPx(mm_per_px)),
        source: ScaleSource::Argument,
        relative_uncertainty: 0.0,
        file_px: 1.0,
    }
}

/// No scale.
pub fn unscaled() -> Scale {
    Scale { mm_per_px: None, source: ScaleSource::None, relative_uncertainty: 0.0, file_px: 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::stats::mean_square;

    #[test]
    fn noise_is_white_and_its_streams_are_independent() {
        let all = Mask::filled(256, 256, true);
        let [a, b] = [1, 2].map(|stream| noise(256, 256, stream));
        let with = |other: &Plane| {
            let product = a.zip(other, |a, b| a * b);
            product.data().iter().map(|v| f64::from(*v)).sum::<f64>() / 65536.0
        };
        let shifted = |dx: usize, dy: usize| {
            Plane::from_fn(256, 256, |x, y| a.at((x + dx) % 256, (y + dy) % 256))
        };
        assert!((mean_square(&a, &all) - 1.0).abs() < 0.02);
        for other in [b, shifted(1, 0), shifted(0, 1), shifted(1, 1)] {
            assert!(with(&other).abs() < 0.02, "{}", with(&other));
        }
    }

    #[test]
    fn a_texture_moves_as_its_map_says() {
        let (texture, map) = (Texture::new(1, 0.1), similarity(1.3, 20.0, [5.0, -3.0]));
        let (plane, moved) = (texture.plane(64, 48), texture.moved(&map));
        for (x, y) in [(0, 0), (63, 0), (17, 47)] {
            let [px, py] = [x, y].map(|v| v as f64);
            let [qx, qy] = apply(&map, px, py);
            assert!((f64::from(plane.at(x, y)) - texture.at(px, py)).abs() < 1e-7);
            assert!((moved.at(qx, qy) - texture.at(px, py)).abs() < 1e-12);
        }
        assert!((texture.power().sqrt() - 0.1).abs() < 1e-12);
        let unlike = texture.plane(64, 48).zip(&Texture::new(2, 0.1).plane(64, 48), |a, b| a - b);
        assert!(mean_square(&unlike, &Mask::filled(64, 48, true)) > 0.01);
    }
}
