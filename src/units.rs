//! Units as types, so that a millimetre is never taken for a pixel.

use serde::Serialize;

/// A length in baseline pixels.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
pub struct Px(pub f64);

/// A length in millimetres on the skin.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
pub struct Mm(pub f64);

/// The scale of a photo: millimetres of skin per pixel.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
pub struct MmPerPx(pub f64);

impl Mm {
    /// This length in pixels of a photo of the given scale.
    pub fn px(self, scale: MmPerPx) -> Px {
        Px(self.0 / scale.0)
    }
}

impl Px {
    /// This length in millimetres, in a photo of the given scale.
    pub fn mm(self, scale: MmPerPx) -> Mm {
        Mm(self.0 * scale.0)
    }
}
