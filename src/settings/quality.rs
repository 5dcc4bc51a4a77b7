//! Settings of the input checks.

use serde::{Deserialize, Serialize};

/// Limits of the input checks, each [warn, fail].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualitySettings {
    /// Apparent blur of the skin, px.
    pub blur_px: [f64; 2],
    /// Difference in blur of two photos, px.
    pub blur_difference_px: [f64; 2],
    /// Variation of that difference over the skin, px.
    pub depth_of_field_px: [f64; 2],
    /// Gain of processing, common to all skin, %.
    pub processing_percent: [f64; 2],
    /// Excess loss of weak detail over that of strong detail, %.
    pub denoising_percent: [f64; 2],
    /// Clipped skin, %.
    pub clipped_percent: [f64; 2],
    /// Visible skin in the regions of a face, % of their area.
    pub face_coverage_percent: [f64; 2],
    /// Skin under highlights, %.
    pub highlight_percent: [f64; 2],
    /// Fine detail of the skin over that of the eyes with lashes and brows.
    pub fine_detail_ratio: [f64; 2],
    /// Median L* of the skin.
    pub lightness: [f64; 2],
    /// Exposure difference to the baseline, stops.
    pub exposure_stops: [f64; 2],
    /// Pixels per mm.
    pub px_per_mm: [f64; 2],
    /// Spread (10 to 90 %) of the skin's brightness, stops.
    pub light_evenness_stops: [f64; 2],
    /// Standard deviation of the noise, % of the light.
    pub noise_percent: [f64; 2],
    /// Quality that the tables of a JPEG stand for, IJG's scale.
    pub jpeg_quality: [f64; 2],
    /// Change of the shading, % of it.
    pub shading_change_percent: [f64; 2],
    /// Gain of another tone curve, %.
    pub tone_curve_percent: [f64; 2],
    /// Turn of the light direction relative to the head, degrees.
    pub light_turn_deg: [f64; 2],
    /// Change of the skin's ratio of red or blue to green, %.
    pub colour_change_percent: [f64; 2],
    /// Skin under foreign objects in one photo, % of the tiles.
    pub edited_percent: [f64; 2],
    /// Departure of the skin from grey, % (of ln).
    pub colour_percent: [f64; 2],
    /// Difference in the size of the face, % (of ln).
    pub distance_percent: [f64; 2],
    /// Difference of yaw or pitch of the head, degrees.
    pub head_turn_deg: [f64; 2],
    /// Difference of roll of the head, degrees.
    pub head_roll_deg: [f64; 2],
    /// Difference of the mouth's width, distances of the eyes.
    pub mouth_width: [f64; 2],
    /// Difference of the mouth's height, distances of the eyes.
    pub mouth_opening: [f64; 2],
    /// Difference of the brows' height, distances of the eyes.
    pub brow_height: [f64; 2],
    /// Difference of the eyes' opening, widths of the eyes.
    pub eye_opening: [f64; 2],
    /// Part of the baseline's skin visible in a follow-up, %.
    pub overlap_percent: [f64; 2],
    /// Part of a region that must be measurable, %; a single limit.
    pub region_coverage_percent: f64,
}

impl Default for QualitySettings {
    fn default() -> Self {
        super::DEFAULTS.settings.quality.clone()
    }
}
