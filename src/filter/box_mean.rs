//! Smoothing by box means, at a cost independent of the radius: for masks and searches, where the exact shape of
//! a Gaussian does not matter.

use crate::plane::Plane;

/// Mean over a square of `2r + 1` px, applied twice (a triangular kernel); the border pixel is repeated
/// outside. Cost: eight additions a px at any `r`.
pub fn box_mean(plane: &Plane, r: usize) -> Plane {
    let mut out = plane.clone();
    for _ in 0..2 {
        out = rows(&rows(&out, r).transposed(), r).transposed();
    }
    out
}

fn rows(plane: &Plane, r: usize) -> Plane {
    let mut out = plane.clone();
    let n = (2 * r + 1) as f32;
    out.par_rows(|y, row| {
        let source = plane.row(y);
        let last = source.len() as isize - 1;
        let at = |x: isize| source[x.clamp(0, last) as usize];
        let r = r as isize;
        let mut sum: f32 = (-r..=r).map(at).sum();
        for (x, v) in row.iter_mut().enumerate() {
            *v = sum / n;
            sum += at(x as isize + r + 1) - at(x as isize - r);
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_becomes_a_triangle_of_the_same_sum() {
        let mut point = Plane::filled(21, 15, 0.0);
        point.set(10, 7, 81.0);
        let out = box_mean(&point, 1);
        let row: Vec<f32> = (7..14).map(|x| out.at(x, 7).round()).collect();
        assert_eq!(row, [0.0, 3.0, 6.0, 9.0, 6.0, 3.0, 0.0]);
        assert!((out.data().iter().sum::<f32>() - 81.0).abs() < 1e-3);
        let flat = box_mean(&Plane::filled(9, 4, 2.0), 5);
        assert!(flat.data().iter().all(|v| (v - 2.0).abs() < 1e-6));
    }
}
