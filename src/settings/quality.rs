//! Settings of the input checks.

use serde::{Deserialize, Serialize};

/// Limits of the input checks, each [warn, fail].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualitySettings {
    /// Apparent blur of the skin, px.
    pub blur_px: [f64; 2],
    /// Blur by which two photos differ, px.
    pub blur_difference_px: [f64; 2],
    /// Blur between two photos that varies over the skin, px.
    pub depth_of_field_px: [f64; 2],
    /// Gain that processing gave all skin alike, %.
    pub processing_percent: [f64; 2],
    /// How much more weak detail was softened than strong detail, %.
    pub denoising_percent: [f64; 2],
    /// Clipped skin, %.
    pub clipped_percent: [f64; 2],
    /// Share of the regions that shows skin, %.
    pub covered_percent: [f64; 2],
    /// Skin that highlights cover, %.
    pub highlight_percent: [f64; 2],
    /// Fine detail of the skin over that of the eyes.
    pub smoothing: [f64; 2],
    /// Median L* of the skin below which a photo is too dark.
    pub dark_lightness: [f64; 2],
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
    /// Change of the skin's shading, % of it.
    pub light_change_percent: [f64; 2],
    /// Change of the contrast of the skin's shading, %.
    pub contrast_change_percent: [f64; 2],
    /// Turn of the light about the head, degrees.
    pub light_turn_deg: [f64; 2],
    /// Change of the skin's red or blue beside its green, %.
    pub colour_change_percent: [f64; 2],
    /// Share of the skin that straight edges of what just one photo shows run through, %.
    pub edited_percent: [f64; 2],
    /// Departure of the skin from grey, % (of ln).
    pub colour_percent: [f64; 2],
    /// Difference in the size of the face, % (of ln).
    pub distance_percent: [f64; 2],
    /// Difference of yaw or pitch, degrees.
    pub turn_deg: [f64; 2],
    /// Difference of roll, degrees.
    pub roll_deg: [f64; 2],
    /// Difference of the mouth's width, distances of the eyes.
    pub smile: [f64; 2],
    /// Difference of the mouth's height, distances of the eyes.
    pub mouth_opening: [f64; 2],
    /// Difference of the brows' height, distances of the eyes.
    pub brow_height: [f64; 2],
    /// Difference of the eyes' opening, widths of the eyes.
    pub eye_opening: [f64; 2],
    /// Share of the baseline's skin that a follow-up shows, %.
    pub overlap_percent: [f64; 2],
    /// Share of a region that must be measurable, %; a single limit.
    pub coverage_percent: f64,
}

impl Default for QualitySettings {
    fn default() -> Self {
        super::DEFAULTS.settings.quality.clone()
    }
}
