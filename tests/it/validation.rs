//! Accuracy on rendered skin, in small: `skindelta validate` repeats it on many skins.

use skindelta::validate::{self, ValidationOptions};

/// Largest error of the slope of a dose response of texture (ln).
const SIZE_TOLERANCE: f64 = 0.25;

#[test]
fn unchanged_skin_shows_no_change_and_a_dose_its_size() {
    let options = ValidationOptions {
        px_per_mm: vec![14.0],
        untreated_skins: 1,
        recaptures: 1,
        treated_parameters: vec!["fine_relief"],
        treated_skins: 1,
        seed: 500,
    };
    let accuracy = validate::run(&options).expect("rendered skin can be measured");

    let table = &accuracy.repeatability;
    let rows: usize = table.iter().map(|r| r.rows).sum();
    let missing: f64 = table.iter().map(|r| r.not_comparable_percent * r.rows as f64).sum();
    println!("not comparable: {:.1} % of {rows} rows", missing / rows as f64);
    assert!(missing / (rows as f64) < 50.0, "most rows must be comparable");
    for row in table {
        let Some(spread) = &row.spread else { continue };
        assert_eq!(spread.false_alarm_percent, 0.0, "{}: {spread:?}", row.metric);
    }

    let dose = accuracy.dose_response.iter().find(|d| d.metric == "texture_coarse").expect("a row");
    let slope = dose.slope.expect("measured at every factor");
    assert!(dose.monotone, "{:?}", dose.points);
    assert!((slope - 1.0).abs() < SIZE_TOLERANCE, "slope {slope}: {:?}", dose.points);
    let half = dose.points.last().expect("points");
    assert_eq!((half.factor, half.measured, half.improved), (0.5, 1, 1), "{half:?}");
    let untreated = dose.points[0].reported_percent.expect("measured");
    assert!(untreated.abs() < 5.0, "{untreated} % on untreated skin");
}
