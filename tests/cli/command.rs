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
        "--settings",
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

#[test]
fn a_settings_file_replaces_single_numbers() {
    let folder = empty();
    plain_photo(folder.path(), "a.png");
    let text = "[metric]\nglcm_bin_width = 0.03\n[photo]\nmax_megapixels = 2\n";
    fs::write(folder.path().join("s.toml"), text).unwrap();
    let compare = |more: &[&str]| -> serde_json::Value {
        let pair = ["compare", "a.png", "a.png", "--regions", "whole", "--json", "-"];
        let outcome = run(folder.path(), &[&pair[..], more].concat());
        assert_eq!(outcome.code, 0, "{}", outcome.err);
        serde_json::from_str(&outcome.out).unwrap()
    };
    let usual = compare(&[]);
    let mut expected = usual["settings"].clone();
    expected["metric"]["glcm_bin_width"] = 0.03.into();
    // The option stands above the file.
    for (option, most) in [([].as_slice(), 2.0), (&["--max-megapixels", "3"], 3.0)] {
        expected["photo"]["max_megapixels"] = most.into();
        let result = compare(&[&["--settings", "s.toml"], option].concat());
        assert_eq!(result["settings"], expected);
        assert_ne!(result["settings_sha256"], usual["settings_sha256"]);
    }

    let outcome = run(folder.path(), &["check", "a.png", "--settings", "none.toml"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.starts_with("skindelta: none.toml: read: "), "{}", outcome.err);
    fs::write(folder.path().join("s.toml"), "metric.foo = 1").unwrap();
    fs::write(folder.path().join("m.csv"), "subject,visit,path\nann,0,a.png\n").unwrap();
    for command in [
        ["compare", "a.png", "a.png"].as_slice(),
        &["measure", "a.png"],
        &["check", "a.png"],
        &["batch", "m.csv"],
    ] {
        let outcome = run(folder.path(), &[command, &["--settings", "s.toml"]].concat());
        let message = "skindelta: s.toml: usage: unknown key metric.foo\n";
        assert_eq!((outcome.code, outcome.err.as_str()), (2, message), "{command:?}");
    }
    assert_eq!(listing(folder.path()), ["a.png", "m.csv", "s.toml"]);
}

/// Every file below a folder with its content.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for name in listing(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            let below = contents(&path).into_iter();
            files.extend(below.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
            files.push((name + "/", Vec::new()));
        } else {
            files.push((name, fs::read(path).unwrap()));
        }
    }
    files
}

/// Files of somebody else, and photos that cannot be decoded: what is told is told before that.
fn somebody_elses() -> tempfile::TempDir {
    let folder = empty();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for photo in ["v0.jpg", "v1.jpg", "v2.jpg", "sub/v3.jpg", "ours/maps/regions.png"] {
        file(photo, &format!("{photo} cannot be decoded"));
    }
    file("s.toml", "");
    file("r.json", r#"{"regions": [{"name": "scar", "polygon": [[0,0],[9,0],[9,9]]}]}"#);
    file("notes.txt", "mine");
    file("m.csv", "subject,visit,path,regions\nanna,0,v0.jpg,r.json\nanna,1,v1.jpg,\n");
    file("ours/changes.csv", "subject,visit,path\nanna,0,../v0.jpg\n");
    let result = r#"{"schema_version": 1, "tool": {"name": "skindelta", "version": "0"}}"#;
    file("ours/result.json", result);
    file("ours/report.html", "<p>mine</p>");
    file("ours/001-v0/result.json", result);
    file("ours/001-v0/metrics.csv", "mine");
    file("tables/failures.csv", "mine");
    file("series/series/anna/front/result.json", result);
    file("series/series/anna/front/report.html", "mine");
    file("ghost/closeup/visit-1.jpg", "mine");
    file("ghost/face/truth.json", "{}");
    file("ghost/README.md", "mine");
    folder
}

#[test]
fn no_output_replaces_an_input_or_somebody_elses_file() {
    let folder = somebody_elses();
    fs::hard_link(folder.path().join("v0.jpg"), folder.path().join("hard.jpg")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("v0.jpg", folder.path().join("soft.jpg")).unwrap();
    let before = contents(folder.path());
    let [read, foreign] = ["this file is read by", "skindelta did not write this file"];
    let pair = ["compare", "v0.jpg", "v1.jpg"];
    let with = |more: &[&'static str]| [&pair[..], more].concat();
    let mut cases = vec![
        // The first photo taken for the file's name.
        (vec!["compare", "--json", "v0.jpg", "v1.jpg", "v2.jpg"], "v0.jpg", foreign),
        (with(&["--json", "v0.jpg"]), "v0.jpg", read),
        (with(&["--json", "v1.jpg", "--out", "new"]), "v1.jpg", read),
        (with(&["--json", "./sub/../v0.jpg"]), "./sub/../v0.jpg", read),
        (with(&["--json", "r.json", "--regions", "r.json"]), "r.json", read),
        (with(&["--json", "s.toml", "--settings", "s.toml"]), "s.toml", read),
        (with(&["--json", "r.json"]), "r.json", foreign),
        (with(&["--json", "m.csv"]), "m.csv", foreign),
        (with(&["--out", "."]), ".", "the folder holds files that skindelta did not write"),
        (with(&["--out", "ours"]), "ours/report.html", foreign),
        (with(&["--out", "v2.jpg"]), "v2.jpg", "this is a file; name a folder"),
        (with(&["--out", "new", "--json", "new"]), "new", "two results would be written here"),
        (with(&["--out", "new", "--json", "new/report.html"]), "new/report.html", "two results"),
        (
            vec!["compare", "v0.jpg", "ours/maps/regions.png", "--out", "ours", "--no-html"],
            "ours/maps/regions.png",
            read,
        ),
        (vec!["measure", "v0.jpg", "--out", "ours"], "ours/001-v0/metrics.csv", foreign),
        (vec!["validate", "--json", "notes.txt"], "notes.txt", foreign),
        (vec!["validate", "--json", "sub"], "sub", "this is a folder"),
        (vec!["batch", "m.csv", "--out", "tables"], "tables/failures.csv", foreign),
        (
            vec!["batch", "m.csv", "--out", "series"],
            "series/series/anna/front/report.html",
            foreign,
        ),
        (vec!["batch", "ours/changes.csv", "--out", "ours"], "ours/changes.csv", read),
        (vec!["phantom", "ghost"], "ghost/closeup/visit-1.jpg", foreign),
        (vec!["phantom", "ghost", "--kind", "face"], "ghost/face/truth.json", foreign),
        (vec!["phantom", "ghost", "--kind", "fixtures"], "ghost/face/truth.json", foreign),
        (vec!["phantom", "v0.jpg"], "v0.jpg/closeup/truth.json", "cannot be written"),
        // A place that cannot be written.
        (with(&["--json", "v2.jpg/r.json"]), "v2.jpg/r.json", "cannot be written"),
        (with(&["--out", "v2.jpg/new"]), "v2.jpg/new", "Not a directory"),
    ];
    if cfg!(unix) {
        cases.push((with(&["--json", "hard.jpg"]), "hard.jpg", read));
        cases.push((with(&["--json", "soft.jpg"]), "soft.jpg", read));
        cases.push((
            vec!["measure", "soft.jpg", "--out", "v0.jpg"],
            "v0.jpg/001-soft",
            "directory",
        ));
    }
    if cfg!(target_os = "linux") {
        cases.push((with(&["--json", "/proc/r.json"]), "/proc/r.json", "cannot be written"));
        cases.push((with(&["--out", "/proc/new"]), "/proc/new/result.json", "cannot be written"));
    }
    for (arguments, file, expected) in cases {
        let outcome = run(folder.path(), &arguments);
        assert_eq!(outcome.code, 1, "{arguments:?}: {}", outcome.err);
        let message = format!("skindelta: {file}: write: ");
        assert!(outcome.err.starts_with(&message), "{arguments:?}: {}", outcome.err);
        assert!(outcome.err.contains(expected), "{arguments:?}: {}", outcome.err);
        assert_eq!(outcome.out, "", "{arguments:?}");
        assert!(contents(folder.path()) == before, "{arguments:?}");
    }
}

/// The model and what lies beside it are read, too.
#[cfg(feature = "onnx")]
#[test]
fn no_output_replaces_the_model_or_its_sidecar() {
    let folder = somebody_elses();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    for name in ["face-regions.onnx", "face-regions.toml"] {
        fs::copy(models.join(name), folder.path().join(name)).unwrap();
    }
    let before = contents(folder.path());
    let pair = ["compare", "v0.jpg", "v1.jpg", "--model", "face-regions.onnx", "--json"];
    for name in ["face-regions.onnx", "face-regions.toml"] {
        let outcome = run(folder.path(), &[&pair[..], &[name]].concat());
        let message = format!("skindelta: {name}: write: this file is read by");
        assert!(outcome.code == 1 && outcome.err.starts_with(&message), "{}", outcome.err);
        assert!(contents(folder.path()) == before);
    }
}

#[test]
fn own_results_are_written_anew() {
    let folder = empty();
    plain_photo(folder.path(), "a.png");
    plain_photo(folder.path(), "b.png");
    let manifest = "subject,visit,path,regions\nanna,0,a.png,whole\nanna,1,b.png,\n";
    fs::write(folder.path().join("m.csv"), manifest).unwrap();
    for arguments in [
        vec!["compare", "a.png", "b.png", "--regions", "whole", "--maps"],
        vec!["compare", "a.png", "b.png", "--regions", "whole", "--json", "deep/er/r.json"],
        vec!["measure", "a.png", "--regions", "whole", "--maps", "--out", "measured"],
        vec!["batch", "m.csv", "--out", "batch"],
        vec!["phantom", "drawn", "--kind", "closeup", "--px-per-mm", "2"],
    ] {
        let first = run(folder.path(), &arguments);
        assert_eq!(first.code, 0, "{arguments:?}: {}", first.err);
        let written = contents(folder.path());
        let second = run(folder.path(), &arguments);
        assert_eq!(second.code, 0, "{arguments:?}: {}", second.err);
        assert!(contents(folder.path()) == written, "{arguments:?}");
    }
}

/// What is no regular file holds nothing that could be replaced.
#[cfg(unix)]
#[test]
fn the_json_may_go_to_a_device() {
    let folder = empty();
    plain_photo(folder.path(), "a.png");
    plain_photo(folder.path(), "b.png");
    let pair = ["compare", "a.png", "b.png", "--regions", "whole", "-q", "--json", "/dev/null"];
    let outcome = run(folder.path(), &pair);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
}

/// However many follow-ups there are, a photo is decoded, searched for a face, resampled, and searched for lines,
/// pores and scars once: `-vv` says what is done.
#[test]
fn each_photo_is_prepared_once() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let folder = empty();
    let copies: Vec<String> = (0..4).map(|k| format!("{k}.png")).collect();
    for (visit, copy) in [0, 1, 0, 1].into_iter().zip(&copies) {
        let whole = image::open(fixtures.join(format!("closeup/visit-{visit}.jpg"))).unwrap();
        whole.crop_imm(200, 150, 500, 400).save(folder.path().join(copy)).unwrap();
    }
    let mut arguments = vec!["compare"];
    arguments.extend(copies.iter().map(String::as_str));
    arguments.extend(["--json", "a.json", "-vv", "--mm-per-px", "0.0714"]);
    let done = run(folder.path(), &arguments);
    assert_eq!(done.code, 0, "{}", done.err);
    let count = |what: &str| done.err.lines().filter(|line| line.starts_with(what)).count();
    for copy in &copies {
        assert_eq!(count(&format!("decode {copy}")), 1, "{copy}\n{}", done.err);
        assert_eq!(count(&format!("resample {copy}")), 1, "{copy}\n{}", done.err);
        assert_eq!(count(&format!("find face {copy}")), 1, "{copy}\n{}", done.err);
    }
    for searched in ["search lines", "search pores", "search scars"] {
        assert_eq!(count(searched), copies.len(), "{searched}\n{}", done.err);
    }
}
