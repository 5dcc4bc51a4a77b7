//! `docs/metrics.md`, made from the metric table, the settings and the last validation
//! (`docs/accuracy.json`), and held to them: `SKINDELTA_BLESS=1 cargo test --test metrics_page` writes it,
//! and fails once.

use serde_json::Value;
use skindelta::metric::{Better, METRICS, Metric, Unit};
use skindelta::settings::Settings;
use std::fmt::Write;
use std::path::Path;

/// What a metric is, its formula, and what moves it that is not skin; with the definition that this
/// describes.
struct About {
    id: &'static str,
    definition: u32,
    what: &'static str,
    formula: &'static str,
    moved_by: &'static str,
}

const fn about(
    id: &'static str,
    what: &'static str,
    formula: &'static str,
    moved_by: &'static str,
) -> About {
    About { id, definition: 1, what, formula, moved_by }
}

const RELIEF: &str = "A lamp that moved (2.4 % at 5° on a close-up), another tone curve of the camera, \
    smoothing filters; blur, noise and compression as far as they cannot be matched.";
const CO_OCCURRENCE: &str = "As texture: bins of log light have a fixed width, so that contrast, entropy and \
    dissimilarity grow with the contrast of relief, and the second moment and the inverse difference moment fall.";
const PORES: &str = "Light from another side; stubble and pigmented specks that look like pores; below 10 \
    px/mm it is refused. Pores that fall below the limit leave the count; the limit follows the mesh of \
    the photos compared: counts of single photos are not to be compared with each other, changes are.";
const LINES: &str = "Expression; a lamp that moved (5.1 % of depth at 5°); hair that the mask leaves. What stands \
    out from the mesh of skin around is seen: lengths of different people, and of photos measured alone, are not \
    comparable.";
const SCARS: &str = "A lamp that moved: a bowl is told by its lit and its shaded side, and light from the \
    front shows none (`quality`). Its depth is told for a usual lamp, and holds within a factor of two or so \
    (narrow pits read too shallow); changes do not depend on it. Shallow or large ones, those beside a line, \
    a hair or the region's edge are not seen. Few scars make it jump: see its interval.";
const TONE: &str = "White balance and light of the whole skin: a change is told only against other skin \
    (`--reference` or the regions beside), else `no_reference`; in one photo it is as the photo has it.";
const SPOTS: &str =
    "Uneven light over millimetres; make-up. Few spots make it jump: see its interval.";

#[rustfmt::skip]
const ABOUT: [About; 32] = [
    about("texture_roughness", "Contrast of relief and fine pigment over all scales of skin texture.", "√(fine² + coarse²)", RELIEF),
    about("texture_fine", "The same of the finest furrows and pores.", "RMS of log light between two Gaussian means; noise, told apart as what two photos do not share (Deming), taken off", RELIEF),
    about("texture_coarse", "The same of skin's mesh and coarse pores.", "as `texture_fine`, in its own band", RELIEF),
    about("texture_anisotropy", "How much the texture has one direction: 0 none, 1 all lines parallel.", "√((Jxx − Jyy)² + 4Jxy²) / (Jxx + Jyy), J the structure tensor summed over the region", "The lamp's direction: slopes across it are seen best. Noise lowers it."),
    about("glcm_contrast", "Mean squared difference of grey levels a fixed distance apart.", "Σ (i − j)² p(i, j)", CO_OCCURRENCE),
    about("glcm_joint_entropy", "Disorder of the pairs of grey levels.", "−Σ p log₂ p", CO_OCCURRENCE),
    about("glcm_angular_second_moment", "Order of the pairs of grey levels.", "Σ p²", CO_OCCURRENCE),
    about("glcm_inverse_difference_moment", "How alike neighbouring grey levels are.", "Σ p / (1 + (i − j)²)", CO_OCCURRENCE),
    about("glcm_correlation", "How far grey levels predict their neighbours.", "Σ (i − μ)(j − μ) p / σ²", CO_OCCURRENCE),
    about("glcm_dissimilarity", "Mean difference of grey levels a fixed distance apart.", "Σ |i − j| p", CO_OCCURRENCE),
    about("pore_count", "Visible pores.", "maxima of a matched filter for a lit round dip, in noise like the mesh of skin around; counted from a multiple of what the mesh makes; over visits, those present in all over the share of a visit's own finds that all show", PORES),
    about("pore_density", "Visible pores per area of measured skin.", "`pore_count` / area", PORES),
    about("pore_diameter", "Mean equivalent diameter of the pores that both photos show.", "full width at half depth of the mean radial profile, less what blur and scattering add (squares); its change by the root of the volume of the mean dip of the region's strong pores", PORES),
    about("pore_area_percent", "Area of pores, of the measured skin.", "Σ π/4 d² / area", PORES),
    about("visible_pore_density", "Pores of 250 µm and more, per area.", "`pore_density` × the share of those", PORES),
    about("pore_elongation", "Mean ratio of the axes of pores.", "largest ratio of two diameters at half depth at right angles, mean over pores; noise raises it", PORES),
    about("wrinkle_length", "Length of the centre lines of wrinkles.", "crests of long oriented derivatives, linked point by point, that stand out from the mesh of skin by a least amount summed along them; sought in both photos, counted in one where it keeps a least part of the dip that the other shows and of what it keeps along the line", LINES),
    about("wrinkle_density", "That length per area of measured skin.", "`wrinkle_length` / area", LINES),
    about("wrinkle_width", "Full width at half depth of the region's lines.", "width of the dark dip of the mean cross-section, less what blur and scattering add (squares), over the dark part of a groove; of each visit, the part of the pair's mean that is the mesh of skin taken off", LINES),
    about("wrinkle_depth", "An optical estimate of how deep lines are. Checked on drawn skin, never against profilometry.", "from the integral D of the mean cross-section's dip and its width w: D = w·K·q²/(1 + ½q²), q = depth/w (radiosity in V, U and Gaussian grooves); a change by the height and stretch of the pair's mean cross-section and the root of its D, the mesh of skin taken off", LINES),
    about("wrinkle_depth_max", "Depth that 5 % of the lines' length exceeds.", "95th percentile of the depths along the lines", LINES),
    about("wrinkle_area_percent", "Area of lines, of the measured skin.", "length × width / area", LINES),
    about("scar_area_percent", "Area of atrophic scars, of the skin that a lamp is seen to light from beside.", "Σ π r² / area, r the radius at half depth of bowls of 1.5–5 mm; found where log light, less what colour explains, answers a bowl lit from where the skin's slopes say that the lamp stands, from a multiple of what the skin around makes", SCARS),
    about("scar_depth", "Mean depth of the scars that one of the photos shows, an optical estimate; the better read count more.", "amplitude of the bowl's shading × r / log light per slope, less what chance added where it was chosen", SCARS),
    about("lightness", "L\\* of the region.", "mean CIELAB L\\* under D50; of a change, the other skin made alike first", TONE),
    about("redness", "a\\* of the region.", "mean CIELAB a\\* under D50; of a change, the other skin made alike first", TONE),
    about("yellowness", "b\\* of the region.", "mean CIELAB b\\* under D50; of a change, the other skin made alike first", TONE),
    about("ita", "Individual typology angle. Without b\\* > 0 nothing is told.", "atan2(L\\* − 50, b\\*)", TONE),
    about("tone_unevenness", "Spread of colour around the region's mean.", "mean ΔE00 from the region's mean colour", TONE),
    about("spot_area_percent", "Area of dark spots, of the measured skin.", "cells darker than their surroundings that differ from them by at least a fixed ΔE00", SPOTS),
    about("spot_count", "Dark spots.", "connected groups of such cells", SPOTS),
    about("spot_contrast", "How far spots differ from the skin around them.", "mean ΔE00 of their cells from the surroundings", SPOTS),
];

fn row<'a>(accuracy: &'a Value, table: &str, id: &str) -> impl Iterator<Item = &'a Value> {
    let rows = accuracy[table].as_array().expect("a table of docs/accuracy.json");
    rows.iter().filter(move |r| r["metric"] == id)
}

/// One sentence from each table of the validation that tells of the metric.
fn measured_error(metric: &Metric, accuracy: &Value) -> String {
    let mut told = Vec::new();
    let of = |v: &Value| v.as_f64();
    for null in row(accuracy, "nulls", metric.id) {
        if let (Some(rms), Some(bias)) = (of(&null["spread"]["rms"]), of(&null["spread"]["bias"])) {
            let (scale, unit) = if metric.ratio {
                (100.0, "%")
            } else {
                (1.0, null["unit"].as_str().unwrap_or(""))
            };
            told.push(format!(
                "unchanged skin photographed again: RMS {:.2} {unit}, bias {:+.2} {unit}",
                scale * rms,
                scale * bias
            ));
        }
    }
    for dose in row(accuracy, "doses", metric.id) {
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
        "# Metrics\n\nMade by `tests/metrics_page.rs` from the metric table, the settings and \
         `docs/accuracy.json` (`skindelta validate --full --json docs/accuracy.json`): do not edit. Errors are of \
         drawn skin under all that careful visits differ by.\n\nBands: fine {fine}–{middle} mm, coarse \
         {middle}–{coarse} mm. Grey levels {} log units wide, pairs {} mm apart. Pores {small}–{large} mm, \
         from {} times what the mesh of skin makes. Lines of {} mm and more.\n",
        settings.glcm_bin_width,
        settings.glcm_distance_mm,
        settings.pore_noises,
        settings.line_min_mm,
    );
    for (metric, about) in METRICS.iter().zip(&ABOUT) {
        assert_eq!(
            (metric.id, metric.definition),
            (about.id, about.definition),
            "what is told of it"
        );
        let unit = match metric.unit {
            Unit::Length => "mm (px without a scale)",
            Unit::Fixed(name) => name,
        };
        let better = match metric.better {
            Better::Lower => "lower",
            Better::Neutral => "neither",
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
             definition {}\n- **Source**: {}\n- **What moves it that is not skin**: {}\n- **Measured \
             error**: {}\n",
            metric.id,
            about.what,
            about.formula,
            metric.definition,
            if sources.is_empty() { "–".into() } else { sources.join("; ") },
            about.moved_by,
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
