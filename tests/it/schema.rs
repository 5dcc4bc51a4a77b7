//! The published schema takes what the program writes, and nothing else.

use crate::sample;
use serde_json::{Value, json};
use skindelta::metric::{METRICS, Unit};
use skindelta::report::{Report, SCHEMA, json::to_json};
use std::collections::BTreeSet;

fn validator() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert!(jsonschema::meta::is_valid(&schema), "the schema itself is no valid JSON Schema");
    jsonschema::validator_for(&schema).unwrap()
}

fn result(visits: usize) -> Value {
    serde_json::from_str(&to_json(&sample::report(visits))).unwrap()
}

#[test]
fn a_report_is_read_back_as_it_was_written() {
    let written = to_json(&sample::report(3));
    let read: Report = serde_json::from_str(&written).expect("a report");
    assert_eq!(to_json(&read), written);
    let unknown = written.replace("\"texture_fine\"", "\"texture_finer\"");
    let why = serde_json::from_str::<Report>(&unknown).expect_err("no such metric").to_string();
    assert!(why.contains("texture_finer: no metric of this version"), "{why}");
}

#[test]
fn reports_are_valid() {
    let validator = validator();
    for visits in [1, 2, 4] {
        let result = result(visits);
        let errors: Vec<String> = validator
            .iter_errors(&result)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .take(5)
            .collect();
        assert!(errors.is_empty(), "{visits} visits: {errors:#?}");
    }
}

#[test]
fn mutations_are_refused() {
    let validator = validator();
    let good = result(3);
    let row = |table: &str, wanted: &dyn Fn(&Value) -> bool| {
        let at = good[table].as_array().unwrap().iter().position(wanted).unwrap();
        format!("/{table}/{at}")
    };
    let compared = row("changes", &|r| r["verdict"] == "inconclusive");
    let missing = row("changes", &|r| r["verdict"] == "not_comparable");
    let value = row("measurements", &|r| r["value"].is_number());
    let no_value = row("measurements", &|r| r["value"].is_null());
    let passed = row("quality", &|r| r["status"] == "pass");
    let failed = row("alignment", &|r| r["status"] == "failed");
    let wrong = [
        ("/schema_version".to_string(), json!(2)),
        ("/tool/name".into(), json!("other")),
        ("/settings".into(), json!([])),
        ("/settings_sha256".into(), json!("abc")),
        ("/photos".into(), json!([])),
        ("/photos/0/file".into(), json!("folder/before.jpg")),
        ("/photos/0/width_px".into(), json!(0)),
        ("/photos/0/date".into(), json!("12.1.2026")),
        ("/scale/mm_per_px".into(), json!(-0.1)),
        ("/scale/mm_per_px".into(), Value::Null),
        ("/scale/source".into(), json!("guess")),
        ("/regions/source".into(), json!("hands")),
        (format!("{failed}/reason"), Value::Null),
        (format!("{failed}/status"), json!("lost")),
        (format!("{passed}/status"), json!("good")),
        (format!("{passed}/unit"), json!("furlong")),
        (format!("{passed}/advice"), json!("none")),
        (format!("{value}/value"), Value::Null),
        (format!("{value}/value"), json!("0.3")),
        (format!("{value}/unit"), json!("inch")),
        (format!("{value}/coverage_percent"), json!(101.0)),
        (format!("{no_value}/reason"), json!("because")),
        (format!("{no_value}/value"), json!(1.0)),
        (format!("{compared}/visit"), json!(0)),
        (format!("{compared}/verdict"), json!("better")),
        (format!("{compared}/reason"), json!("no_scale")),
        (format!("{compared}/ci95"), json!([1.0])),
        (format!("{compared}/ci95"), json!([Value::Null, 1.0])),
        (format!("{compared}/sdc"), json!(-1.0)),
        (format!("{compared}/change"), Value::Null),
        (format!("{compared}/region"), json!("Left cheek")),
        (format!("{missing}/reason"), Value::Null),
        (format!("{missing}/verdict"), json!("improved")),
        ("/trends/0/verdict".into(), json!("up")),
    ];
    for (path, new) in wrong {
        let mut bad = good.clone();
        *bad.pointer_mut(&path).unwrap() = new.clone();
        assert!(!validator.is_valid(&bad), "{path} = {new} was taken");
    }
}

#[test]
fn every_key_is_required_and_none_may_be_added() {
    let validator = validator();
    let good = result(3);
    let mut objects = vec![String::new(), "/tool".into(), "/scale".into(), "/regions".into()];
    for table in ["photos", "alignment", "quality", "measurements", "changes", "trends"] {
        objects.push(format!("/{table}/0"));
    }
    for path in objects {
        let keys: Vec<String> =
            good.pointer(&path).unwrap().as_object().unwrap().keys().cloned().collect();
        for key in keys {
            let mut bad = good.clone();
            bad.pointer_mut(&path).unwrap().as_object_mut().unwrap().remove(&key);
            assert!(!validator.is_valid(&bad), "{path}/{key} may be left out");
        }
        let mut bad = good.clone();
        bad.pointer_mut(&path).unwrap()["extra"] = json!(1);
        assert!(!validator.is_valid(&bad), "{path} takes an unknown key");
    }
    let mut open = good.clone();
    open["settings"]["new_step"] = json!({"limit_px": 1.0});
    assert!(validator.is_valid(&open), "settings are open");
}

/// The words of the schema's closed lists are those of the program, no more and no fewer.
#[test]
fn closed_lists_are_the_programs() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let lists = [
        ("/$defs/reason/enum", json!(sample::reasons())),
        ("/$defs/verdict/enum", json!(sample::verdicts())),
        ("/properties/quality/items/properties/status/enum", json!(sample::statuses())),
        ("/properties/alignment/items/properties/status/enum", json!(sample::alignments())),
        ("/properties/scale/properties/source/enum", json!(sample::scales())),
        ("/properties/regions/properties/source/enum", json!(sample::sources())),
    ];
    for (path, words) in lists {
        assert_eq!(schema.pointer(path), Some(&words), "{path}");
    }
}

/// Ids of metrics are an open list. Their units are a closed one: those of the metrics, lengths with and without a
/// scale.
#[test]
fn the_metrics_are_those_of_the_program() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = validator();
    let mut result = result(2);
    for metric in METRICS {
        result["measurements"][0]["metric"] = json!(metric.id);
        assert!(validator.is_valid(&result), "{}", metric.id);
    }
    let names = |unit: Unit| match unit {
        Unit::Length => vec!["mm", "px"],
        Unit::Fixed(name) => vec![name],
    };
    let units: BTreeSet<&str> = METRICS.iter().flat_map(|metric| names(metric.unit)).collect();
    let listed = schema.pointer("/$defs/unit/enum").and_then(Value::as_array).unwrap();
    let listed: BTreeSet<&str> = listed.iter().filter_map(Value::as_str).collect();
    assert_eq!(units, listed);
}
