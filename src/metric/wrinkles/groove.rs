//! Width and depth of the groove that a cross-section shows.
//!
//! The light that a groove loses is the integral of its dark profile, which neither blur nor the scattering of light in
//! skin changes, and to which the odd part of oblique light adds nothing. By radiosity in long grooves (V, U and
//! Gaussian, albedo 0.3–0.65, any mixture of diffuse and directed light) the integral is D ≈ w·K·q²/(1 + ½q²), w the width and
//! q = depth/w: the steeper the walls, the less light they get and the less of them is visible; `benches/groove.py`
//! makes the table. K is a mean over mixtures of light and shapes that are not known: depths are accurate to some 20 %.
//!
//! The mean cross-section of all visits is scaled in height and in width to fit that of each visit: the two factors
//! give the visit's change of depth. The light that the visits share cancels, and so does the background texture, whose
//! share of each cross-section is subtracted first. A visit's width is that of what is left.

use super::section::{SAMPLES, Section};
use crate::metric::Sampling;
use crate::settings::GrooveSettings;

/// Area of a Gaussian of height 1 and of full width 1 at half maximum.
const GAUSS_AREA: f64 = 1.064_467_019;
/// Full width at half maximum of a Gaussian of sigma 1.
const FWHM: f64 = 2.354_820_045;
/// Largest share of a cross-section that is attributed to background texture.
const BACKGROUND_MAX: f64 = 0.6;
/// Least height, over that of the mean cross-section, at which a stretch is fitted.
const HEIGHT_MIN: f64 = 0.2;
/// Largest stretch for which the first-order fit holds, natural log.
const STRETCH_MAX: f64 = 0.7;
/// Lower limit of a height or an integral whose logarithm is taken: that of a vanished groove.
const VANISHED: f64 = 1e-3;

/// The groove that a cross-section shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Groove {
    /// Full width at half depth of the groove, mm.
    pub(super) width_mm: f64,
    /// Half-width within which the dark profile is searched, mm; the flanks begin there.
    half_width_mm: f64,
    /// First and last sample of the dark profile: where the mean cross-section of the visits first reaches the level of
    /// its flanks. The same in all visits: a shoulder just above the level in one and just below in the other makes
    /// neither width jump.
    profile: [usize; 2],
    /// Full width at half maximum of the photo's own blur, mm.
    camera_mm: f64,
    settings: GrooveSettings,
}

/// A visit's groove in relation to the mean of the visits.
pub(super) struct GrooveChange {
    /// Depth, over that in the mean.
    pub(super) depth: f64,
    /// Full width at half depth, mm; 0 where next to nothing is left.
    pub(super) width_mm: f64,
}

impl Groove {
    /// Measures the width twice: with the least half-width of the dark profile, then with that which follows from the
    /// first result.
    pub(super) fn of(section: &Section, sampling: &Sampling) -> Groove {
        let settings = sampling.groove;
        let camera_mm =
            FWHM * settings.blur_periods * sampling.shortest_period_px * sampling.mm_per_px;
        let half_width_mm = settings.half_width_min_mm;
        let mut groove =
            Groove { width_mm: 0.0, half_width_mm, profile: [0, 0], camera_mm, settings };
        groove.profile = groove.profile_range(section);
        for _ in 0..2 {
            groove.width_mm = groove.groove_width_mm(section);
            let most = settings.reach_mm - settings.flank_mm;
            groove.half_width_mm = settings
                .half_width_min_mm
                .max(settings.half_width_ratio * groove.width_mm)
                .min(most);
            groove.profile = groove.profile_range(section);
        }
        groove
    }

    /// Full width at half depth of the groove, mm: from the square of the dark profile's width, less the squares that
    /// the camera's blur, scattering and the line's placement add; over the profile's width in groove widths, since
    /// walls are dark where they are steep. 0 without a dark profile.
    fn groove_width_mm(&self, section: &Section) -> f64 {
        let width = self.profile_width_mm(section);
        let own = width * width - self.settings.spread_mm.powi(2) - self.camera_mm.powi(2);
        own.max((self.settings.width_min * width).powi(2)).sqrt()
            / self.settings.profile_width_ratio
    }

    /// Full width at half maximum of the dark profile, mm: that of the Gaussian of its height and area, which does not
    /// jump with a shoulder near half height. 0 without a dark profile.
    fn profile_width_mm(&self, section: &Section) -> f64 {
        let contrast = self.contrast(section);
        if contrast <= 0.0 {
            return 0.0;
        }
        let level = self.flank_level(section);
        let [first, last] = self.profile;
        let area: f64 = section[first..=last].iter().map(|v| (level - v).max(0.0)).sum();
        area * self.settings.step_mm() / contrast / GAUSS_AREA
    }

    /// First and last of the adjacent samples around the darkest that are darker than the flanks.
    fn profile_range(&self, section: &Section) -> [usize; 2] {
        let level = self.flank_level(section);
        let darkest = self.darkest(section);
        let dark = |i: &usize| section[*i] < level;
        let first = (0..darkest).rev().take_while(dark).last();
        let last = (darkest..SAMPLES).take_while(dark).last();
        [first.unwrap_or(darkest), last.unwrap_or(darkest)]
    }

    /// Numbers and values of the samples within the half-width.
    fn central<'a>(&self, section: &'a Section) -> impl Iterator<Item = (usize, f64)> + use<'a> {
        let half_width = self.half_width_mm;
        let inside = section.iter().enumerate().zip(self.settings.offsets_mm());
        inside.filter(move |(_, x)| x.abs() <= half_width).map(|((i, v), _)| (i, *v))
    }

    /// The darkest sample within the half-width.
    fn darkest(&self, section: &Section) -> usize {
        let darkest = self.central(section).min_by(|a, b| a.1.total_cmp(&b.1));
        darkest.map_or(SAMPLES / 2, |(i, _)| i)
    }

    /// Mean of both flanks.
    fn flank_level(&self, section: &Section) -> f64 {
        let flank = |x: f64| {
            x.abs() > self.half_width_mm && x.abs() <= self.half_width_mm + self.settings.flank_mm
        };
        let (sum, n) = section
            .iter()
            .zip(self.settings.offsets_mm())
            .filter(|(_, x)| flank(*x))
            .fold((0.0, 0.0), |(sum, n), (v, _)| (sum + v, n + 1.0));
        sum / f64::max(n, 1.0)
    }

    /// Height of the dark profile: level of the flanks less the darkest sample, log units.
    pub(super) fn contrast(&self, section: &Section) -> f64 {
        self.flank_level(section) - section[self.darkest(section)]
    }

    /// Integral of the dark profile, log units × mm.
    fn integral(&self, section: &Section) -> f64 {
        let level = self.flank_level(section);
        self.central(section).map(|(_, v)| level - v).sum::<f64>() * self.settings.step_mm()
    }

    /// How far the integral fills the dark profile's contrast × width, 0–1: 1 under frontal light, less under oblique
    /// light or with specular reflection, and where it is too small to be distinguished from background texture.
    fn solidity(&self, section: &Section) -> f64 {
        let all = self.contrast(section) * self.width_mm;
        if all <= 0.0 {
            return 0.0;
        }
        (self.integral(section) / (self.settings.solidity * all)).clamp(0.0, 1.0)
    }

    /// Depth of the mean cross-section of the visits, mm. The integral counts at least as half that of a solid profile
    /// of the same contrast.
    pub(super) fn depth_mm(&self, section: &Section) -> f64 {
        let least = 0.5 * self.settings.solidity * self.contrast(section);
        let k = self.settings.depth_factor;
        // D/w approaches 2K for ever steeper walls; beyond 1.5K it does not determine a depth.
        let y = (self.integral(section) / self.width_mm).max(least).min(1.5 * k);
        self.width_mm * (y / (k - 0.5 * y)).sqrt()
    }

    /// Amplitude of the profile of `reference` in a section, flanks included; 1 for `reference` itself.
    pub(super) fn relative_amplitude(&self, section: &Section, reference: &Section) -> f64 {
        let reach = self.half_width_mm + self.settings.flank_mm;
        let near = |s: &Section| -> Vec<f64> {
            let near = s.iter().zip(self.settings.offsets_mm()).filter(|(_, x)| x.abs() <= reach);
            near.map(|(v, _)| *v).collect()
        };
        let own = near(section);
        projection(&own, &near(reference), &[&vec![1.0; own.len()]])
    }

    /// The change of a visit, of cross-section `section`, against the mean of the visits, of cross-section `joint`,
    /// from which `self` was made.
    ///
    /// Lines are detected where the background texture happens to be dark, too, and it does not change with them. Its
    /// relative response around, `background`, gives its share of the mean cross-section, which is subtracted first.
    ///
    /// The depth follows from the height and the stretch of the mean cross-section that fit best, whatever its shift.
    /// By radiosity (`benches/groove.py`) the height goes as the depth under oblique light, to a power of 0.8–1.3, and
    /// the profile's integral as its square. The height depends on the light's direction, the integral hardly does: it
    /// has half of the weight where the profile is solid. Under an even sky the height, too, goes as the square, and a
    /// change of depth comes out up to half too large. What became narrower is steeper, and so darker.
    pub(super) fn change(
        &self,
        section: &Section,
        joint: &Section,
        background: f64,
    ) -> GrooveChange {
        let background = (self.settings.background * background).clamp(0.0, BACKGROUND_MAX);
        let own: Section =
            std::array::from_fn(|i| (section[i] - background * joint[i]) / (1.0 - background));
        let [height, stretch] = self.height_and_stretch(&own, joint);
        let weight = 0.5 * self.solidity(joint);
        let integral = if weight > 0.0 { self.integral(&own) / self.integral(joint) } else { 1.0 };
        let depth =
            height.max(VANISHED).powf(1.0 - weight) * integral.max(VANISHED).powf(0.5 * weight);
        GrooveChange {
            depth: depth * (stretch * (1.0 - 0.5 * weight)).exp(),
            width_mm: if height >= HEIGHT_MIN { self.groove_width_mm(&own) } else { 0.0 },
        }
    }

    /// Height (factor) and stretch (natural log) of the mean cross-section `joint` that fit a visit's best, level and
    /// shift free; to first order.
    fn height_and_stretch(&self, own: &Section, joint: &Section) -> [f64; 2] {
        let at: Vec<f64> = self.settings.offsets_mm().collect();
        let reach = self.half_width_mm + self.settings.flank_mm;
        let near: Vec<usize> = (1..SAMPLES - 1).filter(|&i| at[i].abs() <= reach).collect();
        let bottom = at[self.darkest(joint)];
        let of =
            |value: &dyn Fn(usize) -> f64| near.iter().map(|&i| value(i)).collect::<Vec<f64>>();
        let slope = |i: usize| (joint[i + 1] - joint[i - 1]) / (at[i + 1] - at[i - 1]);
        let (level, shift) = (of(&|_| 1.0), of(&slope));
        let (shape, stretch) = (of(&|i| joint[i]), of(&|i| (bottom - at[i]) * slope(i)));
        let own = of(&|i| own[i]);
        let height = projection(&own, &shape, &[&level, &shift, &stretch]);
        let stretch = if height >= HEIGHT_MIN {
            projection(&own, &stretch, &[&level, &shift, &shape]) / height
        } else {
            0.0
        };
        [height, stretch.clamp(-STRETCH_MAX, STRETCH_MAX)]
    }
}

/// Coefficient of `shape` in the least-squares fit of a section by `shape` and the `others`.
fn projection(section: &[f64], shape: &[f64], others: &[&[f64]]) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let residual = |of: &[f64], basis: &[Vec<f64>]| {
        let mut residual = of.to_vec();
        for b in basis {
            let fraction = product(&residual, b) / product(b, b).max(f64::MIN_POSITIVE);
            residual.iter_mut().zip(b).for_each(|(r, b)| *r -= fraction * b);
        }
        residual
    };
    for other in others {
        let next = residual(other, &basis);
        basis.push(next);
    }
    let orthogonal = residual(shape, &basis);
    let all = product(&orthogonal, shape);
    if all > 0.0 { product(&orthogonal, section) / all } else { 0.0 }
}

/// Width of the groove whose dark profile is a Gaussian of `sigma_mm`, in a sharp photo of 0.08 mm/px.
#[cfg(test)]
pub(super) fn width_of_gaussian(sigma_mm: f64) -> f64 {
    let settings = GrooveSettings::default();
    let profile = FWHM * sigma_mm;
    let camera = FWHM * settings.blur_periods * 3.0 * 0.08;
    let own = profile * profile - settings.spread_mm.powi(2) - camera * camera;
    own.sqrt() / settings.profile_width_ratio
}

#[cfg(test)]
mod tests {
    use super::super::section::mean;
    use super::*;

    /// Background texture under a line stays as it is: the remainder gives the groove's width and depth.
    #[test]
    fn background_texture_moves_neither_width_nor_depth_of_a_groove() {
        let sampling = Sampling::sharp(0.08);
        let gauss = |height: f64, sigma_mm: f64| -> Section {
            let at: Vec<f64> = sampling.groove.offsets_mm().collect();
            std::array::from_fn(|i| -height * (-0.5 * (at[i] / sigma_mm).powi(2)).exp())
        };
        let response = 0.4;
        let background = sampling.groove.background * response;
        let read = |grooves: [Section; 2]| {
            let joint = mean(&grooves);
            let groove = Groove::of(&joint, &sampling);
            grooves.map(|own| {
                let section =
                    std::array::from_fn(|i| background * joint[i] + (1.0 - background) * own[i]);
                groove.change(&section, &joint, response)
            })
        };
        let [wide, narrow] = read([gauss(0.2, 0.4), gauss(0.2, 0.28)]);
        for (width, sigma_mm) in [(wide.width_mm, 0.4), (narrow.width_mm, 0.28)] {
            let drawn = width_of_gaussian(sigma_mm);
            assert!((width / drawn - 1.0).abs() < 0.03, "{width} {drawn}");
        }
        let [before, after] = read([gauss(0.2, 0.4), gauss(0.14, 0.4)]);
        assert!((after.width_mm / before.width_mm - 1.0).abs() < 1e-9, "{}", after.width_mm);
        // The height goes as the depth, the integral as its square.
        let ratio = after.depth / before.depth;
        assert!(ratio > 0.7 - 1e-9 && ratio < 0.7f64.sqrt(), "{ratio}");
    }

    #[test]
    fn the_relative_amplitude_of_a_profile_is_linear() {
        let profile: Section = std::array::from_fn(|i| -(-(i as f64 - 24.0).powi(2) / 30.0).exp());
        let groove = Groove::of(&profile, &Sampling::sharp(0.08));
        let amplitude = |section: &Section| groove.relative_amplitude(section, &profile);
        assert!((amplitude(&profile.map(|v| 0.3 * v + 0.7)) - 0.3).abs() < 1e-12);
        assert!(amplitude(&[0.2; SAMPLES]).abs() < 1e-12);
    }
}
