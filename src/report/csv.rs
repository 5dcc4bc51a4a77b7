//! Tables as CSV: RFC 4180, UTF-8, numbers as in result.json, an empty cell for null.
//!
//! Text that a spreadsheet would take for a formula (`= + - @`, tab or carriage return in front) is
//! written with an apostrophe before it.

use super::json::number;
use super::{ChangeRow, MeasurementRow, Report};
use crate::output::{Form, Sign};
use ::csv::{Terminator, WriterBuilder};
use serde::Serialize;

/// Columns of `metrics.csv`: the kind of row (`measurement` or `change`), then the keys of both
/// tables of result.json, each in its order.
const METRICS: [&str; 19] = [
    "table",
    "visit",
    "region",
    "metric",
    "value",
    "baseline",
    "follow_up",
    "unit",
    "change",
    "ci95_low",
    "ci95_high",
    "sdc",
    "change_percent",
    "ci95_percent_low",
    "ci95_percent_high",
    "sdc_percent",
    "verdict",
    "reason",
    "coverage_percent",
];

/// Columns of the changes of a batch: whose they are, then the keys of `changes` in result.json.
const CHANGES: [&str; 18] = [
    "subject",
    "view",
    "visit",
    "region",
    "metric",
    "baseline",
    "follow_up",
    "unit",
    "change",
    "ci95_low",
    "ci95_high",
    "sdc",
    "change_percent",
    "ci95_percent_low",
    "ci95_percent_high",
    "sdc_percent",
    "verdict",
    "reason",
];

/// How `metrics.csv` starts, whatever columns follow in a later version.
pub const METRICS_SIGN: Sign = Sign::Form(Form("table,visit,region,metric,", ""));
/// How the table of all changes of a batch starts.
pub const CHANGES_SIGN: Sign = Sign::Form(Form("subject,view,visit,region,metric,", ""));

/// `metrics.csv`: the measurements, then the changes.
pub fn metrics(report: &Report) -> String {
    let mut rows = vec![METRICS.map(String::from).to_vec()];
    rows.extend(report.measurements.iter().map(measurement));
    rows.extend(report.changes.iter().map(|row| {
        let mut cells = change(row);
        cells.insert(0, "change".into());
        cells.insert(4, String::new());
        cells.push(String::new());
        cells
    }));
    table(&rows)
}

/// First line of the table of all changes of a batch.
pub fn changes_header() -> String {
    table(&[CHANGES.map(String::from).to_vec()])
}

/// Lines of the table of all changes of a batch: those of one series.
pub fn changes_rows(subject: &str, view: &str, changes: &[ChangeRow]) -> String {
    let rows = changes.iter().map(|row| {
        let mut cells = vec![text(subject), text(view)];
        cells.extend(change(row));
        cells
    });
    table(&rows.collect::<Vec<_>>())
}

/// Cells in the order of [`METRICS`].
fn measurement(row: &MeasurementRow) -> Vec<String> {
    let mut cells = vec![
        "measurement".into(),
        row.visit.to_string(),
        text(&row.region),
        text(row.metric.id),
        cell(row.value),
    ];
    cells.extend([const { String::new() }; 2]);
    cells.push(text(&row.unit));
    cells.extend([const { String::new() }; 9]);
    cells.extend([word(row.reason), cell(Some(row.coverage_percent))]);
    cells
}

/// Cells in the order of the keys of `changes`.
fn change(row: &ChangeRow) -> Vec<String> {
    vec![
        row.visit.to_string(),
        text(&row.region),
        text(row.metric.id),
        cell(row.baseline),
        cell(row.follow_up),
        text(&row.unit),
        cell(row.change),
        cell(row.ci95.map(|ci| ci[0])),
        cell(row.ci95.map(|ci| ci[1])),
        cell(row.sdc),
        cell(row.change_percent),
        cell(row.ci95_percent.map(|ci| ci[0])),
        cell(row.ci95_percent.map(|ci| ci[1])),
        cell(row.sdc_percent),
        word(Some(row.verdict)),
        word(row.reason),
    ]
}

/// A number, or nothing.
pub(super) fn cell(value: Option<f64>) -> String {
    value.and_then(number).unwrap_or_default()
}

/// Text that no spreadsheet runs as a formula.
pub fn text(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("{guard}{text}")
}

/// The word that result.json has for a verdict or a reason.
pub fn word(value: Option<impl Serialize>) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Rows as CSV text.
pub fn table(rows: &[Vec<String>]) -> String {
    let mut out = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        out.write_record(row).expect("rows of one table are equally long, and memory takes them");
    }
    let bytes = out.into_inner().expect("memory takes every byte");
    String::from_utf8(bytes).expect("made of UTF-8 text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text() {
        assert_eq!(text("=1+1"), "'=1+1");
        assert_eq!(text("-subject"), "'-subject");
        assert_eq!(text("scar_1"), "scar_1");
        assert_eq!(cell(Some(-0.5)), "-0.5");
        assert_eq!(cell(Some(f64::NAN)), "");
    }

    #[test]
    fn quoting_follows_rfc_4180() {
        let row = ["a,b", "say \"x\"", "two\nlines", ""].map(String::from).to_vec();
        assert_eq!(table(&[row]), "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",\r\n");
    }
}
