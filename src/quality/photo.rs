//! Checks of one photo by itself.

use super::{Check, QualityCheck, judge};
use crate::align::Placement;
use crate::filter::stats::{median, quantile};
use crate::luminance::Luminance;
use crate::photo::Photo;
use crate::region::{RegionMap, WHOLE};
use crate::settings::QualitySettings;
use crate::srgb;
use crate::tone::Tone;

/// What the checks of one photo are computed from.
pub struct CheckedPhoto<'a> {
    /// The photo.
    pub photo: &'a Photo,
    /// Where it lies on the baseline.
    pub placement: &'a Placement<'a>,
    /// Its luminance on the baseline's pixels.
    pub luminance: &'a Luminance,
    /// Its colour.
    pub tone: &'a Tone,
}

/// Checks of one photo by itself.
pub fn photo(
    visit: usize,
    checked: &CheckedPhoto<'_>,
    settings: &QualitySettings,
) -> Vec<QualityCheck> {
    let CheckedPhoto { photo, placement, luminance, tone } = *checked;
    let Placement { regions, scale, .. } = *placement;
    let mut values = vec![
        (Check::Sharpness, luminance.blur_px),
        (Check::Exposure, Some(lightness(luminance.median_log.exp()))),
        (Check::Clipping, Some(100.0 * luminance.clipped)),
        (Check::Highlights, Some(100.0 * luminance.highlights)),
        (Check::LightEvenness, spread(cells(tone).flatten().map(brightness).collect())),
        (Check::Noise, Some(100.0 * luminance.noise.white.sqrt())),
    ];
    let mut add_measured = |check, value: Option<f64>| {
        values.extend(value.map(|value| (check, Some(value))));
    };
    add_measured(Check::Colour, colour(tone));
    // A follow-up has the check of overlap instead.
    add_measured(Check::Coverage, (visit == 0).then(|| coverage(regions)).flatten());
    // Fewer pixels resolve neither lashes nor texture.
    let resolved = scale.mm_per_px.is_some_and(|s| 1.0 / s.0 > settings.px_per_mm[1]);
    add_measured(Check::Smoothing, luminance.fine_detail_ratio.filter(|_| resolved));
    let quantisers = photo.quantisers.as_ref();
    add_measured(Check::JpegQuality, quantisers.map(|quantisers| quantisers.quality()));
    // A nominal scale of a face suffices: the limits are a factor of two apart.
    let resolution = scale.mm_per_px.map(|s| 3.0 / (luminance.shortest_period_px * s.0));
    add_measured(Check::Resolution, resolution);
    values.into_iter().map(|(check, value)| judge(visit, check, value, settings)).collect()
}

/// CIE L* of a luminance, 0 … 1.
fn lightness(y: f64) -> f64 {
    if y > 216.0 / 24389.0 { 116.0 * y.cbrt() - 16.0 } else { y * 24389.0 / 27.0 }
}

/// Visible skin in the regions of a face, % of their area; `None` without a face.
fn coverage(regions: &RegionMap) -> Option<f64> {
    regions.face?;
    let frame = regions.window;
    let (mut all, mut visible) = (0usize, 0usize);
    for region in regions.regions.iter().filter(|r| r.name != WHOLE) {
        for y in 0..region.window.height {
            for x in (0..region.window.width).filter(|&x| region.inside.at(x, y)) {
                all += 1;
                let (x, y) = (region.window.x + x, region.window.y + y);
                let in_frame = (frame.x..frame.x + frame.width).contains(&x)
                    && (frame.y..frame.y + frame.height).contains(&y);
                visible += usize::from(in_frame && regions.skin.at(x - frame.x, y - frame.y));
            }
        }
    }
    (all > 0).then(|| 100.0 * visible as f64 / all as f64)
}

/// The colour of each cell; `None` where the cell is not valid.
pub(super) fn cells(tone: &Tone) -> impl Iterator<Item = Option<[f32; 3]>> + '_ {
    tone.rgb.data().iter().zip(tone.valid.data()).map(|(rgb, valid)| valid.then_some(*rgb))
}

/// Median departure of the skin from grey, %: the larger absolute log ratio of red to green and blue to green.
fn colour(tone: &Tone) -> Option<f64> {
    let departure =
        |rgb: [f32; 3]| f64::from((rgb[0] / rgb[1]).ln().abs().max((rgb[2] / rgb[1]).ln().abs()));
    median(&mut cells(tone).flatten().map(|rgb| 100.0 * departure(rgb)).collect::<Vec<f64>>())
}

/// Natural log of the luminance.
pub(super) fn brightness(rgb: [f32; 3]) -> f64 {
    f64::from(srgb::luminance(rgb)).ln()
}

/// Range from the 10th to the 90th percentile of values in natural log, in stops.
fn spread(mut values: Vec<f64>) -> Option<f64> {
    let (low, high) = (quantile(&mut values, 0.1)?, quantile(&mut values, 0.9)?);
    Some((high - low) / 2f64.ln())
}

#[cfg(test)]
mod tests {
    use super::super::samples::tone;
    use super::*;

    #[test]
    fn side_light_is_uneven() {
        let skin = [0.5, 0.35, 0.3];
        let plain = tone(skin, |_| 1.0);
        let side = tone(skin, |x| 2f32.powf(x as f32 / 9.0 - 0.5));
        let evenness = |tone| spread(cells(tone).flatten().map(brightness).collect()).unwrap();
        assert!(evenness(&plain).abs() < 1e-6 && (evenness(&side) - 0.8).abs() < 0.12);
    }

    #[test]
    fn a_black_and_white_photo_is_recognised() {
        let skin = tone([0.5, 0.35, 0.3], |_| 1.0);
        assert!(colour(&skin).unwrap() > 30.0);
        let grey = tone([0.35; 3], |x| 1.0 + 0.1 * x as f32);
        assert!(colour(&grey).unwrap() < 1e-3);
    }
}
