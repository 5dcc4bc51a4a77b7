//! Texture: amplitudes of band-passed log luminance, and their anisotropy.
//!
//! `texture_fine` and `texture_coarse` are root mean squares of the flattened log luminance
//! between two spatial periods (half amplitude at each), with the power that the photo's own noise
//! adds taken off; `texture_roughness`² = fine² + coarse². They are contrasts, not heights.
//! `texture_anisotropy` is the coherence of the structure tensor over the same bands.

use super::{Frame, Reason, Sheet, Tiles};
use crate::filter::gaussian::{band, band_noise_gain};
use crate::luminance::Luminance;
use crate::plane::Plane;
use crate::settings::MetricSettings;

/// Columns: pixels, fine energy, coarse energy, noise in each, tensor xx, xy, yy.
const COLUMNS: usize = 8;

struct Bands {
    fine: Option<Plane>,
    coarse: Option<Plane>,
    noise: [f64; 2],
}

/// Band-passed planes of each visit.
pub struct Texture(Vec<Bands>);

impl Texture {
    /// Filters each visit; a band that its pixels cannot hold is left out.
    pub fn read(visits: &[&Luminance], frame: &Frame, settings: &MetricSettings) -> Self {
        let px = |mm: f64| mm / frame.mm_per_px;
        let [a, b, c] = settings.texture_periods_mm.map(px);
        let make = |l: &Luminance, short: f64, long: f64| {
            (short >= frame.shortest_period_px).then(|| band(&l.flat, &l.valid, short, long))
        };
        Texture(
            visits
                .iter()
                .map(|l| Bands {
                    fine: make(l, a, b),
                    coarse: make(l, b, c),
                    noise: [band_noise_gain(a, b), band_noise_gain(b, c)]
                        .map(|gain| gain * l.noise * l.noise),
                })
                .collect(),
        )
    }

    /// Sums over tiles.
    pub fn sheet(&self, visit: usize, tiles: &Tiles) -> Sheet {
        let bands = &self.0[visit];
        let mut sheet = Sheet::new(tiles.count(), COLUMNS);
        let value = |p: &Option<Plane>, x: usize, y: usize| {
            p.as_ref().map_or(f64::NAN, |p| p.at(x, y) as f64)
        };
        // The tensor is read from the finest band that is held.
        let shape = bands.fine.as_ref().or(bands.coarse.as_ref());
        tiles.for_each(|tile, x, y| {
            let (f, c) = (value(&bands.fine, x, y), value(&bands.coarse, x, y));
            let mut row = sheet.tile(tile);
            row[0] += 1.0;
            row[1] += f * f;
            row[2] += c * c;
            row[3] += bands.noise[0];
            row[4] += bands.noise[1];
            if let Some(p) = shape {
                let (xi, yi) = (x as isize, y as isize);
                let gx = 0.5 * (p.clamped(xi + 1, yi) - p.clamped(xi - 1, yi)) as f64;
                let gy = 0.5 * (p.clamped(xi, yi + 1) - p.clamped(xi, yi - 1)) as f64;
                row[5] += gx * gx;
                row[6] += gx * gy;
                row[7] += gy * gy;
            }
        });
        sheet
    }
}

/// Amplitude from energy and noise sums; NaN energy marks a band that is not held.
fn amplitude(energy: f64, noise: f64, n: f64) -> Result<f64, Reason> {
    if n <= 0.0 {
        return Err(Reason::LowCoverage);
    }
    if energy.is_nan() {
        return Err(Reason::BelowResolution);
    }
    let signal = energy - noise;
    // Below a third of the noise power the difference of the two is mostly chance.
    if signal <= noise / 3.0 {
        return Err(Reason::BelowNoise);
    }
    Ok((signal / n).sqrt())
}

/// `texture_fine`.
pub fn fine(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    amplitude(s[1], s[3], s[0])
}

/// `texture_coarse`.
pub fn coarse(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    amplitude(s[2], s[4], s[0])
}

/// `texture_roughness`.
pub fn roughness(s: &[f64], frame: &Frame) -> Result<f64, Reason> {
    Ok(fine(s, frame)?.hypot(coarse(s, frame)?))
}

/// `texture_anisotropy`: 0 = no preferred direction, 1 = all lines parallel.
pub fn anisotropy(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    let trace = s[5] + s[7];
    if trace <= 0.0 {
        return Err(if s[2].is_nan() { Reason::BelowResolution } else { Reason::NothingFound });
    }
    Ok((s[5] - s[7]).hypot(2.0 * s[6]) / trace)
}
