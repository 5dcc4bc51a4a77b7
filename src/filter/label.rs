//! Connected components (8-neighbours) and hysteresis.

use crate::plane::{Grid, Mask};
use image::{GrayImage, Luma};
use imageproc::region_labelling::{Connectivity, connected_components};

/// Labels 8-connected components: 0 outside, then 1 … n in the order of their first pixel.
/// Returns the labels and n.
pub fn label(mask: &Mask) -> (Grid<u32>, usize) {
    let (w, h) = (mask.width(), mask.height());
    let bytes: Vec<u8> = mask.data().iter().map(|&m| m as u8).collect();
    let Some(image) = GrayImage::from_raw(w as u32, h as u32, bytes) else {
        return (Grid::filled(w, h, 0), 0);
    };
    let labels = connected_components(&image, Connectivity::Eight, Luma([0u8]));
    let data: Vec<u32> = labels.into_raw();
    let n = data.iter().copied().max().unwrap_or(0) as usize;
    (Grid::from_vec(w, h, data), n)
}

/// The components of `low` that hold at least one pixel of `high` (Canny 1986).
pub fn hysteresis(low: &Mask, high: &Mask) -> Mask {
    let (labels, n) = label(low);
    let mut keep = vec![false; n + 1];
    for (&l, &h) in labels.data().iter().zip(high.data()) {
        keep[l as usize] |= h && l > 0;
    }
    labels.map(|l| keep[l as usize])
}
