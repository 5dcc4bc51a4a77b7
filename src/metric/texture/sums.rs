//! Sums over tiles for the metrics of texture, and texts that these share.

use super::{TextureBands, VisitBands};
use crate::citations::{self, Citation};
use crate::filter::stats::deming;
use crate::metric::sums::{Sums, sums};
use crate::metric::{Reason, Sheet, Tiles};

pub(super) const SECTION: &str = "Texture";
pub(super) const AMPLITUDE_SOURCES: &[&Citation] = &[&citations::LINDEBERG_1994];
pub(super) const AMPLITUDE_ALSO_MOVED_BY: &str = "A light that moved (2.4 % at 5° on a close-up), another tone curve \
    of the camera, smoothing filters; blur, noise and compression as far as they cannot be matched.";

sums! {
    /// Sums over a tile of one band of log luminance. The noise power is the expected one in a photo alone, and the
    /// most it may be in a pair; it is infinite where the file's rounding removed most of the band.
    pub(crate) struct BandSums {
        /// Squares in this photo; NaN where the photos do not resolve the band.
        energy: f64,
        /// Squares in the other photo of a pair; 0 where there is none.
        other_energy: f64,
        /// Products of both photos.
        shared_energy: f64,
        /// Noise power in this photo.
        noise: f64,
        /// Noise power in the other photo.
        other_noise: f64,
        /// By how much the noise power in this photo may exceed that.
        noise_error: f64,
    }
}

sums! {
    /// Sums over a tile of skin.
    pub(crate) struct TextureSums {
        /// Pixels measured.
        pixels: f64,
        /// The band of short periods.
        fine: BandSums,
        /// The band of long periods.
        coarse: BandSums,
        /// Structure tensor of the finest band that is resolved.
        tensor_xx: f64,
        /// Its mixed element.
        tensor_xy: f64,
        /// Its second diagonal element.
        tensor_yy: f64,
    }
}

impl TextureBands {
    /// Sums over tiles.
    pub fn sheet(&self, visit: usize, tiles: &Tiles) -> Sheet {
        let own = &self.0[visit];
        let other = if self.0.len() == 2 { Some(&self.0[1 - visit]) } else { None };
        let mut sums = vec![TextureSums::ZERO; tiles.count()];
        // The tensor is that of the finest band that is resolved.
        let finest = own.bands.iter().find_map(|band| band.plane.as_ref());
        tiles.for_each(|tile, x, y| {
            let sums = &mut sums[tile];
            sums.pixels += 1.0;
            let noisier = own.noisier.at(x, y);
            for (k, band) in [&mut sums.fine, &mut sums.coarse].into_iter().enumerate() {
                let at = |visit: &VisitBands| {
                    visit.bands[k].plane.as_ref().map_or(f64::NAN, |p| f64::from(p.at(x, y)))
                };
                let here = at(own);
                band.energy += here * here;
                band.noise += noisier * own.bands[k].noise;
                band.noise_error += noisier * own.bands[k].noise_error;
                if let Some(other) = other {
                    let there = at(other);
                    band.other_energy += there * there;
                    band.shared_energy += here * there;
                    band.other_noise += noisier * other.bands[k].noise;
                }
            }
            if let Some(p) = finest {
                let (xi, yi) = (x as isize, y as isize);
                let gx = 0.5 * (p.clamped(xi + 1, yi) - p.clamped(xi - 1, yi)) as f64;
                let gy = 0.5 * (p.clamped(xi, yi + 1) - p.clamped(xi, yi - 1)) as f64;
                sums.tensor_xx += gx * gx;
                sums.tensor_xy += gx * gy;
                sums.tensor_yy += gy * gy;
            }
        });
        Sheet::of(sums)
    }
}

impl BandSums {
    /// Root mean square over `pixels`, noise power subtracted.
    ///
    /// In a pair the noise power is that which the two photos do not share, estimated by Deming's regression
    /// ([`crate::luminance`]) from the ratio of the two noise powers, and limited to the most it may be: the power of a
    /// structure that vanished is not noise.
    pub(super) fn amplitude(&self, pixels: f64) -> Result<f64, Reason> {
        if pixels <= 0.0 {
            return Err(Reason::LowCoverage);
        }
        if self.energy.is_nan() {
            return Err(Reason::BelowResolution);
        }
        if self.noise.is_infinite() || self.other_noise.is_infinite() {
            return Err(Reason::BelowNoise);
        }
        let paired = self.other_energy > 0.0 && self.noise > 0.0 && self.shared_energy > 0.0;
        let noise = if paired {
            let noises = self.other_noise / self.noise;
            let shared = self.shared_energy;
            let ratio = deming(self.energy / shared, self.other_energy / shared, noises);
            (self.energy - shared / ratio).clamp(0.0, self.noise)
        } else {
            self.noise
        };
        let signal = self.energy - noise;
        // Below a third of the noise power the difference of the two is mostly random.
        if signal <= noise / 3.0 {
            return Err(Reason::BelowNoise);
        }
        Ok((signal / pixels).sqrt())
    }
}

impl TextureSums {
    /// Standard deviation of the natural log of an amplitude, `value`, from which a noise power with this `error` was
    /// subtracted.
    pub(super) fn noise_error(&self, error: f64, value: f64) -> f64 {
        0.5 * error / (self.pixels * value * value)
    }
}
