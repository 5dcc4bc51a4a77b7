//! The checks: names, units, limits, what each affects, and the advice.

use crate::region::WHOLE;
use crate::settings::QualitySettings;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A check of the input; its names in results are permanent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Blur of the photo.
    Sharpness,
    /// Lightness of the skin.
    Exposure,
    /// Skin that is clipped or black.
    Clipping,
    /// Skin under specular highlights.
    Highlights,
    /// Spread of the illumination over the skin.
    LightEvenness,
    /// Noise of the photo.
    Noise,
    /// Departure of the skin from grey.
    Colour,
    /// Visible skin in the regions of a face.
    Coverage,
    /// Fine detail of the skin over that of the eyes with lashes and brows.
    Smoothing,
    /// Quality that the JPEG was saved with.
    JpegQuality,
    /// Resolution on the skin.
    Resolution,
    /// Difference of blur.
    SharpnessMatch,
    /// Range of the blur over the skin.
    DepthOfField,
    /// Common gain of fine octaves: sharpening or smoothing.
    Sharpening,
    /// Common gain of coarse octaves: tone mapping or clarity.
    ToneMapping,
    /// Loss of weak detail, strong detail kept: denoising.
    Denoising,
    /// Difference of exposure.
    ExposureMatch,
    /// Difference of colour.
    ColourMatch,
    /// Fraction of the baseline's skin visible in the follow-up.
    Overlap,
    /// Fraction covered by foreign objects in one photo: text, a stamp, a bandage.
    Edited,
    /// Change of the shading: another light direction.
    LightMatch,
    /// Gain of another tone curve.
    ContrastMatch,
    /// Turn of the light direction on a face.
    LightTurn,
    /// Difference in the size of the face.
    DistanceMatch,
    /// Difference of the yaw of the head.
    YawMatch,
    /// Difference of the pitch of the head.
    PitchMatch,
    /// Difference of the roll of the head.
    RollMatch,
    /// Difference in the width of the mouth.
    SmileMatch,
    /// Difference in the opening of the mouth.
    MouthMatch,
    /// Difference in the height of the brows.
    BrowsMatch,
    /// Difference in the opening of the eyes.
    EyesMatch,
}

/// Metrics and regions that are not comparable where a check has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Affects {
    /// Metrics of relief: texture, wrinkles, pores, scars.
    pub relief: bool,
    /// Metrics of tone: colour and spots.
    pub tone: bool,
    /// Names of the regions, without their side; `None` for all regions.
    pub regions: Option<&'static [&'static str]>,
}

impl Affects {
    /// Whether a region, of either side, is affected.
    pub fn includes(&self, region: &str) -> bool {
        let place = ["_left", "_right"].iter().find_map(|side| region.strip_suffix(side));
        self.regions.is_none_or(|regions| regions.contains(&place.unwrap_or(region)))
    }
}

/// Of distance, resolution, clipping and overlap, among others: a failure makes no row not comparable, since the
/// metrics leave out what they cannot measure.
const NOTHING: Affects = Affects { relief: false, tone: false, regions: None };
const RELIEF: Affects = Affects { relief: true, ..NOTHING };
const TONE: Affects = Affects { tone: true, ..NOTHING };
const ALL: Affects = Affects { relief: true, tone: true, regions: None };

/// Regions in which an expression moves the skin, on both sides; `whole` contains every region.
const SMILE: [&str; 7] =
    ["lateral_canthal", "infraorbital", "cheek", "nasolabial", "perioral", "chin", WHOLE];
const MOUTH: [&str; 4] = ["nasolabial", "perioral", "chin", WHOLE];
const BROWS: [&str; 3] = ["forehead", "glabella", WHOLE];
const EYES: [&str; 3] = ["lateral_canthal", "infraorbital", WHOLE];

const LAMPS: &str =
    "Put the lamps where they were at the first visit: light from another side fakes relief.";

/// Definition of a check.
struct Row {
    check: Check,
    name: &'static str,
    unit: &'static str,
    limits: fn(&QualitySettings) -> [f64; 2],
    affects: Affects,
    advice: &'static str,
}

/// One row for each check, in the order of [`Check`].
const TABLE: [Row; 31] = [
    Row {
        check: Check::Sharpness,
        name: "sharpness",
        unit: "px",
        limits: |s| s.blur_px,
        affects: RELIEF,
        advice: "Focus on the cheek, hold still, and save with the least compression.",
    },
    Row {
        check: Check::Exposure,
        name: "exposure",
        unit: "L*",
        limits: |s| s.lightness,
        affects: ALL,
        advice: "Use more light or a longer exposure: the skin is too dark to measure.",
    },
    Row {
        check: Check::Clipping,
        name: "clipping",
        unit: "%",
        limits: |s| s.clipped_percent,
        affects: NOTHING,
        advice: "Expose for the skin: what is burnt out or black cannot be measured.",
    },
    Row {
        check: Check::Highlights,
        name: "highlights",
        unit: "%",
        limits: |s| s.highlight_percent,
        affects: NOTHING,
        advice: "Blot the skin and soften the light: shine hides what lies below it.",
    },
    Row {
        check: Check::LightEvenness,
        name: "light_evenness",
        unit: "EV",
        limits: |s| s.light_evenness_stops,
        affects: NOTHING,
        advice: "Light both sides of the skin alike, from the front.",
    },
    Row {
        check: Check::Noise,
        name: "noise",
        unit: "%",
        limits: |s| s.noise_percent,
        affects: RELIEF,
        advice: "Use more light and a lower ISO: the noise hides fine texture.",
    },
    Row {
        check: Check::Colour,
        name: "colour",
        unit: "%",
        limits: |s| s.colour_percent,
        affects: TONE,
        advice: "The photo is black and white: colour cannot be compared. Use the camera's own file, in colour.",
    },
    Row {
        check: Check::Coverage,
        name: "coverage",
        unit: "%",
        limits: |s| s.face_coverage_percent,
        affects: NOTHING,
        advice: "Tie the hair back and take glasses and jewellery off: they hide the skin.",
    },
    Row {
        check: Check::Smoothing,
        name: "smoothing",
        unit: "1",
        limits: |s| s.fine_detail_ratio,
        affects: RELIEF,
        advice: "The skin is softer than the lashes: use no filter that smooths it, and no make-up.",
    },
    Row {
        check: Check::JpegQuality,
        name: "jpeg_quality",
        unit: "1",
        limits: |s| s.jpeg_quality,
        affects: RELIEF,
        advice: "Save with a JPEG quality of 90 or more: compression smears fine texture.",
    },
    Row {
        check: Check::Resolution,
        name: "resolution",
        unit: "px/mm",
        limits: |s| s.px_per_mm,
        affects: NOTHING,
        advice: "Move closer or use a camera with more pixels: fine structures are not resolved.",
    },
    Row {
        check: Check::SharpnessMatch,
        name: "sharpness_match",
        unit: "px",
        limits: |s| s.blur_difference_px,
        affects: RELIEF,
        advice: "Take the photo again with the focus and camera of the first visit.",
    },
    Row {
        check: Check::DepthOfField,
        name: "depth_of_field",
        unit: "px",
        limits: |s| s.depth_of_field_px,
        affects: RELIEF,
        advice: "Keep the whole region at one distance and close the aperture: parts of it are out of focus.",
    },
    Row {
        check: Check::Sharpening,
        name: "sharpening",
        unit: "%",
        limits: |s| s.processing_percent,
        affects: ALL,
        advice: "One of the two photos was sharpened or smoothed: use one camera app, its filters off.",
    },
    Row {
        check: Check::ToneMapping,
        name: "tone_mapping",
        unit: "%",
        limits: |s| s.processing_percent,
        affects: ALL,
        advice: "Contrast or clarity differs on all skin alike: use one camera app, its HDR and filters off.",
    },
    Row {
        check: Check::Denoising,
        name: "denoising",
        unit: "%",
        limits: |s| s.denoising_percent,
        affects: RELIEF,
        advice: "One of the two photos was denoised: weak detail is gone, strong detail is not. Use more light.",
    },
    Row {
        check: Check::ExposureMatch,
        name: "exposure_match",
        unit: "EV",
        limits: |s| s.exposure_stops,
        affects: ALL,
        advice: "Use the same light and exposure as at the first visit.",
    },
    Row {
        check: Check::ColourMatch,
        name: "colour_match",
        unit: "%",
        limits: |s| s.colour_change_percent,
        affects: NOTHING,
        advice: "Lock the white balance, and use the lamps of the first visit.",
    },
    Row {
        check: Check::Overlap,
        name: "overlap",
        unit: "%",
        limits: |s| s.overlap_percent,
        affects: NOTHING,
        advice: "Frame the same area as at the first visit.",
    },
    Row {
        check: Check::Edited,
        name: "edited",
        unit: "%",
        limits: |s| s.edited_percent,
        affects: ALL,
        advice: "One photo shows what the other does not (text, a stamp, a bandage): use the camera's own file of bare skin.",
    },
    Row {
        check: Check::LightMatch,
        name: "light_match",
        unit: "%",
        limits: |s| s.shading_change_percent,
        affects: ALL,
        advice: LAMPS,
    },
    Row {
        check: Check::ContrastMatch,
        name: "contrast_match",
        unit: "%",
        limits: |s| s.tone_curve_percent,
        affects: NOTHING,
        advice: "Use the camera, the app and the settings of the first visit: another tone curve fakes relief.",
    },
    Row {
        check: Check::LightTurn,
        name: "light_turn",
        unit: "degrees",
        limits: |s| s.light_turn_deg,
        affects: ALL,
        advice: LAMPS,
    },
    Row {
        check: Check::DistanceMatch,
        name: "distance_match",
        unit: "%",
        limits: |s| s.distance_percent,
        affects: NOTHING,
        advice: "Photograph from the distance, and with the lens and pixels, of the first visit.",
    },
    Row {
        check: Check::YawMatch,
        name: "yaw_match",
        unit: "degrees",
        limits: |s| s.head_turn_deg,
        affects: ALL,
        advice: "Turn the head as at the first visit.",
    },
    Row {
        check: Check::PitchMatch,
        name: "pitch_match",
        unit: "degrees",
        limits: |s| s.head_turn_deg,
        affects: ALL,
        advice: "Raise the chin as at the first visit.",
    },
    Row {
        check: Check::RollMatch,
        name: "roll_match",
        unit: "degrees",
        limits: |s| s.head_roll_deg,
        affects: ALL,
        advice: "Hold the head as upright as at the first visit.",
    },
    Row {
        check: Check::SmileMatch,
        name: "smile_match",
        unit: "1",
        limits: |s| s.mouth_width,
        affects: Affects { regions: Some(&SMILE), ..ALL },
        advice: "Ask for the relaxed mouth of the first visit: a smile deepens folds and crow's feet.",
    },
    Row {
        check: Check::MouthMatch,
        name: "mouth_match",
        unit: "1",
        limits: |s| s.mouth_opening,
        affects: Affects { regions: Some(&MOUTH), ..ALL },
        advice: "Ask for the lips to be held as at the first visit.",
    },
    Row {
        check: Check::BrowsMatch,
        name: "brows_match",
        unit: "1",
        limits: |s| s.brow_height,
        affects: Affects { regions: Some(&BROWS), ..ALL },
        advice: "Ask for relaxed brows: raised ones fold the forehead.",
    },
    Row {
        check: Check::EyesMatch,
        name: "eyes_match",
        unit: "1",
        limits: |s| s.eye_opening,
        affects: Affects { regions: Some(&EYES), ..ALL },
        advice: "Ask for the eyes to be open, or closed, as at the first visit.",
    },
];

impl Check {
    fn row(self) -> &'static Row {
        let row = &TABLE[self as usize];
        debug_assert_eq!(row.check, self, "the table is in the order of the checks");
        row
    }

    /// Name in results: `snake_case`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Unit of the value and its limits.
    pub fn unit(self) -> &'static str {
        self.row().unit
    }

    /// `[warn, fail]`; a larger value is worse where `fail` is above `warn`.
    pub fn limits(self, settings: &QualitySettings) -> [f64; 2] {
        (self.row().limits)(settings)
    }

    /// What is not comparable where the check has failed.
    pub fn affects(self) -> Affects {
        self.row().affects
    }

    /// Advice to the photographer, one sentence.
    pub fn advice(self) -> &'static str {
        self.row().advice
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_the_checks_and_names_are_those_of_the_results() {
        for (i, row) in TABLE.iter().enumerate() {
            assert_eq!(row.check as usize, i, "{}", row.name);
            assert_eq!(serde_json::to_value(row.check).unwrap(), row.name);
        }
        let names: std::collections::BTreeSet<_> = TABLE.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), TABLE.len());
    }
}
