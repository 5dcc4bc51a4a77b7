//! Sums over tiles for the metrics of pores, and texts that these share.

use super::Pore;
use super::profile::{RINGS, volume};
use crate::citations::{self, Citation};
use crate::metric::sums::{Sums, sums};
use crate::metric::{Reason, Sampling, Sheet, Tiles};

pub(super) const SECTION: &str = "Pores";
pub(super) const SOURCES: &[&Citation] = &[&citations::FLAMENT_2015, &citations::TURIN_1960];
pub(super) const COUNT_SOURCES: &[&Citation] =
    &[&citations::FLAMENT_2015, &citations::TURIN_1960, &citations::SEBER_1982];
pub(super) const ALSO_MOVED_BY: &str = "Light from another side; stubble and pigmented specks that look like pores; \
    not measured below 10 px/mm. Pores that fall below the detection limit leave the count, and the limit follows \
    the microrelief of the photos compared: counts of single photos are not comparable with each other, changes are.";
/// Period of pores, mm.
pub(super) const PERIOD_MM: f64 = 0.7;
/// A visible pore's diameter, mm (Flament 2015).
const VISIBLE_MM: f64 = 0.25;

sums! {
    /// Sums over a tile of skin and over the pores in it. A pore that is absent in a visit has no diameter there: sizes
    /// are of the same pores in every visit.
    pub(crate) struct PoreSums {
        /// Pixels measured.
        pixels: f64,
        /// Pores that this visit alone would have detected by a margin.
        captured: f64,
        /// Those of them present in all visits.
        captured_in_all: f64,
        /// Pores present in all visits; what follows is over these.
        in_all: f64,
        /// Those of 250 µm and more in this visit.
        visible: f64,
        /// Diameters in the mean of the visits, px.
        diameter_px: f64,
        /// Areas in the mean of the visits, px².
        area_px2: f64,
        /// Ratios of the axes in this visit.
        elongation: f64,
        /// Those of them used for the change of diameter; the profiles are over these.
        used_for_diameter: f64,
        /// Radial profiles in the mean of the visits.
        joint_rings: [f64; RINGS],
        /// Radial profiles in this visit.
        rings: [f64; RINGS],
    }
}

/// Sums over tiles.
pub fn sheet(pores: &[Pore], visit: usize, tiles: &Tiles, sampling: &Sampling) -> Sheet {
    let mut sums = vec![PoreSums::ZERO; tiles.count()];
    tiles.for_each(|tile, _, _| sums[tile].pixels += 1.0);
    for pore in pores {
        let (x, y) = (pore.x.round().max(0.0) as usize, pore.y.round().max(0.0) as usize);
        let Some(tile) = tiles.of(x, y) else { continue };
        let reading = pore.readings[visit];
        let sums = &mut sums[tile];
        let in_all = pore.readings.iter().all(|r| r.present);
        sums.captured += f64::from(u8::from(reading.captured));
        sums.captured_in_all += f64::from(u8::from(reading.captured && in_all));
        if !in_all {
            continue;
        }
        sums.in_all += 1.0;
        sums.visible += f64::from(u8::from(reading.diameter_px * sampling.mm_per_px >= VISIBLE_MM));
        sums.diameter_px += pore.diameter_px;
        sums.area_px2 += std::f64::consts::FRAC_PI_4 * pore.diameter_px * pore.diameter_px;
        sums.elongation += reading.elongation;
        sums.used_for_diameter += f64::from(u8::from(pore.used_for_diameter));
        for k in (0..RINGS).filter(|_| pore.used_for_diameter) {
            let all = pore.readings.iter().map(|r| r.rings[k]).sum::<f64>();
            let joint = all / pore.readings.len() as f64;
            sums.joint_rings[k] += joint * (1.0 - pore.selection_bias);
            sums.rings[k] += reading.rings[k] - joint * pore.selection_bias;
        }
    }
    Sheet::of(sums)
}

/// Number of pores used for the change of diameter.
pub(super) fn used_for_diameter(row: &[f64]) -> f64 {
    PoreSums::from_row(row).used_for_diameter
}

impl PoreSums {
    /// Area of measured skin, cm².
    pub(super) fn area_cm2(&self, sampling: &Sampling) -> Result<f64, Reason> {
        Ok(self.pixels * sampling.mm2()? / 100.0)
    }

    /// Number of pores: those present in all visits, over the share of this visit's own detections that all visits
    /// show (capture and recapture: Chapman's estimate, Seber 1982); in one photo, those present. The joint detections
    /// of the visits are not counted as they are: a pore that stays has two chances of detection, one that vanishes has
    /// one.
    pub(super) fn count(&self) -> Result<f64, Reason> {
        if self.pixels <= 0.0 {
            return Err(Reason::LowCoverage);
        }
        Ok((self.in_all + 1.0) * ((self.captured + 1.0) / (self.captured_in_all + 1.0)) - 1.0)
    }

    /// A sum over the pores present in all visits, times [`PoreSums::count`] over their number.
    pub(super) fn scaled_to_count(&self, sum: f64) -> Result<f64, Reason> {
        match self.count()? {
            count if self.in_all > 0.0 => Ok(count * (sum / self.in_all)),
            count if count > 0.0 => Err(Reason::NothingFound),
            _ => Ok(0.0),
        }
    }

    /// Volume of the mean dark profile in this visit over that in all visits.
    pub(super) fn volume_ratio(&self) -> Result<f64, Reason> {
        if self.used_for_diameter <= 0.0 {
            return Err(Reason::NothingFound);
        }
        let joint = &self.joint_rings;
        let rim = (0..RINGS).fold(0, |best, k| if joint[k] > joint[best] { k } else { best });
        let (joint, own) = (volume(joint, rim), volume(&self.rings, rim));
        if joint <= 0.0 || own <= 0.0 { Err(Reason::BelowNoise) } else { Ok(own / joint) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::pores::{PoreReading, diameter};
    use crate::plane::{Mask, Window};

    /// Ten of fifty captured pores vanish; of those that stay, the follow-up captures twenty more.
    #[test]
    fn two_chances_of_detection_do_not_raise_the_count() {
        let tiles = Tiles::new(Window::full(40, 20), Mask::filled(40, 20, true), 40);
        let pore = |k: usize, present: [bool; 2], captured: [bool; 2]| {
            let reading = |v: usize| PoreReading {
                present: present[v],
                captured: captured[v],
                ..PoreReading::default()
            };
            let [x, y] = [(k % 40) as f64, (k / 40) as f64];
            let readings = vec![reading(0), reading(1)];
            Pore { x, y, diameter_px: 6.0, selection_bias: 0.0, used_for_diameter: true, readings }
        };
        let pores: Vec<Pore> = (0..70)
            .map(|k| match k {
                0..40 => pore(k, [true, true], [true, true]),
                40..50 => pore(k, [true, false], [true, false]),
                _ => pore(k, [true, true], [false, true]),
            })
            .collect();
        let counts = [0, 1].map(|visit| {
            let row = sheet(&pores, visit, &tiles, &Sampling::sharp(0.05)).total(&[1.0]);
            PoreSums::from_row(&row).count().unwrap()
        });
        // Chapman's 61 · 51 / 41 − 1, a true loss of one in five.
        assert!((counts[0] - 74.878).abs() < 1e-3 && counts[1] == 60.0, "{counts:?}");
    }

    /// All that this visit captured is new, which is no decrease; and weak pores are not used for the diameter.
    #[test]
    fn weak_pores_give_no_decrease_of_the_count_and_no_diameter() {
        let sums = PoreSums {
            pixels: 1e4,
            captured: 5.0,
            in_all: 10.0,
            diameter_px: 60.0,
            ..PoreSums::ZERO
        };
        assert_eq!(sums.count(), Ok(65.0));
        let row = Sheet::of(vec![sums]).total(&[1.0]);
        assert_eq!(
            (diameter::METRIC.measure)(&row, &Sampling::sharp(0.05)),
            Err(Reason::NothingFound)
        );
    }
}
