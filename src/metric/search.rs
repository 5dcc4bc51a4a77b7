//! Where the skin answers to a template more than its mesh does by chance.

use crate::filter::matched::Matched;
use crate::plane::{Grid, Mask, Plane, Window, par_collect};

/// Planes of the visits, and what is sought in them.
pub struct Search<'a> {
    /// Pixels of the window of the region map in one of these planes, both ways.
    pub factor: usize,
    /// One per visit.
    pub planes: &'a [Plane],
    /// Pixels that may be the middle of something.
    pub inner: &'a Mask,
    /// Parts of the skin.
    pub cells: Vec<Cell>,
}

/// A part of the skin whose light and mesh are taken for the same all over.
pub struct Cell {
    /// Where, px of the planes.
    pub window: Window,
    /// One per size, or none where nothing can be found.
    pub filters: Vec<Filter>,
}

/// Reads the amplitude of a template.
pub struct Filter {
    /// The filter.
    pub matched: Matched,
    /// Standard deviation of what the skin around answers.
    pub noise: f64,
    /// The amplitude that counts.
    pub limit: f64,
    /// Standard deviation of the difference of two visits' amplitudes.
    pub apart: f64,
}

/// A place that answers.
#[derive(Clone, Copy)]
pub struct Candidate {
    /// Place in the planes of the search.
    pub x: f64,
    /// Row.
    pub y: f64,
    /// Number of its cell.
    pub cell: usize,
    /// Number of the filter that answers most.
    pub size: usize,
    /// The largest amplitude of a visit, in amplitudes that count.
    pub strength: f32,
}

/// Windows that part `w`×`h` pixels into cells of about `side` px, row after row; beside each the one, a
/// quarter larger to each side, that its light and mesh are told from.
pub fn cells([w, h]: [usize; 2], side: f64) -> Vec<(Window, Window)> {
    let number = |n: usize| (n as f64 / side).round().max(1.0) as usize;
    let (columns, rows) = (number(w), number(h));
    let cell = |i: usize| {
        let (column, row) = (i % columns, i / columns);
        let (x, y) = (w * column / columns, h * row / rows);
        let (width, height) = (w * (column + 1) / columns - x, h * (row + 1) / rows - y);
        let window = Window { x, y, width, height };
        (window, window.grown(width.min(height) / 4, w, h))
    };
    (0..columns * rows).map(cell).collect()
}

/// What each visit differs by from the one before.
pub fn differences(planes: &[Plane]) -> Vec<Plane> {
    planes.windows(2).map(|two| two[0].zip(&two[1], |a, b| b - a)).collect()
}

impl Search<'_> {
    /// Maxima over place, size and visit within `apart` px, strongest first.
    pub fn candidates(&self, apart: usize) -> Vec<Candidate> {
        let inner = self.inner;
        let (w, h) = (inner.width(), inner.height());
        // The largest answer, in amplitudes that count, and the filter that gave it.
        let mut best: Grid<(f32, u8)> = Grid::filled(w, h, (0.0, 0));
        best.par_rows(|y, row| {
            let here =
                |cell: &&Cell| (cell.window.y..cell.window.y + cell.window.height).contains(&y);
            for cell in self.cells.iter().filter(here) {
                let columns = cell.window.x..cell.window.x + cell.window.width;
                if !inner.row(y)[columns.clone()].contains(&true) {
                    continue;
                }
                for (k, filter) in cell.filters.iter().enumerate() {
                    let scale = (1.0 / filter.limit) as f32;
                    for plane in self.planes {
                        let answers = filter.matched.row(plane, y, columns.clone());
                        for (b, a) in row[columns.clone()].iter_mut().zip(answers) {
                            if scale * a > b.0 {
                                *b = (scale * a, k as u8);
                            }
                        }
                    }
                }
            }
        });
        let reach = apart as isize;
        let rows = par_collect(h, |y| {
            let mut found = Vec::new();
            for x in (0..w).filter(|&x| inner.at(x, y) && best.at(x, y).0 >= 1.0) {
                let (v, size) = best.at(x, y);
                let (xi, yi) = (x as isize, y as isize);
                let peak = (-reach..=reach).all(|dy| {
                    (-reach..=reach).all(|dx: isize| {
                        let other = best.clamped(xi + dx, yi + dy).0;
                        // Of equal neighbours the first in reading order is the peak.
                        if (dy, dx) < (0, 0) { v > other } else { v >= other }
                    })
                });
                if !peak {
                    continue;
                }
                let centre = |dx: isize, dy: isize| {
                    let [a, b] = [-1, 1].map(|s| best.clamped(xi + s * dx, yi + s * dy).0);
                    let bend = a + b - 2.0 * v;
                    if bend < 0.0 { (0.5 * (a - b) / bend).clamp(-0.5, 0.5) as f64 } else { 0.0 }
                };
                let within = |c: &Cell| c.window.contains(x, y);
                let cell = self.cells.iter().position(within);
                found.extend(cell.map(|cell| Candidate {
                    x: x as f64 + centre(1, 0),
                    y: y as f64 + centre(0, 1),
                    cell,
                    size: size.into(),
                    strength: v,
                }));
            }
            found
        });
        let mut all: Vec<Candidate> = rows.into_iter().flatten().collect();
        all.sort_by(|a, b| {
            b.strength.total_cmp(&a.strength).then(a.y.total_cmp(&b.y)).then(a.x.total_cmp(&b.x))
        });
        all
    }

    /// The filter that found a place.
    pub fn filter(&self, place: &Candidate) -> &Filter {
        &self.cells[place.cell].filters[place.size]
    }

    /// A place in px of the window of the region map.
    pub fn place(&self, place: &Candidate) -> [f64; 2] {
        [place.x, place.y].map(|v| (v + 0.5) * self.factor as f64 - 0.5)
    }

    /// What each visit answers at a place.
    pub fn amplitudes(&self, place: &Candidate) -> Vec<f64> {
        let matched = &self.filter(place).matched;
        self.planes.iter().map(|plane| matched.at(plane, place.x, place.y)).collect()
    }
}

impl Filter {
    /// What chance added to the amplitudes of a place, in all visits alike, by its choice.
    pub fn gained(&self, amplitudes: &[f64]) -> f64 {
        let height = amplitudes.iter().copied().fold(0.0, f64::max) / self.noise;
        self.noise * chance(height)
    }

    /// The least amplitude at which something is there in a visit, of a place that answers `amplitudes`: what
    /// chance may have taken has not vanished.
    pub fn least(&self, amplitudes: &[f64], hysteresis: f64, differences: f64) -> f64 {
        let strongest = amplitudes.iter().copied().fold(f64::MIN, f64::max);
        (hysteresis * self.limit).min(strongest - differences * self.apart)
    }
}

/// What chance adds to a peak over place and size, in standard deviations of the noise as `height` is: one in its
/// square for each of the three (Wilks 1938). All of it, where the peak is no higher than that.
fn chance(height: f64) -> f64 {
    height - (height * height - 3.0).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_makes_less_of_a_higher_peak() {
        assert_eq!(chance(0.0), 0.0);
        assert_eq!(chance(1.0), 1.0);
        assert!((chance(2.0) - 1.0).abs() < 1e-12);
        assert!((chance(14.0) - (14.0 - 193f64.sqrt())).abs() < 1e-12);
    }
}
