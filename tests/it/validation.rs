//! Accuracy on drawn skin, in small: `skindelta validate` asks the same of many skins.

use skindelta::validate::{self, Options};

/// A texture dose comes out within this share of its true size (ln).
const SIZE_TOLERANCE: f64 = 0.25;

#[test]
fn unchanged_skin_shows_no_change_and_a_dose_its_size() {
    let options = Options {
        px_per_mm: vec![14.0],
        null_skins: 1,
        recaptures: 1,
        doses: vec!["fine_relief"],
        dose_skins: 1,
        seed: 500,
    };
    let outcome = validate::run(&options).expect("drawn skin can be measured");

    let rows: usize = outcome.nulls.iter().map(|n| n.rows).sum();
    let refused: f64 = outcome.nulls.iter().map(|n| n.refused_percent * n.rows as f64).sum();
    println!("refused: {:.1} % of {rows} rows", refused / rows as f64);
    assert!(refused / (rows as f64) < 50.0, "most rows must be measured");
    for null in &outcome.nulls {
        let Some(spread) = &null.spread else { continue };
        assert_eq!(spread.false_alarm_percent, 0.0, "{}: {spread:?}", null.metric);
    }

    let dose = outcome.doses.iter().find(|d| d.metric == "texture_coarse").expect("a row");
    let slope = dose.slope.expect("measured at every factor");
    assert!(dose.monotone, "{:?}", dose.points);
    assert!((slope - 1.0).abs() < SIZE_TOLERANCE, "slope {slope}: {:?}", dose.points);
    let half = dose.points.last().expect("points");
    assert_eq!((half.factor, half.measured, half.improved), (0.5, 1, 1), "{half:?}");
    let untouched = dose.points[0].reported_percent.expect("measured");
    assert!(untouched.abs() < 5.0, "{untouched} % on untouched skin");
}
