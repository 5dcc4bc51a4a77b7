//! Reads detected scars in one or two photos.

use super::detect::{LitCells, cells};
use super::shading::Shading;
use super::{Scar, ScarCandidates, ScarReading, Scars, SearchArea};
use crate::metric::relief::{FineRelief, Slopes};
use crate::metric::search::{Candidate, Search, SearchCell};
use crate::metric::{ComparableVisit, Reason};
use crate::plane::{Mask, Plane};
use crate::settings::MetricSettings;

/// Reads the candidates of all photos in each of them.
///
/// # Errors
/// As [`detect`](super::detect()), for any of the photos or all together.
pub fn read(
    views: &[ComparableVisit<'_>],
    relief: &FineRelief,
    detected: &[&Result<ScarCandidates, Reason>],
    area: &SearchArea,
    settings: &MetricSettings,
) -> Result<Scars, Reason> {
    let detected = detected.iter().map(|d| d.as_ref().map_err(|reason| *reason));
    let detected = detected.collect::<Result<Vec<_>, Reason>>()?;
    let joint;
    let (shading, LitCells { cells, light }) = match detected[..] {
        [own] => (&own.shading, &own.cells),
        _ => {
            let shading = Shading::of(views, area, settings);
            let slopes = Slopes::of(relief, area.mm_per_px, settings);
            let cells = cells(&shading.search, &slopes, area, settings)?;
            joint = (shading, cells);
            (&joint.0, &joint.1)
        }
    };
    let search = area.search(&shading.search, cells);
    let candidates: Vec<&[Candidate]> = detected.iter().map(|d| &d.candidates[..]).collect();
    let mut scars: Vec<Scar> = Vec::new();
    for detection in search.detections(&candidates) {
        let reach = 2.0 * area.pixel.px(settings.scar_radii_mm[detection.size]);
        let visible = visible(&area.skin, &detection, reach) >= settings.scar_visible_min;
        if !visible || !isolated(&search, &detection, light[detection.cell], reach, settings) {
            continue;
        }
        let scar = read_scar(&search, &shading.depth, &detection, area.mm_per_px, settings);
        let near = |other: &Scar| {
            let rim = other.radius_px.max(scar.radius_px);
            (other.x - scar.x).hypot(other.y - scar.y)
                < rim + settings.scar_distance_min_mm / area.mm_per_px
        };
        if !scars.iter().any(near) {
            scars.push(scar);
        }
    }
    scars.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
    Ok(Scars { found: scars, searched: searched(&search, &area.skin), factor: area.factor })
}

/// Whether the response ends `distance` px to each side of a detection, across the light. That of a fold or an edge
/// continues.
fn isolated(
    search: &Search<'_>,
    detection: &Candidate,
    light: Option<[f64; 2]>,
    distance: f64,
    settings: &MetricSettings,
) -> bool {
    let [x, y] = light.unwrap_or_default();
    let response = |side: f64| {
        let at = Candidate {
            x: detection.x - side * distance * y,
            y: detection.y + side * distance * x,
            ..*detection
        };
        search.amplitudes(&at).into_iter().fold(f64::MIN, f64::max)
    };
    response(1.0).max(response(-1.0)) <= settings.scar_flank_response_max * response(0.0)
}

/// Skin in the cells that have filters.
fn searched(search: &Search<'_>, skin: &Mask) -> Mask {
    let mut searched = Mask::filled(skin.width(), skin.height(), false);
    for SearchCell { window, .. } in search.cells.iter().filter(|cell| !cell.filters.is_empty()) {
        for y in window.y..window.y + window.height {
            for x in window.x..window.x + window.width {
                searched.set(x, y, skin.at(x, y));
            }
        }
    }
    searched
}

/// Share of skin within `reach` px of a detection.
fn visible(skin: &Mask, detection: &Candidate, reach: f64) -> f64 {
    let reach = reach.round() as isize;
    let (x, y) = (detection.x.round() as isize, detection.y.round() as isize);
    let square = (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| [dx, dy]));
    let disc: Vec<_> = square.filter(|[dx, dy]| dx * dx + dy * dy <= reach * reach).collect();
    let inside = |[dx, dy]: &&[isize; 2]| {
        let (x, y) = (x + dx, y + dy);
        let in_plane = x >= 0 && y >= 0 && x < skin.width() as isize && y < skin.height() as isize;
        in_plane && skin.at(x as usize, y as usize)
    };
    disc.iter().filter(inside).count() as f64 / disc.len() as f64
}

/// Reads presence by the planes of the search, and depth in `depth_planes`.
fn read_scar(
    search: &Search<'_>,
    depth_planes: &[Plane],
    detection: &Candidate,
    mm_per_px: f64,
    settings: &MetricSettings,
) -> Scar {
    let [x, y] = search.centre(detection);
    let radius_px = settings.scar_radii_mm[detection.size] / mm_per_px;
    let amplitudes = search.amplitudes(detection);
    let filter = search.filter(detection);
    let presence_limit =
        filter.presence_limit(&amplitudes, settings.scar_hysteresis, settings.scar_vanished_sd);
    let depth = |amplitude: f64| amplitude * radius_px / settings.scar_shading_per_slope;
    let bias = filter.selection_bias(&amplitudes) + settings.scar_depth_bias_sd * filter.noise;
    let reading = |(amplitude, plane): (f64, &Plane)| ScarReading {
        depth_px: depth(filter.matched.at(plane, detection.x, detection.y) - bias),
        present: amplitude >= presence_limit,
    };
    let weight = depth(filter.noise).powi(-2);
    let readings = amplitudes.into_iter().zip(depth_planes).map(reading).collect();
    Scar { x, y, radius_px, weight, readings }
}
