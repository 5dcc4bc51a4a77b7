//! Alignment: each follow-up mapped onto the baseline's coordinates.

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
