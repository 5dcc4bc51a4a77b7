//! Checks of a follow-up's face against the baseline's: distance, pose, expression.

use super::{Check, QualityCheck, judge};
use crate::region::{Expression, Face, Pose};
use crate::settings::QualitySettings;

/// Checks of a follow-up's face against the baseline's. A value missing in the baseline has no check; one missing
/// in the follow-up only is a warning.
pub fn faces(
    visit: usize,
    baseline: &Face,
    follow_up: Option<&Face>,
    settings: &QualitySettings,
) -> Vec<QualityCheck> {
    let mut checks = Vec::new();
    let mut compare = |check, of: &dyn Fn(&Face) -> Option<f64>| {
        if let Some(before) = of(baseline) {
            let value = follow_up.and_then(of).map(|after| (after - before).abs());
            checks.push(judge(visit, check, value, settings));
        }
    };
    // Log size: half and twice the size differ by the same amount.
    compare(Check::DistanceMatch, &|face| Some(100.0 * face.width_px.ln()));
    for (check, angle) in POSES {
        compare(check, &|face| face.pose.as_ref().map(angle));
    }
    for (check, measure) in EXPRESSIONS {
        compare(check, &|face| face.expression.as_ref().and_then(measure));
    }
    checks
}

type PoseValue = fn(&Pose) -> f64;
type ExpressionValue = fn(&Expression) -> Option<f64>;

const POSES: [(Check, PoseValue); 3] = [
    (Check::YawMatch, |p| p.yaw_deg),
    (Check::PitchMatch, |p| p.pitch_deg),
    (Check::RollMatch, |p| p.roll_deg),
];

const EXPRESSIONS: [(Check, ExpressionValue); 4] = [
    (Check::SmileMatch, |e| Some(e.mouth_width)),
    (Check::MouthMatch, |e| Some(e.mouth_opening)),
    (Check::BrowsMatch, |e| e.brow_height),
    (Check::EyesMatch, |e| Some(e.eye_opening)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::{Status, forbids};

    fn face() -> Face {
        Face {
            eyes: [[40.0, 50.0], [103.0, 50.0]],
            mouth: [71.0, 120.0],
            width_px: 140.0,
            nose_base: None,
            chin: None,
            pose: Some(Pose { yaw_deg: 1.0, pitch_deg: 3.0, roll_deg: 0.0 }),
            expression: Some(Expression {
                eye_opening: 0.4,
                mouth_width: 0.8,
                mouth_opening: 0.3,
                brow_height: Some(0.3),
            }),
            mm_per_px: None,
        }
    }

    /// Each check fails for its own deviation only, and affects its own regions only.
    #[test]
    fn each_face_check_fails_alone_and_affects_its_own_regions() {
        let settings = QualitySettings::default();
        let posed = |change: fn(&mut Pose)| {
            let mut face = face();
            change(face.pose.as_mut().unwrap());
            face
        };
        let acting = |change: fn(&mut Expression)| {
            let mut face = face();
            change(face.expression.as_mut().unwrap());
            face
        };
        let cases = [
            (Check::DistanceMatch, Face { width_px: 60.0, ..face() }, None, Some("cheek_left")),
            (Check::YawMatch, posed(|p| p.yaw_deg += 20.0), Some("chin"), None),
            (Check::PitchMatch, posed(|p| p.pitch_deg -= 20.0), Some("nose"), None),
            (Check::RollMatch, posed(|p| p.roll_deg += 30.0), Some("nose"), None),
            (
                Check::SmileMatch,
                acting(|e| e.mouth_width += 0.2),
                Some("cheek_left"),
                Some("forehead"),
            ),
            (Check::MouthMatch, acting(|e| e.mouth_opening += 0.3), Some("perioral"), Some("nose")),
            (
                Check::BrowsMatch,
                acting(|e| e.brow_height = Some(0.4)),
                Some("forehead"),
                Some("chin"),
            ),
            (
                Check::EyesMatch,
                acting(|e| e.eye_opening = 0.1),
                Some("lateral_canthal_left"),
                Some("glabella"),
            ),
        ];
        for (check, changed, affected, free) in cases {
            let checks = faces(1, &face(), Some(&changed), &settings);
            let failed: Vec<_> = checks.iter().filter(|c| c.status == Status::Fail).collect();
            assert_eq!(failed.iter().map(|c| c.check).collect::<Vec<_>>(), [check]);
            assert!(failed[0].advice.is_some());
            assert!(affected.is_none_or(|region| forbids(&checks, 1, region, false)), "{check}");
            assert!(free.is_none_or(|region| !forbids(&checks, 1, region, false)), "{check}");
            assert!(!forbids(&checks, 2, "chin", false), "another visit");
        }
        let same = faces(1, &face(), Some(&face()), &settings);
        assert!(same.len() == 8 && same.iter().all(|c| c.status == Status::Pass));
        let lost = faces(1, &face(), None, &settings);
        assert!(lost.iter().all(|c| c.status == Status::Warn && c.value.is_none()));
        let plain = Face { pose: None, expression: None, ..face() };
        assert_eq!(faces(1, &plain, Some(&face()), &settings).len(), 1);
    }
}
