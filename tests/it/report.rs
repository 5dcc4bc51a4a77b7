//! What the report writes: numbers, tables, the page, and the manners of its folder.

use crate::sample;
use serde_json::Value;
use skindelta::align::AlignmentStatus;
use skindelta::change::Verdict;
use skindelta::metric::Reason;
use skindelta::notice::Notice;
use skindelta::output;
use skindelta::report::{
    JSON_SIGN, check_folder, csv, html, json::to_json, outputs, withdraw, write,
};
use std::fs;
use std::path::Path;

#[test]
fn json_is_rounded_ordered_and_repeatable() {
    let mut report = sample::report(2);
    report.changes[0].change = Some(-0.000_000_123_456_789);
    report.changes[0].sdc = Some(f64::NAN);
    report.changes[0].baseline = Some(-0.0);
    let text = to_json(&report);
    assert_eq!(text, to_json(&report));
    assert!(text.ends_with("\n}\n") || text.ends_with("]}\n"), "{:?}", &text[text.len() - 20..]);
    assert!(text.contains("\"change\": -1.23457e-7, \"ci95\""));
    assert!(text.contains("\"baseline\": 0.0,"));
    assert!(!text.contains("NaN") && !text.contains("-0.0,"));

    let value: Value = serde_json::from_str(&text).unwrap();
    assert!(value["changes"][0]["sdc"].is_null());
    for row in value["changes"].as_array().unwrap() {
        for number in row.as_object().unwrap().values().filter_map(Value::as_f64) {
            assert_eq!(number, format!("{number:.5e}").parse::<f64>().unwrap());
        }
    }
    let keys = "schema_version tool settings settings_sha256 notices photos scale regions alignment \
                quality measurements changes trends citations";
    let at: Vec<usize> =
        keys.split(' ').map(|k| text.find(&format!("\"{k}\": ")).expect(k)).collect();
    assert!(at.is_sorted(), "keys out of order: {at:?}");
    let rows = text.lines().filter(|l| l.starts_with("  {\"visit\": 1, ") && l.contains("ci95"));
    assert_eq!(rows.count(), report.changes.len(), "one line per change");
}

/// The keys of a row of result.json as columns: an interval has two.
fn columns(table: &str) -> Vec<String> {
    let text = to_json(&sample::report(2));
    let start = text.find(&format!("\"{table}\": [")).unwrap();
    let row = text[start..].lines().nth(1).unwrap();
    let keys = row.split('"').skip(1).step_by(2).map(str::to_string);
    let value: Value = serde_json::from_str(row.trim().trim_end_matches(',')).unwrap();
    let known = |k: &String| value.get(k).is_some();
    keys.filter(known)
        .flat_map(|k| {
            if k.starts_with("ci95") {
                vec![format!("{k}_low"), format!("{k}_high")]
            } else {
                vec![k]
            }
        })
        .collect()
}

#[test]
fn csv_holds_the_keys_and_values_of_the_json() {
    let report = sample::report(2);
    let text = csv::metrics(&report);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(String::from).collect();
    assert_eq!(header[0], "table");
    for (table, foreign) in [
        ("measurements", &["baseline", "follow_up", "change", "sdc", "verdict"][..]),
        ("changes", &["value", "coverage_percent"][..]),
    ] {
        let own = columns(table);
        let in_order: Vec<_> = header.iter().filter(|c| own.contains(c)).cloned().collect();
        assert_eq!(in_order, own, "{table}");
        assert!(foreign.iter().all(|c| !own.iter().any(|o| o == c)));
    }
    let union = [columns("measurements"), columns("changes")].concat();
    assert!(header[1..].iter().all(|c| union.contains(c)), "{header:?}");

    let value: Value = serde_json::from_str(&to_json(&report)).unwrap();
    let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), report.measurements.len() + report.changes.len());
    let json_rows = ["measurements", "changes"].iter().flat_map(|t| value[t].as_array().unwrap());
    for (row, json) in rows.iter().zip(json_rows) {
        for (column, cell) in header.iter().zip(row).skip(1) {
            let expected = match column.strip_suffix("_low").or(column.strip_suffix("_high")) {
                Some(key) => &json[key][usize::from(column.ends_with("_high"))],
                None => &json[column],
            };
            match expected {
                Value::Null => assert_eq!(cell, ""),
                Value::String(word) => assert_eq!(cell, word),
                number => assert_eq!(cell.parse::<f64>().ok(), number.as_f64(), "{column}"),
            }
        }
    }
}

#[test]
fn the_table_of_a_batch_names_subject_and_view() {
    let report = sample::report(2);
    let text = csv::changes_header() + &csv::changes_rows("-s01", "front", &report.changes[..3]);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(String::from).collect();
    assert_eq!(header[..2], ["subject", "view"]);
    assert_eq!(header[2..], columns("changes"));
    let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!((&rows[2][0], &rows[2][1], &rows[2][4]), ("'-s01", "front", "texture_coarse"));
}

#[test]
fn a_missing_face_is_told_in_the_lead_of_the_page() {
    let mut report = sample::report(2);
    let lead = format!("<p class=\"lead warning\">{}</p>", Notice::NoFace);
    assert!(!html::render(&report, &sample::pictures(2)).contains(&lead));
    report.notices.push(Notice::NoFace.to_string());
    assert!(html::render(&report, &sample::pictures(2)).contains(&lead));
}

#[test]
fn the_page_needs_no_network_and_escapes_what_users_wrote() {
    let mut report = sample::report(4);
    let attack = "<script>alert(\"1\")</script>&";
    report.photos[0].label = attack.into();
    report.photos[1].file = attack.into();
    report.photos[2].date = Some(attack.into());
    report.notices.push(attack.into());
    report.quality.last_mut().unwrap().advice = Some(attack.into());
    report.alignment[0].reason = Some(attack.into());
    report.regions.model = Some(attack.into());
    let page = html::render(&report, &sample::pictures(4));
    assert!(!page.contains("<script>alert"));
    assert!(page.matches("&lt;script&gt;alert").count() >= 7);
    assert_eq!(page.matches("<script").count(), 1);
    for address in ["http:", "https:", "src=\"//", "url(", "@import", "<link", "<iframe", "fetch("]
    {
        assert!(!page.contains(address), "{address}");
    }
    for source in page.split(" src=\"").skip(1) {
        assert!(source.starts_with("data:image/"), "{}", &source[..20]);
    }
    assert!(!page.contains(" style=\"") && !page.contains(" onclick"), "the policy forbids these");
    assert!(page.contains("Content-Security-Policy") && page.contains("default-src 'none'"));
}

#[test]
fn the_page_shows_no_hole_as_a_number() {
    let mut report = sample::report(3);
    for (i, row) in report.changes.iter_mut().enumerate().filter(|(i, _)| i % 3 == 0) {
        row.change = Some(f64::NAN);
        row.ci95_percent = Some([f64::NEG_INFINITY, f64::INFINITY]);
        row.sdc = (i % 2 == 0).then_some(0.0);
        row.sdc_percent = row.sdc;
    }
    report.scale.mm_per_px = None;
    for visits in [1, 3] {
        let mut part = report.clone();
        part.photos.truncate(visits);
        part.changes.retain(|c| c.visit < visits);
        part.measurements.retain(|m| m.visit < visits);
        for pictures in [sample::pictures(visits), Default::default()] {
            let page = html::render(&part, &pictures);
            // Without the pictures (base64, in which any short word may turn up) and the script.
            let text = page.split("<script>").next().unwrap().split("\"data:image/");
            let text: String = text.enumerate().fold(String::new(), |all, (i, part)| {
                all + if i == 0 { part } else { part.split_once('"').unwrap().1 }
            });
            for hole in ["NaN", "null", "inf", "None", "Some"] {
                let found = text.split(|c: char| !c.is_alphanumeric()).any(|word| word == hole);
                assert!(!found, "{hole} on the page of {visits} visits");
            }
        }
    }
}

#[test]
fn the_page_says_first_why_a_visit_could_not_be_compared() {
    let mut report = sample::report(2);
    for row in &mut report.changes {
        row.verdict = Verdict::NotComparable;
        row.reason = Some(Reason::Alignment);
    }
    report.alignment.truncate(1);
    report.alignment[0].status = AlignmentStatus::Failed;
    report.alignment[0].reason = Some("after.jpg: align: 3 matched points".into());
    let page = html::render(&report, &Default::default());
    let lead = page.split("class=\"lead\">").nth(1).unwrap().split("</p>").next().unwrap();
    assert!(lead.contains("after.jpg: align: 3 matched points"), "{lead}");
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn all_files_are_written_and_an_earlier_run_is_replaced() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("deep/er/out");
    let (report, pictures, maps) = (sample::report(2), sample::pictures(2), sample::maps());
    write(&out, &report, Some(&pictures), Some(&maps)).unwrap();
    assert_eq!(names(&out), ["maps", "metrics.csv", "report.html", "result.json"]);
    assert_eq!(
        names(&out.join("maps")),
        [
            "regions.json",
            "regions.png",
            "visit-0-measured.png",
            "visit-0-pores.csv",
            "visit-0-scars.csv",
            "visit-0-wrinkles.png",
            "visit-1-displacement.npy",
            "visit-1-pores.csv"
        ]
    );
    let pores = fs::read_to_string(out.join("maps/visit-0-pores.csv")).unwrap();
    assert_eq!(pores, "pore_id,x_px,y_px,diameter_mm,region\r\n4,10.25,3.0,0.31,whole\r\n");
    let scars = fs::read_to_string(out.join("maps/visit-0-scars.csv")).unwrap();
    assert_eq!(scars, "x_px,y_px,diameter_mm,depth_mm,region\r\n5.5,2.0,2.4,0.3,\r\n");
    let regions = fs::read_to_string(out.join("maps/regions.json")).unwrap();
    assert_eq!(regions, "{\"names\":[\"forehead\",\"chin\"]}\n");

    // What this run does not make goes, what others put there stays.
    fs::write(out.join("notes.txt"), "mine").unwrap();
    fs::write(out.join("maps/mine.png"), "mine").unwrap();
    write(&out, &sample::report(3), None, None).unwrap();
    assert_eq!(names(&out), ["maps", "metrics.csv", "notes.txt", "result.json"]);
    assert_eq!(names(&out.join("maps")), ["mine.png"]);
    let result = fs::read_to_string(out.join("result.json")).unwrap();
    assert_eq!(result, to_json(&sample::report(3)));
}

/// A folder that holds a result may hold other people's files under our other names, too.
#[test]
fn other_peoples_files_among_results_stay() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let (report, pictures, maps) = (sample::report(2), sample::pictures(2), sample::maps());
    write(&out, &report, None, None).unwrap();
    fs::write(out.join("report.html"), "<p>mine</p>").unwrap();
    write(&out, &report, None, None).unwrap();
    assert_eq!(fs::read_to_string(out.join("report.html")).unwrap(), "<p>mine</p>");
    let error = write(&out, &report, Some(&pictures), None).unwrap_err();
    assert!(error.file.ends_with("report.html"), "{error}");
    assert!(error.why.contains("skindelta did not write this file"), "{error}");
    withdraw(&out).unwrap();
    assert_eq!(names(&out), ["report.html"]);

    // A map or a region file of an earlier run that is read now is an input.
    fs::remove_file(out.join("report.html")).unwrap();
    write(&out, &report, Some(&pictures), Some(&maps)).unwrap();
    let regions = out.join("maps/regions.json");
    for maps in [false, true] {
        let outputs = outputs(&out, true, maps).unwrap();
        output::check(&outputs, &[]).unwrap();
        let error = output::check(&outputs, std::slice::from_ref(&regions)).unwrap_err();
        assert!(error.file.ends_with("regions.json"), "{error}");
    }
    // All signs are those of the files.
    assert!(JSON_SIGN.knows(&out.join("result.json")));
    assert!(html::SIGN.knows(&out.join("report.html")));
    assert!(csv::METRICS_SIGN.knows(&out.join("metrics.csv")));
    let changes = home.path().join("changes.csv");
    fs::write(&changes, csv::changes_header()).unwrap();
    assert!(csv::CHANGES_SIGN.knows(&changes));
}

#[test]
fn other_peoples_folders_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    assert!(check_folder(&out).is_ok(), "not there yet");
    fs::create_dir(&out).unwrap();
    assert!(check_folder(&out).is_ok(), "empty");
    for (name, content) in [
        ("metrics.csv", "my own table"),
        ("result.json", "not JSON"),
        ("result.json", "{\"tool\": {\"name\": \"other\"}}"),
    ] {
        let file = out.join(name);
        fs::write(&file, content).unwrap();
        let error = write(&out, &sample::report(2), None, None).unwrap_err().to_string();
        assert!(error.contains("write: ") && error.contains("choose another folder"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
        assert_eq!(names(&out), [name]);
        fs::remove_file(&file).unwrap();
    }
    // A run that was cut short left its mark, and may be repeated.
    fs::create_dir(out.join(".skindelta-partial")).unwrap();
    fs::write(out.join(".skindelta-partial/metrics.csv"), "half").unwrap();
    write(&out, &sample::report(2), None, None).unwrap();
    assert_eq!(names(&out), ["metrics.csv", "result.json"]);

    let file = home.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = write(&file, &sample::report(2), None, None).unwrap_err().to_string();
    assert!(error.contains("this is a file"), "{error}");
}
