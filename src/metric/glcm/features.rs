//! `glcm_*`: features of the co-occurrence matrix, a row of counts of pairs of levels.

use crate::citations::{self, Citation};
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

const SECTION: &str = "Grey levels";
const ALSO_MOVED_BY: &str = "As texture: bins of log luminance have a fixed width, so that contrast, entropy and \
    dissimilarity grow with the contrast of relief, and the second moment and the inverse difference moment fall.";
const SOURCES: &[&Citation] = &[&citations::IBSI_2020];
const PERIOD_MM: f64 = 0.6;

/// Σ p(i, j)·f(i, j, p) over a square matrix of counts; levels count from 1.
pub(super) fn mean(counts: &[f64], f: impl Fn(f64, f64, f64) -> f64) -> Result<f64, Reason> {
    let n: f64 = counts.iter().sum();
    if n <= 0.0 {
        return Err(Reason::LowCoverage);
    }
    let side = counts.len().isqrt();
    let mut sum = 0.0;
    for (k, &c) in counts.iter().enumerate() {
        if c > 0.0 {
            sum += c / n * f((k / side) as f64 + 1.0, (k % side) as f64 + 1.0, c / n);
        }
    }
    Ok(sum)
}

/// Mean squared difference of grey levels a fixed distance apart.
pub const CONTRAST: Metric = Metric {
    id: "glcm_contrast",
    section: SECTION,
    heading: "GLCM contrast",
    unit: Unit::ONE,
    better: Better::Neutral,
    definition: 1,
    group: Group::Glcm,
    primary: None,
    ratio: true,
    what: "Mean squared difference of grey levels a fixed distance apart.",
    formula: "Σ (i − j)² p(i, j)",
    also_moved_by: ALSO_MOVED_BY,
    sources: SOURCES,
    period_mm: Some(PERIOD_MM),
    capture: CaptureSd { floor: 0.06, local: LocalSd::AtOneCm2(0.04) },
    light: LightSensitivity::Wrinkles,
    noise_error: None,
    countable_objects: None,
    measure: contrast,
};

fn contrast(s: &[f64], _: &Sampling) -> Result<f64, Reason> {
    mean(s, |i, j, _| (i - j).powi(2))
}

/// Disorder of the pairs of grey levels.
pub const JOINT_ENTROPY: Metric = Metric {
    id: "glcm_joint_entropy",
    section: SECTION,
    heading: "GLCM joint entropy",
    unit: Unit::ONE,
    better: Better::Neutral,
    definition: 1,
    group: Group::Glcm,
    primary: None,
    ratio: true,
    what: "Disorder of the pairs of grey levels.",
    formula: "−Σ p log₂ p",
    also_moved_by: ALSO_MOVED_BY,
    sources: SOURCES,
    period_mm: Some(PERIOD_MM),
    capture: CaptureSd { floor: 0.02, local: LocalSd::AtOneCm2(0.02) },
    light: LightSensitivity::Wrinkles,
    noise_error: None,
    countable_objects: None,
    measure: joint_entropy,
};

fn joint_entropy(s: &[f64], _: &Sampling) -> Result<f64, Reason> {
    mean(s, |_, _, p| -p.log2())
}

/// Order of the pairs of grey levels.
pub const ANGULAR_SECOND_MOMENT: Metric = Metric {
    id: "glcm_angular_second_moment",
    section: SECTION,
    heading: "GLCM angular second moment",
    unit: Unit::ONE,
    better: Better::Neutral,
    definition: 1,
    group: Group::Glcm,
    primary: None,
    ratio: true,
    what: "Order of the pairs of grey levels.",
    formula: "Σ p²",
    also_moved_by: ALSO_MOVED_BY,
    sources: SOURCES,
    period_mm: Some(PERIOD_MM),
    capture: CaptureSd { floor: 0.06, local: LocalSd::AtOneCm2(0.04) },
    light: LightSensitivity::Wrinkles,
    noise_error: None,
    countable_objects: None,
    measure: angular_second_moment,
};

fn angular_second_moment(s: &[f64], _: &Sampling) -> Result<f64, Reason> {
    mean(s, |_, _, p| p)
}

/// How alike neighbouring grey levels are.
pub const INVERSE_DIFFERENCE_MOMENT: Metric = Metric {
    id: "glcm_inverse_difference_moment",
    section: SECTION,
    heading: "GLCM inverse difference moment",
    unit: Unit::ONE,
    better: Better::Neutral,
    definition: 1,
    group: Group::Glcm,
    primary: None,
    ratio: true,
    what: "How alike neighbouring grey levels are.",
    formula: "Σ p / (1 + (i − j)²)",
    also_moved_by: ALSO_MOVED_BY,
    sources: SOURCES,
    period_mm: Some(PERIOD_MM),
    capture: CaptureSd { floor: 0.03, local: LocalSd::AtOneCm2(0.02) },
    light: LightSensitivity::Wrinkles,
    noise_error: None,
    countable_objects: None,
    measure: inverse_difference_moment,
};

fn inverse_difference_moment(s: &[f64], _: &Sampling) -> Result<f64, Reason> {
    mean(s, |i, j, _| 1.0 / (1.0 + (i - j).powi(2)))
}

/// How far grey levels predict their neighbours.
pub const CORRELATION: Metric = Metric {
    id: "glcm_correlation",
    section: SECTION,
    heading: "GLCM correlation",
    unit: Unit::ONE,
    better: Better::Neutral,
    definition: 1,
    group: Group::Glcm,
    primary: None,
    ratio: false,
    what: "How far grey levels predict their neighbours.",
    formula: "Σ (i − μ)(j − μ) p / σ²",
    also_moved_by: ALSO_MOVED_BY,
    sources: SOURCES,
    period_mm: Some(PERIOD_MM),
    capture: CaptureSd { floor: 0.03, local: LocalSd::AtOneCm2(0.03) },
    light: LightSensitivity::Wrinkles,
    noise_error: None,
    countable_objects: None,
    measure: correlation,
};

fn correlation(s: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let mu = mean(s, |i, _, _| i)?;
    let variance = mean(s, |i, _, _| (i - mu).powi(2))?;
    if variance <= 0.0 {
        return Err(Reason::NothingFound);
    }
    Ok(mean(s, |i, j, _| (i - mu) * (j - mu))? / variance)
}

/// Mean difference of grey levels a fixed distance apart.
pub const DISSIMILARITY: Metric = Metric {
    id: "glcm_dissimilarity",
    section: SECTION,
    heading: "GLCM dissimilarity",
    unit: Unit::ONE,
    better: Better::Neutral,
    definition: 1,
    group: Group::Glcm,
    primary: None,
    ratio: true,
    what: "Mean difference of grey levels a fixed distance apart.",
    formula: "Σ |i − j| p",
    also_moved_by: ALSO_MOVED_BY,
    sources: SOURCES,
    period_mm: Some(PERIOD_MM),
    capture: CaptureSd { floor: 0.03, local: LocalSd::AtOneCm2(0.02) },
    light: LightSensitivity::Wrinkles,
    noise_error: None,
    countable_objects: None,
    measure: dissimilarity,
};

fn dissimilarity(s: &[f64], _: &Sampling) -> Result<f64, Reason> {
    mean(s, |i, j, _| (i - j).abs())
}
