//! The table of metrics: every number the tool reports, by its permanent id.
//!
//! A metric is a row of [`METRICS`]. Each belongs to a [`Group`] that is read from the skin in one
//! go; a group fills a [`Sheet`], one row of additive sums for each tile of a region, and the
//! metric's `measure` turns the sums over all tiles into a value. Since sums can be drawn again
//! tile by tile, [`crate::change`] can bootstrap any metric without knowing it.
//!
//! To add a metric: one function and one row here, one in `ABOUT` of tests/metrics_page.rs, from which
//! docs/metrics.md is made, one in the settings' `CAPTURE_SD`, and one phantom or reference value that proves it.

pub mod glcm;
mod lamp;
pub mod pores;
pub mod scars;
mod search;
pub mod texture;
pub mod tone;
pub mod wrinkles;

use crate::citations::{self, Citation};
use crate::luminance::Luminance;
use crate::plane::{Mask, Window};
use crate::series::Scale;
use crate::settings::GrooveSettings;
use crate::tone::Tone;
use ndarray::{Array1, Array2, ArrayViewMut1};
use serde::Serialize;

/// Why a value is not there: the closed list of result.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The photos could not be brought onto each other here.
    Alignment,
    /// The pixels are too coarse, or the photo too blurred, for the structure that is asked for.
    BelowResolution,
    /// The structure is weaker than the photo's noise.
    BelowNoise,
    /// The metric needs millimetres, and no scale is known.
    NoScale,
    /// Percent has no meaning here: the metric is no ratio, or its baseline is zero.
    NoPercent,
    /// Too little of the region is skin that can be seen in the photo.
    LowCoverage,
    /// Nothing of the kind is there (no pores, lines or scars), or too little to be read: less than 6 mm of
    /// lines, for a change strong pores or scars in fewer than four places.
    NothingFound,
    /// Tone without untreated reference skin or a colour chart.
    NoReference,
    /// A quality check failed that this metric depends on, or light or colour do not allow it: light from the
    /// front for scars, b* ≤ 0 for ITA.
    Quality,
    /// The region is too small for an interval.
    TooSmall,
}

/// In which direction a metric gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Less is better: a significant decrease is `improved`.
    Lower,
    /// Neither: a significant change is `changed`.
    Neutral,
}

/// Unit of a metric. Lengths fall back to baseline px where no scale in mm is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A length: `mm`, or `px` without a scale.
    Length,
    /// Written as it stands.
    Fixed(&'static str),
}

impl Unit {
    /// The unit's text in result.json.
    pub fn name(self, scale: &Scale) -> &'static str {
        match self {
            Unit::Length if scale.is_metric() => "mm",
            Unit::Length => "px",
            Unit::Fixed(name) => name,
        }
    }
}

impl Metric {
    /// Period of the structures that it is read from, mm: what a difference in focus lowers by. None of colour.
    pub fn period_mm(&self) -> Option<f64> {
        Some(match (self.group, self.id) {
            (Group::Tone, _) => return None,
            (_, "texture_fine") => 0.42,
            (_, "texture_roughness") => 0.7,
            (Group::Texture, _) => 1.2,
            (Group::Glcm, _) => 0.6,
            (Group::Pores, _) => 0.7,
            (Group::Wrinkles, _) => 1.2,
            (Group::Scars, _) => 3.0,
        })
    }
}

/// Metrics that are read from the skin together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Band amplitudes and anisotropy.
    Texture,
    /// Grey-level co-occurrence.
    Glcm,
    /// Visible pores.
    Pores,
    /// Lines.
    Wrinkles,
    /// Atrophic scars.
    Scars,
    /// Colour.
    Tone,
}

impl Group {
    /// All groups, in the order of the table.
    pub const ALL: [Group; 6] =
        [Group::Texture, Group::Glcm, Group::Pores, Group::Wrinkles, Group::Scars, Group::Tone];
}

/// What a `measure` function may know beside the sums.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Millimetres per baseline px that filters use.
    pub mm_per_px: f64,
    /// Whether that is a true scale, so that lengths may be told in mm.
    pub metric_scale: bool,
    /// Shortest period both photos carry, baseline px.
    pub shortest_period_px: f64,
    /// How the sections of lines are read.
    pub groove: GrooveSettings,
}

impl Frame {
    /// mm² per px², where a true scale is known.
    fn mm2(&self) -> Result<f64, Reason> {
        if self.metric_scale { Ok(self.mm_per_px * self.mm_per_px) } else { Err(Reason::NoScale) }
    }
    /// Factor from px to the unit of lengths.
    pub(crate) fn length(&self) -> f64 {
        if self.metric_scale { self.mm_per_px } else { 1.0 }
    }
}

/// Turns sums over tiles into the metric's value.
pub type Measure = fn(&[f64], &Frame) -> Result<f64, Reason>;

/// One row of the table.
#[derive(Debug)]
pub struct Metric {
    /// Permanent id.
    pub id: &'static str,
    /// Unit.
    pub unit: Unit,
    /// Direction.
    pub better: Better,
    /// Raised when the formula changes.
    pub definition: u32,
    /// Papers and standards.
    pub sources: &'static [&'static Citation],
    /// What it is read with.
    pub group: Group,
    /// Whether a change is a ratio; else only unit values are compared (L*, a*, b*, ITA …).
    pub ratio: bool,
    /// From sums to the value.
    pub measure: Measure,
    /// From a tile's sums to how many pores or scars in it tell a change: [`crate::change`] asks for some tiles
    /// that have any.
    pub told_by: Option<fn(&[f64]) -> f64>,
}

const fn row(
    id: &'static str,
    unit: Unit,
    better: Better,
    group: Group,
    sources: &'static [&'static Citation],
    measure: Measure,
) -> Metric {
    Metric { id, unit, better, definition: 1, sources, group, ratio: true, measure, told_by: None }
}

const fn in_units(metric: Metric) -> Metric {
    Metric { ratio: false, ..metric }
}

const fn told_by(things: fn(&[f64]) -> f64, metric: Metric) -> Metric {
    Metric { told_by: Some(things), ..metric }
}

const ONE: Unit = Unit::Fixed("1");
const PERCENT: Unit = Unit::Fixed("%");
const PER_CM2: Unit = Unit::Fixed("1/cm²");
use Better::{Lower, Neutral};
use citations as c;

/// Every metric, in the order of the result tables.
#[rustfmt::skip]
pub static METRICS: [Metric; 32] = [
    row("texture_roughness", ONE, Lower, Group::Texture, &[&c::LINDEBERG_1994], texture::roughness),
    row("texture_fine", ONE, Lower, Group::Texture, &[&c::LINDEBERG_1994], texture::fine),
    row("texture_coarse", ONE, Lower, Group::Texture, &[&c::LINDEBERG_1994], texture::coarse),
    row("texture_anisotropy", ONE, Neutral, Group::Texture, &[&c::BIGUN_1987], texture::anisotropy),
    row("glcm_contrast", ONE, Neutral, Group::Glcm, &[&c::IBSI_2020], glcm::contrast),
    row("glcm_joint_entropy", ONE, Neutral, Group::Glcm, &[&c::IBSI_2020], glcm::joint_entropy),
    row("glcm_angular_second_moment", ONE, Neutral, Group::Glcm, &[&c::IBSI_2020], glcm::angular_second_moment),
    row("glcm_inverse_difference_moment", ONE, Neutral, Group::Glcm, &[&c::IBSI_2020], glcm::inverse_difference_moment),
    in_units(row("glcm_correlation", ONE, Neutral, Group::Glcm, &[&c::IBSI_2020], glcm::correlation)),
    row("glcm_dissimilarity", ONE, Neutral, Group::Glcm, &[&c::IBSI_2020], glcm::dissimilarity),
    row("pore_count", ONE, Lower, Group::Pores, &[&c::FLAMENT_2015, &c::TURIN_1960, &c::SEBER_1982], pores::count),
    row("pore_density", PER_CM2, Lower, Group::Pores, &[&c::FLAMENT_2015, &c::TURIN_1960, &c::SEBER_1982], pores::density),
    told_by(pores::strong, row("pore_diameter", Unit::Fixed("mm"), Lower, Group::Pores, &[&c::FLAMENT_2015, &c::TURIN_1960], pores::diameter)),
    told_by(pores::strong, row("pore_area_percent", PERCENT, Lower, Group::Pores, &[&c::FLAMENT_2015, &c::TURIN_1960, &c::SEBER_1982], pores::area_percent)),
    row("visible_pore_density", PER_CM2, Lower, Group::Pores, &[&c::FLAMENT_2015, &c::TURIN_1960, &c::SEBER_1982], pores::visible_density),
    row("pore_elongation", ONE, Neutral, Group::Pores, &[&c::FLAMENT_2015, &c::TURIN_1960], pores::elongation),
    row("wrinkle_length", Unit::Length, Lower, Group::Wrinkles, &[&c::FREEMAN_1991], wrinkles::length),
    row("wrinkle_density", Unit::Fixed("mm/cm²"), Lower, Group::Wrinkles, &[&c::FREEMAN_1991], wrinkles::density),
    row("wrinkle_width", Unit::Length, Lower, Group::Wrinkles, &[&c::FREEMAN_1991], wrinkles::width),
    row("wrinkle_depth", Unit::Length, Lower, Group::Wrinkles, &[&c::FREEMAN_1991], wrinkles::depth),
    row("wrinkle_depth_max", Unit::Length, Lower, Group::Wrinkles, &[&c::FREEMAN_1991], wrinkles::depth_max),
    row("wrinkle_area_percent", PERCENT, Lower, Group::Wrinkles, &[&c::FREEMAN_1991], wrinkles::area_percent),
    told_by(scars::number, row("scar_area_percent", PERCENT, Lower, Group::Scars, &[&c::TURIN_1960, &c::TSUMURA_2003], scars::area_percent)),
    told_by(scars::number, row("scar_depth", Unit::Length, Lower, Group::Scars, &[&c::TURIN_1960, &c::TSUMURA_2003], scars::depth)),
    in_units(row("lightness", Unit::Fixed("L*"), Neutral, Group::Tone, &[&c::CIE_15], tone::lightness)),
    in_units(row("redness", Unit::Fixed("a*"), Neutral, Group::Tone, &[&c::CIE_15], tone::redness)),
    in_units(row("yellowness", Unit::Fixed("b*"), Neutral, Group::Tone, &[&c::CIE_15], tone::yellowness)),
    in_units(row("ita", Unit::Fixed("degrees"), Neutral, Group::Tone, &[&c::CHARDON_1991], tone::ita)),
    row("tone_unevenness", Unit::Fixed("ΔE00"), Lower, Group::Tone, &[&c::SHARMA_2005], tone::unevenness),
    row("spot_area_percent", PERCENT, Lower, Group::Tone, &[&c::SHARMA_2005], tone::spot_area_percent),
    row("spot_count", ONE, Lower, Group::Tone, &[&c::SHARMA_2005], tone::spot_count),
    row("spot_contrast", Unit::Fixed("ΔE00"), Lower, Group::Tone, &[&c::SHARMA_2005], tone::spot_contrast),
];

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

/// Reads all groups from one view (a photo by itself) or two (a pair). Lines, pores and scars are sought
/// in both together and read in each at the same places. `None` without any scale: no filter
/// could be sized.
pub fn read(
    views: &[View<'_>],
    scale: &Scale,
    settings: &crate::settings::MetricSettings,
) -> Option<Readings> {
    let frame = Frame {
        mm_per_px: scale.mm_per_px?.0,
        metric_scale: scale.is_metric(),
        shortest_period_px: views[0].luminance.shortest_period_px,
        groove: settings.groove,
    };
    let lum: Vec<&Luminance> = views.iter().map(|v| v.luminance).collect();
    let wrinkles = wrinkles::read(&lum, &frame, settings);
    let (pores, scars) = {
        let lamp = lamp::Lamp::of(&lum, &frame, settings);
        let pores = pores::read(&lum, &lamp, &frame, settings);
        (pores, scars::read(views, &lamp, &wrinkles, &frame, settings))
    };
    Some(Readings {
        frame,
        texture: texture::Texture::read(&lum, &frame, settings),
        glcm: glcm::Glcm::read(&lum, &frame, settings),
        pores,
        scars,
        wrinkles,
        tone: tone::ToneCells::read(views, &frame, settings),
    })
}

impl Readings {
    /// Standard deviation of a metric's ln(f/b) that the rounding of the two files leaves.
    pub fn rounding_sd(&self, group: Group) -> f64 {
        if group == Group::Texture { self.texture.rounding_sd() } else { 0.0 }
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
