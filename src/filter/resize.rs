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

/// Enlargement of cells made by [`shrink`] back to `width`×`height` by cubic B-splines: smoothed by a variance of
/// `factor`²/3 px², without the kinks of [`enlarge`]; the border cell is repeated outside.
pub fn enlarge_smoothly(src: &Plane, factor: usize, width: usize, height: usize) -> Plane {
    let taps = |i: usize| -> (isize, [f32; 4]) {
        let t = (i as f32 + 0.5) / factor as f32 - 0.5;
        let f = t - t.floor();
        let (g, outer) = (1.0 - f, |d: f32| d * d * d / 6.0);
        let inner = |d: f32| 2.0 / 3.0 - d * d * (1.0 - 0.5 * d);
        (t.floor() as isize - 1, [outer(g), inner(f), inner(g), outer(f)])
    };
    let n = src.width();
    // A row of cells with those repeated at both ends.
    let inside = |i: isize| i.clamp(0, n as isize - 1) as usize;
    let columns: Vec<(usize, [f32; 4])> =
        (0..width).map(taps).map(|(first, w)| ((first + 2) as usize, w)).collect();
    let mut out = Plane::filled(width, height, 0.0);
    out.par_rows(|y, row| {
        let (first, w) = taps(y);
        let lines: [&[f32]; 4] = std::array::from_fn(|j| {
            src.row((first + j as isize).clamp(0, src.height() as isize - 1) as usize)
        });
        let mixed: Vec<f32> = (0..n)
            .map(|x| {
                w[0] * lines[0][x] + w[1] * lines[1][x] + w[2] * lines[2][x] + w[3] * lines[3][x]
            })
            .collect();
        let padded: Vec<f32> = (-2..n as isize + 3).map(|i| mixed[inside(i)]).collect();
        for (v, (first, w)) in row.iter_mut().zip(&columns) {
            let cells = &padded[*first..first + 4];
            *v = w[0] * cells[0] + w[1] * cells[1] + w[2] * cells[2] + w[3] * cells[3];
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A spline keeps a ramp, and smooths a wave of period P by exp(−2π²(n²/3)/P²).
    #[test]
    fn splines_keep_a_ramp_and_smooth_by_a_third_of_the_square() {
        let n = 4;
        let ramp = Plane::from_fn(64, 50, |x, y| 2.0 * x as f32 + y as f32);
        let back = enlarge_smoothly(&shrink(&ramp, n), n, 64, 50);
        for (x, y) in (12..50).flat_map(|x| (12..36).map(move |y| (x, y))) {
            assert!((back.at(x, y) - ramp.at(x, y)).abs() < 1e-4);
        }
        let period = 60.0;
        let wave = |x: usize| (std::f32::consts::TAU * (x as f32 + 0.5) / period).sin();
        let cells = Plane::from_fn(120, 8, |x, _| {
            (std::f32::consts::TAU * (x as f32 + 0.5) * n as f32 / period).sin()
        });
        let back = enlarge_smoothly(&cells, n, 480, 32);
        let kept =
            (-2.0 * std::f32::consts::PI.powi(2) * (n * n) as f32 / 3.0 / period.powi(2)).exp();
        for x in 60..400 {
            assert!((back.at(x, 15) - kept * wave(x)).abs() < 1e-3, "{x}");
        }
    }

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
