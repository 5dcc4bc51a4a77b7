//! Sums over tiles for the metrics of scars, and texts that these share.

use super::Scars;
use crate::citations::{self, Citation};
use crate::metric::sums::{Sums, sums};
use crate::metric::{CaptureSd, LocalSd, Sheet, Tiles};

pub(super) const SECTION: &str = "Scars";
pub(super) const SOURCES: &[&Citation] = &[&citations::TURIN_1960, &citations::TSUMURA_2003];
pub(super) const ALSO_MOVED_BY: &str = "A light that moved: a bowl is recognised by its bright and its dark side, \
    and light from the front shows none (`quality`). Its depth assumes usual light, and holds within a factor of \
    about two (narrow pits read too shallow); changes do not depend on it. Shallow or large scars, and those beside \
    a line, a hair or the region's edge, are missed. With few scars the value varies much: see its interval.";
/// Period of scars, mm.
pub(super) const PERIOD_MM: f64 = 3.0;
/// Scars are few: `scar_depth` of unchanged rendered skin varies by 5–12 %. No real scar has been tried, so the upper
/// end is assumed.
pub(super) const CAPTURE: CaptureSd = CaptureSd { floor: 0.1, local: LocalSd::Objects };

sums! {
    /// Sums over a tile of skin and over the scars in it.
    pub(crate) struct ScarSums {
        /// Pixels of skin under visibly oblique light.
        searched: f64,
        /// Area within half depth of the scars present in this visit, px².
        area_px2: f64,
        /// Weights of the scars: one over the variance of the depth, px⁻².
        weight: f64,
        /// Weight times depth in this visit.
        depth: f64,
        /// Weight times depth in the mean of the visits.
        joint_depth: f64,
        /// Number of scars.
        scars: f64,
    }
}

/// Sums over tiles.
pub fn sheet(scars: &Scars, visit: usize, tiles: &Tiles) -> Sheet {
    let mut sums = vec![ScarSums::ZERO; tiles.count()];
    tiles.for_each(|tile, x, y| {
        let searched = scars.searched.at(x / scars.factor, y / scars.factor);
        sums[tile].searched += f64::from(u8::from(searched));
    });
    for scar in &scars.found {
        let (x, y) = (scar.x.round().max(0.0) as usize, scar.y.round().max(0.0) as usize);
        let Some(tile) = tiles.of(x, y) else { continue };
        let reading = &scar.readings[visit];
        let sums = &mut sums[tile];
        if reading.present {
            sums.area_px2 += std::f64::consts::PI * scar.radius_px * scar.radius_px;
        }
        sums.weight += scar.weight;
        sums.depth += scar.weight * reading.depth_px;
        let all = scar.readings.iter().map(|r| r.depth_px).sum::<f64>();
        sums.joint_depth += scar.weight * all / scar.readings.len() as f64;
        sums.scars += 1.0;
    }
    Sheet::of(sums)
}

/// Number of scars that are present in some visit.
pub(super) fn scars(row: &[f64]) -> f64 {
    ScarSums::from_row(row).scars
}
