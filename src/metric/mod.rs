//! The table of metrics: every number the tool reports, by its permanent id.
//!
//! A metric is one constant of type [`Metric`] in one file, and a line of [`METRICS`]. Each belongs to a [`Group`] of
//! metrics that are read together. A group fills a [`Sheet`], one row of additive sums for each tile of a region, and
//! the metric's `measure` turns the sums over all tiles into a value. Since sums can be resampled tile by tile,
//! [`crate::change`] bootstraps every metric by the same code.
//!
//! To add a metric: its file, which holds all that is known of it (docs/metrics.md, the page and the settings in
//! result.json are made from the constants), and a test against a phantom or a reference value.

pub mod glcm;
pub mod pores;
mod registry;
mod relief;
pub mod scars;
mod search;
pub(crate) mod sums;
pub mod texture;
pub mod tone;
mod types;
pub mod wrinkles;

pub use registry::{HEADLINES, METRICS};
pub use types::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, MeasureFn, Metric, Question, Reason,
    Sampling, Unit,
};

use crate::luminance::Luminance;
use crate::plane::{Mask, Window, par_join};
use crate::series::Scale;
use crate::settings::MetricSettings;
use crate::tone::Tone;
use ndarray::{Array1, Array2, ArrayViewMut1};
use relief::{FineRelief, Slopes};
use std::borrow::Cow;

/// A visit made comparable: what the metrics are read from.
#[derive(Debug, Clone, Copy)]
pub struct ComparableVisit<'a> {
    /// Comparable luminance.
    pub luminance: &'a Luminance,
    /// Comparable colour.
    pub tone: &'a Tone,
}

/// Square tiles over one region, the units that the bootstrap resamples.
#[derive(Debug, Clone)]
pub struct Tiles {
    /// Bounding box in px of the window of the region map.
    window: Window,
    /// Pixels of the box that are measured: inside the region, valid in all photos compared.
    inside: Mask,
    side: usize,
    columns: usize,
    count: usize,
    pixels: usize,
}

impl Tiles {
    /// Tiles of `side` px over the pixels `inside` a bounding box.
    pub fn new(window: Window, inside: Mask, side: usize) -> Self {
        let columns = window.width.div_ceil(side).max(1);
        let rows = window.height.div_ceil(side).max(1);
        let pixels = inside.count();
        Tiles { window, inside, side, columns, count: columns * rows, pixels }
    }

    /// Number of tiles, empty ones included.
    pub fn count(&self) -> usize {
        self.count
    }
    /// Bounding box of the region.
    pub fn window(&self) -> Window {
        self.window
    }
    /// Number of measured pixels.
    pub fn pixels(&self) -> usize {
        self.pixels
    }
    /// The tile of the pixel (x, y) of the window of the region map; `None` where the pixel is not measured.
    pub fn of(&self, x: usize, y: usize) -> Option<usize> {
        if !self.window.contains(x, y) {
            return None;
        }
        let (x, y) = (x - self.window.x, y - self.window.y);
        self.inside.at(x, y).then(|| y / self.side * self.columns + x / self.side)
    }
    /// Whether each tile holds measured pixels.
    pub fn filled(&self) -> Vec<bool> {
        let mut filled = vec![false; self.count];
        self.for_each(|tile, _, _| filled[tile] = true);
        filled
    }
    /// Calls `f(tile, x, y)` for every measured pixel, row after row.
    pub fn for_each(&self, mut f: impl FnMut(usize, usize, usize)) {
        for y in 0..self.window.height {
            let row = self.inside.row(y);
            let base = y / self.side * self.columns;
            for (x, &inside) in row.iter().enumerate() {
                if inside {
                    f(base + x / self.side, self.window.x + x, self.window.y + y);
                }
            }
        }
    }
}

/// Additive sums per tile: one row per tile, one column per sum of the group.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet(Array2<f64>);

impl Sheet {
    /// An empty sheet.
    pub fn new(tiles: usize, columns: usize) -> Self {
        Sheet(Array2::zeros((tiles, columns)))
    }
    /// The sums of all tiles.
    pub(crate) fn of<S: sums::Sums>(tiles: Vec<S>) -> Self {
        let mut sheet = Sheet::new(tiles.len(), S::COLUMNS);
        for (mut sums, mut row) in tiles.into_iter().zip(sheet.0.rows_mut()) {
            let mut columns = row.iter_mut();
            sums.for_each(&mut |sum| columns.next().into_iter().for_each(|column| *column = *sum));
        }
        sheet
    }
    /// The sums of one tile, writable.
    pub fn tile(&mut self, tile: usize) -> ArrayViewMut1<'_, f64> {
        self.0.row_mut(tile)
    }
    /// Number of tiles that hold an object; `count` is the number of objects from a tile's sums.
    pub fn tiles_with(&self, count: fn(&[f64]) -> f64) -> usize {
        self.0.rows().into_iter().filter(|row| count(&row.to_vec()) > 0.0).count()
    }
    /// Sums over tiles, each taken `weight[tile]` times, in fixed order.
    pub fn total(&self, weights: &[f64]) -> Vec<f64> {
        let mut sums = Array1::zeros(self.0.ncols());
        for (row, &weight) in self.0.rows().into_iter().zip(weights) {
            if weight > 0.0 {
                sums.scaled_add(weight, &row);
            }
        }
        sums.to_vec()
    }
}

/// Readings of all groups in one photo, or jointly in a pair, over the whole window; a region sums its part of them.
pub struct Readings {
    /// Scale and resolution.
    pub sampling: Sampling,
    texture: texture::TextureBands,
    glcm: glcm::Glcm,
    /// Pores, each read in every visit.
    pub pores: Result<Vec<pores::Pore>, Reason>,
    /// Centre-line points of wrinkles, each read in every visit.
    pub wrinkles: Result<Vec<wrinkles::LinePoint>, Reason>,
    /// Atrophic scars, each read in every visit.
    pub scars: Result<scars::Scars, Reason>,
    tone: tone::ToneCells,
}

/// Candidates for lines, pores and scars in one photo.
pub struct Detections {
    relief: FineRelief,
    ridges: Result<wrinkles::RidgeResponse, Reason>,
    lines: Result<Vec<wrinkles::LinePoint>, Reason>,
    pores: Result<pores::PoreCandidates, Reason>,
    scars: Result<scars::ScarCandidates, Reason>,
}

impl Detections {
    /// Points of the lines found, px of the window of the region map.
    pub fn line_points(&self) -> Vec<[usize; 2]> {
        self.lines.iter().flatten().map(|point| [point.x, point.y]).collect()
    }
}

/// Searches one photo for lines, pores and scars. `None` without any scale: no filter could be sized.
pub fn detect(
    view: &ComparableVisit<'_>,
    scale: &Scale,
    settings: &MetricSettings,
) -> Option<Detections> {
    let sampling = Sampling::of(view.luminance, scale, settings)?;
    let lines = || {
        let ridges = wrinkles::detect(view.luminance, &sampling, settings);
        let lines = wrinkles::read(&[view.luminance], &[&ridges], &sampling, settings);
        (ridges, lines)
    };
    let relief = FineRelief::of(&[view.luminance], &sampling, settings);
    let slopes = Slopes::of(&relief, sampling.mm_per_px, settings);
    let pores = || pores::detect(&relief, &slopes, &sampling, settings);
    let ((ridges, lines), pores) = par_join(lines, pores);
    let area = scars::SearchArea::new(&[*view], &lines, &sampling, settings);
    let scars = area.and_then(|area| scars::detect(view, &slopes, &area, settings));
    Some(Detections { ridges, lines, pores, scars, relief })
}

/// Reads all groups from one view (a photo by itself) or two (a pair), given the candidates of each. A pair
/// reads the lines, pores and scars of both photos in each. `None` without any scale.
pub fn read(
    views: &[ComparableVisit<'_>],
    detections: &[&Detections],
    scale: &Scale,
    settings: &MetricSettings,
) -> Option<Readings> {
    let sampling = Sampling::of(views[0].luminance, scale, settings)?;
    let lum: Vec<&Luminance> = views.iter().map(|v| v.luminance).collect();
    let ridges: Vec<_> = detections.iter().map(|d| &d.ridges).collect();
    let pores: Vec<_> = detections.iter().map(|d| &d.pores).collect();
    let scars: Vec<_> = detections.iter().map(|d| &d.scars).collect();
    let (relief, wrinkles) = match detections {
        [own] => (Cow::Borrowed(&own.relief), own.lines.clone()),
        _ => {
            let relief = FineRelief::of(&lum, &sampling, settings);
            (Cow::Owned(relief), wrinkles::read(&lum, &ridges, &sampling, settings))
        }
    };
    let found = || {
        let scars = scars::SearchArea::new(views, &wrinkles, &sampling, settings)
            .and_then(|area| scars::read(views, &relief, &scars, &area, settings));
        (pores::read(&lum, &relief, &pores, &sampling, settings), scars)
    };
    let bands = || {
        let texture = texture::TextureBands::read(&lum, &sampling, settings);
        (texture, glcm::Glcm::read(&lum, &sampling, settings))
    };
    let ((pores, scars), (texture, glcm)) = par_join(found, bands);
    let tone = tone::ToneCells::read(views, &sampling, settings);
    Some(Readings { sampling, texture, glcm, pores, scars, wrinkles, tone })
}

impl Readings {
    /// Standard deviation of a metric's ln(follow-up/baseline) due to the rounding of the two files and the error of
    /// the noise power, from the sums of both visits.
    pub fn noise_sd(&self, metric: &Metric, sums: [&[f64]; 2]) -> f64 {
        let rounding = self.texture.rounding_sd();
        let Some(noise_error) = metric.noise_error else {
            return if metric.group == Group::Texture { rounding } else { 0.0 };
        };
        let of = |s: &[f64]| {
            (metric.measure)(s, &self.sampling).map_or(0.0, |value| noise_error(s, value))
        };
        rounding.hypot(of(sums[0]).hypot(of(sums[1])))
    }

    /// The sums of `group` for one visit (0, or 1 in a pair) over the tiles of a region. Colours of
    /// a follow-up are matched to visit 0 on the `reference` skin.
    pub fn sheet(
        &self,
        group: Group,
        visit: usize,
        tiles: &Tiles,
        reference: tone::ReferenceSkin<'_>,
    ) -> Result<Sheet, Reason> {
        match group {
            Group::Texture => Ok(self.texture.sheet(visit, tiles)),
            Group::Glcm => self.glcm.sheet(visit, tiles),
            Group::Pores => match &self.pores {
                Ok(pores) => Ok(pores::sheet(pores, visit, tiles, &self.sampling)),
                Err(reason) => Err(*reason),
            },
            Group::Wrinkles => match &self.wrinkles {
                Ok(lines) => Ok(wrinkles::sheet(lines, visit, tiles)),
                Err(reason) => Err(*reason),
            },
            Group::Scars => match &self.scars {
                Ok(scars) => Ok(scars::sheet(scars, visit, tiles)),
                Err(reason) => Err(*reason),
            },
            Group::Tone => self.tone.sheet(visit, tiles, reference),
        }
    }
}
