//! Grey and binary morphology with a square of `2r + 1` px, cut at the border.

use crate::plane::{Grid, Mask, Plane};

/// Sliding extreme over the square: that of what `pick` keeps of two, of which `neutral` is never kept. Cost:
/// 2·log₂(2r + 1) comparisons a px.
fn extreme<T: Copy + Send + Sync>(
    grid: &Grid<T>,
    r: usize,
    neutral: T,
    pick: impl Fn(T, T) -> T + Copy + Sync,
) -> Grid<T> {
    let (w, h) = (grid.width(), grid.height());
    let mut out = grid.clone();
    out.par_strips((8 * r).max(64), |top, strip| {
        let (rows, above) = (strip.len() / w, top.saturating_sub(r));
        let below = (top + rows + r).min(h);
        let mut across = vec![neutral; (rows + 2 * r) * w];
        let mut line = vec![neutral; w + 2 * r];
        for y in above..below {
            line[..r].fill(neutral);
            line[r..r + w].copy_from_slice(grid.row(y));
            line[r + w..].fill(neutral);
            slide(&mut line, 1, 2 * r + 1, pick);
            across[(y + r - top) * w..][..w].copy_from_slice(&line[..w]);
        }
        slide(&mut across, w, 2 * r + 1, pick);
        strip.copy_from_slice(&across[..rows * w]);
    });
    out
}

/// Makes each value the extreme of `length` values from it on, `step` apart, by doubling; values nearer to the end are
/// left undefined.
fn slide<T: Copy>(values: &mut [T], step: usize, length: usize, pick: impl Fn(T, T) -> T) {
    let mut joined = 1;
    while joined < length {
        let ahead = step * joined.min(length - joined);
        for i in 0..values.len() - ahead {
            values[i] = pick(values[i], values[i + ahead]);
        }
        joined = (2 * joined).min(length);
    }
}

/// Grey closing: removes dark structures thinner than `2r + 1` px.
pub fn close(plane: &Plane, r: usize) -> Plane {
    let dilated = extreme(plane, r, f32::NEG_INFINITY, |a, b| if a > b { a } else { b });
    extreme(&dilated, r, f32::INFINITY, |a, b| if a < b { a } else { b })
}

/// Dilation: pixels within `r` rows and columns of a set one.
pub fn dilate(mask: &Mask, r: usize) -> Mask {
    extreme(mask, r, false, |a, b| a | b)
}

/// Opening: removes parts thinner than `2r + 1` px.
pub fn open(mask: &Mask, r: usize) -> Mask {
    dilate(&extreme(mask, r, true, |a, b| a & b), r)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dilation_is_that_of_each_pixel() {
        let mask = Mask::from_fn(90, 140, |x, y| (x * 7919 + y * 104_729) % 97 == 0);
        for r in [0, 1, 2, 3, 7, 30] {
            let near = |x: usize, y: usize| {
                (y.saturating_sub(r)..(y + r + 1).min(140))
                    .any(|y| mask.row(y)[x.saturating_sub(r)..(x + r + 1).min(90)].contains(&true))
            };
            assert_eq!(dilate(&mask, r), Mask::from_fn(90, 140, near), "{r}");
        }
    }

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
