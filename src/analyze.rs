//! The pipeline: the only file that names all stages.

use crate::align::{self, AlignedSeries, Alignment, AlignmentStatus, Field, RegionAlignment};
use crate::change::{self, Cell, ChangeRow, Resampling, TrendRow};
use crate::citations::{self, Citation};
use crate::error::{Error, Result, Step};
use crate::light::{self, LightChange};
use crate::luminance::{self, Luminance, Pair};
use crate::metric::tone::Reference;
use crate::metric::{self, Group, METRICS, Metric, Readings, Reason, Tiles, Unit, View, wrinkles};
use crate::photo::Photo;
use crate::photo::turn::Turn;
use crate::plane::{Mask, Window, par_collect};
use crate::quality::{self, QualityCheck};
use crate::region::Model;
use crate::region::{self, Face, Region, RegionMap, RegionRequest, WHOLE, polygon};
use crate::report::{
    AlignmentRow, Maps, MeasurementRow, PhotoRow, Pictures, RegionsRow, Report, SCHEMA_VERSION,
    ScaleRow, Tool,
};
use crate::series::{Scale, ScaleSource, Series, Visit};
use crate::settings::Settings;
use crate::show::{self, Shown};
use crate::tone::{self, Tone};
use crate::units::MmPerPx;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// One photo to be analysed.
#[derive(Debug, Clone)]
pub struct PhotoInput {
    /// Where it lies.
    pub path: PathBuf,
    /// Name of the visit; `baseline`, `visit 1` … where none is given.
    pub label: Option<String>,
    /// ISO 8601 date.
    pub date: Option<String>,
}

/// What is to be analysed, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// Photos in order of visit, at least one (one: a measurement without comparison).
    pub photos: Vec<PhotoInput>,
    /// Which regions.
    pub regions: RegionRequest,
    /// Millimetres per pixel of the baseline, and who said so.
    pub scale: Option<(f64, ScaleSource)>,
    /// ONNX model named by the user, shared by all series; none: the project's own where a face is
    /// asked for, in a build that holds it.
    pub model: Option<Arc<Model>>,
    /// Region of untreated skin that tone is told against.
    pub reference: Option<String>,
    /// Whether to make the pictures of the page.
    pub pictures: bool,
    /// Whether to make the maps.
    pub maps: bool,
    /// Every tunable number.
    pub settings: Settings,
    /// Files that were read to make this request: region file, model with its sidecar, manifest. They
    /// are not opened again; no output may replace them.
    pub read: Vec<PathBuf>,
}

impl Request {
    /// Photos in order of visit, everything else as the command has it by default: the regions of
    /// a face, no scale, no pictures, no maps.
    pub fn new<P: Into<PathBuf>>(photos: impl IntoIterator<Item = P>) -> Self {
        let input = |path: P| PhotoInput { path: path.into(), label: None, date: None };
        Request {
            photos: photos.into_iter().map(input).collect(),
            regions: RegionRequest::Face,
            scale: None,
            model: None,
            reference: None,
            pictures: false,
            maps: false,
            settings: Settings::default(),
            read: Vec::new(),
        }
    }

    /// All files that the results depend on, for [`output::check`](crate::output::check).
    pub fn inputs(&self) -> Vec<PathBuf> {
        let photos = self.photos.iter().map(|photo| &photo.path);
        photos.chain(&self.read).cloned().collect()
    }
}

/// What one stage cost: for `-v`, never for result.json.
#[derive(Debug, Clone)]
pub struct StageCost {
    /// Name of the stage.
    pub stage: &'static str,
    /// Wall time, s.
    pub seconds: f64,
    /// Peak memory of the process so far, MiB, where the system tells.
    pub peak_mib: Option<f64>,
}

/// What an analysis yields.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// The numbers.
    pub report: Report,
    /// The pictures of the page (empty unless asked for).
    pub pictures: Pictures,
    /// The maps (empty unless asked for).
    pub maps: Maps,
    /// What each stage cost.
    pub costs: Vec<StageCost>,
}

/// Runs the whole pipeline over one series.
///
/// # Errors
/// A photo that cannot be read, regions that do not fit the photo, a model that cannot run. An
/// alignment that fails is a result, not an error.
pub fn analyze(request: &Request) -> Result<Analysis> {
    let mut clock = Clock::new();
    let visits = request
        .photos
        .iter()
        .enumerate()
        .map(|(k, input)| {
            Ok(Visit {
                label: input.label.clone().unwrap_or_else(|| default_label(k)),
                date: input.date.clone(),
                photo: Photo::open(&input.path, &request.settings.photo)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    clock.stage("decode");
    let mut analysis = analyze_series(Series { visits }, request)?;
    clock.costs.append(&mut analysis.costs);
    analysis.costs = clock.costs;
    Ok(analysis)
}

fn default_label(visit: usize) -> String {
    if visit == 0 { "baseline".into() } else { format!("visit {visit}") }
}

/// The pipeline after decoding; `request.photos` is not looked at.
///
/// # Errors
/// As [`analyze`].
pub fn analyze_series(mut series: Series, request: &Request) -> Result<Analysis> {
    let settings = &request.settings;
    let mut clock = Clock::new();
    let baseline = series.baseline();
    if let RegionRequest::Polygons(list) = &request.regions {
        polygon::check(list, baseline.width(), baseline.height(), baseline.file.as_ref())?;
    }
    let model = match (&request.model, &request.regions) {
        (Some(model), _) => Some(model.as_ref()),
        (None, RegionRequest::Face) => Model::built_in(),
        (None, _) => None,
    };
    let (regions, faces) = regions_and_faces(&mut series, request, model)?;
    let baseline = series.baseline();
    if let Some(name) = &request.reference
        && !regions.regions.iter().any(|r| &r.name == name)
    {
        return Err(Error::new(
            &baseline.file,
            Step::Usage,
            format!("--reference {name}: no such region here"),
        ));
    }
    let scale = scale(request, &regions);
    clock.stage("region");

    let aligned = align::align(series, regions, &faces, scale, &settings.align);
    clock.stage("align");

    let seen = see(&aligned, settings);
    let pairs: Vec<Option<Pair>> = (1..seen.len())
        .map(|k| {
            let (b, f) = (seen[0].as_ref()?, seen[k].as_ref()?);
            Some(luminance::comparable(&b.luminance, &f.luminance, &settings.luminance))
        })
        .collect();
    clock.stage("luminance, tone");

    let lights: Vec<LightChange> = (1..seen.len())
        .map(|k| match (&seen[0], &seen[k]) {
            (Some(before), Some(after)) => {
                let (regions, tones) = (&aligned.regions, [&before.tone, &after.tone]);
                let face = regions.face.as_ref();
                light::change(tones, regions.window, face, &aligned.scale, &settings.light)
            }
            _ => LightChange::default(),
        })
        .collect();
    clock.stage("light");

    let checks = quality_checks(&aligned, &seen, &pairs, &lights, settings);
    clock.stage("quality");

    let alone: Vec<Option<Readings>> = seen
        .iter()
        .map(|s| {
            let s = s.as_ref()?;
            let view = View { luminance: &s.luminance, tone: &s.tone };
            metric::read(&[view], &aligned.scale, &settings.metric)
        })
        .collect();
    let measurements: Vec<MeasurementRow> = (0..seen.len())
        .flat_map(|k| measure_visit(&aligned, k, seen[k].as_ref(), alone[k].as_ref(), settings))
        .collect();
    clock.stage("measure");

    let joint: Vec<Option<Readings>> = pairs
        .iter()
        .enumerate()
        .map(|(i, pair)| {
            let (pair, b, f) = (pair.as_ref()?, seen[0].as_ref()?, seen[i + 1].as_ref()?);
            let views = [
                View { luminance: &pair.baseline, tone: &b.tone },
                View { luminance: &pair.follow_up, tone: &f.tone },
            ];
            metric::read(&views, &aligned.scale, &settings.metric)
        })
        .collect();
    let mut changes = Vec::new();
    for (i, readings) in joint.iter().enumerate() {
        let pair = pairs[i].as_ref();
        let light = lights[i];
        let mut rows =
            compare_visit(&aligned, i + 1, (pair, light), readings.as_ref(), &checks, request);
        change::decide(&mut rows, |id| find_metric(id).better, &settings.change);
        if request.reference.is_none() {
            change::only_differently(&mut rows, |id| find_metric(id).group == Group::Tone);
        }
        changes.append(&mut rows);
    }
    let trends = trends(&changes, joint.len());
    clock.stage("compare");

    let shown: Vec<Shown<'_>> = aligned
        .series
        .visits
        .iter()
        .enumerate()
        .map(|(k, visit)| Shown {
            photo: &visit.photo,
            field: seen[k].as_ref().map(|s| &s.field),
            measured: match k {
                0 => seen[0].as_ref().map(|s| &s.luminance.valid),
                _ => pairs[k - 1].as_ref().map(|pair| &pair.baseline.valid),
            },
            readings: if k == 0 {
                alone[0].as_ref().map(|r| (r, 0))
            } else {
                joint[k - 1].as_ref().map(|r| (r, 1))
            },
        })
        .collect();
    let pictures = if request.pictures {
        show::pictures(&aligned.regions, &shown)
    } else {
        Pictures::default()
    };
    let maps = if request.maps { show::maps(&aligned, &shown) } else { Maps::default() };
    clock.stage("show");

    let mut report = report(&aligned, request, checks, measurements, changes, trends);
    report.notices.extend(joint.iter().enumerate().filter_map(|(i, readings)| {
        let told = report.changes.iter().any(|row| {
            row.visit == i + 1 && row.metric == "wrinkle_length" && row.change_percent.is_some()
        });
        lines_come_and_gone(i + 1, readings.as_ref().filter(|_| told)?, &aligned.scale, settings)
    }));
    Ok(Analysis { report, pictures, maps, costs: clock.costs })
}

/// The regions of the baseline, and the face of each follow-up where faces are measured.
///
/// A face that one photo of the series shows is sought thoroughly in the others. A photo whose face
/// lies on its side or upside down is turned, and a notice of it says so.
fn regions_and_faces(
    series: &mut Series,
    request: &Request,
    model: Option<&Model>,
) -> Result<(RegionMap, Vec<Option<Face>>)> {
    let (usual, thorough) = (&request.settings.region, &request.settings.region.thorough());
    let map = |photo: &Photo, settings| region::map(photo, &request.regions, model, settings);
    let mut regions = map(series.baseline(), usual)?;
    let mut faces = vec![None; series.visits.len() - 1];
    if request.regions != RegionRequest::Face {
        return Ok((regions, faces));
    }
    for (face, visit) in faces.iter_mut().zip(&series.visits[1..]) {
        *face = region::face(&visit.photo, model, usual)?;
    }
    let mut settings = usual;
    if regions.face.is_none() && faces.iter().any(Option::is_some) {
        settings = thorough;
        regions = map(series.baseline(), settings)?;
    }
    let Some(face) = &regions.face else { return Ok((regions, vec![None; faces.len()])) };
    let turn = face.to_upright();
    if !turn.is_identity() {
        series.visits[0].photo = series.baseline().turned(turn);
        regions = map(series.baseline(), settings)?;
    }
    for (face, visit) in faces.iter_mut().zip(&mut series.visits[1..]) {
        if face.is_none() {
            *face = region::face(&visit.photo, model, thorough)?;
        }
        let turn = face.map_or_else(Turn::default, |face| face.to_upright());
        if !turn.is_identity() {
            let size = [visit.photo.width(), visit.photo.height()];
            *face = face.map(|face| face.turned(turn, size));
            visit.photo = visit.photo.turned(turn);
        }
    }
    Ok((regions, faces))
}

/// Says how much line has vanished and how much is new, where that is more than one short line.
fn lines_come_and_gone(
    visit: usize,
    readings: &Readings,
    scale: &Scale,
    settings: &Settings,
) -> Option<String> {
    let lines = readings.wrinkles.as_ref().ok()?;
    let [vanished, new, kept] = wrinkles::vanished_new_kept(lines, &readings.frame);
    let shortest = settings.metric.line_min_mm / readings.frame.mm_per_px * readings.frame.length();
    (vanished + new >= shortest).then(|| {
        let unit = Unit::Length.name(scale);
        format!(
            "visit {visit}: {vanished:.0} {unit} of line have vanished and {new:.0} {unit} are new, beside \
             {kept:.0} {unit} that both photos show; whether that is real, wrinkle_length says"
        )
    })
}

/// The scale that was given, else that of the face's eyes, else a nominal one from its width.
fn scale(request: &Request, regions: &RegionMap) -> Scale {
    if let Some((mm, source)) = request.scale {
        return Scale { mm_per_px: Some(MmPerPx(mm)), source, relative_uncertainty: 0.0 };
    }
    let settings = &request.settings.region;
    match &regions.face {
        Some(Face { mm_per_px: Some((mm, uncertainty)), .. }) => Scale {
            mm_per_px: Some(MmPerPx(*mm)),
            source: ScaleSource::Face,
            relative_uncertainty: *uncertainty,
        },
        Some(face) => Scale {
            mm_per_px: Some(MmPerPx(settings.nominal_face_width_mm / face.width_px)),
            source: ScaleSource::Nominal,
            relative_uncertainty: settings.nominal_face_width_uncertainty,
        },
        None => Scale { mm_per_px: None, source: ScaleSource::None, relative_uncertainty: 0.0 },
    }
}

/// One visit brought onto the baseline's pixels.
struct Seen {
    field: Field,
    luminance: Luminance,
    tone: Tone,
}

/// Every visit on the baseline's pixels; none where alignment failed.
fn see(aligned: &AlignedSeries, settings: &Settings) -> Vec<Option<Seen>> {
    let regions = &aligned.regions;
    let laid = |k: usize| match k {
        0 => Some((Field::identity(), Cow::Borrowed(&regions.skin))),
        _ => {
            let alignment = &aligned.alignments[k - 1];
            let field = alignment.field.clone()?;
            Some((field, alignment.trusted(regions.window, &regions.skin)))
        }
    };
    aligned
        .series
        .visits
        .iter()
        .enumerate()
        .map(|(k, visit)| {
            let (field, skin) = laid(k)?;
            let (photo, scale) = (&visit.photo, &aligned.scale);
            let here = (regions, &*skin);
            let luminance = luminance::luminance(photo, &field, here, scale, &settings.luminance);
            let part = (regions.window, &luminance.valid);
            let tone = tone::tone(photo, &field, part, scale, &settings.tone);
            Some(Seen { field, luminance, tone })
        })
        .collect()
}

fn quality_checks(
    aligned: &AlignedSeries,
    seen: &[Option<Seen>],
    pairs: &[Option<Pair>],
    lights: &[LightChange],
    settings: &Settings,
) -> Vec<QualityCheck> {
    let mut checks = Vec::new();
    for (k, visit) in seen.iter().enumerate() {
        if let Some(visit) = visit {
            let photo = &aligned.series.visits[k].photo;
            checks.extend(quality::photo(
                k,
                photo,
                &visit.luminance,
                &visit.tone,
                (&aligned.regions, &aligned.scale),
                &settings.quality,
            ));
        }
        if k == 0 {
            continue;
        }
        if let Some(face) = &aligned.regions.face {
            checks.extend(quality::faces(
                k,
                face,
                aligned.faces[k - 1].as_ref(),
                &settings.quality,
            ));
        }
        if let (Some(pair), Some(before), Some(after)) = (&pairs[k - 1], &seen[0], visit) {
            let tones = [&before.tone, &after.tone];
            checks.extend(quality::pair(
                k,
                pair,
                tones,
                &lights[k - 1],
                &aligned.alignments[k - 1],
                &settings.quality,
            ));
        }
    }
    checks
}

/// Tiles of one region over the pixels that are valid.
fn tiles(
    region: &Region,
    frame: Window,
    valid: &Mask,
    scale: &Scale,
    settings: &Settings,
) -> Tiles {
    let (x0, y0) = (region.window.x.max(frame.x), region.window.y.max(frame.y));
    let x1 = (region.window.x + region.window.width).min(frame.x + frame.width);
    let y1 = (region.window.y + region.window.height).min(frame.y + frame.height);
    let window = Window {
        x: x0.saturating_sub(frame.x),
        y: y0.saturating_sub(frame.y),
        width: x1.saturating_sub(x0),
        height: y1.saturating_sub(y0),
    };
    let inside = Mask::from_fn(window.width, window.height, |x, y| {
        region.inside.at(x0 + x - region.window.x, y0 + y - region.window.y)
            && valid.at(window.x + x, window.y + y)
    });
    let area = inside.data().iter().filter(|v| **v).count() as f64;
    let s = &settings.change;
    let wanted = scale.mm_per_px.map_or(f64::INFINITY, |mm| s.tile_mm / mm.0);
    let side = wanted
        .min((area / s.tiles_wanted as f64).sqrt())
        .max((area / s.tiles_max as f64).sqrt())
        .max(s.tile_min_px as f64);
    Tiles::new(window, inside, side.round() as usize)
}

/// Share of a region that is measured; of `whole`, share of its skin.
fn coverage(region: &Region, tiles: &Tiles, regions: &RegionMap) -> f64 {
    let count = |m: &Mask| m.data().iter().filter(|v| **v).count();
    let all = if region.name == WHOLE { count(&regions.skin) } else { count(&region.inside) };
    if all == 0 { 0.0 } else { 100.0 * tiles.pixels() as f64 / all as f64 }
}

/// Area in cm², of a nominal face where no scale is known.
fn area_cm2(tiles: &Tiles, scale: &Scale) -> f64 {
    scale.mm_per_px.map_or(1.0, |mm| tiles.pixels() as f64 * mm.0 * mm.0 / 100.0)
}

/// The measurements of one visit by itself.
fn measure_visit(
    aligned: &AlignedSeries,
    visit: usize,
    seen: Option<&Seen>,
    readings: Option<&Readings>,
    settings: &Settings,
) -> Vec<MeasurementRow> {
    let regions = &aligned.regions;
    let rows = par_collect(regions.regions.len(), |i| {
        let region = &regions.regions[i];
        let empty = Mask::filled(regions.window.width, regions.window.height, false);
        let valid = seen.map_or(&empty, |s| &s.luminance.valid);
        let tiles = tiles(region, regions.window, valid, &aligned.scale, settings);
        let coverage_percent = coverage(region, &tiles, regions);
        let row = |metric: &Metric, value: Result<f64, Reason>| MeasurementRow {
            visit,
            region: region.name.clone(),
            metric: metric.id,
            value: value.ok(),
            unit: metric.unit.name(&aligned.scale),
            reason: value.err(),
            coverage_percent,
        };
        let blocked = match (seen, readings) {
            (None, _) => Some(Reason::Alignment),
            _ if !region_aligned(aligned, visit, i) => Some(Reason::Alignment),
            _ if coverage_percent < settings.quality.coverage_percent => Some(Reason::LowCoverage),
            (_, None) => Some(Reason::NoScale),
            _ => None,
        };
        by_group(|group| {
            let sums = match (blocked, readings) {
                (None, Some(readings)) => {
                    let once = vec![1.0; tiles.count()];
                    readings
                        .sheet(group, 0, &tiles, Reference::OtherSkin)
                        .map(|sheet| (sheet.total(&once), readings.frame))
                }
                (reason, _) => Err(reason.unwrap_or(Reason::NoScale)),
            };
            METRICS
                .iter()
                .filter(|m| m.group == group)
                .map(|m| match &sums {
                    Ok((sums, frame)) => row(m, (m.measure)(sums, frame)),
                    Err(reason) => row(m, Err(*reason)),
                })
                .collect()
        })
    });
    rows.into_iter().flatten().collect()
}

/// Rows of all groups, in the order of the table.
fn by_group<R>(rows: impl Fn(Group) -> Vec<R>) -> Vec<R> {
    Group::ALL.into_iter().flat_map(rows).collect()
}

fn region_aligned(aligned: &AlignedSeries, visit: usize, region: usize) -> bool {
    visit == 0 || aligned.alignments[visit - 1].regions.get(region).is_some_and(|r| r.aligned)
}

/// The changes between the baseline and one follow-up, verdicts still open.
fn compare_visit(
    aligned: &AlignedSeries,
    visit: usize,
    (pair, light): (Option<&Pair>, LightChange),
    readings: Option<&Readings>,
    checks: &[QualityCheck],
    request: &Request,
) -> Vec<ChangeRow> {
    let settings = &request.settings;
    let regions = &aligned.regions;
    let tiles_of = |region: &Region| {
        let empty = Mask::filled(regions.window.width, regions.window.height, false);
        let valid = pair.map_or(&empty, |p| &p.baseline.valid);
        tiles(region, regions.window, valid, &aligned.scale, settings)
    };
    let reference = request
        .reference
        .as_ref()
        .and_then(|name| regions.regions.iter().find(|r| &r.name == name))
        .map(tiles_of);
    // What one region is told against is the other regions' skin: a single one has none.
    let alone = regions.regions.iter().filter(|r| r.name != WHOLE).count() < 2;
    let reference_of = |region: &Region| match (&request.reference, &reference) {
        (Some(name), Some(tiles)) if &region.name != name => Reference::Named(tiles),
        (None, _) if !alone && region.name != WHOLE => Reference::OtherSkin,
        _ => Reference::None,
    };
    let rows = par_collect(regions.regions.len(), |i| {
        let region = &regions.regions[i];
        let tiles = tiles_of(region);
        let coverage = coverage(region, &tiles, regions);
        let cell = |metric: &'static Metric| Cell {
            visit,
            region: &region.name,
            metric,
            unit: metric.unit.name(&aligned.scale),
            area_cm2: area_cm2(&tiles, &aligned.scale),
            light,
            transfer_sd: transfer_sd(metric, pair, &tiles, &aligned.scale, settings)
                .hypot(readings.map_or(0.0, |r| r.rounding_sd(metric.group))),
        };
        let resampling = Resampling::new(&tiles.filled(), &settings.change);
        by_group(|group| {
            let blocked = match (pair, readings) {
                (None, _) => Some(Reason::Alignment),
                _ if !region_aligned(aligned, visit, i) => Some(Reason::Alignment),
                _ if coverage < settings.quality.coverage_percent => Some(Reason::LowCoverage),
                (_, None) => Some(Reason::NoScale),
                _ if quality::forbids(checks, visit, &region.name, group == Group::Tone) => {
                    Some(Reason::Quality)
                }
                _ => None,
            };
            let totals = match (blocked, readings) {
                (None, Some(readings)) => {
                    let sheet = |k| readings.sheet(group, k, &tiles, reference_of(region));
                    sheet(0).and_then(|b| Ok((resampling.totals(&b, &sheet(1)?), readings.frame)))
                }
                (reason, _) => Err(reason.unwrap_or(Reason::NoScale)),
            };
            METRICS
                .iter()
                .filter(|m| m.group == group)
                .map(|m| match &totals {
                    Ok((totals, frame)) => {
                        change::change(&cell(m), totals, &resampling, frame, &settings.change)
                    }
                    Err(reason) => cell(m).not_comparable(*reason),
                })
                .collect()
        })
    });
    rows.into_iter().flatten().collect()
}

/// Standard deviation that a difference in focus and processing leaves in a metric over the `tiles`.
fn transfer_sd(
    metric: &Metric,
    pair: Option<&Pair>,
    tiles: &Tiles,
    scale: &Scale,
    settings: &Settings,
) -> f64 {
    let period = metric.period_mm().zip(scale.mm_per_px).map(|(mm, scale)| mm / scale.0);
    let inside = |x: f64, y: f64| tiles.of(x.round() as usize, y.round() as usize).is_some();
    pair.zip(period)
        .map_or(0.0, |(pair, period)| pair.relief_sd(period, inside, &settings.luminance))
}

fn find_metric(id: &str) -> &'static Metric {
    METRICS.iter().find(|m| m.id == id).unwrap_or(&METRICS[0])
}

/// Trends over two or more follow-ups: one for each region and metric.
fn trends(changes: &[ChangeRow], follow_ups: usize) -> Vec<TrendRow> {
    if follow_ups < 2 {
        return Vec::new();
    }
    let each = changes.len() / follow_ups;
    (0..each)
        .map(|i| {
            let rows: Vec<&ChangeRow> = (0..follow_ups).map(|k| &changes[k * each + i]).collect();
            change::trend(&rows, find_metric(rows[0].metric).better)
        })
        .collect()
}

fn report(
    aligned: &AlignedSeries,
    request: &Request,
    quality: Vec<QualityCheck>,
    measurements: Vec<MeasurementRow>,
    changes: Vec<ChangeRow>,
    trends: Vec<TrendRow>,
) -> Report {
    let photos: Vec<PhotoRow> = aligned
        .series
        .visits
        .iter()
        .enumerate()
        .map(|(visit, v)| PhotoRow {
            visit,
            label: v.label.clone(),
            date: v.date.clone(),
            file: v.photo.file.clone(),
            sha256: v.photo.sha256.clone(),
            width_px: v.photo.width(),
            height_px: v.photo.height(),
        })
        .collect();
    let settings = settings_json(request);
    let digest = Sha256::digest(settings.to_string().as_bytes());
    let model = aligned.regions.model.clone().unzip();
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        settings,
        settings_sha256: digest.iter().map(|b| format!("{b:02x}")).collect(),
        notices: notices(aligned),
        photos,
        scale: ScaleRow {
            mm_per_px: aligned.scale.mm_per_px.map(|s| s.0),
            source: aligned.scale.source,
            relative_uncertainty: aligned.scale.relative_uncertainty,
        },
        regions: RegionsRow {
            source: aligned.regions.source,
            model: model.0,
            model_sha256: model.1,
        },
        alignment: aligned
            .alignments
            .iter()
            .enumerate()
            .flat_map(|(i, a)| alignment_rows(i + 1, a))
            .collect(),
        quality,
        measurements,
        changes,
        trends,
        citations: cited().iter().map(|c| c.to_string()).collect(),
    }
}

/// All settings, with what the user asked for; threads, paths and verbosity left out.
fn settings_json(request: &Request) -> serde_json::Value {
    let regions = match &request.regions {
        RegionRequest::Face => "face".to_string(),
        RegionRequest::Whole => "whole".to_string(),
        RegionRequest::Grid { rows, columns } => format!("grid:{rows}x{columns}"),
        RegionRequest::Polygons(_) => "file".to_string(),
    };
    let mut all = serde_json::json!({ "regions": regions, "reference": request.reference });
    if let (Some(all), Ok(serde_json::Value::Object(rest))) =
        (all.as_object_mut(), serde_json::to_value(&request.settings))
    {
        all.extend(rest);
    }
    all
}

fn notices(aligned: &AlignedSeries) -> Vec<String> {
    let visits = &aligned.series.visits;
    let mut notices: Vec<String> =
        visits.iter().flat_map(|v| v.photo.notices.iter().cloned()).collect();
    notices.extend(aligned.regions.notices.iter().cloned());
    for (k, visit) in visits.iter().enumerate().skip(1) {
        if visit.photo.linear == visits[0].photo.linear {
            notices.push(format!("visit {k} is the same photo as the baseline"));
        }
        if let Some(j) = aligned.alignments[k - 1].through {
            notices.push(format!(
                "visit {k} cannot be aligned to the baseline directly; it was through visit {j}, \
                 and is less sure"
            ));
        }
    }
    notices.extend(match aligned.scale.source {
        ScaleSource::Face => Some(format!(
            "the scale is told by the eyes: lengths in mm may all be {:.0} % too large or too \
             small, changes in percent are not touched by it (name --mm-per-px if you know better)",
            100.0 * aligned.scale.relative_uncertainty
        )),
        ScaleSource::Nominal => Some(
            "no scale is known: filters assume a face of nominal width, lengths are in pixels \
             (name --mm-per-px for millimetres)"
                .into(),
        ),
        ScaleSource::None => Some(
            "no scale is known and no face tells one: what needs millimetres is not measured \
             (name --mm-per-px)"
                .into(),
        ),
        ScaleSource::Argument | ScaleSource::Manifest => None,
    });
    notices
}

fn alignment_rows(visit: usize, alignment: &Alignment) -> Vec<AlignmentRow> {
    let row = |region: Option<&RegionAlignment>, name: Option<String>, status| AlignmentRow {
        visit,
        region: name,
        status,
        residual_median_px: region.and_then(|r| r.residual_median_px),
        residual_p95_px: region.and_then(|r| r.residual_p95_px),
        overlap_percent: region.map(|r| r.overlap_percent),
        reason: None,
    };
    let mut all = row(alignment.all.as_ref(), None, alignment.status);
    all.reason = alignment.reason.clone();
    let each = alignment.regions.iter().map(|r| {
        let status = if r.aligned { AlignmentStatus::Aligned } else { AlignmentStatus::Failed };
        let mut row = row(Some(r), Some(r.region.clone()), status);
        row.reason =
            (!r.aligned).then(|| "the residual is too large, or too little overlaps".to_string());
        row
    });
    std::iter::once(all).chain(each).collect()
}

/// Sources of all metrics and of the method, once each.
fn cited() -> Vec<Citation> {
    let mut all: Vec<Citation> = Vec::new();
    let method = [
        citations::LOWE_2004,
        citations::LUCAS_1981,
        citations::VERCAUTEREN_2009,
        citations::WU_1986,
        citations::UNSER_1999,
        citations::EFRON_1993,
        citations::BENJAMINI_1995,
    ];
    for source in METRICS.iter().flat_map(|m| m.sources.iter().map(|c| **c)).chain(method) {
        if !all.contains(&source) {
            all.push(source);
        }
    }
    all
}

/// Wall time and peak memory from stage to stage.
struct Clock {
    last: Instant,
    costs: Vec<StageCost>,
}

impl Clock {
    fn new() -> Self {
        Clock { last: Instant::now(), costs: Vec::new() }
    }
    fn stage(&mut self, stage: &'static str) {
        let now = Instant::now();
        let seconds = (now - self.last).as_secs_f64();
        self.last = now;
        self.costs.push(StageCost { stage, seconds, peak_mib: peak_memory_mib() });
    }
}

/// Peak resident memory of this process (Linux: VmHWM).
fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}
