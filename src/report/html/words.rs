//! The page's words: names, reasons and numbers as a reader wants them.

use crate::align::AlignmentStatus;
use crate::change::Verdict;
use crate::metric::Reason;
use crate::quality::Status;
use crate::series::ScaleSource;

/// Region name in result.json, name on the page.
const REGIONS: [(&str, &str); 14] = [
    ("forehead", "Forehead"),
    ("glabella", "Glabella (between the brows)"),
    ("lateral_canthal_left", "Crow’s feet area, left"),
    ("lateral_canthal_right", "Crow’s feet area, right"),
    ("infraorbital_left", "Under the eye, left"),
    ("infraorbital_right", "Under the eye, right"),
    ("nose", "Nose"),
    ("cheek_left", "Cheek, left"),
    ("cheek_right", "Cheek, right"),
    ("nasolabial_left", "Nasolabial fold, left"),
    ("nasolabial_right", "Nasolabial fold, right"),
    ("perioral", "Around the mouth"),
    ("chin", "Chin"),
    ("whole", "All measured skin"),
];

/// Name of a region on the page; the user's own name where it is not one of the face.
pub fn region(id: &str) -> String {
    REGIONS.iter().find(|r| r.0 == id).map_or(plain(id), |r| r.1.to_string())
}

/// Name of a quality check on the page.
pub fn check(id: &str) -> String {
    let name = plain(id);
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |c| c.to_uppercase().chain(letters).collect())
}

fn plain(id: &str) -> String {
    id.replace('_', " ")
}

/// A verdict: its symbol and its words.
pub fn verdict(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Improved => ("improved", "Improved"),
        Verdict::Worsened => ("worsened", "Worsened"),
        Verdict::Changed => ("changed", "Changed"),
        Verdict::Unchanged => ("same", "Unchanged"),
        Verdict::Inconclusive => ("open", "Inconclusive"),
        Verdict::NotComparable => ("none", "Not comparable"),
    }
}

/// The outcome of a quality check: its symbol and its word.
pub fn status(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Pass => ("improved", "Pass"),
        Status::Warn => ("warn", "Warning"),
        Status::Fail => ("worsened", "Fail"),
    }
}

/// The outcome of an alignment: its symbol and its word.
pub fn alignment(status: AlignmentStatus) -> (&'static str, &'static str) {
    match status {
        AlignmentStatus::Aligned => ("improved", "Aligned"),
        AlignmentStatus::Partial => ("warn", "Partly aligned"),
        AlignmentStatus::Failed => ("worsened", "Failed"),
    }
}

/// Why a value is not there.
pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Alignment => "the photos could not be registered to each other here",
        Reason::BelowResolution => {
            "the photo is too coarse or too blurred for structures this fine"
        }
        Reason::BelowNoise => "the structure is weaker than the photo's noise",
        Reason::NoScale => "no scale in millimetres is known",
        Reason::NoPercent => "percent has no meaning for this number",
        Reason::LowCoverage => "too little of this region is visible skin",
        Reason::NothingFound => "nothing of the kind was found here, or too little to be read",
        Reason::NoReference => "no untreated reference skin or colour chart to tell colour against",
        Reason::Quality => "a quality check failed, or light or colour do not allow this number",
        Reason::TooSmall => "the region is too small for an interval",
    }
}

/// Where the scale comes from.
pub fn scale_source(source: ScaleSource) -> &'static str {
    match source {
        ScaleSource::Argument => "given with the photo",
        ScaleSource::Manifest => "given in the manifest",
        ScaleSource::Face => "the irises and pupils of an average adult",
        ScaleSource::Nominal => "a nominal face width, so lengths are in pixels",
        ScaleSource::None => "unknown",
    }
}

/// A unit as it is printed after a number, with its space; nothing for plain numbers and for
/// colour coordinates, whose names say what they are.
pub fn unit(unit: &str) -> String {
    match unit {
        "1" | "L*" | "a*" | "b*" => String::new(),
        "degrees" => "°".into(),
        "1/cm²" => "\u{a0}per\u{a0}cm²".into(),
        other => format!("\u{a0}{other}"),
    }
}

/// Decimals that show three significant digits of the largest of the finite `values`; none where
/// all are whole numbers (counts).
pub fn decimals(values: &[Option<f64>]) -> usize {
    let known = || values.iter().flatten().filter(|v| v.is_finite());
    let largest = known().fold(0.0f64, |a, v| a.max(v.abs()));
    if known().all(|v| v.fract() == 0.0) || largest < 1e-9 {
        return 0;
    }
    (2.0 - largest.log10().floor()).clamp(0.0, 9.0) as usize
}

/// A number with so many decimals, a true minus sign, and narrow spaces between thousands; a dash
/// where it is not finite.
pub fn number(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) =
        text.split_once('.').map_or((text.as_str(), None), |(w, f)| (w, Some(f)));
    let mut out = String::new();
    if value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        out.push('−');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && whole.len() > 4 && (whole.len() - i) % 3 == 0 {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// As [`number`], with `+` before what is above zero.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = number(value, decimals);
    let above = value > 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b));
    if above { format!("+{text}") } else { text }
}

/// Decimals of a percentage: one, and none from 100 on.
pub fn percent_decimals(value: f64) -> usize {
    if value.abs() < 99.95 { 1 } else { 0 }
}

/// A signed percentage.
pub fn percent(value: f64) -> String {
    format!("{}\u{a0}%", signed(value, percent_decimals(value)))
}

/// `n` things, in the singular where it is one.
pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(number(0.3104, decimals(&[Some(0.3104), None])), "0.310");
        assert_eq!(number(-12.345, 1), "−12.3");
        assert_eq!(number(1234.0, 0), "1234");
        assert_eq!(number(12345.6, decimals(&[Some(12345.6)])), "12\u{202f}346");
        assert_eq!(number(-0.001, 1), "0.0");
        assert_eq!(signed(0.04, 1), "0.0");
        assert_eq!(signed(4.0, decimals(&[Some(4.0)])), "+4");
        assert_eq!(percent(-9.74), "−9.7\u{a0}%");
        assert_eq!(signed(f64::INFINITY, 1), "–");
        assert_eq!(percent(123.4), "+123\u{a0}%");
    }
}
