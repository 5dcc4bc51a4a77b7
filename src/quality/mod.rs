//! Checks of the input: value, limit, status, and advice to the photographer.
//!
//! - `check`: every check with its name, unit, limits, what it affects, and its advice;
//! - `photo`: values of one photo;
//! - `pair`: values of a follow-up against the baseline;
//! - `faces`: distance, pose and expression of a follow-up's face against the baseline's.

mod check;
mod faces;
mod pair;
mod photo;

pub use check::{Affects, Check};
pub use faces::faces;
pub use pair::{CheckedPair, pair};
pub use photo::{CheckedPhoto, photo};

use crate::settings::QualitySettings;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Within the limits.
    Pass,
    /// Usable, with larger uncertainty.
    Warn,
    /// The metrics that the check affects are not comparable.
    Fail,
}

/// One check of one photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QualityCheck {
    /// Visit number.
    pub visit: usize,
    /// Region, or none for the whole photo.
    pub region: Option<String>,
    /// Which check.
    pub check: Check,
    /// Outcome.
    pub status: Status,
    /// The measured value; none where it is not measurable.
    pub value: Option<f64>,
    /// The limit that the value exceeded, else the one that warns.
    pub limit: Option<f64>,
    /// Unit of value and limit.
    pub unit: Cow<'static, str>,
    /// One sentence to the photographer; none where the check passed.
    pub advice: Option<String>,
}

/// Advice where a value is missing.
const NOT_MEASURED: &str = "Not measurable in this photo: take it from the front, the skin free of hair and glasses, sharp, well lit.";

/// Outcome of `value` against `[warn, fail]`, and the limit that decided. Values grow worse from `warn`
/// to `fail`; a missing value is a warning.
fn status(value: Option<f64>, [warn, fail]: [f64; 2]) -> (Status, f64) {
    let rising = fail > warn;
    let breaks = |limit: f64| value.is_some_and(|v| if rising { v >= limit } else { v <= limit });
    if breaks(fail) {
        (Status::Fail, fail)
    } else if breaks(warn) || value.is_none() {
        (Status::Warn, warn)
    } else {
        (Status::Pass, warn)
    }
}

/// A check of a whole photo.
fn judge(
    visit: usize,
    check: Check,
    value: Option<f64>,
    settings: &QualitySettings,
) -> QualityCheck {
    let (status, limit) = status(value, check.limits(settings));
    let advice = if value.is_some() { check.advice() } else { NOT_MEASURED };
    QualityCheck {
        visit,
        region: None,
        check,
        status,
        value,
        limit: Some(limit),
        unit: check.unit().into(),
        advice: (status != Status::Pass).then(|| advice.to_string()),
    }
}

/// Whether a failed check of the baseline or of `visit` makes a region's `colour`, or else its relief, not
/// comparable. Two black-and-white photos can be compared in relief; one against a photo in colour cannot, since
/// it weighs pigment and blood differently.
pub fn forbids(checks: &[QualityCheck], visit: usize, region: &str, colour: bool) -> bool {
    let failed = || {
        let either = checks.iter().filter(|c| c.visit == 0 || c.visit == visit);
        either.filter(|c| c.status == Status::Fail).map(|c| c.check)
    };
    let colourless = failed().filter(|check| *check == Check::Colour).count();
    colourless == 1
        || failed().any(|check| {
            let affects = check.affects();
            (if colour { affects.tone } else { affects.relief }) && affects.includes(region)
        })
}

#[cfg(test)]
mod samples {
    use crate::plane::{Grid, Mask};
    use crate::tone::Tone;

    /// Ten by ten cells of `rgb`, multiplied by `shade` at each column.
    pub fn tone(rgb: [f32; 3], shade: impl Fn(usize) -> f32 + Sync) -> Tone {
        Tone {
            cell_px: 1,
            rgb: Grid::from_fn(10, 10, |x, _| rgb.map(|v| v * shade(x))),
            valid: Mask::from_fn(10, 10, |x, y| (x + y) % 7 != 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_work_in_both_directions() {
        let status = |v: f64, limits| status(Some(v), limits).0;
        assert_eq!(status(1.0, [1.5, 3.0]), Status::Pass);
        assert_eq!(status(2.0, [1.5, 3.0]), Status::Warn);
        assert_eq!(status(3.5, [1.5, 3.0]), Status::Fail);
        assert_eq!(status(99.0, [95.0, 30.0]), Status::Pass);
        assert_eq!(status(90.0, [95.0, 30.0]), Status::Warn);
        assert_eq!(status(10.0, [95.0, 30.0]), Status::Fail);
        assert_eq!(super::status(None, [1.5, 3.0]), (Status::Warn, 1.5));
    }

    /// A check of a visit at its limit to fail or to warn.
    fn at(visit: usize, check: Check, status: Status) -> QualityCheck {
        let settings = QualitySettings::default();
        let [warn, fail] = check.limits(&settings);
        let value = if status == Status::Fail { fail } else { warn };
        let found = judge(visit, check, Some(value), &settings);
        assert_eq!(found.status, status);
        found
    }

    #[test]
    fn a_failed_check_forbids_relief_or_colour_or_both() {
        for (check, relief, colour) in [
            (Check::SharpnessMatch, true, false),
            (Check::Noise, true, false),
            (Check::JpegQuality, true, false),
            (Check::Smoothing, true, false),
            (Check::LightMatch, true, true),
            (Check::Overlap, false, false),
        ] {
            let failed = [at(1, check, Status::Fail)];
            let both = [false, true].map(|colour| forbids(&failed, 1, "chin", colour));
            assert_eq!(both, [relief, colour], "{check}");
            let warned = [at(1, check, Status::Warn)];
            assert!(!forbids(&warned, 1, "chin", false), "{check}");
        }
    }

    #[test]
    fn one_black_and_white_photo_forbids_all_and_two_forbid_colour() {
        let fails = |visit| at(visit, Check::Colour, Status::Fail);
        for (checks, relief, colour) in [
            (vec![fails(0)], true, true),
            (vec![fails(1)], true, true),
            (vec![fails(0), fails(1)], false, true),
        ] {
            let both = [false, true].map(|colour| forbids(&checks, 1, "chin", colour));
            assert_eq!(both, [relief, colour]);
        }
        assert!(!forbids(&[fails(2)], 1, "chin", true), "another visit");
    }
}
