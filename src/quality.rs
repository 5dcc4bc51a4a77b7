//! Checks of the input: value, limit, status, and what the photographer should do.

use crate::align::Alignment;
use crate::filter::stats::{median, quantile};
use crate::light::LightChange;
use crate::luminance::{Luminance, Pair};
use crate::photo::Photo;
use crate::region::{Expression, Face, Pose, RegionMap, WHOLE};
use crate::series::Scale;
use crate::settings::QualitySettings;
use crate::srgb;
use crate::tone::Tone;
use serde::Serialize;

/// Result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Good.
    Pass,
    /// Usable, with less certainty.
    Warn,
    /// What depends on it is not comparable.
    Fail,
}

/// One check of one photo.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QualityCheck {
    /// Visit number.
    pub visit: usize,
    /// Region, or none for the whole photo.
    pub region: Option<String>,
    /// Permanent name of the check.
    pub check: &'static str,
    /// Outcome.
    pub status: Status,
    /// What was measured.
    pub value: Option<f64>,
    /// What it was held against: the limit it broke, else the one that warns.
    pub limit: Option<f64>,
    /// Unit of value and limit.
    pub unit: &'static str,
    /// One sentence to the photographer; none where the check passed.
    pub advice: Option<String>,
}

/// Holds `value` against `[warn, fail]`; the larger of the two is the worse direction's end. What is not
/// told is a warning.
fn judge(
    visit: usize,
    check: &'static str,
    value: Option<f64>,
    [warn, fail]: [f64; 2],
    unit: &'static str,
    advice: &str,
) -> QualityCheck {
    let rising = fail > warn;
    let breaks = |limit: f64| value.is_some_and(|v| if rising { v >= limit } else { v <= limit });
    let (status, limit) = if breaks(fail) {
        (Status::Fail, fail)
    } else if breaks(warn) || value.is_none() {
        (Status::Warn, warn)
    } else {
        (Status::Pass, warn)
    };
    let advice = if value.is_some() { advice } else { NOT_TOLD };
    let advice = (status != Status::Pass).then(|| advice.to_string());
    QualityCheck { visit, region: None, check, status, value, limit: Some(limit), unit, advice }
}

/// Checks of one photo by itself.
pub fn photo(
    visit: usize,
    photo: &Photo,
    luminance: &Luminance,
    tone: &Tone,
    (regions, scale): (&RegionMap, &Scale),
    settings: &QualitySettings,
) -> Vec<QualityCheck> {
    let lightness = {
        let y = luminance.median_log.exp();
        if y > 216.0 / 24389.0 { 116.0 * y.cbrt() - 16.0 } else { y * 24389.0 / 27.0 }
    };
    let mut checks = vec![
        judge(
            visit,
            "sharpness",
            luminance.blur_px,
            settings.blur_px,
            "px",
            "Focus on the cheek, hold still, and save with the least compression.",
        ),
        judge(
            visit,
            "exposure",
            Some(lightness),
            settings.dark_lightness,
            "L*",
            "Use more light or a longer exposure: the skin is too dark to measure.",
        ),
        judge(
            visit,
            "clipping",
            Some(100.0 * luminance.clipped),
            settings.clipped_percent,
            "%",
            "Expose for the skin: what is burnt out or black cannot be measured.",
        ),
        judge(
            visit,
            "highlights",
            Some(100.0 * luminance.shiny),
            settings.highlight_percent,
            "%",
            "Blot the skin and soften the light: shine hides what lies below it.",
        ),
        judge(
            visit,
            "light_evenness",
            spread(cells(tone).flatten().map(brightness).collect()),
            settings.light_evenness_stops,
            "EV",
            "Light both sides of the skin alike, from the front.",
        ),
        judge(
            visit,
            "noise",
            Some(100.0 * luminance.noise.white.sqrt()),
            settings.noise_percent,
            "%",
            "Use more light and a lower ISO: the noise hides fine texture.",
        ),
    ];
    if let Some(colour) = colour(tone) {
        checks.push(judge(
            visit,
            "colour",
            Some(colour),
            settings.colour_percent,
            "%",
            "The photo is black and white: colour cannot be compared. Use the camera's own file, in colour.",
        ));
    }
    // Of a follow-up, overlap tells what it shows of the baseline's skin.
    if let (0, Some(coverage)) = (visit, coverage(regions)) {
        checks.push(judge(
            visit,
            "coverage",
            Some(coverage),
            settings.covered_percent,
            "%",
            "Tie the hair back and take glasses and jewellery off: they hide the skin.",
        ));
    }
    // Fewer pixels show neither lashes nor texture.
    let resolved = scale.mm_per_px.is_some_and(|s| 1.0 / s.0 > settings.px_per_mm[1]);
    if luminance.fine_beside_eyes.is_some() && resolved {
        checks.push(judge(
            visit,
            "smoothing",
            luminance.fine_beside_eyes,
            settings.smoothing,
            "1",
            "The skin is softer than the lashes: use no filter that smooths it, and no make-up.",
        ));
    }
    if let Some(quantisers) = &photo.quantisers {
        checks.push(judge(
            visit,
            "jpeg_quality",
            Some(quantisers.quality()),
            settings.jpeg_quality,
            "1",
            "Save with a JPEG quality of 90 or more: compression smears fine texture.",
        ));
    }
    // A nominal face tells enough: the limits lie a factor of two apart.
    if scale.mm_per_px.is_some() {
        checks.push(judge(
            visit,
            "resolution",
            scale.mm_per_px.map(|s| 3.0 / (luminance.shortest_period_px * s.0)),
            settings.px_per_mm,
            "px/mm",
            "Move closer or use a camera with more pixels: fine structures are not resolved.",
        ));
    }
    checks
}

/// Share of a face's regions that is skin in sight, %; none without a face.
fn coverage(regions: &RegionMap) -> Option<f64> {
    regions.face?;
    let frame = regions.window;
    let (mut all, mut seen) = (0usize, 0usize);
    for region in regions.regions.iter().filter(|r| r.name != WHOLE) {
        for y in 0..region.window.height {
            for x in (0..region.window.width).filter(|&x| region.inside.at(x, y)) {
                all += 1;
                let (x, y) = (region.window.x + x, region.window.y + y);
                let in_frame = (frame.x..frame.x + frame.width).contains(&x)
                    && (frame.y..frame.y + frame.height).contains(&y);
                seen += usize::from(in_frame && regions.skin.at(x - frame.x, y - frame.y));
            }
        }
    }
    (all > 0).then(|| 100.0 * seen as f64 / all as f64)
}

/// The colour of each cell, of those that are valid.
fn cells(tone: &Tone) -> impl Iterator<Item = Option<[f32; 3]>> + '_ {
    tone.rgb.data().iter().zip(tone.valid.data()).map(|(rgb, valid)| valid.then_some(*rgb))
}

/// Median departure of the skin from grey, as the larger of the logs of red and blue over green, %.
fn colour(tone: &Tone) -> Option<f64> {
    let off =
        |rgb: [f32; 3]| f64::from((rgb[0] / rgb[1]).ln().abs().max((rgb[2] / rgb[1]).ln().abs()));
    median(&mut cells(tone).flatten().map(|rgb| 100.0 * off(rgb)).collect::<Vec<f64>>())
}

/// Natural log of the luminance.
fn brightness(rgb: [f32; 3]) -> f64 {
    f64::from(srgb::luminance(rgb)).ln()
}

/// From the tenth to the ninetieth part of values in natural log, in stops.
fn spread(mut values: Vec<f64>) -> Option<f64> {
    let (low, high) = (quantile(&mut values, 0.1)?, quantile(&mut values, 0.9)?);
    Some((high - low) / 2f64.ln())
}

/// Median change of `of` a cell's colour, over the cells that both photos show.
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

/// Checks of a follow-up against the baseline.
pub fn pair(
    visit: usize,
    pair: &Pair,
    tones: [&Tone; 2],
    light: &LightChange,
    alignment: &Alignment,
    settings: &QualitySettings,
) -> Vec<QualityCheck> {
    let stops = median_change(tones, brightness).map(|change| change.abs() / 2f64.ln());
    let overlap = alignment.all.as_ref().map(|a| a.overlap_percent);
    let mut checks = vec![
        judge(
            visit,
            "sharpness_match",
            pair.blur_difference_px().map(f64::abs),
            settings.blur_difference_px,
            "px",
            "Take the photo again with the focus and camera of the first visit.",
        ),
        judge(
            visit,
            "depth_of_field",
            pair.blur_range_px(),
            settings.depth_of_field_px,
            "px",
            "Keep the whole region at one distance and close the aperture: parts of it are out of focus.",
        ),
        judge(
            visit,
            "sharpening",
            Some(100.0 * pair.processing.fine.abs()),
            settings.processing_percent,
            "%",
            "One of the two photos was sharpened or smoothed: use one camera app, its filters off.",
        ),
        judge(
            visit,
            "tone_mapping",
            Some(100.0 * pair.processing.coarse.abs()),
            settings.processing_percent,
            "%",
            "Contrast or clarity differs on all skin alike: use one camera app, its HDR and filters off.",
        ),
        judge(
            visit,
            "denoising",
            Some(100.0 * pair.processing.edges),
            settings.processing_percent,
            "%",
            "One of the two photos was denoised: weak detail is gone, strong detail is not. Use more light.",
        ),
        judge(
            visit,
            "exposure_match",
            stops,
            settings.exposure_stops,
            "EV",
            "Use the same light and exposure as at the first visit.",
        ),
        judge(
            visit,
            "colour_match",
            colour_change(tones),
            settings.colour_change_percent,
            "%",
            "Lock the white balance, and use the lamps of the first visit.",
        ),
        judge(
            visit,
            "overlap",
            overlap,
            settings.overlap_percent,
            "%",
            "Frame the same area as at the first visit.",
        ),
    ];
    let form = light.form.map(|form| 100.0 * form);
    // A lamp that moved changes the form's contrast too, and has been told by then.
    let still = form.is_none_or(|form| form < settings.light_change_percent[0]);
    let contrast = light.contrast.filter(|_| still).map(|c| 100.0 * c.abs());
    for (name, value, limits, unit, advice) in [
        ("light_match", form, settings.light_change_percent, "%", LAMPS),
        ("contrast_match", contrast, settings.contrast_change_percent, "%", TONE_CURVE),
        ("light_turn", light.turn_deg, settings.light_turn_deg, "degrees", LAMPS),
    ] {
        // A form needs a scale, a turn a face.
        if value.is_some() {
            checks.push(judge(visit, name, value, limits, unit, advice));
        }
    }
    checks
}

const TONE_CURVE: &str =
    "Use the camera, the app and the settings of the first visit: another tone curve fakes relief.";
const LAMPS: &str =
    "Put the lamps where they were at the first visit: light from another side fakes relief.";

/// Checks of a follow-up's face against the baseline's: distance, pose, expression. What the
/// baseline's face does not tell is not asked for; what the follow-up's does not tell is a warning.
pub fn faces(
    visit: usize,
    baseline: &Face,
    follow_up: Option<&Face>,
    settings: &QualitySettings,
) -> Vec<QualityCheck> {
    let mut checks = Vec::new();
    let mut check = |name, before: Option<f64>, after: Option<f64>, limits, unit, advice| {
        if let Some(before) = before {
            let value = after.map(|after| (after - before).abs());
            checks.push(judge(visit, name, value, limits, unit, advice));
        }
    };
    // Both directions alike: half the size is as far off as twice.
    let size = |face: &Face| 100.0 * face.width_px.ln();
    check(
        "distance_match",
        Some(size(baseline)),
        follow_up.map(size),
        settings.distance_percent,
        "%",
        "Photograph from the distance, and with the lens and pixels, of the first visit.",
    );
    for (name, angle, limits, advice) in POSES {
        let told = |face: &Face| face.pose.as_ref().map(angle);
        let limits = limits(settings);
        check(name, told(baseline), follow_up.and_then(told), limits, "degrees", advice);
    }
    for (name, part, limits, advice) in EXPRESSIONS {
        let told = |face: &Face| face.expression.as_ref().and_then(part);
        let limits = limits(settings);
        check(name, told(baseline), follow_up.and_then(told), limits, "1", advice);
    }
    checks
}

const NOT_TOLD: &str = "This photo does not tell: take it from the front, the skin free of hair and glasses, sharp, well lit.";

/// A check of a pair of faces: its name, what is compared, its limits, the advice.
type FaceCheck<T, V> = (&'static str, fn(&T) -> V, fn(&QualitySettings) -> [f64; 2], &'static str);

const POSES: [FaceCheck<Pose, f64>; 3] = [
    ("yaw_match", |p| p.yaw_deg, |s| s.turn_deg, "Turn the head as at the first visit."),
    ("pitch_match", |p| p.pitch_deg, |s| s.turn_deg, "Raise the chin as at the first visit."),
    (
        "roll_match",
        |p| p.roll_deg,
        |s| s.roll_deg,
        "Hold the head as upright as at the first visit.",
    ),
];

const EXPRESSIONS: [FaceCheck<Expression, Option<f64>>; 4] = [
    (
        "smile_match",
        |e| Some(e.mouth_width),
        |s| s.smile,
        "Ask for the relaxed mouth of the first visit: a smile deepens folds and crow's feet.",
    ),
    (
        "mouth_match",
        |e| Some(e.mouth_opening),
        |s| s.mouth_opening,
        "Ask for the lips to be held as at the first visit.",
    ),
    (
        "brows_match",
        |e| e.brow_height,
        |s| s.brow_height,
        "Ask for relaxed brows: raised ones fold the forehead.",
    ),
    (
        "eyes_match",
        |e| Some(e.eye_opening),
        |s| s.eye_opening,
        "Ask for the eyes to be open, or closed, as at the first visit.",
    ),
];

/// Where an expression moves the skin, on both sides; the whole of it holds every part.
const SMILE: [&str; 7] =
    ["lateral_canthal", "infraorbital", "cheek", "nasolabial", "perioral", "chin", WHOLE];
const MOUTH: [&str; 4] = ["nasolabial", "perioral", "chin", WHOLE];
const BROWS: [&str; 3] = ["forehead", "glabella", WHOLE];
const EYES: [&str; 3] = ["lateral_canthal", "infraorbital", WHOLE];

/// Whether a failed check of the baseline or of `visit` forbids comparing a region's `colour`, or
/// its relief. A check forbids just what it touches; distance, resolution, clipping and overlap speak for
/// themselves, metric by metric and region by region. Two black-and-white photos show the same light;
/// against a photo in colour one weighs pigment and blood otherwise.
pub fn forbids(checks: &[QualityCheck], visit: usize, region: &str, colour: bool) -> bool {
    let place = ["_left", "_right"].iter().find_map(|side| region.strip_suffix(side));
    let moves = |places: &[&str]| places.contains(&place.unwrap_or(region));
    let failed = || {
        let either = checks.iter().filter(|c| c.visit == 0 || c.visit == visit);
        either.filter(|c| c.status == Status::Fail)
    };
    let colourless = failed().filter(|c| c.check == "colour").count();
    colourless == 1
        || failed().any(|c| match c.check {
            "sharpness" | "sharpness_match" => !colour,
            "noise" | "jpeg_quality" | "smoothing" => !colour,
            "depth_of_field" | "denoising" => !colour,
            "sharpening" | "tone_mapping" => true,
            "colour" => colour,
            "exposure" | "exposure_match" => true,
            "light_match" | "light_turn" => true,
            "yaw_match" | "pitch_match" | "roll_match" => true,
            "smile_match" => moves(&SMILE),
            "mouth_match" => moves(&MOUTH),
            "brows_match" => moves(&BROWS),
            "eyes_match" => moves(&EYES),
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::{Grid, Mask};

    #[test]
    fn limits_work_in_both_directions() {
        let status = |v: f64, limits| judge(0, "x", Some(v), limits, "px", "do").status;
        assert_eq!(status(1.0, [1.5, 3.0]), Status::Pass);
        assert_eq!(status(2.0, [1.5, 3.0]), Status::Warn);
        assert_eq!(status(3.5, [1.5, 3.0]), Status::Fail);
        assert_eq!(status(99.0, [95.0, 30.0]), Status::Pass);
        assert_eq!(status(90.0, [95.0, 30.0]), Status::Warn);
        assert_eq!(status(10.0, [95.0, 30.0]), Status::Fail);
    }

    /// Ten by ten cells of `rgb`, its light changed by `shade` at each column.
    fn tone(rgb: [f32; 3], shade: impl Fn(usize) -> f32 + Sync) -> Tone {
        Tone {
            cell_px: 1,
            rgb: Grid::from_fn(10, 10, |x, _| rgb.map(|v| v * shade(x))),
            valid: Mask::from_fn(10, 10, |x, y| (x + y) % 7 != 0),
        }
    }

    #[test]
    fn side_light_is_uneven_and_moves_no_colour() {
        let skin = [0.5, 0.35, 0.3];
        let plain = tone(skin, |_| 1.0);
        let side = tone(skin, |x| 2f32.powf(x as f32 / 9.0 - 0.5));
        let evenness = |tone| spread(cells(tone).flatten().map(brightness).collect()).unwrap();
        assert!(evenness(&plain).abs() < 1e-6 && (evenness(&side) - 0.8).abs() < 0.12);
        assert!(colour_change([&plain, &side]).unwrap() < 1e-4);
        let warmer = tone([0.55, 0.35, 0.3], |_| 1.0);
        assert!((colour_change([&plain, &warmer]).unwrap() - 100.0 * 1.1f64.ln()).abs() < 1e-3);
    }

    #[test]
    fn a_failed_check_forbids_relief_or_colour_or_both() {
        for (check, relief, colour) in [
            ("sharpness_match", true, false),
            ("noise", true, false),
            ("jpeg_quality", true, false),
            ("smoothing", true, false),
            ("light_match", true, true),
            ("overlap", false, false),
        ] {
            let failed = [judge(1, check, Some(2.0), [0.5, 1.0], "px", "do")];
            let both = [false, true].map(|colour| forbids(&failed, 1, "chin", colour));
            assert_eq!(both, [relief, colour], "{check}");
            let warned = [judge(1, check, Some(0.7), [0.5, 1.0], "px", "do")];
            assert!(!forbids(&warned, 1, "chin", false), "{check}");
        }
    }

    #[test]
    fn a_black_and_white_photo_is_told() {
        let skin = tone([0.5, 0.35, 0.3], |_| 1.0);
        assert!(colour(&skin).unwrap() > 30.0);
        let grey = tone([0.35; 3], |x| 1.0 + 0.1 * x as f32);
        assert!(colour(&grey).unwrap() < 1e-3);
        let fails = |visit| judge(visit, "colour", Some(0.0), [8.0, 3.0], "%", "do");
        for (checks, relief, colour) in [
            (vec![fails(0)], true, true),
            (vec![fails(1)], true, true),
            (vec![fails(0), fails(1)], false, true),
        ] {
            let both = [false, true].map(|colour| forbids(&checks, 1, "chin", colour));
            assert_eq!(both, [relief, colour]);
        }
        assert!(!forbids(&[fails(2)], 1, "chin", true), "another visit");
    }

    fn face() -> Face {
        Face {
            eyes: [[40.0, 50.0], [103.0, 50.0]],
            mouth: [71.0, 120.0],
            width_px: 140.0,
            nose_base: None,
            chin: None,
            pose: Some(Pose { yaw_deg: 1.0, pitch_deg: 3.0, roll_deg: 0.0 }),
            expression: Some(Expression {
                eye_opening: 0.4,
                mouth_width: 0.8,
                mouth_opening: 0.3,
                brow_height: Some(0.3),
            }),
            mm_per_px: None,
        }
    }

    /// Each check fails on a face made for it, on no other, and forbids the regions it touches.
    #[test]
    fn each_face_check_fires_alone_and_touches_its_own_regions() {
        let settings = QualitySettings::default();
        let posed = |change: fn(&mut Pose)| {
            let mut face = face();
            change(face.pose.as_mut().unwrap());
            face
        };
        let acting = |change: fn(&mut Expression)| {
            let mut face = face();
            change(face.expression.as_mut().unwrap());
            face
        };
        let cases = [
            ("distance_match", Face { width_px: 60.0, ..face() }, None, Some("cheek_left")),
            ("yaw_match", posed(|p| p.yaw_deg += 20.0), Some("chin"), None),
            ("pitch_match", posed(|p| p.pitch_deg -= 20.0), Some("nose"), None),
            ("roll_match", posed(|p| p.roll_deg += 30.0), Some("nose"), None),
            ("smile_match", acting(|e| e.mouth_width += 0.2), Some("cheek_left"), Some("forehead")),
            ("mouth_match", acting(|e| e.mouth_opening += 0.3), Some("perioral"), Some("nose")),
            ("brows_match", acting(|e| e.brow_height = Some(0.4)), Some("forehead"), Some("chin")),
            (
                "eyes_match",
                acting(|e| e.eye_opening = 0.1),
                Some("lateral_canthal_left"),
                Some("glabella"),
            ),
        ];
        for (name, changed, touched, free) in cases {
            let checks = faces(1, &face(), Some(&changed), &settings);
            let failed: Vec<_> = checks.iter().filter(|c| c.status == Status::Fail).collect();
            assert_eq!(failed.iter().map(|c| c.check).collect::<Vec<_>>(), [name]);
            assert!(failed[0].advice.is_some());
            assert!(touched.is_none_or(|region| forbids(&checks, 1, region, false)), "{name}");
            assert!(free.is_none_or(|region| !forbids(&checks, 1, region, false)), "{name}");
            assert!(!forbids(&checks, 2, "chin", false), "another visit");
        }
        let same = faces(1, &face(), Some(&face()), &settings);
        assert!(same.len() == 8 && same.iter().all(|c| c.status == Status::Pass));
        let lost = faces(1, &face(), None, &settings);
        assert!(lost.iter().all(|c| c.status == Status::Warn && c.value.is_none()));
        let plain = Face { pose: None, expression: None, ..face() };
        assert_eq!(faces(1, &plain, Some(&face()), &settings).len(), 1);
    }
}
