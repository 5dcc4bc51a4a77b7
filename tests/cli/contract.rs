//! The whole pipeline on the shipped photos, as the command runs it: what it writes keeps the
//! published contract.

use assert_cmd::Command;
use serde_json::Value;
use skindelta::metric::METRICS;
use skindelta::report::SCHEMA;
use std::fs;
use std::path::Path;

/// The scale of the close-ups, mm per px.
const SCALE: [&str; 2] = ["--mm-per-px", "0.071429"];

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    path.to_str().unwrap().into()
}

/// Writes the middle of a shipped photo, 520 × 420 px, into the folder; returns its name there.
fn middle(folder: &Path, name: &str) -> String {
    let whole = image::open(fixture(name)).unwrap();
    let (x, y) = ((whole.width() - 520) / 2, (whole.height() - 420) / 2);
    let file = name.replace('/', "-").replace(".jpg", ".png");
    whole.crop_imm(x, y, 520, 420).save(folder.join(&file)).unwrap();
    file
}

/// Runs `compare`, which must succeed; returns what it said on standard error.
fn compare(folder: &Path, photos: &[String], options: &[&str]) -> String {
    let mut command = Command::cargo_bin("skindelta").unwrap();
    command.current_dir(folder).arg("compare").args(photos);
    let output = command.args(options).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

/// The result of a run, held to the schema, to the order of rows, and to saying nothing of where
/// the photos lie.
fn result(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("result.json")).unwrap();
    assert!(!text.contains(env!("CARGO_MANIFEST_DIR")), "an absolute path");
    assert!(!text.contains("-0.0,") && !text.contains("-0.0]"), "a negative zero");
    let result: Value = serde_json::from_str(&text).unwrap();
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&result).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");

    let visits = result["photos"].as_array().unwrap().len();
    let baseline = rows(&result, "measurements").filter(|r| r["visit"] == 0);
    let mut regions: Vec<&Value> = baseline.map(|r| &r["region"]).collect();
    regions.dedup();
    assert_eq!(regions.last().unwrap().as_str(), Some("whole"));
    let mut expected = Vec::new();
    for visit in 0..visits {
        for region in &regions {
            expected.extend(METRICS.iter().map(|m| (visit as u64, region.as_str().unwrap(), m.id)));
        }
    }
    let same = |table, expected: &[(u64, &str, &str)]| {
        let told: Vec<_> = rows(&result, table)
            .map(|r| {
                let text = |key| r[key].as_str().unwrap();
                (r["visit"].as_u64().unwrap(), text("region"), text("metric"))
            })
            .collect();
        assert_eq!(told, expected, "rows of {table}");
    };
    same("measurements", &expected);
    same("changes", &expected[regions.len() * METRICS.len()..]);
    let trends = if visits > 2 { regions.len() * METRICS.len() } else { 0 };
    assert_eq!(rows(&result, "trends").count(), trends);
    result
}

fn rows<'a>(result: &'a Value, table: &str) -> impl Iterator<Item = &'a Value> {
    result[table].as_array().unwrap().iter()
}

/// The reasons of the changes of one metric in one region, `null` where it was compared.
fn reason<'a>(result: &'a Value, region: &str, metric: &str) -> &'a Value {
    let wanted = |r: &&Value| r["region"] == region && r["metric"] == metric;
    &rows(result, "changes").find(wanted).unwrap()["reason"]
}

#[test]
fn a_series_keeps_the_contract_at_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let photos = ["closeup/visit-0.jpg", "closeup/visit-1.jpg", "face_small/before.jpg"]
        .map(|name| middle(folder.path(), name));
    let options = [&SCALE[..], &["--regions", "grid:1x2", "--maps"]].concat();
    for threads in ["1", "2"] {
        compare(
            folder.path(),
            &photos,
            &[&options[..], &["--threads", threads, "--out", threads]].concat(),
        );
    }
    let [one, two] = ["1", "2"].map(|out| folder.path().join(out));
    for name in [
        "result.json",
        "metrics.csv",
        "report.html",
        "maps/visit-1-displacement.npy",
        "maps/visit-1-wrinkles.png",
        "maps/visit-1-pores.csv",
        "maps/regions.png",
    ] {
        assert!(fs::read(one.join(name)).unwrap() == fs::read(two.join(name)).unwrap(), "{name}");
    }

    let result = result(&one);
    // The face is no visit of the patch.
    let status: Vec<&Value> = rows(&result, "alignment")
        .filter(|a| a["region"].is_null())
        .map(|a| &a["status"])
        .collect();
    assert_eq!(status, ["aligned", "failed"]);
    assert!(
        rows(&result, "changes")
            .filter(|c| c["visit"] == 2)
            .all(|c| c["verdict"] == "not_comparable" && c["reason"] == "alignment")
    );
    assert!(!one.join("maps/visit-2-displacement.npy").exists());
    let measured = |r: &&Value| r["visit"] == 1 && r["reason"].is_null();
    assert!(rows(&result, "changes").filter(measured).count() > 40);
    // Each pore once, whatever the visits made of it.
    for visit in ["0", "1"] {
        let table = fs::read_to_string(one.join(format!("maps/visit-{visit}-pores.csv"))).unwrap();
        let mut ids: Vec<&str> =
            table.lines().skip(1).filter_map(|l| l.split(',').next()).collect();
        let count = ids.len();
        assert!(count > 100, "{count} pores");
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "an id is there twice in visit {visit}");
    }
}

#[test]
fn the_same_photo_twice_is_told_and_has_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let options = [&SCALE[..], &["--regions", "whole", "--no-html", "--out", "out"]].concat();
    let photo = middle(folder.path(), "closeup/visit-0.jpg");
    let said = compare(folder.path(), &[photo.clone(), photo], &options);
    assert!(said.contains("the same photo"), "{said}");
    let result = result(&folder.path().join("out"));
    assert!(rows(&result, "changes").all(|c| {
        c["change"].is_null() && c["verdict"] == "not_comparable"
            || c["change"] == 0.0 && (c["verdict"] == "unchanged" || c["verdict"] == "inconclusive")
    }));
}

/// White balance and a change of the whole skin cannot be told apart.
#[test]
fn the_tone_of_a_single_region_needs_a_reference() {
    let folder = tempfile::tempdir().unwrap();
    let file =
        r#"{"regions": [{"name": "scar", "polygon": [[50,50],[350,50],[350,370],[50,370]]}]}"#;
    fs::write(folder.path().join("scar.json"), file).unwrap();
    let photos =
        ["closeup/visit-0.jpg", "closeup/visit-1.jpg"].map(|name| middle(folder.path(), name));
    for (regions, name, expected) in [
        ("scar.json", "scar", "no_reference".into()),
        ("grid:1x1", "r1c1", "no_reference".into()),
        // Against the other cell: it did not change differently, which is all that can be said.
        ("grid:1x2", "r1c1", "no_reference".into()),
    ] {
        let options = [&SCALE[..], &["--regions", regions, "--no-html", "--out", "out"]].concat();
        compare(folder.path(), &photos, &options);
        let result = result(&folder.path().join("out"));
        let expected: Value = expected;
        assert_eq!(reason(&result, name, "redness"), &expected, "{regions}");
        assert!(reason(&result, name, "spot_area_percent") != "no_reference", "{regions}");
        assert_eq!(reason(&result, "whole", "redness"), "no_reference", "{regions}");
        assert!(reason(&result, name, "texture_coarse").is_null(), "{regions}");
    }
    // A named reference serves every other region, the whole among them.
    let named = ["--regions", "grid:1x2", "--reference", "r1c2", "--no-html", "--out", "out"];
    compare(folder.path(), &photos, &[&SCALE[..], &named].concat());
    let result = result(&folder.path().join("out"));
    for (name, expected) in
        [("r1c1", Value::Null), ("whole", Value::Null), ("r1c2", "no_reference".into())]
    {
        assert_eq!(reason(&result, name, "redness"), &expected, "{name}");
    }
}

#[test]
fn the_eyes_of_a_face_tell_its_scale() {
    let folder = tempfile::tempdir().unwrap();
    let photos = ["face_small/before.jpg", "face_small/after.jpg"].map(fixture);
    compare(folder.path(), &photos, &["--no-html", "--out", "out"]);
    let result = result(&folder.path().join("out"));
    assert_eq!(result["regions"]["source"], "face");
    assert_eq!(result["scale"]["source"], "face");
    let told = |key| result["scale"][key].as_f64().unwrap();
    // fixtures/face_small/truth.json: 0.2 mm per px.
    let off = told("mm_per_px") / 0.2 - 1.0;
    let spread = told("relative_uncertainty");
    assert!((0.03..0.07).contains(&spread) && off.abs() < 2.0 * spread, "{off} ± {spread}");
    for row in rows(&result, "measurements").filter(|r| r["metric"] == "wrinkle_length") {
        assert_eq!(row["unit"], "mm");
    }
    // 5 px per mm hold no pores.
    assert_eq!(reason(&result, "cheek_left", "pore_count"), "below_resolution");
    assert!(reason(&result, "cheek_left", "texture_coarse").is_null());
    // A scale that is given wins, here over the eyes of a smaller picture.
    let small = image::open(fixture("face_small/before.jpg")).unwrap().thumbnail(500, 650);
    small.save(folder.path().join("small.png")).unwrap();
    let photos = ["small.png", "small.png"].map(String::from);
    compare(folder.path(), &photos, &["--no-html", "--mm-per-px", "0.42", "--out", "given"]);
    let given = self::result(&folder.path().join("given"));
    assert_eq!(given["regions"]["source"], "face");
    assert_eq!(given["scale"]["source"], "argument");
    assert_eq!(given["scale"]["mm_per_px"], 0.42);
}

/// Behind dark glasses no iris and no pupil tells how large a face is, with the net or without.
#[test]
fn a_face_without_a_scale_has_lengths_in_pixels_and_no_pores() {
    let folder = tempfile::tempdir().unwrap();
    // Of one photo, so that the glasses sit alike.
    for (name, fainter) in [("before", 0), ("after", 2)] {
        let mut photo = image::open(fixture("face_small/before.jpg")).unwrap().to_rgb8();
        for (x, y, pixel) in photo.enumerate_pixels_mut() {
            pixel.0 = pixel.0.map(|v| v.saturating_sub(fainter));
            // Lenses of 200 × 120 px over both eyes.
            let behind = |eye: f64| {
                ((f64::from(x) - eye) / 100.0).hypot((f64::from(y) - 590.0) / 60.0) <= 1.0
            };
            if behind(342.0) || behind(657.0) {
                *pixel = image::Rgb([40; 3]);
            }
        }
        photo.save(folder.path().join(format!("{name}.png"))).unwrap();
    }
    let mut command = Command::cargo_bin("skindelta").unwrap();
    command.current_dir(folder.path()).args(["compare", "before.png", "after.png", "--no-html"]);
    command.assert().success();
    let result = result(&folder.path().join("skindelta-out"));
    assert_eq!(result["regions"]["source"], "face");
    assert_eq!(result["scale"]["source"], "nominal");
    let cheek = rows(&result, "alignment").find(|a| a["region"] == "cheek_left").unwrap();
    assert_eq!(cheek["status"], "aligned");
    for table in ["measurements", "changes"] {
        for row in rows(&result, table).filter(|r| r["metric"] == "wrinkle_length") {
            assert_eq!(row["unit"], "px", "{table}");
        }
    }
    assert!(reason(&result, "whole", "wrinkle_length").is_null());
    assert!(reason(&result, "cheek_left", "texture_coarse").is_null());
    let limited = ["wrinkle_density", "visible_pore_density"].into_iter();
    let pores = METRICS.iter().map(|m| m.id).filter(|id| id.starts_with("pore_"));
    for metric in limited.chain(pores) {
        assert_eq!(reason(&result, "cheek_left", metric), "no_scale", "{metric}");
    }
}
