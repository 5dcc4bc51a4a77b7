//! Connected components.

use crate::plane::{Grid, Mask};
use kornia_image::{Image, ImageSize};
use kornia_imgproc::connected_components::{Connectivity, connected_components};

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
    let (width, height) = (mask.width(), mask.height());
    let size = ImageSize { width, height };
    let bytes: Vec<u8> = mask.data().iter().map(|&m| m as u8).collect();
    let count = Image::new(size, bytes).and_then(|image| {
        let mut labels = Image::from_size_val(size, 0i32)?;
        let count = connected_components(&image, &mut labels, connectivity)?;
        Ok((labels.as_slice().iter().map(|&l| l as u32).collect(), count as usize - 1))
    });
    // A mask has as many pixels as its size says, and labels have its size: there is no other error.
    let (data, count) = count.unwrap_or_else(|_| (vec![0; width * height], 0));
    (Grid::from_vec(width, height, data), count)
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
