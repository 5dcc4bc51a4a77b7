//! Checks of the input: value, limit, status, and what the photographer should do.

use crate::align::Alignment;
use crate::luminance::{Luminance, Pair};
use crate::series::Scale;
use crate::settings::QualitySettings;
use serde::Serialize;

/// Result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Good.
    Pass,
    /// Usable, with less certainty.
    Warn,
    /// What depends on it is not comparable.
    Fail,
}

/// One check of one photo.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QualityCheck {
    /// Visit number.
    pub visit: usize,
    /// Region, or none for the whole photo.
    pub region: Option<String>,
    /// Permanent name of the check.
    pub check: &'static str,
    /// Outcome.
    pub status: Status,
    /// What was measured.
    pub value: Option<f64>,
    /// What it was held against: the limit it broke, else the one that warns.
    pub limit: Option<f64>,
    /// Unit of value and limit.
    pub unit: &'static str,
    /// One sentence to the photographer; none where the check passed.
    pub advice: Option<String>,
}

/// Holds `value` against `[warn, fail]`; the larger of the two is the worse direction's end.
fn judge(
    visit: usize,
    check: &'static str,
    value: Option<f64>,
    [warn, fail]: [f64; 2],
    unit: &'static str,
    advice: &str,
) -> QualityCheck {
    let rising = fail > warn;
    let breaks = |limit: f64| value.is_some_and(|v| if rising { v >= limit } else { v <= limit });
    let (status, limit) = if breaks(fail) {
        (Status::Fail, fail)
    } else if breaks(warn) || value.is_none() {
        (Status::Warn, warn)
    } else {
        (Status::Pass, warn)
    };
    let advice = (status != Status::Pass).then(|| advice.to_string());
    QualityCheck { visit, region: None, check, status, value, limit: Some(limit), unit, advice }
}

/// Checks of one photo by itself.
pub fn photo(
    visit: usize,
    luminance: &Luminance,
    scale: &Scale,
    settings: &QualitySettings,
) -> Vec<QualityCheck> {
    let lightness = {
        let y = luminance.median_log.exp();
        if y > 216.0 / 24389.0 { 116.0 * y.cbrt() - 16.0 } else { y * 24389.0 / 27.0 }
    };
    let mut checks = vec![
        judge(
            visit,
            "sharpness",
            luminance.blur_px,
            settings.blur_px,
            "px",
            "Focus on the cheek, hold still, and save with the least compression.",
        ),
        judge(
            visit,
            "exposure",
            Some(lightness),
            settings.dark_lightness,
            "L*",
            "Use more light or a longer exposure: the skin is too dark to measure.",
        ),
        judge(
            visit,
            "clipping",
            Some(100.0 * luminance.clipped),
            settings.clipped_percent,
            "%",
            "Expose less or soften the light: shiny or black skin cannot be measured.",
        ),
    ];
    if scale.is_metric() {
        checks.push(judge(
            visit,
            "resolution",
            scale.mm_per_px.map(|s| 3.0 / (luminance.shortest_period_px * s.0)),
            settings.px_per_mm,
            "px/mm",
            "Move closer or use a camera with more pixels: fine structures are not resolved.",
        ));
    }
    checks
}

/// Checks of a follow-up against the baseline.
pub fn pair(
    visit: usize,
    pair: &Pair,
    alignment: &Alignment,
    settings: &QualitySettings,
) -> Vec<QualityCheck> {
    let stops = (pair.follow_up.median_log - pair.baseline.median_log) / 2f64.ln();
    let overlap = alignment.all.as_ref().map(|a| a.overlap_percent);
    vec![
        judge(
            visit,
            "sharpness_match",
            Some(pair.blur_difference_px.abs()),
            settings.blur_difference_px,
            "px",
            "Take the photo again with the focus and camera of the first visit.",
        ),
        judge(
            visit,
            "exposure_match",
            Some(stops.abs()),
            settings.exposure_stops,
            "EV",
            "Use the same light and exposure as at the first visit.",
        ),
        judge(
            visit,
            "overlap",
            overlap,
            settings.overlap_percent,
            "%",
            "Frame the same area as at the first visit.",
        ),
    ]
}

/// Whether a failed check of the baseline or of `visit` forbids comparing them. Sharpness does not
/// touch `colour`; resolution and overlap speak for themselves, metric by metric.
pub fn forbids(checks: &[QualityCheck], visit: usize, colour: bool) -> bool {
    checks.iter().any(|c| {
        (c.visit == 0 || c.visit == visit)
            && c.status == Status::Fail
            && match c.check {
                "sharpness" | "sharpness_match" => !colour,
                "exposure" | "exposure_match" | "clipping" => true,
                _ => false,
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_work_in_both_directions() {
        let status = |v: f64, limits| judge(0, "x", Some(v), limits, "px", "do").status;
        assert_eq!(status(1.0, [1.5, 3.0]), Status::Pass);
        assert_eq!(status(2.0, [1.5, 3.0]), Status::Warn);
        assert_eq!(status(3.5, [1.5, 3.0]), Status::Fail);
        assert_eq!(status(99.0, [95.0, 30.0]), Status::Pass);
        assert_eq!(status(90.0, [95.0, 30.0]), Status::Warn);
        assert_eq!(status(10.0, [95.0, 30.0]), Status::Fail);
    }
}
