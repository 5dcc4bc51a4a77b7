//! Change between two visits: percent, interval, smallest detectable change, verdict, trend.

use serde::Serialize;

/// What may be said of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A real change for the better.
    Improved,
    /// A real change for the worse.
    Worsened,
    /// A real change of a metric that has no better or worse.
    Changed,
    /// Within what two photos of unchanged skin show.
    NoDetectableChange,
    /// The two photos cannot be compared here.
    NotComparable,
}
