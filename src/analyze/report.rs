//! The report of a prepared series.

use super::series::PreparedSeries;
use super::{Analyzer, Comparison, FollowUp, Options, rows};
use crate::align::{AlignmentStatus, RegionAlignment};
use crate::citations::{self, Citation};
use crate::metric::{CaptureSd, LocalSd, METRICS, Unit, wrinkles};
use crate::notice::Notice;
use crate::region::RegionRequest;
use crate::report::{AlignmentRow, PhotoRow, RegionsRow, Report, SCHEMA_VERSION, ScaleRow, Tool};
use crate::series::{Scale, ScaleSource};
use crate::settings::MetricSettings;
use sha2::{Digest, Sha256};

/// The report of a series.
pub(super) fn report(analyzer: &Analyzer, series: &PreparedSeries) -> Report {
    let PreparedSeries { tags, baseline, follow_ups, comparisons } = series;
    let photos = std::iter::once(&baseline.photo).chain(follow_ups.iter().map(|f| &f.photo));
    let photos = photos.zip(tags).enumerate().map(|(visit, (photo, (label, date)))| PhotoRow {
        visit,
        label: label.clone(),
        date: date.clone(),
        file: photo.file.clone(),
        sha256: photo.sha256.clone(),
        width_px: photo.reduction.file_size[0],
        height_px: photo.reduction.file_size[1],
    });
    let photos = photos.collect();
    let mut quality = baseline.prepared.checks.clone();
    for (follow_up, comparison) in follow_ups.iter().zip(comparisons) {
        quality.extend(follow_up.prepared.iter().flat_map(|p| p.checks.iter().cloned()));
        quality.extend(follow_up.checks.iter().chain(&comparison.checks).cloned());
    }
    let measurements = baseline.measurements.iter();
    let measurements = measurements.chain(follow_ups.iter().flat_map(|f| &f.measurements));
    let measurements = measurements.cloned().collect();
    let changes: Vec<_> = comparisons.iter().flat_map(|c| c.changes.iter().cloned()).collect();
    let settings = settings_json(&analyzer.options);
    let digest = Sha256::digest(settings.to_string().as_bytes());
    let model = baseline.regions.model.clone().unzip();
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool::THIS,
        settings,
        settings_sha256: digest.iter().map(|b| format!("{b:02x}")).collect(),
        notices: notices(analyzer, series).iter().map(Notice::to_string).collect(),
        photos,
        scale: ScaleRow {
            mm_per_px: baseline.scale.mm_per_px.map(|s| s.0 / baseline.scale.file_px),
            source: baseline.scale.source,
            relative_uncertainty: baseline.scale.relative_uncertainty,
        },
        regions: RegionsRow {
            source: baseline.regions.source,
            model: model.0,
            model_sha256: model.1,
        },
        alignment: follow_ups
            .iter()
            .flat_map(|f| alignment_rows(f, baseline.scale.file_px))
            .collect(),
        quality,
        measurements,
        trends: rows::trends(&changes, comparisons.len(), &analyzer.options.settings.change),
        changes,
        citations: cited().iter().map(|c| c.to_string()).collect(),
    }
}

/// All settings, with what the user asked for; threads, paths and verbosity left out.
fn settings_json(options: &Options) -> serde_json::Value {
    let regions = match &options.regions {
        RegionRequest::Face => "face".to_string(),
        RegionRequest::Whole => "whole".to_string(),
        RegionRequest::Grid { rows, columns } => format!("grid:{rows}x{columns}"),
        RegionRequest::Polygons(_) => "file".to_string(),
    };
    let mut all = serde_json::json!({ "regions": regions, "reference": options.reference });
    if let (Some(all), Ok(serde_json::Value::Object(rest))) =
        (all.as_object_mut(), serde_json::to_value(&options.settings))
    {
        all.extend(rest);
    }
    let capture = METRICS.iter().map(|metric| {
        let CaptureSd { floor, local } = metric.capture;
        let at_1_cm2 = match local {
            LocalSd::AtOneCm2(sd) => Some(sd),
            LocalSd::Objects => None,
        };
        serde_json::json!({ "metric": metric.id, "floor": floor, "at_1_cm2": at_1_cm2 })
    });
    all["change"]["capture"] = capture.collect();
    all
}

/// What the reader must know.
fn notices(analyzer: &Analyzer, series: &PreparedSeries) -> Vec<Notice> {
    let (baseline, follow_ups) = (&series.baseline, &series.follow_ups);
    let mut notices = baseline.photo.notices.clone();
    notices.extend(follow_ups.iter().flat_map(|f| f.photo.notices.iter().cloned()));
    notices.extend(baseline.regions.notices.iter().cloned());
    for follow_up in follow_ups {
        let visit = follow_up.visit;
        if follow_up.photo.linear == baseline.photo.linear {
            notices.push(Notice::SamePhoto { visit });
        }
        let through = follow_up.alignment.through;
        notices.extend(through.map(|through| Notice::RegisteredThrough { visit, through }));
    }
    let Scale { source, relative_uncertainty, .. } = baseline.scale;
    notices.extend(match source {
        ScaleSource::Face => Some(Notice::ScaleFromFace { relative_uncertainty }),
        ScaleSource::Nominal => Some(Notice::NominalScale),
        ScaleSource::None => Some(Notice::NoScale),
        ScaleSource::Argument | ScaleSource::Manifest => None,
    });
    let metric = &analyzer.options.settings.metric;
    let lines = follow_ups.iter().zip(&series.comparisons);
    notices.extend(lines.filter_map(|(follow_up, comparison)| {
        lines_come_and_gone(follow_up.visit, comparison, &baseline.scale, metric)
    }));
    notices
}

/// How much line has vanished and how much is new, where that is more than one short line and the length
/// of lines is compared in some region.
fn lines_come_and_gone(
    visit: usize,
    comparison: &Comparison,
    scale: &Scale,
    settings: &MetricSettings,
) -> Option<Notice> {
    let is_told = |row: &crate::change::ChangeRow| {
        row.metric.id == "wrinkle_length" && row.change_percent.is_some()
    };
    if !comparison.changes.iter().any(is_told) {
        return None;
    }
    let readings = comparison.readings.as_ref()?;
    let lines = readings.wrinkles.as_ref().ok()?;
    let sampling = &readings.sampling;
    let vanished_new_kept @ [vanished, new, _] = wrinkles::vanished_new_kept(lines, sampling);
    let shortest = settings.line_min_mm / sampling.mm_per_px * sampling.length();
    let unit = Unit::Length.name(scale);
    let notice = Notice::LinesComeAndGone { visit, vanished_new_kept, unit };
    (vanished + new >= shortest).then_some(notice)
}

/// The residuals in px of the baseline's file, of which `file_px` are one of the baseline.
fn alignment_rows(follow_up: &FollowUp, file_px: f64) -> Vec<AlignmentRow> {
    let FollowUp { visit, alignment, .. } = follow_up;
    let residual = |px: Option<f64>| px.map(|px| px * file_px);
    let row = |region: Option<&RegionAlignment>, name: Option<String>, status| AlignmentRow {
        visit: *visit,
        region: name,
        status,
        residual_median_px: residual(region.and_then(|r| r.residual_median_px)),
        residual_p95_px: residual(region.and_then(|r| r.residual_p95_px)),
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
