//! Polygons to masks.

use super::Polygon;
use crate::plane::{Mask, Window};

/// The pixels of `window` whose centre lies inside `polygon` (even-odd rule).
pub fn rasterise(polygon: &Polygon, window: Window) -> Mask {
    let mut mask = Mask::filled(window.width, window.height, false);
    let points = &polygon.points;
    mask.par_rows(|row, cells| {
        let y = (window.y + row) as f64;
        let mut cuts: Vec<f64> = Vec::new();
        for (i, a) in points.iter().enumerate() {
            let b = points[(i + 1) % points.len()];
            if (a[1] <= y) != (b[1] <= y) {
                cuts.push(a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]));
            }
        }
        cuts.sort_by(f64::total_cmp);
        for pair in cuts.chunks_exact(2) {
            let from = (pair[0] - window.x as f64).ceil().max(0.0) as usize;
            let to = (pair[1] - window.x as f64).ceil().max(0.0) as usize;
            for cell in cells.iter_mut().take(to).skip(from) {
                *cell = true;
            }
        }
    });
    mask
}
