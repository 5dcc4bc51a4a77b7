//! Detection of small objects by matched filters: maxima of the response that exceed that of the background texture.
//!
//! A photo is searched once, on its own planes. A pair takes the candidates of both photos and reads
//! each in both by one filter, made for the background texture and the light of both.

use crate::filter::matched::Matched;
use crate::plane::{Grid, Mask, Plane, Window, par_collect};

/// A part of the skin that is searched with one set of filters, as if its light and background texture were uniform.
#[derive(Debug, Clone)]
pub struct SearchCell {
    /// Extent, px of the planes.
    pub window: Window,
    /// One per size; empty where nothing can be detected.
    pub filters: Vec<Filter>,
}

/// A matched filter, which estimates the amplitude of a template, and its limits.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The filter.
    pub matched: Matched,
    /// Standard deviation of its response to the background texture.
    pub noise: f64,
    /// Amplitude from which an object is detected.
    pub limit: f64,
    /// Standard deviation of the difference of two photos' amplitudes.
    pub difference_sd: f64,
}

/// A maximum of the response.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Column in the planes of the search.
    pub x: f64,
    /// Row.
    pub y: f64,
    /// Number of its cell.
    pub cell: usize,
    /// Number of the filter with the largest response.
    pub size: usize,
    /// Largest amplitude of the photos, over the detection limit.
    pub response: f32,
}

/// Planes that are searched together: of one photo, or of a pair.
pub struct Search<'a> {
    /// Pixels of the window of the region map in one of these planes, each way.
    pub factor: usize,
    /// One per photo.
    pub planes: &'a [Plane],
    /// Pixels at which an object may have its centre.
    pub inner: &'a Mask,
    /// Parts of the skin, with one set of filters for all photos.
    pub cells: &'a [SearchCell],
}

/// Windows of a cell.
#[derive(Debug, Clone, Copy)]
pub struct CellWindows {
    /// That is searched.
    pub cell: Window,
    /// That light and background texture are estimated from.
    pub surround: Window,
}

/// Divides `w`×`h` pixels into cells of about `side` px, row after row. Surrounds are a quarter larger to each side.
pub fn cells([w, h]: [usize; 2], side: f64) -> Vec<CellWindows> {
    let number = |n: usize| (n as f64 / side).round().max(1.0) as usize;
    let (columns, rows) = (number(w), number(h));
    let cell = |i: usize| {
        let (column, row) = (i % columns, i / columns);
        let (x, y) = (w * column / columns, h * row / rows);
        let (width, height) = (w * (column + 1) / columns - x, h * (row + 1) / rows - y);
        let cell = Window { x, y, width, height };
        CellWindows { cell, surround: cell.grown(width.min(height) / 4, w, h) }
    };
    (0..columns * rows).map(cell).collect()
}

/// Difference of each photo from the one before.
pub fn differences(planes: &[Plane]) -> Vec<Plane> {
    planes.windows(2).map(|two| two[0].zip(&two[1], |a, b| b - a)).collect()
}

/// Share of the detection limit from which a maximum is a candidate: the limit of a pair follows from the background
/// texture of both photos, which in one of them alone may be that much weaker.
const CANDIDATE_SHARE: f32 = 0.7;

impl Search<'_> {
    /// Maxima of the first photo's response over place and size within `distance` px, from `CANDIDATE_SHARE` of the
    /// detection limit on, strongest first.
    pub fn candidates(&self, distance: usize) -> Vec<Candidate> {
        let inner = self.inner;
        let best = responses(&self.planes[0], inner, self.cells);
        let rows = par_collect(inner.height(), |y| {
            let over = |x: &usize| inner.at(*x, y) && best.at(*x, y).0 >= CANDIDATE_SHARE;
            let peaks =
                (0..inner.width()).filter(over).filter(|&x| is_peak(&best, [x, y], distance));
            let peak = |x| candidate(&best, self.cells, [x, y]);
            peaks.filter_map(peak).collect::<Vec<_>>()
        });
        let mut candidates: Vec<Candidate> = rows.into_iter().flatten().collect();
        candidates.sort_by(strongest_first);
        candidates
    }

    /// The candidates of all photos that reach the detection limit in these planes, strongest first.
    pub fn detections(&self, photos: &[&[Candidate]]) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = match photos {
            [own] => own.to_vec(),
            _ => {
                let all = photos.concat();
                let jointly = par_collect(all.len(), |i| self.jointly(&all[i]));
                jointly.into_iter().flatten().collect()
            }
        };
        all.retain(|candidate| candidate.response >= 1.0);
        all.sort_by(strongest_first);
        all
    }

    /// A candidate of one photo with size and response by the common filters of all photos. `None` off the skin that is
    /// valid in all.
    fn jointly(&self, candidate: &Candidate) -> Option<Candidate> {
        let (x, y) = (candidate.x.round(), candidate.y.round());
        if !self.inner.at(x as usize, y as usize) {
            return None;
        }
        let filters = &self.cells[candidate.cell].filters;
        let response = |filter: &Filter| {
            let of = |plane| (filter.matched.at(plane, x, y) / filter.limit) as f32;
            self.planes.iter().map(of).fold(f32::MIN, f32::max)
        };
        let all = filters.iter().map(response).enumerate();
        let (size, response) =
            all.reduce(|best, other| if other.1 > best.1 { other } else { best })?;
        Some(Candidate { size, response, ..*candidate })
    }

    /// The filter of a candidate.
    pub fn filter(&self, candidate: &Candidate) -> &Filter {
        &self.cells[candidate.cell].filters[candidate.size]
    }

    /// Centre of a candidate, px of the window of the region map.
    pub fn centre(&self, candidate: &Candidate) -> [f64; 2] {
        [candidate.x, candidate.y].map(|v| (v + 0.5) * self.factor as f64 - 0.5)
    }

    /// Amplitude of each photo at a candidate.
    pub fn amplitudes(&self, candidate: &Candidate) -> Vec<f64> {
        let matched = &self.filter(candidate).matched;
        self.planes.iter().map(|plane| matched.at(plane, candidate.x, candidate.y)).collect()
    }
}

/// The largest response at each pixel, over the detection limit, and the number of its filter.
fn responses(plane: &Plane, inner: &Mask, cells: &[SearchCell]) -> Grid<(f32, u8)> {
    let mut best: Grid<(f32, u8)> = Grid::filled(inner.width(), inner.height(), (0.0, 0));
    best.par_rows(|y, row| {
        let here =
            |cell: &&SearchCell| (cell.window.y..cell.window.y + cell.window.height).contains(&y);
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

/// Whether no response within `distance` px is larger; of equal ones the first in reading order is the peak.
fn is_peak(best: &Grid<(f32, u8)>, [x, y]: [usize; 2], distance: usize) -> bool {
    let (v, reach) = (best.at(x, y).0, distance as isize);
    (-reach..=reach).all(|dy| {
        (-reach..=reach).all(|dx: isize| {
            let other = best.clamped(x as isize + dx, y as isize + dy).0;
            if (dy, dx) < (0, 0) { v > other } else { v >= other }
        })
    })
}

/// The candidate at a peak, its centre refined to parts of a pixel by a parabola each way.
fn candidate(
    best: &Grid<(f32, u8)>,
    cells: &[SearchCell],
    [x, y]: [usize; 2],
) -> Option<Candidate> {
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
        response: v,
    })
}

/// Order of candidates: the strongest first, then by rows.
fn strongest_first(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    b.response.total_cmp(&a.response).then(a.y.total_cmp(&b.y)).then(a.x.total_cmp(&b.x))
}

impl Filter {
    /// Selection bias: expected excess of the largest of the `amplitudes` over its true value, subtracted from every
    /// photo's.
    pub fn selection_bias(&self, amplitudes: &[f64]) -> f64 {
        let height = amplitudes.iter().copied().fold(0.0, f64::max) / self.noise;
        self.noise * selection_bias(height)
    }

    /// The least amplitude at which an object is present in a photo, from its `amplitudes` in all photos: `hysteresis`
    /// times the detection limit, or `vanished_sd` standard deviations of the difference below the largest amplitude,
    /// whichever is lower.
    pub fn presence_limit(&self, amplitudes: &[f64], hysteresis: f64, vanished_sd: f64) -> f64 {
        let strongest = amplitudes.iter().copied().fold(f64::MIN, f64::max);
        (hysteresis * self.limit).min(strongest - vanished_sd * self.difference_sd)
    }
}

/// Selection bias of a maximum over column, row and size; it and `height` in standard deviations of the noise. The
/// square of the height has an excess of 1 for each of the three (Wilks 1938); the bias is the whole height where that
/// is less.
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
