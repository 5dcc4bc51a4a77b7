//! Shrinking by whole factors (area mean) and enlarging back (bilinear).

use crate::plane::{Mask, Plane};

/// Mean over cells of `factor`×`factor` px; the last cells may be smaller.
pub fn shrink(src: &Plane, factor: usize) -> Plane {
    if factor <= 1 {
        return src.clone();
    }
    let (w, h) = (src.width().div_ceil(factor), src.height().div_ceil(factor));
    let mut out = Plane::filled(w, h, 0.0);
    out.par_rows(|y, row| {
        let rows = y * factor..((y + 1) * factor).min(src.height());
        let n = rows.len() as f32;
        for sy in rows {
            for (o, cell) in row.iter_mut().zip(src.row(sy).chunks(factor)) {
                *o += cell.iter().sum::<f32>() / cell.len() as f32;
            }
        }
        row.iter_mut().for_each(|v| *v /= n);
    });
    out
}

/// A cell is set where at least half of its pixels are.
pub fn shrink_mask(src: &Mask, factor: usize) -> Mask {
    shrink(&src.map(|m| if m { 1.0 } else { 0.0 }), factor).map(|v| v >= 0.5)
}

/// Bilinear enlargement of cells made by [`shrink`] back to `width`×`height` (cell centres at
/// `factor·(i + ½) − ½`); the border cell is repeated outside.
pub fn enlarge(src: &Plane, factor: usize, width: usize, height: usize) -> Plane {
    if factor <= 1 {
        return src.clone();
    }
    let split = |i: usize, n: usize| -> (usize, usize, f32) {
        let t = ((i as f32 + 0.5) / factor as f32 - 0.5).clamp(0.0, (n - 1) as f32);
        let a = t.floor() as usize;
        (a, (a + 1).min(n - 1), t - a as f32)
    };
    let columns: Vec<_> = (0..width).map(|x| split(x, src.width())).collect();
    let mut out = Plane::filled(width, height, 0.0);
    out.par_rows(|y, row| {
        let (a, b, t) = split(y, src.height());
        let (up, down) = (src.row(a), src.row(b));
        let mixed: Vec<f32> = up.iter().zip(down).map(|(&u, &d)| u + t * (d - u)).collect();
        for (v, &(l, r, s)) in row.iter_mut().zip(&columns) {
            *v = mixed[l] + s * (mixed[r] - mixed[l]);
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrink_then_enlarge_keeps_a_ramp() {
        let ramp = Plane::from_fn(64, 48, |x, y| 2.0 * x as f32 + y as f32);
        let back = enlarge(&shrink(&ramp, 4), 4, 64, 48);
        for y in 4..44 {
            for x in 4..60 {
                assert!((back.at(x, y) - ramp.at(x, y)).abs() < 1e-3);
            }
        }
    }
}
