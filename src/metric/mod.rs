//! The table of metrics: every number the tool reports, by its permanent id.
//!
//! A metric is one constant of type [`Metric`] in one file, and a line of [`METRICS`]. Each belongs to a [`Group`]
//! that is read from the skin in one go; a group fills a [`Sheet`], one row of additive sums for each tile of a
//! region, and the metric's `measure` turns the sums over all tiles into a value. Since sums can be drawn again
//! tile by tile, [`crate::change`] can bootstrap any metric without knowing it.
//!
//! To add a metric: its file, which holds all that is known of it (docs/metrics.md, the page and the settings in
//! result.json are made from the constants), and one phantom or reference value that proves it.

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

pub use registry::METRICS;
pub use types::{
    Better, CaptureSd, Frame, Group, LightSensitivity, Measure, Metric, Question, Reason, Unit,
};

use crate::luminance::Luminance;
use crate::plane::{Mask, Window};
use crate::series::Scale;
use crate::settings::MetricSettings;
use crate::tone::Tone;
use ndarray::{Array1, Array2, ArrayViewMut1};
use relief::{FineRelief, Slopes};
use std::borrow::Cow;

/// One visit as the metrics see it.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Comparable luminance.
    pub luminance: &'a Luminance,
    /// Comparable colour.
    pub tone: &'a Tone,
}

/// Square tiles over one region: the unit that is drawn again by the bootstrap.
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
        let pixels = inside.data().iter().filter(|v| **v).count();
        Tiles { window, inside, side, columns, count: columns * rows, pixels }
    }

    /// How many tiles, empty ones too.
    pub fn count(&self) -> usize {
        self.count
    }
    /// Bounding box of the region.
    pub fn window(&self) -> Window {
        self.window
    }
    /// How many pixels are measured.
    pub fn pixels(&self) -> usize {
        self.pixels
    }
    /// The tile of the pixel (x, y) of the window, where the pixel is measured.
    pub fn of(&self, x: usize, y: usize) -> Option<usize> {
        if !self.window.contains(x, y) {
            return None;
        }
        let (x, y) = (x - self.window.x, y - self.window.y);
        self.inside.at(x, y).then(|| y / self.side * self.columns + x / self.side)
    }
    /// Which tiles hold measured pixels.
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

/// Additive sums per tile: rows = tiles, columns = what the group adds up.
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
    /// How many tiles have some of the `things`, which are counted from a tile's sums.
    pub fn tiles_with(&self, things: fn(&[f64]) -> f64) -> usize {
        self.0.rows().into_iter().filter(|row| things(&row.to_vec()) > 0.0).count()
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

/// What the groups found in one photo, or jointly in a pair; regions are read from it.
pub struct Readings {
    /// Scale and resolution.
    pub frame: Frame,
    texture: texture::Texture,
    glcm: glcm::Glcm,
    /// Pores, each read in every visit.
    pub pores: Result<Vec<pores::Pore>, Reason>,
    /// Centre-line points of wrinkles, each read in every visit.
    pub wrinkles: Result<Vec<wrinkles::LinePoint>, Reason>,
    /// Atrophic scars, each read in every visit.
    pub scars: Result<scars::Scars, Reason>,
    tone: tone::ToneCells,
}

/// What one photo was searched for.
pub struct Detections {
    relief: FineRelief,
    ridges: Result<wrinkles::RidgeResponse, Reason>,
    lines: Result<Vec<wrinkles::LinePoint>, Reason>,
    pores: Result<pores::PoreCandidates, Reason>,
    scars: Result<scars::ScarCandidates, Reason>,
}

/// Searches one photo for lines, pores and scars. `None` without any scale: no filter could be sized.
pub fn detect(view: &View<'_>, scale: &Scale, settings: &MetricSettings) -> Option<Detections> {
    let frame = Frame::of(view.luminance, scale, settings)?;
    let ridges = wrinkles::detect(view.luminance, &frame, settings);
    let lines = wrinkles::read(&[view.luminance], &[&ridges], &frame, settings);
    let relief = FineRelief::of(&[view.luminance], &frame, settings);
    let slopes = Slopes::of(&relief, frame.mm_per_px, settings);
    let pores = pores::detect(&relief, &slopes, &frame, settings);
    let area = scars::SearchArea::new(&[*view], &lines, &frame, settings);
    let scars = area.and_then(|area| scars::detect(view, &slopes, &area, settings));
    Some(Detections { ridges, lines, pores, scars, relief })
}

/// Reads all groups from one view (a photo by itself) or two (a pair) and what each was searched for. A pair
/// reads the lines, pores and scars of both photos in each. `None` without any scale.
pub fn read(
    views: &[View<'_>],
    detections: &[&Detections],
    scale: &Scale,
    settings: &MetricSettings,
) -> Option<Readings> {
    let frame = Frame::of(views[0].luminance, scale, settings)?;
    let lum: Vec<&Luminance> = views.iter().map(|v| v.luminance).collect();
    let ridges: Vec<_> = detections.iter().map(|d| &d.ridges).collect();
    let pores: Vec<_> = detections.iter().map(|d| &d.pores).collect();
    let scars: Vec<_> = detections.iter().map(|d| &d.scars).collect();
    let (relief, wrinkles) = match detections {
        [own] => (Cow::Borrowed(&own.relief), own.lines.clone()),
        _ => {
            let relief = FineRelief::of(&lum, &frame, settings);
            (Cow::Owned(relief), wrinkles::read(&lum, &ridges, &frame, settings))
        }
    };
    Some(Readings {
        frame,
        texture: texture::Texture::read(&lum, &frame, settings),
        glcm: glcm::Glcm::read(&lum, &frame, settings),
        pores: pores::read(&lum, &relief, &pores, &frame, settings),
        scars: scars::SearchArea::new(views, &wrinkles, &frame, settings)
            .and_then(|area| scars::read(views, &relief, &scars, &area, settings)),
        wrinkles,
        tone: tone::ToneCells::read(views, &frame, settings),
    })
}

impl Readings {
    /// Standard deviation of a metric's ln(f/b) that the rounding of the two files and noise of unknown strength
    /// leave, from the sums of both visits.
    pub fn noise_sd(&self, metric: &Metric, sums: [&[f64]; 2]) -> f64 {
        let rounding = self.texture.rounding_sd();
        let Some(noise_error) = metric.noise_error else {
            return if metric.group == Group::Texture { rounding } else { 0.0 };
        };
        let of =
            |s: &[f64]| (metric.measure)(s, &self.frame).map_or(0.0, |value| noise_error(s, value));
        rounding.hypot(of(sums[0]).hypot(of(sums[1])))
    }

    /// The sums of `group` for one visit (0, or 1 in a pair) over the tiles of a region. Colours of
    /// a follow-up are matched to visit 0 on the `reference` skin.
    pub fn sheet(
        &self,
        group: Group,
        visit: usize,
        tiles: &Tiles,
        reference: tone::Reference<'_>,
    ) -> Result<Sheet, Reason> {
        match group {
            Group::Texture => Ok(self.texture.sheet(visit, tiles)),
            Group::Glcm => self.glcm.sheet(visit, tiles),
            Group::Pores => match &self.pores {
                Ok(pores) => Ok(pores::sheet(pores, visit, tiles, &self.frame)),
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
