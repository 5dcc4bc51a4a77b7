//! Grey and binary morphology with a square of `2r + 1` px, cut at the border.

use crate::plane::{Mask, Plane};

/// Sliding minimum or maximum over the square. Cost: 2·(2r + 1) comparisons a px.
fn extreme(plane: &Plane, r: usize, pick: fn(f32, f32) -> f32) -> Plane {
    let rows = |plane: &Plane| {
        let mut out = plane.clone();
        out.par_rows(|y, row| {
            let source = plane.row(y);
            for (x, v) in row.iter_mut().enumerate() {
                let near = &source[x.saturating_sub(r)..(x + r + 1).min(source.len())];
                *v = near.iter().copied().fold(*v, pick);
            }
        });
        out
    };
    rows(&rows(plane).transposed()).transposed()
}

/// Grey closing: removes dark structures thinner than `2r + 1` px.
pub fn close(plane: &Plane, r: usize) -> Plane {
    extreme(&extreme(plane, r, f32::max), r, f32::min)
}

/// Dilation: pixels within `r` rows and columns of a set one.
pub fn dilate(mask: &Mask, r: usize) -> Mask {
    extreme(&mask.map(|v| if v { 1.0 } else { 0.0 }), r, f32::max).map(|v| v > 0.5)
}

/// Opening: removes parts thinner than `2r + 1` px.
pub fn open(mask: &Mask, r: usize) -> Mask {
    let plane = mask.map(|v| if v { 1.0 } else { 0.0 });
    extreme(&extreme(&plane, r, f32::min), r, f32::max).map(|v| v > 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_thinner_than_the_square_are_removed() {
        // A bar of 3 px and one of 6 px.
        let inside = |x: usize| (5..8).contains(&x) || (15..21).contains(&x);
        let bars = Mask::from_fn(30, 12, |x, _| inside(x));
        let opened = open(&bars, 2);
        for x in 0..30 {
            assert_eq!(opened.at(x, 6), (15..21).contains(&x), "column {x}");
        }
        let dark = close(&bars.map(|v| if v { 0.2 } else { 1.0 }), 2);
        assert_eq!((dark.at(6, 6), dark.at(17, 6)), (1.0, 0.2));
        let wide = dilate(&bars, 2);
        assert!(wide.at(3, 0) && wide.at(9, 11) && !wide.at(2, 0) && !wide.at(10, 11));
    }
}
