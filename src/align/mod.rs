//! Alignment: each follow-up mapped onto the baseline's coordinates.
//!
//! First a global affine map from matched features ([`estimate`]), then a smooth field of
//! displacements on a control grid ([`refine`]). The field's stiffness is a physical length
//! (`AlignSettings::node_spacing_mm`): pose and mimic are followed, a single wrinkle is not.

pub mod estimate;
pub mod refine;

use crate::error::{Error, Step};
use crate::filter::stats::{median, quantile};
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Window};
use crate::region::RegionMap;
use crate::series::{Scale, Series};
use crate::settings::AlignSettings;
use serde::Serialize;

/// Outcome of aligning one follow-up, or one region of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlignmentStatus {
    /// Every measured region is aligned.
    Aligned,
    /// Some regions are, some are not.
    Partial,
    /// The photos could not be aligned.
    Failed,
}

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

impl Field {
    /// The map that moves nothing.
    pub fn identity() -> Self {
        Field {
            affine: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            origin: [0.0, 0.0],
            spacing_px: 1.0,
            nodes: Grid::filled(1, 1, [0.0, 0.0]),
        }
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
                    let d = self.nodes.clamped(x, iy + j as isize - 1);
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

    /// The follow-up position of the skin at a baseline position. For many positions of a row use
    /// [`Field::row`].
    pub fn at(&self, x: f64, y: f64) -> [f64; 2] {
        self.row(y).at(x)
    }

    /// The part of a follow-up of `width`×`height` px that holds the baseline's `window`, with a
    /// margin.
    pub fn footprint(&self, window: Window, width: usize, height: usize) -> Window {
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
        let margin = 16.0 + 0.02 * (window.width.max(window.height) as f64);
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

    fn knots(&self, d: f64) -> (isize, [f64; 4]) {
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
        (i as isize, w)
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
            let d = self.nodes[(ix + i as isize - 1).clamp(0, last) as usize];
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

/// One region of an alignment.
#[derive(Debug, Clone)]
pub struct RegionAlignment {
    /// Region name.
    pub region: String,
    /// Whether the region may be compared.
    pub aligned: bool,
    /// The tool's own estimate of the error, median over nodes, baseline px.
    pub residual_median_px: Option<f64>,
    /// 95th percentile.
    pub residual_p95_px: Option<f64>,
    /// Share of the region's skin that the follow-up shows.
    pub overlap_percent: f64,
}

/// How one follow-up lies on the baseline.
#[derive(Debug, Clone)]
pub struct Alignment {
    /// Overall outcome.
    pub status: AlignmentStatus,
    /// Why it failed.
    pub reason: Option<String>,
    /// The map; none where alignment failed.
    pub field: Option<Field>,
    /// All regions together, named `whole`.
    pub all: Option<RegionAlignment>,
    /// Each region of the map, in its order.
    pub regions: Vec<RegionAlignment>,
}

/// A series whose follow-ups are mapped onto the baseline.
#[derive(Debug, Clone)]
pub struct AlignedSeries {
    /// The photos.
    pub series: Series,
    /// Regions of the baseline.
    pub regions: RegionMap,
    /// Scale of the baseline.
    pub scale: Scale,
    /// One per follow-up: index 0 is visit 1.
    pub alignments: Vec<Alignment>,
}

/// Aligns every follow-up of `series` directly to the baseline.
pub fn align(
    series: Series,
    regions: RegionMap,
    scale: Scale,
    settings: &AlignSettings,
) -> AlignedSeries {
    let baseline = series.baseline();
    let alignments = series.visits[1..]
        .iter()
        .map(|v| align_pair(baseline, &v.photo, &regions, &scale, settings))
        .collect();
    AlignedSeries { series, regions, scale, alignments }
}

/// Length of the field's node spacing in baseline px.
fn node_spacing_px(regions: &RegionMap, scale: &Scale, settings: &AlignSettings) -> f64 {
    let wanted = match scale.mm_per_px {
        Some(mm) => settings.node_spacing_mm / mm.0,
        None => regions.window.width.max(regions.window.height) as f64 / settings.nodes_unscaled,
    };
    wanted.max(settings.node_spacing_min_px)
}

fn align_pair(
    baseline: &Photo,
    follow_up: &Photo,
    regions: &RegionMap,
    scale: &Scale,
    settings: &AlignSettings,
) -> Alignment {
    if baseline.linear == follow_up.linear {
        let stats = |name: &str| RegionAlignment {
            region: name.to_string(),
            aligned: true,
            residual_median_px: Some(0.0),
            residual_p95_px: Some(0.0),
            overlap_percent: 100.0,
        };
        return Alignment {
            status: AlignmentStatus::Aligned,
            reason: None,
            field: Some(Field::identity()),
            all: Some(stats(crate::region::WHOLE)),
            regions: regions.regions.iter().map(|r| stats(&r.name)).collect(),
        };
    }
    let failed = |why: String| Alignment {
        status: AlignmentStatus::Failed,
        reason: Some(Error::new(&follow_up.file, Step::Align, why).to_string()),
        field: None,
        all: None,
        regions: Vec::new(),
    };
    let affine = match estimate::estimate(baseline, follow_up, regions, settings) {
        Ok(affine) => affine,
        Err(why) => return failed(why),
    };
    let spacing = node_spacing_px(regions, scale, settings);
    let refined = refine::refine(baseline, follow_up, regions, affine, spacing, settings);
    let Some(correlation) = refined.median_correlation else {
        return failed("the photos do not overlap on the skin that is measured".into());
    };
    if correlation < settings.correlation_min {
        return failed(format!(
            "the skin does not match after alignment (correlation {correlation:.2}, {:.2} needed): \
             is it the same person and the same view?",
            settings.correlation_min
        ));
    }
    let shows = overlap_mask(&refined.field, follow_up, regions);
    let summary = |name: &str, window, inside: &Mask| {
        region_alignment(name, window, inside, regions, &refined, &shows, settings)
    };
    let full = Mask::filled(regions.window.width, regions.window.height, true);
    let all = summary(crate::region::WHOLE, regions.window, &full);
    let rows: Vec<_> =
        regions.regions.iter().map(|r| summary(&r.name, r.window, &r.inside)).collect();
    let status = match rows.iter().filter(|r| r.aligned).count() {
        0 => return failed("no region is aligned well enough to be compared".into()),
        n if n == rows.len() => AlignmentStatus::Aligned,
        _ => AlignmentStatus::Partial,
    };
    Alignment { status, reason: None, field: Some(refined.field), all: Some(all), regions: rows }
}

/// Which pixels of the window the follow-up shows.
fn overlap_mask(field: &Field, follow_up: &Photo, regions: &RegionMap) -> Mask {
    let (w, h) = (follow_up.width() as f64 - 1.0, follow_up.height() as f64 - 1.0);
    let origin = regions.window;
    let mut shows = Mask::filled(origin.width, origin.height, false);
    shows.par_rows(|y, out| {
        let row = field.row((origin.y + y) as f64);
        for (x, v) in out.iter_mut().enumerate() {
            let [fx, fy] = row.at((origin.x + x) as f64);
            *v = fx >= 0.0 && fy >= 0.0 && fx <= w && fy <= h;
        }
    });
    shows
}

fn region_alignment(
    name: &str,
    window: Window,
    inside: &Mask,
    regions: &RegionMap,
    refined: &refine::Refined,
    shows: &Mask,
    settings: &AlignSettings,
) -> RegionAlignment {
    let frame = regions.window;
    let in_region = |x: usize, y: usize| {
        window.contains(x, y)
            && inside.at(x - window.x, y - window.y)
            && frame.contains(x, y)
            && regions.skin.at(x - frame.x, y - frame.y)
    };
    let (mut skin, mut seen) = (0usize, 0usize);
    for y in window.y..window.y + window.height {
        for x in window.x..window.x + window.width {
            if in_region(x, y) {
                skin += 1;
                seen += shows.at(x - frame.x, y - frame.y) as usize;
            }
        }
    }
    // Every node whose cell touches the region speaks for it.
    let reach = refined.field.spacing_px * 0.5;
    let mut residuals: Vec<f64> = refined
        .nodes
        .iter()
        .filter(|n| {
            let clamp =
                |v: f64, lo: usize, len: usize| v.clamp(lo as f64, (lo + len.max(1) - 1) as f64);
            let (cx, cy) =
                (clamp(n.x, window.x, window.width), clamp(n.y, window.y, window.height));
            (cx - n.x).hypot(cy - n.y) <= reach
                && in_region(cx.round() as usize, cy.round() as usize)
        })
        .map(|n| n.error_px)
        .collect();
    let median_px = median(&mut residuals);
    let overlap_percent = if skin > 0 { 100.0 * seen as f64 / skin as f64 } else { 0.0 };
    RegionAlignment {
        region: name.to_string(),
        aligned: median_px.is_some_and(|m| m <= settings.residual_max_px) && seen > 0,
        residual_median_px: median_px,
        residual_p95_px: quantile(&mut residuals, 0.95),
        overlap_percent,
    }
}
