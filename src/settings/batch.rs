//! Settings of a batch.

use serde::Deserialize;

/// What a batch expects of its series. Not part of [`Settings`](super::Settings): it moves no number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchSettings {
    /// Memory that each photo of a series holds while the series is measured, bytes per pixel.
    pub bytes_per_photo_pixel: u64,
    /// Memory of the planes in work, bytes per pixel of the largest photo of a series.
    pub bytes_per_working_pixel: u64,
}

impl Default for BatchSettings {
    fn default() -> Self {
        super::DEFAULTS.batch.clone()
    }
}
