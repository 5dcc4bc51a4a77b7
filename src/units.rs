//! Scales as types, so that a millimetre is never taken for a pixel.

use serde::Serialize;

/// The scale of a photo: millimetres of skin per pixel.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
pub struct MmPerPx(pub f64);

/// Side of a pixel of a reduced plane, mm of skin.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct PixelSize(f64);

impl PixelSize {
    /// Of a photo of `mm_per_px`, reduced by `factor` each way.
    pub fn new(mm_per_px: f64, factor: usize) -> Self {
        PixelSize(mm_per_px * factor as f64)
    }

    /// Side, mm.
    pub fn mm(self) -> f64 {
        self.0
    }

    /// A length of `mm` in pixels.
    pub fn px(self, mm: f64) -> f64 {
        mm / self.0
    }
}
