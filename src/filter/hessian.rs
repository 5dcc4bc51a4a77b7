//! Second derivatives at a scale, and their eigenvalues.

use super::gaussian::blur;
use crate::plane::{Grid, Plane};

/// The scale-normalised Hessian σ²·H at one pixel.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Hessian {
    xx: f32,
    xy: f32,
    yy: f32,
}

impl Hessian {
    fn root(self) -> f32 {
        let half = 0.5 * (self.xx - self.yy);
        (half * half + self.xy * self.xy).sqrt()
    }
    /// Larger eigenvalue: positive across a dark line.
    pub fn across(self) -> f32 {
        0.5 * (self.xx + self.yy) + self.root()
    }
    /// Smaller eigenvalue: near zero along a line, positive too in a dark spot.
    pub fn along(self) -> f32 {
        0.5 * (self.xx + self.yy) - self.root()
    }
    /// Unit vector along the line (the smaller eigenvalue's direction).
    pub fn direction(self) -> [f32; 2] {
        let (half, root) = (0.5 * (self.xx - self.yy), self.root());
        // The larger eigenvalue's direction is (half + root, xy), or (xy, root − half) where that
        // is the longer vector; the line runs perpendicular to it.
        let (nx, ny) = if half >= 0.0 { (half + root, self.xy) } else { (self.xy, root - half) };
        let norm = (nx * nx + ny * ny).sqrt();
        if norm > 0.0 { [-ny / norm, nx / norm] } else { [1.0, 0.0] }
    }
}

/// Hessian of the Gaussian-smoothed plane by central differences, times σ² (Lindeberg's
/// normalisation), in px of the plane. Border pixels repeat. Cost: one blur and 12 flops a px.
pub fn hessian(src: &Plane, sigma: f32) -> Grid<Hessian> {
    let s = blur(src, sigma);
    let (w, h) = (s.width(), s.height());
    let norm = sigma * sigma;
    let mut out = Grid::filled(w, h, Hessian::default());
    out.par_rows(|y, row| {
        let (up, mid, down) = (s.row(y.saturating_sub(1)), s.row(y), s.row((y + 1).min(h - 1)));
        let at = |l: usize, c: usize, r: usize| Hessian {
            xx: norm * (mid[r] - 2.0 * mid[c] + mid[l]),
            yy: norm * (down[c] - 2.0 * mid[c] + up[c]),
            xy: 0.25 * norm * (down[r] - down[l] - up[r] + up[l]),
        };
        for (x, v) in row.iter_mut().enumerate().take(w.saturating_sub(1)).skip(1) {
            *v = at(x - 1, x, x + 1);
        }
        row[0] = at(0, 0, 1.min(w - 1));
        row[w - 1] = at(w.saturating_sub(2), w - 1, w - 1);
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Gaussian valley of width s and depth A has curvature σ²·A·s/(s²+σ²)^{3/2} at its bottom.
    #[test]
    fn valley_has_the_analytic_curvature_and_direction() {
        let (s, a, sigma, angle) = (3.0f32, 0.2f32, 2.0f32, 0.5f32);
        let plane = Plane::from_fn(101, 101, |x, y| {
            let d = (x as f32 - 50.0) * angle.sin() - (y as f32 - 50.0) * angle.cos();
            -a * (-0.5 * (d / s).powi(2)).exp()
        });
        let c = hessian(&plane, sigma).at(50, 50);
        let truth = sigma * sigma * a * s / (s * s + sigma * sigma).powf(1.5);
        assert!((c.across() / truth - 1.0).abs() < 0.03, "{} {truth}", c.across());
        assert!(c.along().abs() < 0.02 * truth);
        let [tx, ty] = c.direction();
        let along = tx * angle.cos() + ty * angle.sin();
        assert!(along.abs() > 0.999, "{along}");
    }
}
