//! The command as its user meets it: help, messages, exit codes, and what is written where.

use assert_cmd::Command;
use std::fs;
use std::path::Path;

/// What a call gave back.
struct Outcome {
    code: i32,
    out: String,
    err: String,
}

/// Runs the command in `folder`.
fn run(folder: &Path, arguments: &[&str]) -> Outcome {
    let mut command = Command::cargo_bin("skindelta").unwrap();
    let output = command.current_dir(folder).args(arguments).output().unwrap();
    let outcome = Outcome {
        code: output.status.code().expect("ended by itself"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(!outcome.err.contains("panicked"), "{}", outcome.err);
    outcome
}

fn empty() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Names of all that lies in a folder.
fn listing(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// A photo that can be read, but shows nothing to align: small and plain.
fn plain_photo(folder: &Path, name: &str) {
    image::RgbImage::from_pixel(64, 48, image::Rgb([180, 140, 120]))
        .save_with_format(folder.join(name), image::ImageFormat::Png)
        .unwrap();
}

#[test]
fn help_says_first_what_a_command_does_and_ends_with_examples() {
    for (command, first, needed) in [
        ("", "Measure how skin texture changes", ["compare", "check", "Exit code"]),
        ("compare", "Compare photos of the same skin", ["--mm-per-px", "--json", "grid:RxC"]),
        ("measure", "Measure each photo on its own", ["--out", "--maps", "001-NAME"]),
        (
            "check",
            "Check photos before the patient leaves",
            ["retake", "--regions", "Nothing is written"],
        ),
        ("batch", "Compare many series", ["subject,visit,path", "--memory", "failures.csv"]),
        ("phantom", "Write test photos", ["truth.json", "--seed", "--kind"]),
        ("schema", "Print the JSON Schema", ["result.json", "Usage", "--help"]),
    ] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = run(&empty().path().join("."), &arguments);
        assert_eq!((help.code, help.err.as_str()), (0, ""), "{command}");
        assert!(help.out.starts_with(first), "{command}: {}", help.out);
        for word in needed {
            assert!(help.out.contains(word), "{command}: {word} is not in\n{}", help.out);
        }
        if command != "schema" {
            assert!(help.out.contains("Example"), "{command}: {}", help.out);
        }
    }
    let version = run(&empty().path().join("."), &["--version"]);
    assert_eq!(version.out, format!("skindelta {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_help_lists_every_option_of_the_contract() {
    let folder = empty();
    let help = run(folder.path(), &["compare", "--help"]).out;
    for option in [
        "--out",
        "--json",
        "--regions",
        "--mm-per-px",
        "--model",
        "--dates",
        "--labels",
        "--maps",
        "--no-html",
        "--threads",
        "--max-megapixels",
        "--reference",
        "-q,",
        "-v,",
    ] {
        assert!(help.contains(option), "{option}");
    }
}

#[test]
fn what_is_not_understood_exits_2_and_writes_nothing() {
    let folder = empty();
    plain_photo(folder.path(), "a.png");
    plain_photo(folder.path(), "b.png");
    let pair = ["compare", "a.png", "b.png"];
    let with = |more: &[&'static str]| [&pair[..], more].concat();
    for (arguments, expected) in [
        (vec![], "Usage"),
        (vec!["frobnicate"], "unrecognized subcommand"),
        (vec!["compare", "a.png"], "FOLLOW_UP"),
        (vec!["measure"], "PHOTO"),
        (with(&["--mm-per-px", "0"]), "millimetres per pixel"),
        (with(&["--mm-per-px", "-1"]), "millimetres per pixel"),
        (with(&["--mm-per-px", "NaN"]), "millimetres per pixel"),
        (with(&["--mm-per-px", "20"]), "millimetres per pixel"),
        (with(&["--regions", "grid:0x3"]), "grid:ROWSxCOLUMNS"),
        (with(&["--regions", "grid:17x3"]), "grid:ROWSxCOLUMNS"),
        (with(&["--regions", "grid:16x16"]), "at most 255"),
        (with(&["--regions", "grid:3"]), "grid:ROWSxCOLUMNS"),
        (with(&["--dates", "2026-02-30,2026-03-01"]), "is no date"),
        (with(&["--dates", "2026-02-20"]), "--dates names 1, but there are 2 photos"),
        (with(&["--labels", "a,b,c"]), "--labels names 3, but there are 2 photos"),
        (with(&["--threads", "0"]), "--threads"),
        (with(&["--max-megapixels", "0"]), "--max-megapixels"),
        (with(&["--quiet", "--verbose"]), "cannot be used with"),
        (with(&["--unknown"]), "--unknown"),
        (vec!["batch", "m.csv", "--memory", "much"], "is no size of memory"),
    ] {
        let outcome = run(folder.path(), &arguments);
        assert_eq!(outcome.code, 2, "{arguments:?}: {}", outcome.err);
        assert!(outcome.err.contains(expected), "{arguments:?}: {}", outcome.err);
        assert_eq!(outcome.out, "", "{arguments:?}");
    }
    assert_eq!(listing(folder.path()), ["a.png", "b.png"]);
}

#[test]
fn a_photo_that_cannot_be_read_exits_1_and_writes_nothing() {
    let folder = empty();
    plain_photo(folder.path(), "good.png");
    let png = fs::read(folder.path().join("good.png")).unwrap();
    let mut jpeg = Vec::new();
    let noisy = image::RgbImage::from_fn(64, 48, |x, y| image::Rgb([(x * y * 7) as u8; 3]));
    image::codecs::jpeg::JpegEncoder::new(&mut jpeg).encode_image(&noisy).unwrap();
    fs::create_dir(folder.path().join("folder.jpg")).unwrap();
    fs::write(folder.path().join("empty.jpg"), "").unwrap();
    fs::write(folder.path().join("text.jpg"), "these are words").unwrap();
    fs::write(folder.path().join("cut.png"), &png[..png.len() / 2]).unwrap();
    fs::write(folder.path().join("cut.jpg"), &jpeg[..jpeg.len() / 2]).unwrap();
    fs::write(folder.path().join("zeros.jpg"), [0; 1000]).unwrap();
    let before = listing(folder.path());
    for (bad, step) in [
        ("missing.jpg", "read"),
        ("folder.jpg", "read"),
        ("empty.jpg", "read"),
        ("text.jpg", "decode"),
        ("cut.png", "decode"),
        ("cut.jpg", "decode"),
        ("zeros.jpg", "decode"),
    ] {
        for arguments in [
            vec!["compare", "good.png", bad, "--regions", "whole"],
            vec!["compare", bad, "good.png", "--regions", "whole", "--json", "-"],
            vec!["measure", bad, "--regions", "whole"],
            vec!["check", bad, "--regions", "whole"],
        ] {
            let outcome = run(folder.path(), &arguments);
            assert_eq!(outcome.code, 1, "{arguments:?}: {}", outcome.err);
            let message = format!("skindelta: {bad}: {step}: ");
            assert!(outcome.err.starts_with(&message), "{arguments:?}: {}", outcome.err);
            assert_eq!(outcome.out, "", "{arguments:?}");
        }
    }
    assert_eq!(listing(folder.path()), before);
}

#[test]
fn a_photo_of_too_many_megapixels_names_the_option() {
    let folder = empty();
    plain_photo(folder.path(), "a.png");
    let outcome = run(folder.path(), &["check", "a.png", "--max-megapixels", "0.001"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("64 × 48") && outcome.err.contains("--max-megapixels"));
}

#[test]
fn a_region_file_that_does_not_fit_exits_1() {
    let folder = empty();
    plain_photo(folder.path(), "a.png");
    plain_photo(folder.path(), "b.png");
    for (text, expected) in [
        ("{", "regions.json: region: "),
        (r#"{"regions": [{"name": "Scar", "polygon": [[0,0],[9,0],[9,9]]}]}"#, "a-z, 0-9 and _"),
        (
            r#"{"regions": [{"name": "far", "polygon": [[99,0],[109,0],[109,9]]}]}"#,
            "covers no pixel",
        ),
    ] {
        fs::write(folder.path().join("regions.json"), text).unwrap();
        let outcome =
            run(folder.path(), &["compare", "a.png", "b.png", "--regions", "regions.json"]);
        assert_eq!(outcome.code, 1, "{text}: {}", outcome.err);
        assert!(outcome.err.contains(expected), "{text}: {}", outcome.err);
    }
    let outcome = run(folder.path(), &["compare", "a.png", "b.png", "--regions", "fase"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("face, whole, grid:RxC or a region file"), "{}", outcome.err);
    assert_eq!(listing(folder.path()), ["a.png", "b.png", "regions.json"]);
}

#[test]
fn a_bad_manifest_is_told_whole_and_nothing_is_done() {
    let folder = empty();
    plain_photo(folder.path(), "a.png");
    let manifest = "subject,visit,path\nanna,0,a.png\nanna,2,a.png\nben,0,gone.png\n";
    fs::write(folder.path().join("m.csv"), manifest).unwrap();
    let outcome = run(folder.path(), &["batch", "m.csv"]);
    assert_eq!(outcome.code, 1);
    assert_eq!(
        outcome.err,
        "skindelta: m.csv: manifest: line 3: anna front has visit 2 but no visit 1\n  \
         line 4: gone.png: no such file\n"
    );
    let outcome = run(folder.path(), &["batch", "missing.csv"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.starts_with("skindelta: missing.csv: read: "), "{}", outcome.err);
    assert_eq!(listing(folder.path()), ["a.png", "m.csv"]);
}

/// The model is loaded before the first series, and once: not a failure of each.
#[test]
fn a_batch_without_its_model_does_not_start() {
    let folder = empty();
    plain_photo(folder.path(), "a.png");
    fs::write(folder.path().join("m.csv"), "subject,visit,path\nann,0,a.png\nben,0,a.png\n")
        .unwrap();
    let outcome = run(folder.path(), &["batch", "m.csv", "--model", "folder/net.onnx"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.starts_with("skindelta: net.onnx: model: "), "{}", outcome.err);
    assert_eq!(outcome.err.lines().count(), 1, "{}", outcome.err);
    assert_eq!(listing(folder.path()), ["a.png", "m.csv"]);
}

#[test]
fn a_batch_goes_on_past_a_bad_photo() {
    let folder = empty();
    fs::write(folder.path().join("bad.jpg"), "no photo").unwrap();
    plain_photo(folder.path(), "a.png");
    let manifest = "subject,visit,path,regions\nanna,0,bad.jpg,whole\nben,0,a.png,whole\n";
    fs::write(folder.path().join("m.csv"), manifest).unwrap();
    let outcome = run(folder.path(), &["batch", "m.csv", "--out", "out", "--memory", "1G"]);
    assert_eq!(outcome.code, 1, "{}", outcome.err);
    assert!(outcome.err.starts_with("skindelta: anna front: bad.jpg: decode: "), "{}", outcome.err);
    let out = folder.path().join("out");
    assert_eq!(listing(&out), ["changes.csv", "failures.csv", "series"]);
    assert_eq!(listing(&out.join("series")), ["ben"]);
    let failures = fs::read_to_string(out.join("failures.csv")).unwrap();
    assert!(failures.contains("anna,front,0,bad.jpg,decode,"), "{failures}");
}

#[test]
fn the_schema_is_json() {
    let outcome = run(empty().path(), &["schema"]);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
    let schema: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    assert!(schema.is_object());
    assert!(jsonschema::meta::is_valid(&schema));
}

#[test]
fn plain_photos_are_a_result_and_no_error() {
    let folder = empty();
    plain_photo(folder.path(), "a.png");
    plain_photo(folder.path(), "b.png");
    let compare = ["compare", "a.png", "b.png", "--regions", "whole"];
    let outcome = run(folder.path(), &[&compare[..], &["--json", "-"]].concat());
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    let result: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(result["photos"][1]["file"], "b.png");
    assert_eq!(listing(folder.path()), ["a.png", "b.png"], "only the JSON was asked for");

    let outcome = run(folder.path(), &compare);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert!(outcome.out.contains("Report: skindelta-out/report.html"), "{}", outcome.out);
    let written = listing(&folder.path().join("skindelta-out"));
    assert_eq!(written, ["metrics.csv", "report.html", "result.json"]);
    let warning = "No face was found: all of the picture was measured as if it were skin.";
    assert!(!outcome.out.contains(warning), "{}", outcome.out);
    let outcome = run(folder.path(), &["compare", "a.png", "b.png"]);
    assert!(outcome.out.contains(&format!("Warning: {warning}\n")), "{}", outcome.out);
    assert!(outcome.err.contains(&format!("warning: {warning}\n")), "{}", outcome.err);
    let both = [&compare[..], &["--json", "r.json", "--out", "o", "--no-html", "-q"]].concat();
    let outcome = run(folder.path(), &both);
    assert_eq!((outcome.code, outcome.out.as_str(), outcome.err.as_str()), (0, "", ""));
    assert_eq!(listing(&folder.path().join("o")), ["metrics.csv", "result.json"]);
    assert_eq!(
        fs::read(folder.path().join("r.json")).unwrap(),
        fs::read(folder.path().join("o/result.json")).unwrap()
    );
}

#[test]
fn measure_numbers_its_folders_and_goes_on_past_a_bad_photo() {
    let folder = empty();
    plain_photo(folder.path(), "a.png");
    fs::write(folder.path().join("bad.jpg"), "no photo").unwrap();
    let outcome =
        run(folder.path(), &["measure", "bad.jpg", "a.png", "--regions", "whole", "--out", "out"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("skindelta: bad.jpg: decode: "), "{}", outcome.err);
    assert_eq!(listing(&folder.path().join("out")), ["002-a"]);
}

#[test]
fn check_says_what_to_do_and_writes_nothing() {
    let folder = empty();
    plain_photo(folder.path(), "a.png");
    let outcome = run(folder.path(), &["check", "a.png", "--regions", "whole"]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert!(outcome.out.starts_with("a.png: "), "{}", outcome.out);
    assert_eq!(listing(folder.path()), ["a.png"]);
}

#[test]
fn an_unknown_reference_is_a_usage_error() {
    let folder = empty();
    plain_photo(folder.path(), "a.png");
    plain_photo(folder.path(), "b.png");
    let arguments =
        ["compare", "a.png", "b.png", "--regions", "grid:1x2", "--reference", "forehead"];
    let outcome = run(folder.path(), &arguments);
    assert_eq!(outcome.code, 2, "{}", outcome.err);
    assert!(outcome.err.contains("--reference forehead"), "{}", outcome.err);
    assert_eq!(listing(folder.path()), ["a.png", "b.png"]);
}
