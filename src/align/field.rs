//! The map from the baseline to a follow-up: an affine map and a smooth field of displacements.

use crate::plane::{Grid, Window};

/// A map from baseline px to follow-up px: `affine(p + u(p))`, with `u` interpolated from a grid
/// of nodes by Catmull–Rom splines (nodes repeat outside the grid).
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// `x' = a[0]x + a[1]y + a[2]`, `y' = a[3]x + a[4]y + a[5]`.
    pub affine: [f64; 6],
    /// Baseline px of node (0, 0).
    pub origin: [f64; 2],
    /// Distance between nodes, baseline px.
    pub spacing_px: f64,
    /// Displacement of each node, baseline px.
    pub nodes: Grid<[f64; 2]>,
}

/// First node and the four weights along one axis.
pub(super) type Knots = (isize, [f64; 4]);

impl Field {
    /// The map that moves nothing.
    pub fn identity() -> Self {
        Field::from_affine([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    }

    /// An affine map without displacements.
    pub(super) fn from_affine(affine: [f64; 6]) -> Self {
        let nodes = Grid::filled(1, 1, [0.0, 0.0]);
        Field { affine, origin: [0.0, 0.0], spacing_px: 1.0, nodes }
    }

    /// Whether this is exactly [`Field::identity`].
    pub fn is_identity(&self) -> bool {
        *self == Field::identity()
    }

    /// The map along the row `y` (baseline px): the vertical interpolation done once.
    pub fn row(&self, y: f64) -> FieldRow<'_> {
        let (iy, wy) = self.knots(y - self.origin[1]);
        let nodes = (0..self.nodes.width() as isize)
            .map(|x| {
                let mut sum = [0.0; 2];
                for (j, v) in wy.iter().enumerate() {
                    let d = self.nodes.clamped(x, iy + j as isize);
                    sum[0] += v * d[0];
                    sum[1] += v * d[1];
                }
                sum
            })
            .collect();
        FieldRow { field: self, y, nodes }
    }

    /// Displacement `u` at a baseline position.
    pub fn displacement(&self, x: f64, y: f64) -> [f64; 2] {
        self.row(y).displacement(x)
    }

    /// Position in the follow-up of a baseline position. For many positions of a row use
    /// [`Field::row`].
    pub fn at(&self, x: f64, y: f64) -> [f64; 2] {
        self.row(y).at(x)
    }

    /// The part of a follow-up of `width`×`height` px that contains the baseline's `window`, with a
    /// margin of 16 px and `margin` times the window's longer side.
    pub fn footprint(&self, window: Window, margin: f64, width: usize, height: usize) -> Window {
        let (mut x0, mut y0, mut x1, mut y1) = (f64::MAX, f64::MAX, f64::MIN, f64::MIN);
        for j in 0..=16 {
            for i in 0..=16 {
                let x = window.x as f64 + i as f64 / 16.0 * window.width as f64;
                let y = window.y as f64 + j as f64 / 16.0 * window.height as f64;
                let [px, py] = self.at(x, y);
                (x0, y0) = (x0.min(px), y0.min(py));
                (x1, y1) = (x1.max(px), y1.max(py));
            }
        }
        let margin = 16.0 + margin * (window.width.max(window.height) as f64);
        let clamp = |v: f64, n: usize| v.clamp(0.0, n as f64) as usize;
        let (left, top) = (clamp(x0 - margin, width - 1), clamp(y0 - margin, height - 1));
        let (right, bottom) = (clamp(x1 + margin, width), clamp(y1 + margin, height));
        Window {
            x: left,
            y: top,
            width: right.saturating_sub(left).max(1),
            height: bottom.saturating_sub(top).max(1),
        }
    }

    /// Pixels of the follow-up per pixel of the baseline.
    pub fn scale(&self) -> f64 {
        (self.affine[0] * self.affine[4] - self.affine[1] * self.affine[3]).abs().sqrt()
    }

    /// Baseline px of a node.
    pub(super) fn node(&self, x: usize, y: usize) -> [f64; 2] {
        [self.origin[0] + x as f64 * self.spacing_px, self.origin[1] + y as f64 * self.spacing_px]
    }

    /// The same map on nodes `spacing_px` apart that cover `window`.
    pub(super) fn regridded(&self, window: Window, spacing_px: f64) -> Field {
        let count = |len: usize| (len as f64 / spacing_px).ceil() as usize + 1;
        let (nx, ny) = (count(window.width), count(window.height));
        let first = |lo: usize, len: usize, n: usize| {
            lo as f64 + 0.5 * (len as f64 - 1.0) - 0.5 * spacing_px * (n as f64 - 1.0)
        };
        let origin = [first(window.x, window.width, nx), first(window.y, window.height, ny)];
        let nodes = Grid::filled(nx, ny, [0.0; 2]);
        let mut field = Field { affine: self.affine, origin, spacing_px, nodes };
        for y in 0..ny {
            for x in 0..nx {
                let p = field.node(x, y);
                field.nodes.set(x, y, self.displacement(p[0], p[1]));
            }
        }
        field
    }

    /// The knots for a distance from the origin along one axis, px.
    pub(super) fn knots(&self, d: f64) -> Knots {
        let t = d / self.spacing_px;
        let i = t.floor();
        let f = t - i;
        let (f2, f3) = (f * f, f * f * f);
        let w = [
            0.5 * (-f3 + 2.0 * f2 - f),
            0.5 * (3.0 * f3 - 5.0 * f2 + 2.0),
            0.5 * (-3.0 * f3 + 4.0 * f2 + f),
            0.5 * (f3 - f2),
        ];
        (i as isize - 1, w)
    }
}

/// A [`Field`] along one row of the baseline.
pub struct FieldRow<'a> {
    field: &'a Field,
    y: f64,
    nodes: Vec<[f64; 2]>,
}

impl FieldRow<'_> {
    fn displacement(&self, x: f64) -> [f64; 2] {
        let (ix, wx) = self.field.knots(x - self.field.origin[0]);
        let last = self.nodes.len() as isize - 1;
        let mut sum = [0.0; 2];
        for (i, u) in wx.iter().enumerate() {
            let d = self.nodes[(ix + i as isize).clamp(0, last) as usize];
            sum[0] += u * d[0];
            sum[1] += u * d[1];
        }
        sum
    }

    /// The follow-up position of the skin at column `x`.
    pub fn at(&self, x: f64) -> [f64; 2] {
        let u = self.displacement(x);
        apply(&self.field.affine, x + u[0], self.y + u[1])
    }
}

/// Applies an affine map.
pub fn apply(a: &[f64; 6], x: f64, y: f64) -> [f64; 2] {
    [a[0] * x + a[1] * y + a[2], a[3] * x + a[4] * y + a[5]]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of 7 × 5 nodes 10 px apart, whose displacements are `of` the node's position.
    fn field(affine: [f64; 6], of: impl Fn([f64; 2]) -> [f64; 2]) -> Field {
        let nodes = Grid::filled(7, 5, [0.0; 2]);
        let mut field = Field { affine, origin: [20.0, -5.0], spacing_px: 10.0, nodes };
        for (x, y) in (0..5).flat_map(|y| (0..7).map(move |x| (x, y))) {
            let place = field.node(x, y);
            field.nodes.set(x, y, of(place));
        }
        field
    }

    const STILL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    fn assert_near(a: [f64; 2], b: [f64; 2]) {
        assert!((a[0] - b[0]).abs() < 1e-9 && (a[1] - b[1]).abs() < 1e-9, "{a:?} {b:?}");
    }

    #[test]
    fn a_node_has_its_own_displacement_and_the_last_one_repeats_beyond_the_grid() {
        let wild = |[x, y]: [f64; 2]| [(x * 1.7 + y).sin(), (x - 2.3 * y).cos()];
        let field = field(STILL, wild);
        for (x, y) in (0..5).flat_map(|y| (0..7).map(move |x| (x, y))) {
            let [px, py] = field.node(x, y);
            assert_near(field.displacement(px, py), wild([px, py]));
        }
        assert_near(field.displacement(-1e4, 15.0), wild([20.0, 15.0]));
        assert_near(field.displacement(1e4, 1e4), wild([80.0, 35.0]));
    }

    /// Catmull and Rom's spline reproduces parabolas, and has the weights −1, 9, 9, −1 of 16 half way.
    #[test]
    fn displacements_are_interpolated_by_catmull_rom_splines() {
        let bend = |[x, y]: [f64; 2]| [0.01 * x * x - 0.02 * x * y, 0.3 * y - 0.004 * y * y];
        let bent = field(STILL, bend);
        for (x, y) in [(30.0, 5.0), (33.7, 12.1), (51.2, 24.9), (69.9, 6.4)] {
            assert_near(bent.displacement(x, y), bend([x, y]));
        }
        let steps = field(STILL, |[x, _]| {
            [[0.0, 0.0, 1.0, 5.0, 2.0, 0.0, 0.0][(x / 10.0) as usize - 2], 0.0]
        });
        assert_near(steps.displacement(45.0, 7.0), [(-0.0 + 9.0 + 45.0 - 2.0) / 16.0, 0.0]);
    }

    #[test]
    fn the_displacement_comes_first_and_the_affine_map_after_it() {
        let affine = [0.0, -2.0, 3.0, 2.0, 0.0, -1.0];
        let field = field(affine, |_| [0.5, -0.25]);
        assert_near(field.at(30.0, 10.0), [-2.0 * 9.75 + 3.0, 2.0 * 30.5 - 1.0]);
        assert_near(field.row(10.0).at(30.0), field.at(30.0, 10.0));
        assert!((field.scale() - 2.0).abs() < 1e-12);
    }

    #[test]
    fn only_the_identity_is_the_identity() {
        let identity = Field::identity();
        assert!(identity.is_identity() && !field(STILL, |_| [0.0; 2]).is_identity());
        assert!(!Field::from_affine([1.0, 0.0, 1e-9, 0.0, 1.0, 0.0]).is_identity());
        assert_eq!(identity.at(123.25, -7.5), [123.25, -7.5]);
    }

    #[test]
    fn new_nodes_cover_the_window_and_keep_the_map() {
        let lean = |[x, y]: [f64; 2]| [0.02 * x - 0.01 * y, 0.03 * y + 1.0];
        let field = field([1.1, 0.2, 5.0, -0.2, 1.1, 3.0], lean);
        let window = Window { x: 30, y: 4, width: 37, height: 21 };
        let fine = field.regridded(window, 4.0);
        assert_eq!((fine.nodes.width(), fine.nodes.height()), (11, 7));
        let last = fine.node(10, 6);
        // As far beyond the first pixel as beyond the last.
        assert_near([fine.origin[0] + last[0], fine.origin[1] + last[1]], [96.0, 28.0]);
        assert!(fine.origin[0] <= 30.0 && fine.origin[1] <= 4.0);
        for (x, y) in [(36.0, 10.0), (47.3, 14.9), (60.0, 17.5)] {
            assert_near(fine.at(x, y), field.at(x, y));
        }
    }

    #[test]
    fn the_footprint_contains_the_window_with_its_margin_inside_the_frame() {
        let window = Window { x: 100, y: 30, width: 50, height: 40 };
        // 16 px and a tenth of 50 px; cut at the upper border of the frame, 30 − 21 below it.
        let still = Field::identity().footprint(window, 0.1, 400, 300);
        assert_eq!(still, Window { x: 79, y: 9, width: 92, height: 82 });
        let moved =
            Field::from_affine([2.0, 0.0, 160.0, 0.0, 2.0, -60.0]).footprint(window, 0.0, 400, 300);
        assert_eq!(moved, Window { x: 344, y: 0, width: 56, height: 96 });
    }
}
