//! Checks of a follow-up against the baseline.

use super::photo::{brightness, cells};
use super::{Check, QualityCheck, judge};
use crate::align::Alignment;
use crate::filter::stats::median;
use crate::light::LightChange;
use crate::luminance::Pair;
use crate::settings::QualitySettings;
use crate::tone::Tone;

/// What a follow-up's checks against the baseline are computed from.
pub struct CheckedPair<'a> {
    /// Comparable luminance of the two photos.
    pub pair: &'a Pair,
    /// Their colour, the baseline first.
    pub tones: [&'a Tone; 2],
    /// Change of the light.
    pub light: &'a LightChange,
    /// Registration of the follow-up to the baseline.
    pub alignment: &'a Alignment,
}

/// Checks of a follow-up against the baseline.
pub fn pair(
    visit: usize,
    checked: &CheckedPair<'_>,
    settings: &QualitySettings,
) -> Vec<QualityCheck> {
    let CheckedPair { pair, tones, light, alignment } = *checked;
    let stops = median_change(tones, brightness).map(|change| change.abs() / 2f64.ln());
    let mut values = vec![
        (Check::SharpnessMatch, pair.blur_difference_px().map(f64::abs)),
        (Check::DepthOfField, pair.blur_range_px()),
        (Check::Sharpening, Some(100.0 * pair.processing.fine.abs())),
        (Check::ToneMapping, Some(100.0 * pair.processing.coarse.abs())),
        (Check::Denoising, Some(100.0 * pair.processing.denoising)),
        (Check::ExposureMatch, stops),
        (Check::ColourMatch, colour_change(tones)),
        (Check::Overlap, alignment.all.as_ref().map(|a| a.overlap_percent)),
        (Check::Edited, Some(100.0 * pair.foreign)),
    ];
    let shading = light.shading_change.map(|change| 100.0 * change);
    // Another light direction changes the contrast of the shading too, and has its own check.
    let same_light = shading.is_none_or(|change| change < Check::LightMatch.limits(settings)[0]);
    let tone_curve = light.tone_curve_gain.filter(|_| same_light).map(|gain| 100.0 * gain.abs());
    // Shading needs a scale, a light direction a face.
    let measured = [
        (Check::LightMatch, shading),
        (Check::ContrastMatch, tone_curve),
        (Check::LightTurn, light.turn_deg),
    ];
    values.extend(measured.into_iter().filter(|(_, value)| value.is_some()));
    values.into_iter().map(|(check, value)| judge(visit, check, value, settings)).collect()
}

/// Median change of `of` a cell's colour, over the cells valid in both photos.
fn median_change([a, b]: [&Tone; 2], of: impl Fn([f32; 3]) -> f64) -> Option<f64> {
    let both = cells(a).zip(cells(b)).filter_map(|(a, b)| Some(of(b?) - of(a?)));
    median(&mut both.collect::<Vec<f64>>())
}

/// Difference of the skin's colour, as the larger change of the channels' ratios to green, %.
fn colour_change(tones: [&Tone; 2]) -> Option<f64> {
    let change = |channel: usize| {
        Some(median_change(tones, |rgb| f64::from(rgb[channel] / rgb[1]).ln())?.abs())
    };
    Some(100.0 * f64::max(change(0)?, change(2)?))
}

#[cfg(test)]
mod tests {
    use super::super::samples::tone;
    use super::*;

    #[test]
    fn side_light_changes_no_colour() {
        let skin = [0.5, 0.35, 0.3];
        let plain = tone(skin, |_| 1.0);
        let side = tone(skin, |x| 2f32.powf(x as f32 / 9.0 - 0.5));
        assert!(colour_change([&plain, &side]).unwrap() < 1e-4);
        let warmer = tone([0.55, 0.35, 0.3], |_| 1.0);
        assert!((colour_change([&plain, &warmer]).unwrap() - 100.0 * 1.1f64.ln()).abs() < 1e-3);
    }
}
