//! The table of metrics.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Metric, glcm, pores, scars, texture, tone, wrinkles};

/// Every metric, in the order of the result tables.
pub static METRICS: &[Metric] = &[
    texture::roughness::METRIC,
    texture::fine::METRIC,
    texture::coarse::METRIC,
    texture::anisotropy::METRIC,
    glcm::features::CONTRAST,
    glcm::features::JOINT_ENTROPY,
    glcm::features::ANGULAR_SECOND_MOMENT,
    glcm::features::INVERSE_DIFFERENCE_MOMENT,
    glcm::features::CORRELATION,
    glcm::features::DISSIMILARITY,
    pores::count::METRIC,
    pores::density::METRIC,
    pores::diameter::METRIC,
    pores::area_percent::METRIC,
    pores::visible_density::METRIC,
    pores::elongation::METRIC,
    wrinkles::length::METRIC,
    wrinkles::density::METRIC,
    wrinkles::width::METRIC,
    wrinkles::depth::METRIC,
    wrinkles::depth_max::METRIC,
    wrinkles::area_percent::METRIC,
    scars::area_percent::METRIC,
    scars::depth::METRIC,
    tone::lightness::METRIC,
    tone::redness::METRIC,
    tone::yellowness::METRIC,
    tone::ita::METRIC,
    tone::unevenness::METRIC,
    tone::spot_area_percent::METRIC,
    tone::spot_count::METRIC,
    tone::spot_contrast::METRIC,
];

/// Metrics that a reader looks for first, in this order; `texture_coarse` stands in where
/// `texture_roughness` cannot be measured.
pub static HEADLINES: [&Metric; 9] = [
    &texture::roughness::METRIC,
    &texture::coarse::METRIC,
    &wrinkles::length::METRIC,
    &wrinkles::depth::METRIC,
    &pores::diameter::METRIC,
    &pores::count::METRIC,
    &scars::area_percent::METRIC,
    &tone::unevenness::METRIC,
    &tone::spot_area_percent::METRIC,
];

impl Metric {
    /// The metric of an id.
    pub fn find(id: &str) -> Option<&'static Metric> {
        METRICS.iter().find(|metric| metric.id == id)
    }
}

/// The id stands for the metric.
impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.id)
    }
}

impl<'de> Deserialize<'de> for &'static Metric {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let id = String::deserialize(from)?;
        Metric::find(&id)
            .ok_or_else(|| D::Error::custom(format!("{id}: no metric of this version")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Group;

    #[test]
    fn ids_are_unique() {
        for metric in METRICS {
            assert!(std::ptr::eq(Metric::find(metric.id).unwrap(), metric), "{}", metric.id);
        }
    }

    /// Result rows are made group by group.
    #[test]
    fn groups_are_contiguous_and_in_order() {
        let of_group = |group| METRICS.iter().filter(move |metric| metric.group == group);
        let ids = Group::ALL.into_iter().flat_map(of_group).map(|metric| metric.id);
        assert!(ids.eq(METRICS.iter().map(|metric| metric.id)));
    }

    #[test]
    fn capture_errors_are_positive() {
        for metric in METRICS {
            let sd = metric.capture.over(10.0);
            assert!(sd.is_finite() && sd > 0.0, "{}", metric.id);
        }
    }
}
