//! Connected components.

use crate::plane::{Grid, Mask};
use image::{GrayImage, Luma};
use imageproc::region_labelling::{Connectivity, connected_components};

/// Labels 8-connected components: 0 outside, then 1 … n in the order of their first pixel.
/// Returns the labels and n.
pub fn label(mask: &Mask) -> (Grid<u32>, usize) {
    labels(mask, Connectivity::Eight)
}

/// Labels 4-connected components (pixels that share a side) as [`label`] does. Returns the labels
/// and the number of pixels of each, index 0 being outside.
pub fn label_by_sides(mask: &Mask) -> (Grid<u32>, Vec<usize>) {
    let (labels, n) = labels(mask, Connectivity::Four);
    let mut sizes = vec![0; n + 1];
    labels.data().iter().for_each(|&l| sizes[l as usize] += 1);
    (labels, sizes)
}

fn labels(mask: &Mask, connectivity: Connectivity) -> (Grid<u32>, usize) {
    let (w, h) = (mask.width(), mask.height());
    // imageproc 0.27 panics on a single set pixel: its forest has no place for label 1.
    if let [set] = mask.data() {
        return (Grid::filled(1, 1, u32::from(*set)), usize::from(*set));
    }
    let bytes: Vec<u8> = mask.data().iter().map(|&m| m as u8).collect();
    let Some(image) = GrayImage::from_raw(w as u32, h as u32, bytes) else {
        return (Grid::filled(w, h, 0), 0);
    };
    let labels = connected_components(&image, connectivity, Luma([0u8]));
    let data: Vec<u32> = labels.into_raw();
    let n = data.iter().copied().max().unwrap_or(0) as usize;
    (Grid::from_vec(w, h, data), n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pixel_is_one_component() {
        assert_eq!(label(&Mask::filled(1, 1, true)).1, 1);
        assert_eq!(label_by_sides(&Mask::filled(1, 1, false)).1, [1]);
    }

    #[test]
    fn a_corner_joins_eight_neighbours_and_not_four() {
        let steps = Mask::from_fn(6, 5, |x, y| (x, y) == (1, 1) || (x, y) == (2, 2) || x == 5);
        assert_eq!(label(&steps).1, 2);
        let (labels, sizes) = label_by_sides(&steps);
        assert_eq!(sizes, [23, 5, 1, 1]);
        assert_eq!((labels.at(5, 0), labels.at(1, 1), labels.at(0, 0)), (1, 2, 0));
    }
}
