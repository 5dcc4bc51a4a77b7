//! The linear equations of a field's nodes: symmetric, positive definite, banded.

use super::field::{Field, Knots};
use crate::plane::{Grid, par_collect};

/// The normal equations of the displacements: sums over the blocks of skin and the penalties.
pub struct Equations {
    nx: usize,
    ny: usize,
    /// Half bandwidth: unknowns whose indices differ by more have no common entry.
    band: usize,
    /// Lower band by rows: row i has columns i − band … i, the diagonal last.
    matrix: Vec<f64>,
}

/// The first unknown of each node that a position depends on, with its weight.
pub type Nodes = [(usize, f64); 16];

/// Nodes (x, y) with their weights.
type Stencil = ([(usize, usize); 4], [f64; 4], usize);

impl Equations {
    /// Zero matrix for the nodes of `field`.
    pub fn new(field: &Field) -> Self {
        let (nx, ny) = (field.nodes.width(), field.nodes.height());
        let band = 2 * (3 * nx.min(ny) + 3) + 1;
        Equations { nx, ny, band, matrix: vec![0.0; 2 * nx * ny * (band + 1)] }
    }

    /// Number of the first of a node's two unknowns; nodes are counted along the shorter side.
    fn unknown(&self, x: usize, y: usize) -> usize {
        2 * if self.nx <= self.ny { y * self.nx + x } else { x * self.ny + y }
    }

    fn add(&mut self, i: usize, j: usize, v: f64) {
        if i >= j {
            self.matrix[i * (self.band + 1) + self.band - (i - j)] += v;
        }
    }

    /// The nodes that a position depends on.
    pub fn nodes(&self, (ix, wx): &Knots, (iy, wy): &Knots) -> Nodes {
        std::array::from_fn(|k| {
            let at = |first: isize, k: usize, n: usize| {
                (first + k as isize).clamp(0, n as isize - 1) as usize
            };
            let (x, y) = (at(*ix, k % 4, self.nx), at(*iy, k / 4, self.ny));
            (self.unknown(x, y), wx[k % 4] * wy[k / 4])
        })
    }

    /// Adds ½ (displacement there)ᵀ G (displacement there), `information` = xx, xy, yy of G.
    pub fn add_information(&mut self, nodes: &Nodes, information: [f64; 3]) {
        let [a, b, c] = information;
        for &(i, u) in nodes {
            for &(j, v) in nodes {
                let w = u * v;
                self.add(i, j, w * a);
                self.add(i, j + 1, w * b);
                self.add(i + 1, j, w * b);
                self.add(i + 1, j + 1, w * c);
            }
        }
    }

    /// Adds ½ weight (Σ cᵢ uᵢ)² for both components of a stencil.
    fn add_stencil(&mut self, (cells, c, n): &Stencil, weight: f64) {
        for i in 0..*n {
            for j in 0..*n {
                let (p, q) =
                    (self.unknown(cells[i].0, cells[i].1), self.unknown(cells[j].0, cells[j].1));
                let w = weight * c[i] * c[j];
                self.add(p, q, w);
                self.add(p + 1, q + 1, w);
            }
        }
    }

    /// Adds the penalties: second differences with weight `bending`, first differences with weight `slope`.
    pub fn add_penalties(&mut self, bending: f64, slope: f64) {
        for (stencil, second_order) in stencils(self.nx, self.ny) {
            self.add_stencil(&stencil, if second_order { bending } else { slope });
        }
    }

    /// The force of the penalties on each unknown: `−P u`.
    pub fn penalty_force(&self, u: &Grid<[f64; 2]>, bending: f64, slope: f64) -> Vec<f64> {
        let mut force = vec![0.0; 2 * self.nx * self.ny];
        for ((cells, c, n), second_order) in stencils(self.nx, self.ny) {
            let weight = if second_order { bending } else { slope };
            for k in 0..2 {
                let d: f64 = (0..n).map(|i| c[i] * u.at(cells[i].0, cells[i].1)[k]).sum();
                for i in 0..n {
                    force[self.unknown(cells[i].0, cells[i].1) + k] -= weight * c[i] * d;
                }
            }
        }
        force
    }

    /// A random force whose covariance is the matrix of the penalties: independent signs from `sign`.
    pub fn penalty_noise(&self, bending: f64, slope: f64, sign: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut force = vec![0.0; 2 * self.nx * self.ny];
        for (s, ((cells, c, n), second_order)) in stencils(self.nx, self.ny).enumerate() {
            let weight = if second_order { bending } else { slope }.sqrt();
            for k in 0..2 {
                let w = weight * sign(2 * s + k);
                for i in 0..n {
                    force[self.unknown(cells[i].0, cells[i].1) + k] += w * c[i];
                }
            }
        }
        force
    }

    /// Cholesky's factor. A tiny term on the diagonal keeps it positive.
    pub fn factored(mut self) -> Factor {
        let (band, width) = (self.band, self.band + 1);
        let n = 2 * self.nx * self.ny;
        for i in 0..n {
            let (done, rest) = self.matrix.split_at_mut(i * width);
            let row = &mut rest[..width];
            row[band] += 1e-9 + 1e-9 * row[band];
            for j in i.saturating_sub(band)..i {
                let at = band - (i - j);
                let other = &done[j * width..(j + 1) * width];
                // Columns common to both rows: of row i before `at`, of row j before its diagonal.
                let sum = dot(&row[..at], &other[i - j..band]);
                row[at] = (row[at] - sum) / other[band];
            }
            let sum = dot(&row[..band], &row[..band]);
            row[band] = (row[band] - sum).max(1e-12).sqrt();
        }
        Factor { equations: self }
    }
}

/// Differences of neighbouring nodes: of second order (true), which vanish for affine fields, and
/// of first order (false).
fn stencils(nx: usize, ny: usize) -> impl Iterator<Item = (Stencil, bool)> {
    let root = std::f64::consts::SQRT_2;
    let none = (0, 0);
    (0..nx * ny).flat_map(move |i| {
        let (x, y) = (i % nx, i / nx);
        let across = (x >= 1 && x + 1 < nx)
            .then(|| (([(x - 1, y), (x, y), (x + 1, y), none], [1.0, -2.0, 1.0, 0.0], 3), true));
        let down = (y >= 1 && y + 1 < ny)
            .then(|| (([(x, y - 1), (x, y), (x, y + 1), none], [1.0, -2.0, 1.0, 0.0], 3), true));
        let twist = (x + 1 < nx && y + 1 < ny).then(|| {
            let cells = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
            ((cells, [root, -root, -root, root], 4), true)
        });
        let right = (x + 1 < nx)
            .then(|| (([(x, y), (x + 1, y), none, none], [1.0, -1.0, 0.0, 0.0], 2), false));
        let below = (y + 1 < ny)
            .then(|| (([(x, y), (x, y + 1), none, none], [1.0, -1.0, 0.0, 0.0], 2), false));
        [across, down, twist, right, below].into_iter().flatten()
    })
}

/// Four running sums, in a fixed order.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0f64; 4];
    let ((a4, a_rest), (b4, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    for (x, y) in a4.iter().zip(b4) {
        for k in 0..4 {
            sums[k] += x[k] * y[k];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// [`Equations`] ready to be solved.
pub struct Factor {
    equations: Equations,
}

impl Factor {
    /// The displacement of each node under `forces`.
    pub fn solve(&self, mut forces: Vec<f64>) -> Grid<[f64; 2]> {
        let e = &self.equations;
        let (band, width, n) = (e.band, e.band + 1, forces.len());
        for i in 0..n {
            let lo = i.saturating_sub(band);
            let row = &e.matrix[i * width + band - (i - lo)..(i + 1) * width];
            let sum = dot(&row[..i - lo], &forces[lo..i]);
            forces[i] = (forces[i] - sum) / row[i - lo];
        }
        for i in (0..n).rev() {
            let lo = i.saturating_sub(band);
            let row = &e.matrix[i * width + band - (i - lo)..(i + 1) * width];
            forces[i] /= row[i - lo];
            let v = forces[i];
            for (f, r) in forces[lo..i].iter_mut().zip(row) {
                *f -= r * v;
            }
        }
        Grid::from_fn(e.nx, e.ny, |x, y| {
            let i = e.unknown(x, y);
            [forces[i], forces[i + 1]]
        })
    }

    /// Root mean square length of the displacement of each node under `count` random forces.
    pub fn spread(&self, count: usize, force: impl Fn(usize) -> Vec<f64> + Sync) -> Grid<f64> {
        let moved = par_collect(count, |k| self.solve(force(k)));
        let e = &self.equations;
        Grid::from_fn(e.nx, e.ny, |x, y| {
            let sum: f64 =
                moved.iter().map(|m| m.at(x, y)).map(|d| d[0] * d[0] + d[1] * d[1]).sum();
            (sum / count as f64).sqrt()
        })
    }

    /// The equations' own numbering, for making forces.
    pub fn equations(&self) -> &Equations {
        &self.equations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{DMatrix, DVector};

    const BENDING: f64 = 3.0;
    const SLOPE: f64 = 0.2;

    /// Blocks of skin: position in node spacings, information xx, xy, yy.
    const BLOCKS: [([f64; 2], [f64; 3]); 4] = [
        ([0.3, 1.6], [5.0, 1.0, 2.0]),
        ([1.5, 0.5], [1.0, -0.5, 4.0]),
        ([0.9, 2.2], [2.0, 0.0, 0.5]),
        ([2.4, 1.1], [0.7, 0.3, 0.7]),
    ];

    fn field(nx: usize, ny: usize) -> Field {
        let nodes = Grid::filled(nx, ny, [0.0; 2]);
        Field { nodes, ..Field::identity() }
    }

    /// The equations of [`BLOCKS`] and of the penalties.
    fn equations(field: &Field) -> Equations {
        let mut equations = Equations::new(field);
        for ([x, y], information) in BLOCKS {
            let nodes = equations.nodes(&field.knots(x), &field.knots(y));
            equations.add_information(&nodes, information);
        }
        equations.add_penalties(BENDING, SLOPE);
        equations
    }

    /// The penalties of displacements by their definition: squared differences of second order (the
    /// mixed one twice) and of first order.
    fn penalty(u: &Grid<[f64; 2]>) -> f64 {
        let at = |x: usize, y: usize, k: usize| u.at(x, y)[k];
        let (mut bending, mut slope) = (0.0, 0.0);
        for (x, y, k) in (0..u.height())
            .flat_map(|y| (0..u.width()).map(move |x| (x, y)))
            .flat_map(|(x, y)| [0, 1].map(|k| (x, y, k)))
        {
            let (right, below) = (x + 1 < u.width(), y + 1 < u.height());
            if right {
                slope += (at(x + 1, y, k) - at(x, y, k)).powi(2);
            }
            if below {
                slope += (at(x, y + 1, k) - at(x, y, k)).powi(2);
            }
            if right && below {
                let twist = at(x, y, k) + at(x + 1, y + 1, k) - at(x + 1, y, k) - at(x, y + 1, k);
                bending += 2.0 * twist * twist;
            }
            if right && x > 0 {
                bending += (at(x - 1, y, k) + at(x + 1, y, k) - 2.0 * at(x, y, k)).powi(2);
            }
            if below && y > 0 {
                bending += (at(x, y - 1, k) + at(x, y + 1, k) - 2.0 * at(x, y, k)).powi(2);
            }
        }
        0.5 * (BENDING * bending + SLOPE * slope)
    }

    /// The energy of displacements: the penalties, and the blocks' quadratic forms of the interpolated field.
    fn energy(u: &Grid<[f64; 2]>) -> f64 {
        let field = Field { nodes: u.clone(), ..Field::identity() };
        let blocks = BLOCKS.iter().map(|([x, y], [a, b, c])| {
            let [p, q] = field.displacement(*x, *y);
            0.5 * (a * p * p + 2.0 * b * p * q + c * q * q)
        });
        penalty(u) + blocks.sum::<f64>()
    }

    /// Displacements from a list in the order of rows, two a node.
    fn listed(nx: usize, ny: usize, of: impl Fn(usize) -> f64 + Sync) -> Grid<[f64; 2]> {
        Grid::from_fn(nx, ny, |x, y| [0, 1].map(|k| of(2 * (y * nx + x) + k)))
    }

    /// The matrix of a quadratic form, by polarisation.
    fn dense(nx: usize, ny: usize, form: impl Fn(&Grid<[f64; 2]>) -> f64) -> DMatrix<f64> {
        let unit = |i: usize, j: usize| {
            form(&listed(nx, ny, |k| f64::from(u8::from(k == i)) + f64::from(u8::from(k == j))))
        };
        let alone: Vec<f64> = (0..2 * nx * ny).map(|i| unit(i, i) / 4.0).collect();
        DMatrix::from_fn(alone.len(), alone.len(), |i, j| {
            if i == j { 2.0 * alone[i] } else { unit(i, j) - alone[i] - alone[j] }
        })
    }

    /// A force on each unknown, in the order of rows.
    fn force(i: usize) -> f64 {
        (1.3 * i as f64 + 0.4).sin()
    }

    /// Forces in the order of `equations`.
    fn forces(equations: &Equations, of: impl Fn(usize) -> f64) -> Vec<f64> {
        let (nx, ny) = (equations.nx, equations.ny);
        let mut forces = vec![0.0; 2 * nx * ny];
        for (x, y) in (0..ny).flat_map(|y| (0..nx).map(move |x| (x, y))) {
            let own = equations.unknown(x, y);
            (0..2).for_each(|k| forces[own + k] = of(2 * (y * nx + x) + k));
        }
        forces
    }

    #[test]
    fn the_banded_solution_is_that_of_the_dense_equations() {
        for (nx, ny) in [(4, 4), (5, 3), (3, 6)] {
            let dense = dense(nx, ny, energy);
            let wanted = DVector::from_fn(2 * nx * ny, |i, _| force(i));
            let wanted = dense.lu().solve(&wanted).expect("a solution");
            let factor = equations(&field(nx, ny)).factored();
            let found = factor.solve(forces(factor.equations(), force));
            for (x, y) in (0..ny).flat_map(|y| (0..nx).map(move |x| (x, y))) {
                for k in 0..2 {
                    let (found, wanted) = (found.at(x, y)[k], wanted[2 * (y * nx + x) + k]);
                    // The tiny term on the diagonal changes the softest mode by some millionths.
                    assert!((found - wanted).abs() < 1e-5, "{nx}×{ny}: {found} {wanted}");
                }
            }
        }
    }

    #[test]
    fn the_penalty_force_is_the_negative_gradient_and_an_affine_field_does_not_bend() {
        let (nx, ny) = (5, 4);
        let equations = Equations::new(&field(nx, ny));
        let u = listed(nx, ny, |i| (0.7 * i as f64).cos());
        let matrix = dense(nx, ny, penalty);
        let wanted = -matrix * DVector::from_fn(2 * nx * ny, |i, _| (0.7 * i as f64).cos());
        let found = equations.penalty_force(&u, BENDING, SLOPE);
        let wanted = forces(&equations, |i| wanted[i]);
        assert!(found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-9));
        let affine = Grid::from_fn(nx, ny, |x, y| {
            let (x, y) = (x as f64, y as f64);
            [0.5 * x - 0.25 * y + 1.0, 2.0 * y]
        });
        let largest = |force: Vec<f64>| force.iter().fold(0.0f64, |a, b| a.max(b.abs()));
        assert!(largest(equations.penalty_force(&affine, BENDING, 0.0)) < 1e-12);
        assert!(largest(equations.penalty_force(&affine, 0.0, SLOPE)) > 0.05);
    }

    #[test]
    fn the_covariance_of_the_random_force_is_the_penalty_matrix() {
        let (nx, ny) = (4, 3);
        let (n, equations) = (2 * nx * ny, Equations::new(&field(nx, ny)));
        let mut covariance = DMatrix::zeros(n, n);
        for bond in 0..2 * stencils(nx, ny).count() {
            let one = |k: usize| f64::from(u8::from(k == bond));
            let force = DVector::from_vec(equations.penalty_noise(BENDING, SLOPE, one));
            covariance += &force * force.transpose();
        }
        let wanted = dense(nx, ny, penalty);
        let order = forces(&equations, |i| i as f64);
        for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
            let wanted = wanted[(order[i] as usize, order[j] as usize)];
            assert!((covariance[(i, j)] - wanted).abs() < 1e-9);
        }
    }

    #[test]
    fn the_spread_is_the_root_mean_square_length() {
        let factor = equations(&field(4, 3)).factored();
        let own = forces(factor.equations(), force);
        let moved = factor.solve(own.clone());
        let spread = factor.spread(2, |k| own.iter().map(|f| [1.0, -3.0][k] * f).collect());
        for (x, y) in (0..3).flat_map(|y| (0..4).map(move |x| (x, y))) {
            let [u, v] = moved.at(x, y);
            assert!((spread.at(x, y) - 5f64.sqrt() * u.hypot(v)).abs() < 1e-12);
        }
    }
}
