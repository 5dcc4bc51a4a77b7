//! The table of metrics: every number the tool reports, by its permanent id.

use serde::Serialize;

/// Why a value is not there: the closed list of result.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The photos could not be brought onto each other here.
    Alignment,
    /// The pixels are too coarse, or the photo too blurred, for the structure that is asked for.
    BelowResolution,
    /// The metric needs millimetres, and no scale is known.
    NoScale,
    /// Too little of the region is skin that can be seen in the photo.
    LowCoverage,
    /// Nothing of the kind is there to be measured (no pores, no lines).
    NothingFound,
    /// Tone without untreated reference skin or a colour chart.
    NoReference,
    /// A quality check failed that this metric depends on.
    Quality,
    /// The region is too small for an interval.
    TooSmall,
    /// This version of the tool does not measure it yet.
    NotImplemented,
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
