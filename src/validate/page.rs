//! The tables of `docs/accuracy.md`: accuracy.json as Markdown.

use super::Accuracy;
use super::dose_response::HEADLINES;
use serde_json::Value;
use std::fmt::Write;

/// The lines between which a page holds the tables.
pub const MARKS: [&str; 2] =
    ["<!-- begin: skindelta validate -->\n", "<!-- end: skindelta validate -->\n"];

impl Accuracy {
    /// The [`tables`], of numbers as accuracy.json holds them.
    pub fn tables(&self) -> String {
        tables(&serde_json::from_str(&self.to_json()).unwrap_or_default())
    }
}

/// `page` with what is between its [`MARKS`] replaced by `tables`; none if it lacks them.
pub fn insert(page: &str, tables: &str) -> Option<String> {
    let [begin, end] = MARKS;
    let (before, rest) = page.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n{tables}\n{end}{after}"))
}

/// All tables of an accuracy.json, each with a heading; a missing value is a dash.
pub fn tables(accuracy: &Value) -> String {
    [introduction, repeatability, dose_response, cross_talk, detection, sizes]
        .map(|section| section(accuracy))
        .join("\n")
}

fn introduction(accuracy: &Value) -> String {
    let (tool, options) = (&accuracy["tool"], &accuracy["options"]);
    let resolutions: Vec<String> = list(&options["px_per_mm"]).map(plain).collect();
    format!(
        "Made by `skindelta validate` ({} {}): {} skins for repeatability and detection, {} of each kind for the dose \
         response, at each of {} px/mm; {} follow-up photos each; seeds from {} on.\n",
        text(&tool["name"]),
        text(&tool["version"]),
        plain(&options["untreated_skins"]),
        plain(&options["treated_skins"]),
        resolutions.join(", "),
        plain(&options["recaptures"]),
        plain(&options["seed"]),
    )
}

fn repeatability(accuracy: &Value) -> String {
    let row = |row: &Value| {
        let spread = &row["spread"];
        // To first order a difference of logarithms is a relative difference.
        let (factor, decimals, unit) = match text(&row["unit"]) {
            "ln" => (100.0, 2, " %".into()),
            "1" => (1.0, 4, String::new()),
            unit => (1.0, 2, format!(" {}", unit.replace('*', "\\*"))),
        };
        let effect = |key: &str| spread[key].as_f64().map(|v| factor * v);
        let amount =
            |key: &str| effect(key).map_or(DASH.into(), |v| format!("{v:.decimals$}{unit}"));
        let bias = effect("bias").map_or(DASH.into(), |v| format!("{}{unit}", signed(v, decimals)));
        vec![
            code(&row["metric"]),
            plain(&row["rows"]),
            percent(&row["not_comparable_percent"]),
            bias,
            amount("rms"),
            percent(&spread["false_alarm_percent"]),
            percent(&spread["coverage_percent"]),
            amount("interval_width"),
            amount("floor"),
            amount("at_1_cm2"),
        ]
    };
    section(
        "Repeatability",
        "Two photos of unchanged skin; effects are ln(follow-up / baseline) in %, or differences in the metric's unit. \
         False alarms: rows with a verdict of change. Coverage: rows whose 95 % interval holds 0. Width: median \
         of that interval. The standard deviation is modelled as sd² = floor² + (at 1 cm²)² / \
         area.",
        &[
            "metric",
            "rows",
            "not comparable",
            "bias",
            "RMS",
            "false alarms",
            "coverage",
            "width",
            "floor",
            "at 1 cm²",
        ],
        list(&accuracy["repeatability"]).map(row).collect(),
    )
}

fn dose_response(accuracy: &Value) -> String {
    let all = &accuracy["dose_response"];
    let factors = list(&all[0]["points"]).map(|point| format!("×{}", plain(&point["factor"])));
    let mut header: Vec<String> = ["parameter", "metric"].map(String::from).to_vec();
    header.extend(factors);
    header.extend(["slope", "R²", "R² of pairs", "monotone", "not comparable"].map(String::from));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let point = |point: &Value| {
        let [reported, truth] = ["reported_percent", "true_percent"].map(|key| change(&point[key]));
        let counts = ["improved", "measured"].map(|key| plain(&point[key]));
        format!("{reported} ({truth}), {}", counts.join("/"))
    };
    let row = |row: &Value| {
        let mut cells = vec![words(&row["parameter"]), code(&row["metric"])];
        cells.extend(list(&row["points"]).map(point));
        cells.extend(["slope", "r_squared", "pair_r_squared"].map(|key| number(&row[key], 2)));
        cells.push(if row["monotone"] == true { "yes".into() } else { "no".into() });
        cells.push(percent(&row["not_comparable_percent"]));
        cells
    };
    section(
        "Dose response",
        "One parameter of the skin times a factor. Reported change in % (true change), and pairs improved/comparable; \
         means over the comparable pairs. Slope and R² of the reported on the true ln(follow-up / baseline), of those \
         means and of single pairs.",
        &header,
        list(all).map(row).collect(),
    )
}

fn cross_talk(accuracy: &Value) -> String {
    let cells: Vec<&Value> = list(&accuracy["cross_talk"]).collect();
    let expected = |cell: &Value| {
        let mut rows = list(&accuracy["dose_response"]);
        rows.any(|r| r["parameter"] == cell["parameter"] && r["metric"] == cell["metric"])
    };
    let shown = |cell: &&Value| {
        let value = change(&cell["reported_percent"]);
        let value = if expected(cell) { format!("**{value}**") } else { value };
        if cell["measured"] == 1 { format!("{value}¹") } else { value }
    };
    let row = |cells: &[&Value]| {
        std::iter::once(words(&cells[0]["parameter"])).chain(cells.iter().map(shown)).collect()
    };
    let metrics = HEADLINES.map(|metric| format!("`{metric}`"));
    let mut header = vec!["parameter × 0.8"];
    header.extend(metrics.iter().map(String::as_str));
    section(
        "Cross-talk",
        "Reported change in % where one parameter is scaled by 0.8; bold: metrics that should change. ¹ one pair.",
        &header,
        cells.chunks(HEADLINES.len()).map(row).collect(),
    )
}

fn detection(accuracy: &Value) -> String {
    let row = |row: &Value| {
        vec![
            text(&row["object"]).into(),
            text(&row["skin"]).into(),
            plain(&row["px_per_mm"]),
            percent(&row["precision_percent"]),
            percent(&row["recall_percent"]),
            plain(&row["detected"]),
        ]
    };
    section(
        "Detection",
        "One photo. Precision: detections that match a true object. Recall: true objects that are detected, of pores \
         of at least 0.25 mm diameter (deep ones: depth at least 0.6 diameters), lines of at least 0.15 mm and scars \
         of at least 0.25 mm depth. Detections of lines are pixels of their centre lines.",
        &["object", "skin", "px/mm", "precision", "recall", "detections"],
        list(&accuracy["detection"]).map(row).collect(),
    )
}

fn sizes(accuracy: &Value) -> String {
    let row = |row: &Value| {
        vec![
            code(&row["metric"]),
            text(&row["skin"]).into(),
            plain(&row["px_per_mm"]),
            percent(&row["error_percent"]),
            change(&row["bias_percent"]) + " %",
            plain(&row["skins"]),
        ]
    };
    section(
        "Error of sizes",
        "One photo: reported mean against the true mean of the detected objects, medians over skins. Error: absolute \
         value.",
        &["metric", "skin", "px/mm", "error", "bias", "skins"],
        list(&accuracy["sizes"]).map(row).collect(),
    )
}

const DASH: &str = "–";

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or(DASH)
}

fn words(value: &Value) -> String {
    text(value).replace('_', " ")
}

fn code(value: &Value) -> String {
    format!("`{}`", text(value))
}

/// A number as it stands: `11`, not `11.0`.
fn plain(value: &Value) -> String {
    value.as_f64().map_or(DASH.into(), |v| v.to_string())
}

fn number(value: &Value, decimals: usize) -> String {
    value.as_f64().map_or(DASH.into(), |v| format!("{v:.decimals$}"))
}

/// A change in %, with its sign.
fn change(value: &Value) -> String {
    value.as_f64().map_or(DASH.into(), |v| signed(v, 1))
}

/// A share in %.
fn percent(value: &Value) -> String {
    value.as_f64().map_or(DASH.into(), |v| format!("{v:.1} %"))
}

/// A number with its sign; 0 has none.
fn signed(v: f64, decimals: usize) -> String {
    let number = format!("{v:+.decimals$}");
    if number.chars().any(|c| ('1'..='9').contains(&c)) {
        number.replace('-', "−")
    } else {
        number[1..].into()
    }
}

/// A heading, a paragraph and a table with columns of one width, for reading as text too.
fn section(heading: &str, about: &str, header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = format!("### {heading}\n\n{about}\n\n");
    let mut line = |cells: Vec<String>| _ = writeln!(text, "| {} |", cells.join(" | "));
    let padded = |cells: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect()
    };
    line(padded(&mut header.iter().copied()));
    line(widths.iter().map(|width| "-".repeat(*width)).collect());
    for row in &rows {
        line(padded(&mut row.iter().map(String::as_str)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Value {
        let points = serde_json::json!([
            {"factor": 1.0, "true_percent": 0.0, "reported_percent": -0.01, "measured": 3, "improved": 0},
            {"factor": 0.5, "true_percent": -50.0, "reported_percent": null, "measured": 0, "improved": 0},
        ]);
        serde_json::json!({
            "tool": {"name": "skindelta", "version": "0.1.0"},
            "options": {"px_per_mm": [11.0, 14.0], "untreated_skins": 2, "recaptures": 1, "treated_skins": 3, "seed": 7},
            "repeatability": [
                {"metric": "pore_count", "unit": "ln", "rows": 42, "not_comparable_percent": 4.16667, "spread":
                    {"bias": -0.0012, "rms": 0.0079, "false_alarm_percent": 0.0, "coverage_percent": 100.0,
                     "interval_width": 0.0956, "floor": 0.0, "at_1_cm2": 0.01}},
                {"metric": "lightness", "unit": "L*", "rows": 42, "not_comparable_percent": 100.0, "spread": null},
            ],
            "dose_response": [{"parameter": "pore_count", "metric": "pore_count", "slope": 0.9525, "r_squared": null,
                "pair_r_squared": 0.5, "not_comparable_percent": 0.0, "monotone": false, "points": points}],
            "cross_talk": HEADLINES.map(|metric| serde_json::json!(
                {"parameter": "pore_count", "metric": metric, "reported_percent": -17.66, "measured": 1})),
            "detection": [{"object": "deep pores", "skin": "usual", "px_per_mm": 14.0, "precision_percent": null,
                "recall_percent": 97.2, "detected": 120}],
            "sizes": [{"metric": "pore_diameter", "skin": "usual", "px_per_mm": 14.0, "bias_percent": -3.25,
                "error_percent": 4.0, "skins": 2}],
        })
    }

    /// The cells of the row that starts with `first`.
    fn cells<'a>(tables: &'a str, first: &str) -> Vec<&'a str> {
        let mut rows = tables.lines().filter(|line| line.starts_with('|'));
        let row = rows.find(|line| line[1..].trim_start().starts_with(first));
        row.expect(first).trim_matches('|').split('|').map(str::trim).collect()
    }

    #[test]
    fn a_sample_becomes_tables() {
        let tables = tables(&sample());
        assert!(tables.contains("(skindelta 0.1.0): 2 skins") && tables.contains("11, 14 px/mm"));
        let row = cells(&tables, "`pore_count`");
        assert_eq!(
            row[1..],
            ["42", "4.2 %", "−0.12 %", "0.79 %", "0.0 %", "100.0 %", "9.56 %", "0.00 %", "1.00 %"]
        );
        assert_eq!(cells(&tables, "`lightness`")[3..5], [DASH, DASH]);
        let row = cells(&tables, "pore count");
        assert_eq!(
            row[1..],
            [
                "`pore_count`",
                "0.0 (0.0), 0/3",
                "– (−50.0), 0/0",
                "0.95",
                DASH,
                "0.50",
                "no",
                "0.0 %"
            ]
        );
        let crossed = tables.split_once("### Cross-talk").expect("a section").1;
        assert_eq!(cells(crossed, "pore count")[3..5], ["**−17.7**¹", "−17.7¹"]);
        assert_eq!(cells(&tables, "deep pores")[1..], ["usual", "14", DASH, "97.2 %", "120"]);
        assert_eq!(cells(&tables, "`pore_diameter`")[3..], ["4.0 %", "−3.2 %", "2"]);
    }

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let [begin, end] = MARKS;
        let page = format!("before\n{begin}old\n{end}after\n");
        let expected = format!("before\n{begin}\nnew\n\n{end}after\n");
        assert_eq!(insert(&page, "new\n"), Some(expected));
        assert_eq!(insert("no marks\n", "new\n"), None);
    }
}
