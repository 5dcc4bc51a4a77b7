//! Sums over tiles for the metrics of lines, and texts that these share.

use super::LinePoint;
use super::groove::Groove;
use super::section::{SAMPLES, Section};
use crate::citations::{self, Citation};
use crate::metric::sums::{Sums, sums};
use crate::metric::{Reason, Sampling, Sheet, Tiles};

pub(super) const SECTION: &str = "Wrinkles";
pub(super) const SOURCES: &[&Citation] = &[&citations::FREEMAN_1991];
pub(super) const ALSO_MOVED_BY: &str = "Expression; a light that moved (5.1 % of depth at 5°); hair that the mask \
    leaves. Lines are detected where they exceed the microrelief around: lengths of different people, and of photos \
    measured alone, are not comparable.";
/// Period of lines, mm.
pub(super) const PERIOD_MM: f64 = 1.2;
/// Bins of the depth histogram.
const BINS: usize = 96;
/// Depth of a bin over that of the one before.
pub(super) const BIN_FACTOR: f64 = 1.06;
/// Depth of the first bin, mm.
pub(super) const FIRST_BIN_MM: f64 = 0.01;

sums! {
    /// Sums over a tile of skin and over the lines in it. A line that is absent in a visit has no depth there:
    /// cross-sections and depths are of the same lines in every visit.
    pub(crate) struct WrinkleSums {
        /// Pixels measured.
        pixels: f64,
        /// Length of the lines that are present in this visit, px.
        present_px: f64,
        /// Length of the lines that are measurable in all visits, px; what follows is over these.
        in_all_px: f64,
        /// Length times the relative response of the background texture.
        background_px: f64,
        /// Length times the cross-section in this visit.
        section: Section,
        /// Length times the mean cross-section of the visits.
        mean_section: Section,
        /// Length by depth in this visit.
        depth_histogram: [f64; BINS],
    }
}

/// Sums over tiles.
pub fn sheet(points: &[LinePoint], visit: usize, tiles: &Tiles) -> Sheet {
    let mut sums = vec![WrinkleSums::ZERO; tiles.count()];
    tiles.for_each(|tile, _, _| sums[tile].pixels += 1.0);
    for point in points {
        let Some(tile) = tiles.of(point.x, point.y) else { continue };
        let reading = &point.readings[visit];
        let sums = &mut sums[tile];
        let length = point.length_px;
        if point.measurable {
            sums.in_all_px += length;
            sums.background_px += length * point.background;
            for k in 0..SAMPLES {
                sums.section[k] += length * reading.section[k];
                sums.mean_section[k] += length * point.mean_section[k];
            }
            let bin = (reading.depth_mm.max(FIRST_BIN_MM) / FIRST_BIN_MM).ln() / BIN_FACTOR.ln();
            sums.depth_histogram[(bin as usize).min(BINS - 1)] += length;
        }
        if reading.present {
            sums.present_px += length;
        }
    }
    Sheet::of(sums)
}

/// Lengths of line that are present in the first visit only, in the last only, and in both, in the unit of lengths.
pub fn vanished_new_kept(points: &[LinePoint], sampling: &Sampling) -> [f64; 3] {
    let mut lengths = [0.0; 3];
    for point in points {
        let (Some(first), Some(last)) = (point.readings.first(), point.readings.last()) else {
            continue;
        };
        let kind = match (first.present, last.present) {
            (true, false) => 0,
            (false, true) => 1,
            (true, true) => 2,
            (false, false) => continue,
        };
        lengths[kind] += point.length_px * sampling.length();
    }
    lengths
}

/// From mm of the scale that filters use to the unit of lengths.
pub(super) fn in_units(mm: f64, sampling: &Sampling) -> f64 {
    mm / sampling.mm_per_px * sampling.length()
}

/// Size of a region's groove in one visit, mm of the scale that filters use.
pub(super) struct GrooveSize {
    /// Full width at half depth; 0 where next to nothing is left.
    pub width: f64,
    /// Depth.
    pub depth: f64,
}

impl WrinkleSums {
    /// Length of the lines that are present, in the unit of lengths.
    pub(super) fn length(&self, sampling: &Sampling) -> Result<f64, Reason> {
        if self.pixels <= 0.0 {
            return Err(Reason::LowCoverage);
        }
        Ok(self.present_px * sampling.length())
    }

    /// The region's groove in this visit.
    pub(super) fn groove_mm(&self, sampling: &Sampling) -> Result<GrooveSize, Reason> {
        let length = self.in_all_px;
        if length <= 0.0 || length * sampling.mm_per_px < sampling.groove.length_min_mm {
            return Err(Reason::NothingFound);
        }
        let own = self.section.map(|v| v / length);
        let joint = self.mean_section.map(|v| v / length);
        let groove = Groove::of(&joint, sampling);
        if groove.width_mm <= 0.0 {
            return Err(Reason::BelowNoise);
        }
        let change = groove.change(&own, &joint, self.background_px / length);
        Ok(GrooveSize { width: change.width_mm, depth: groove.depth_mm(&joint) * change.depth })
    }

    /// The width of the region's groove in this visit, where enough of it is left to have one, mm.
    pub(super) fn width_mm(&self, sampling: &Sampling) -> Result<f64, Reason> {
        let width = self.groove_mm(sampling)?.width;
        if width > 0.0 { Ok(width) } else { Err(Reason::BelowNoise) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A vanished line, or a bright one, has no width and a depth near 0: no NaN.
    #[test]
    fn a_vanished_line_has_no_width() {
        let sampling = Sampling::sharp(0.08);
        let line: Section = std::array::from_fn(|i| -(-(i as f64 - 24.0).powi(2) / 30.0).exp());
        let sums = |own: &Section, joint: &Section| WrinkleSums {
            pixels: 1e4,
            present_px: 100.0,
            in_all_px: 1000.0,
            background_px: 250.0,
            section: own.map(|v| 1000.0 * v),
            mean_section: joint.map(|v| 1000.0 * v),
            ..WrinkleSums::ZERO
        };
        let depth = |own: &Section, joint: &Section| {
            sums(own, joint).groove_mm(&sampling).map(|size| size.depth)
        };
        for gone in [[0.0; SAMPLES], line.map(|v| -v)] {
            assert_eq!(sums(&gone, &line).width_mm(&sampling), Err(Reason::BelowNoise));
            let left = depth(&gone, &line).unwrap();
            assert!(left < 0.2 * depth(&line, &line).unwrap(), "{left}");
            assert_eq!(depth(&gone, &gone), Err(Reason::BelowNoise));
        }
    }
}
