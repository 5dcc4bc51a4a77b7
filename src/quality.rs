//! Checks of the input: value, limit, status, and what the photographer should do.

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
    /// What it was held against.
    pub limit: Option<f64>,
    /// Unit of value and limit.
    pub unit: &'static str,
    /// One sentence to the photographer; none where the check passed.
    pub advice: Option<String>,
}
