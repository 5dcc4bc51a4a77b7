//! Where the skin's response to a template is larger than that of its background texture.
//!
//! A photo is searched once, on its own planes. A pair takes the candidates of both photos and reads
//! each in both by one filter, made for the background texture and the light of both.

use crate::filter::matched::Matched;
use crate::plane::{Grid, Mask, Plane, Window, par_collect};

/// A part of the skin whose light and background texture are taken for the same all over.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Where, px of the planes.
    pub window: Window,
    /// One per size, or none where nothing can be found.
    pub filters: Vec<Filter>,
}

/// Reads the amplitude of a template.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The filter.
    pub matched: Matched,
    /// Standard deviation of its response to the background texture.
    pub noise: f64,
    /// The amplitude that counts.
    pub limit: f64,
    /// Standard deviation of the difference of two photos' amplitudes.
    pub apart: f64,
}

/// A maximum of the response.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Place in the planes of the search.
    pub x: f64,
    /// Row.
    pub y: f64,
    /// Number of its cell.
    pub cell: usize,
    /// Number of the filter with the largest response.
    pub size: usize,
    /// The largest amplitude of a photo, in amplitudes that count.
    pub strength: f32,
}

/// Planes that are read together: of one photo, or of a pair.
pub struct Search<'a> {
    /// Pixels of the window of the region map in one of these planes, both ways.
    pub factor: usize,
    /// One per photo.
    pub planes: &'a [Plane],
    /// Pixels that may be the middle of something.
    pub inner: &'a Mask,
    /// Parts of the skin, with filters for all photos alike.
    pub cells: &'a [Cell],
}

/// Windows that part `w`×`h` pixels into cells of about `side` px, row after row; beside each the one, a
/// quarter larger to each side, from which its light and background texture are estimated.
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

/// Difference of each photo from the one before.
pub fn differences(planes: &[Plane]) -> Vec<Plane> {
    planes.windows(2).map(|two| two[0].zip(&two[1], |a, b| b - a)).collect()
}

/// Share of the amplitude that counts from which a place is a candidate: what counts in a pair is set by the
/// background texture of both photos, which in one of them alone may be that much weaker.
pub const CANDIDATE: f32 = 0.7;

impl Search<'_> {
    /// Maxima of the first photo's response over place and size within `apart` px, strongest first: all from
    /// [`CANDIDATE`] of what counts.
    pub fn candidates(&self, apart: usize) -> Vec<Candidate> {
        let inner = self.inner;
        let best = responses(&self.planes[0], inner, self.cells);
        let rows = par_collect(inner.height(), |y| {
            let over = |x: &usize| inner.at(*x, y) && best.at(*x, y).0 >= CANDIDATE;
            let peaks = (0..inner.width()).filter(over).filter(|&x| is_peak(&best, [x, y], apart));
            let peak = |x| candidate(&best, self.cells, [x, y]);
            peaks.filter_map(peak).collect::<Vec<_>>()
        });
        let mut places: Vec<Candidate> = rows.into_iter().flatten().collect();
        places.sort_by(stronger);
        places
    }

    /// The candidates of each photo that count in these planes, strongest first.
    pub fn counted(&self, photos: &[&[Candidate]]) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = match photos {
            [own] => own.to_vec(),
            _ => {
                let all = photos.concat();
                let judged = par_collect(all.len(), |i| self.judged(&all[i]));
                judged.into_iter().flatten().collect()
            }
        };
        all.retain(|place| place.strength >= 1.0);
        all.sort_by(stronger);
        all
    }

    /// A candidate of one photo as all photos show it: its size and strength by their common filters. `None` off the
    /// skin that all show.
    fn judged(&self, place: &Candidate) -> Option<Candidate> {
        let (x, y) = (place.x.round(), place.y.round());
        if !self.inner.at(x as usize, y as usize) {
            return None;
        }
        let filters = &self.cells[place.cell].filters;
        let strength = |filter: &Filter| {
            let of = |plane| (filter.matched.at(plane, x, y) / filter.limit) as f32;
            self.planes.iter().map(of).fold(f32::MIN, f32::max)
        };
        let all = filters.iter().map(strength).enumerate();
        let (size, strength) =
            all.reduce(|best, other| if other.1 > best.1 { other } else { best })?;
        Some(Candidate { size, strength, ..*place })
    }

    /// The filter of a candidate.
    pub fn filter(&self, place: &Candidate) -> &Filter {
        &self.cells[place.cell].filters[place.size]
    }

    /// A place in px of the window of the region map.
    pub fn place(&self, place: &Candidate) -> [f64; 2] {
        [place.x, place.y].map(|v| (v + 0.5) * self.factor as f64 - 0.5)
    }

    /// Amplitude of each photo at a place.
    pub fn amplitudes(&self, place: &Candidate) -> Vec<f64> {
        let matched = &self.filter(place).matched;
        self.planes.iter().map(|plane| matched.at(plane, place.x, place.y)).collect()
    }
}

/// The largest response of each pixel, in amplitudes that count, and the filter that gave it.
fn responses(plane: &Plane, inner: &Mask, cells: &[Cell]) -> Grid<(f32, u8)> {
    let mut best: Grid<(f32, u8)> = Grid::filled(inner.width(), inner.height(), (0.0, 0));
    best.par_rows(|y, row| {
        let here = |cell: &&Cell| (cell.window.y..cell.window.y + cell.window.height).contains(&y);
        for cell in cells.iter().filter(here) {
            let columns = cell.window.x..cell.window.x + cell.window.width;
            if !inner.row(y)[columns.clone()].contains(&true) {
                continue;
            }
            for (k, filter) in cell.filters.iter().enumerate() {
                let scale = (1.0 / filter.limit) as f32;
                let amplitudes = filter.matched.row(plane, y, columns.clone());
                for (b, a) in row[columns.clone()].iter_mut().zip(amplitudes) {
                    if scale * a > b.0 {
                        *b = (scale * a, k as u8);
                    }
                }
            }
        }
    });
    best
}

/// Whether no response within `apart` px is larger; of equal ones the first in reading order is the peak.
fn is_peak(best: &Grid<(f32, u8)>, [x, y]: [usize; 2], apart: usize) -> bool {
    let (v, reach) = (best.at(x, y).0, apart as isize);
    (-reach..=reach).all(|dy| {
        (-reach..=reach).all(|dx: isize| {
            let other = best.clamped(x as isize + dx, y as isize + dy).0;
            if (dy, dx) < (0, 0) { v > other } else { v >= other }
        })
    })
}

/// The candidate at a peak, placed between pixels by a parabola each way.
fn candidate(best: &Grid<(f32, u8)>, cells: &[Cell], [x, y]: [usize; 2]) -> Option<Candidate> {
    let (v, size) = best.at(x, y);
    let centre = |dx: isize, dy: isize| {
        let [a, b] = [-1, 1].map(|s| best.clamped(x as isize + s * dx, y as isize + s * dy).0);
        let bend = a + b - 2.0 * v;
        if bend < 0.0 { (0.5 * (a - b) / bend).clamp(-0.5, 0.5) as f64 } else { 0.0 }
    };
    Some(Candidate {
        x: x as f64 + centre(1, 0),
        y: y as f64 + centre(0, 1),
        cell: cells.iter().position(|c| c.window.contains(x, y))?,
        size: size.into(),
        strength: v,
    })
}

/// Order of candidates: the strongest first, then by rows.
fn stronger(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    b.strength.total_cmp(&a.strength).then(a.y.total_cmp(&b.y)).then(a.x.total_cmp(&b.x))
}

impl Filter {
    /// Expected excess of the largest of the `amplitudes` over its true value, by its selection: subtracted
    /// from every photo's alike.
    pub fn selection_bias(&self, amplitudes: &[f64]) -> f64 {
        let height = amplitudes.iter().copied().fold(0.0, f64::max) / self.noise;
        self.noise * selection_bias(height)
    }

    /// The least amplitude at which the object is present in a photo, given its `amplitudes` in all: what a
    /// difference by chance explains has not vanished.
    pub fn least(&self, amplitudes: &[f64], hysteresis: f64, differences: f64) -> f64 {
        let strongest = amplitudes.iter().copied().fold(f64::MIN, f64::max);
        (hysteresis * self.limit).min(strongest - differences * self.apart)
    }
}

/// Selection bias of a peak over place and size, in standard deviations of the noise as `height` is: one in its
/// square for each of the three (Wilks 1938). All of it, where the peak is no higher than that.
fn selection_bias(height: f64) -> f64 {
    height - (height * height - 3.0).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_peak_has_less_selection_bias() {
        assert_eq!(selection_bias(0.0), 0.0);
        assert_eq!(selection_bias(1.0), 1.0);
        assert!((selection_bias(2.0) - 1.0).abs() < 1e-12);
        assert!((selection_bias(14.0) - (14.0 - 193f64.sqrt())).abs() < 1e-12);
    }
}
