//! `docs/metrics.md`, made from the metrics' constants, the settings and the last validation
//! (`docs/accuracy.json`), and held to them: `SKINDELTA_BLESS=1 cargo test --test it metrics_page` writes it,
//! and fails once.

use serde_json::Value;
use skindelta::metric::{Better, METRICS, Metric, Unit};
use skindelta::settings::Settings;
use std::fmt::Write;
use std::path::Path;

fn row<'a>(accuracy: &'a Value, table: &str, id: &str) -> impl Iterator<Item = &'a Value> {
    let rows = accuracy[table].as_array().expect("a table of docs/accuracy.json");
    rows.iter().filter(move |r| r["metric"] == id)
}

/// One sentence from each table of the validation that tells of the metric.
fn measured_error(metric: &Metric, accuracy: &Value) -> String {
    let mut told = Vec::new();
    let of = |v: &Value| v.as_f64();
    for repeated in row(accuracy, "repeatability", metric.id) {
        if let (Some(rms), Some(bias)) =
            (of(&repeated["spread"]["rms"]), of(&repeated["spread"]["bias"]))
        {
            let (scale, unit) = if metric.ratio {
                (100.0, "%")
            } else {
                (1.0, repeated["unit"].as_str().unwrap_or(""))
            };
            told.push(format!(
                "unchanged skin photographed again: RMS {:.2} {unit}, bias {:+.2} {unit}",
                scale * rms,
                scale * bias
            ));
        }
    }
    for dose in row(accuracy, "dose_response", metric.id) {
        if let (Some(slope), Some(r2)) = (of(&dose["slope"]), of(&dose["r_squared"])) {
            let parameter = dose["parameter"].as_str().unwrap_or("").replace('_', " ");
            told.push(format!(
                "slope of reported on true change of {parameter} {slope:.2} (ln; R² of means {r2:.2})"
            ));
        }
    }
    for size in row(accuracy, "sizes", metric.id) {
        if let (Some(error), Some(px)) = (of(&size["error_percent"]), of(&size["px_per_mm"])) {
            let skin = size["skin"].as_str().expect("the skin of a size");
            told.push(format!(
                "one photo of {skin} skin at {px} px/mm: off by {error:.0} % (median)"
            ));
        }
    }
    if told.is_empty() { "not validated".into() } else { told.join("; ") }
}

fn page(accuracy: &Value) -> String {
    let settings = Settings::default().metric;
    let [fine, middle, coarse] = settings.texture_periods_mm;
    let [small, large] = settings.pore_diameter_mm;
    let mut text = format!(
        "# Metrics\n\nMade by `tests/it/metrics_page.rs` from the metrics' constants, the settings and \
         `docs/accuracy.json` (`skindelta validate --full --json docs/accuracy.json`): do not edit. Errors are of \
         rendered skin under all that careful visits differ by.\n\nBands: fine {fine}–{middle} mm, coarse \
         {middle}–{coarse} mm. Grey levels {} log units wide, pairs {} mm apart. Pores {small}–{large} mm, \
         from {} times the response of the microrelief on. Lines of {} mm and more.\n",
        settings.glcm_bin_width,
        settings.glcm_distance_mm,
        settings.pore_response_min,
        settings.line_min_mm,
    );
    let markdown = |text: &str| text.replace('*', "\\*");
    for metric in METRICS {
        let unit = match metric.unit {
            Unit::Length => "mm (px without a scale)",
            Unit::Fixed(name) => name,
        };
        let better = match metric.better {
            Better::Lower => "lower",
            Better::Neutral => "neither",
        };
        let endpoint = match metric.primary {
            Some(question) => format!("primary endpoint of {question:?}").to_lowercase(),
            None => "secondary".into(),
        };
        let change = if metric.ratio { "percent" } else { "in its unit" };
        let source = |c: &&skindelta::citations::Citation| match c.doi {
            Some(doi) => format!("{}, [doi:{doi}](https://doi.org/{doi})", c.text),
            None => c.text.to_string(),
        };
        let sources: Vec<String> = metric.sources.iter().map(source).collect();
        let _ = write!(
            text,
            "\n## {}\n\n{}\n\n- **Formula**: {}\n- **Unit**: {unit}; better: {better}; change: {change}; \
             {endpoint}; definition {}\n- **Source**: {}\n- **Also moved by**: {}\n- **Measured \
             error**: {}\n",
            metric.id,
            markdown(metric.what),
            markdown(metric.formula),
            metric.definition,
            sources.join("; "),
            markdown(metric.also_moved_by),
            measured_error(metric, accuracy),
        );
    }
    text
}

#[test]
fn the_page_is_that_of_the_table() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let read = |name: &str| std::fs::read_to_string(docs.join(name)).unwrap_or_default();
    let accuracy = serde_json::from_str(&read("accuracy.json")).expect("docs/accuracy.json");
    let page = page(&accuracy);
    if std::env::var_os("SKINDELTA_BLESS").is_some() {
        std::fs::write(docs.join("metrics.md"), &page).expect("docs can be written");
        panic!("docs/metrics.md is written: look at it, and run again without SKINDELTA_BLESS");
    }
    assert!(
        read("metrics.md") == page,
        "docs/metrics.md is stale: SKINDELTA_BLESS=1 writes it anew"
    );
}
