//! Photos: file → linear light with sRGB primaries, upright.

pub mod color;
pub mod decode;
mod flat;
pub mod jpeg;
mod reduce;
pub mod scan;
pub mod turn;

pub use flat::FlatAreas;
pub use reduce::Reduction;

use crate::notice::Notice;
use crate::plane::{Grid, Plane, Window};
use crate::srgb;
use jpeg::Quantisers;

/// One decoded photo.
#[derive(Debug, Clone)]
pub struct Photo {
    /// File name without folders (results must not hold paths).
    pub file: String,
    /// SHA-256 of the file's bytes, hex.
    pub sha256: String,
    /// Linear light, sRGB primaries, D65; 0 = none, 65535 = the encoding's white.
    /// EXIF orientation applied.
    pub linear: Grid<[u16; 3]>,
    /// The pixels of `linear` in those of the file.
    pub reduction: Reduction,
    /// Quantisation steps of a JPEG's last compression; `None` for other formats.
    pub quantisers: Option<Quantisers>,
    /// Bars, frames and boxes of one colour that an editor painted.
    pub flat: FlatAreas,
    /// Messages to the user about the decoding of this photo, each beginning with its file name.
    pub notices: Vec<Notice>,
}

impl Photo {
    /// Width in pixels, after orientation.
    pub fn width(&self) -> usize {
        self.linear.width()
    }
    /// Height in pixels, after orientation.
    pub fn height(&self) -> usize {
        self.linear.height()
    }
    /// Luminance of one pixel, 0–1.
    pub fn luminance_at(&self, x: usize, y: usize) -> f32 {
        srgb::luminance(self.linear.at(x, y).map(f32::from)) / 65535.0
    }
    /// Luminance of a part of the photo, 0–1.
    pub fn luminance(&self, window: Window) -> Plane {
        Plane::from_fn(window.width, window.height, |x, y| {
            self.luminance_at(window.x + x, window.y + y)
        })
    }
}

#[cfg(test)]
impl Photo {
    /// A photo of these pixels, without a file.
    pub fn drawn(linear: Grid<[u16; 3]>) -> Photo {
        Photo {
            file: "drawn.png".into(),
            sha256: String::new(),
            notices: Vec::new(),
            quantisers: None,
            flat: FlatAreas::default(),
            reduction: Reduction::none(linear.width(), linear.height()),
            linear,
        }
    }
}
