//! Texture: amplitudes of band-passed log luminance, and their anisotropy.
//!
//! `texture_fine` and `texture_coarse` are root mean squares of the flattened log luminance
//! between two spatial periods (half amplitude at each), with the power that the photo's own noise
//! adds taken off; `texture_roughness`² = fine² + coarse². They are contrasts, not heights.
//! `texture_anisotropy` is the coherence of the structure tensor over the finest of them that the photos hold.

use super::{Frame, Reason, Sheet, Tiles};
use crate::filter::gaussian::band;
use crate::filter::stats::{deming, mean_square};
use crate::luminance::Luminance;
use crate::plane::Plane;
use crate::settings::MetricSettings;

/// Columns: pixels; for fine and for coarse: energy here and in the other photo, what the two share,
/// noise here and in the other (alone what is expected, in a pair the most it may be); tensor xx, xy,
/// yy.
const COLUMNS: usize = 1 + 2 * BAND + 3;
/// Columns of a band.
const BAND: usize = 5;
/// First column of the tensor.
const TENSOR: usize = 1 + 2 * BAND;

struct Bands {
    /// Fine and coarse.
    planes: [Option<Plane>; 2],
    /// Mean squares of their noise: what the photo by itself lets expect, in a pair the most it may be;
    /// infinite where the file has rounded most of the band away.
    noise: [f64; 2],
    /// What the file's rounding left of their amplitude, 0–1.
    kept: [f64; 2],
}

/// Band-passed planes of each visit.
pub struct Texture(Vec<Bands>);

impl Texture {
    /// Filters each visit; a band that its pixels cannot hold is left out.
    pub fn read(visits: &[&Luminance], frame: &Frame, settings: &MetricSettings) -> Self {
        let [a, b, c] = settings.texture_periods_mm.map(|mm| mm / frame.mm_per_px);
        let most = if visits.len() == 2 { settings.texture_noise_cap } else { 1.0 };
        let bands = |l: &&Luminance| {
            let make = |[short, long]: [f64; 2]| {
                if short < frame.shortest_period_px {
                    return (None, 0.0, 1.0);
                }
                let plane = band(&l.flat, &l.valid, short, long);
                let energy = mean_square(&plane, &l.valid);
                let [kept, noise] = l.noise.of_band(short, long, energy);
                if kept < settings.texture_gain_min {
                    return (Some(plane), f64::INFINITY, kept);
                }
                let gain = if visits.len() == 2 { kept.sqrt() } else { kept };
                (Some(plane.map(|v| v / gain as f32)), most * noise / (gain * gain), kept)
            };
            let (fine, coarse) = (make([a, b]), make([b, c]));
            Bands {
                planes: [fine.0, coarse.0],
                noise: [fine.1, coarse.1],
                kept: [fine.2, coarse.2],
            }
        };
        Texture(visits.iter().map(bands).collect())
    }

    /// Standard deviation of ln(f/b) that the rounding of the two files leaves, the larger of both bands: what
    /// it took from weak detail is known to a factor of two, so that of a pair half is put back.
    pub fn rounding_sd(&self) -> f64 {
        let [before, after] = [0, self.0.len() - 1].map(|visit| self.0[visit].kept);
        let sd = |k: usize| 0.5 * (after[k] / before[k]).ln().abs();
        sd(0).max(sd(1))
    }

    /// Sums over tiles.
    pub fn sheet(&self, visit: usize, tiles: &Tiles) -> Sheet {
        let own = &self.0[visit];
        let other = if self.0.len() == 2 { Some(&self.0[1 - visit]) } else { None };
        let mut sheet = Sheet::new(tiles.count(), COLUMNS);
        // The tensor is read from the finest band that is held.
        let shape = own.planes.iter().flatten().next();
        tiles.for_each(|tile, x, y| {
            let mut row = sheet.tile(tile);
            row[0] += 1.0;
            for k in 0..2 {
                let at = |bands: &Bands| {
                    bands.planes[k].as_ref().map_or(f64::NAN, |p| f64::from(p.at(x, y)))
                };
                let first = 1 + k * BAND;
                let here = at(own);
                row[first] += here * here;
                row[first + 3] += own.noise[k];
                if let Some(other) = other {
                    let there = at(other);
                    row[first + 1] += there * there;
                    row[first + 2] += here * there;
                    row[first + 4] += other.noise[k];
                }
            }
            if let Some(p) = shape {
                let (xi, yi) = (x as isize, y as isize);
                let gx = 0.5 * (p.clamped(xi + 1, yi) - p.clamped(xi - 1, yi)) as f64;
                let gy = 0.5 * (p.clamped(xi, yi + 1) - p.clamped(xi, yi - 1)) as f64;
                row[TENSOR] += gx * gx;
                row[TENSOR + 1] += gx * gy;
                row[TENSOR + 2] += gy * gy;
            }
        });
        sheet
    }
}

/// Amplitude of a band without its noise. `band`: energy here and in the other photo (0: there is
/// none), shared energy, noise here and there. NaN energy marks a band that is not held.
///
/// In a pair noise is what the two do not share, told apart by Deming's regression
/// ([`crate::luminance`]) from the ratio of the two noises, but no more than it may be: a structure
/// that has vanished is no noise.
fn amplitude(band: &[f64], n: f64) -> Result<f64, Reason> {
    let &[energy, other, shared, own_noise, other_noise] = band else {
        return Err(Reason::LowCoverage);
    };
    if n <= 0.0 {
        return Err(Reason::LowCoverage);
    }
    if energy.is_nan() {
        return Err(Reason::BelowResolution);
    }
    if own_noise.is_infinite() || other_noise.is_infinite() {
        return Err(Reason::BelowNoise);
    }
    let noise = if other > 0.0 && own_noise > 0.0 {
        let noises = other_noise / own_noise;
        if shared > 0.0 {
            let ratio = deming(energy / shared, other / shared, noises);
            (energy - shared / ratio).clamp(0.0, own_noise)
        } else {
            own_noise
        }
    } else {
        own_noise
    };
    let signal = energy - noise;
    // Below a third of the noise power the difference of the two is mostly chance.
    if signal <= noise / 3.0 {
        return Err(Reason::BelowNoise);
    }
    Ok((signal / n).sqrt())
}

/// `texture_fine`.
pub fn fine(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    amplitude(&s[1..1 + BAND], s[0])
}

/// `texture_coarse`.
pub fn coarse(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    amplitude(&s[1 + BAND..TENSOR], s[0])
}

/// `texture_roughness`.
pub fn roughness(s: &[f64], frame: &Frame) -> Result<f64, Reason> {
    Ok(fine(s, frame)?.hypot(coarse(s, frame)?))
}

/// `texture_anisotropy`: 0 = no preferred direction, 1 = all lines parallel.
pub fn anisotropy(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    let [xx, xy, yy] = [s[TENSOR], s[TENSOR + 1], s[TENSOR + 2]];
    let trace = xx + yy;
    // It is read from the finest band that is held.
    let band = if s[1].is_nan() { 1 + BAND } else { 1 };
    if s[band + 3].is_infinite() {
        return Err(Reason::BelowNoise);
    }
    if trace <= 0.0 {
        return Err(if s[1 + BAND].is_nan() {
            Reason::BelowResolution
        } else {
            Reason::NothingFound
        });
    }
    Ok((xx - yy).hypot(2.0 * xy) / trace)
}
