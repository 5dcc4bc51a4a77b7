//! The pictures of the page: baseline and follow-up over each other, with overlays.

use super::{follow_ups, label};
use crate::region::RegionSource;
use crate::report::{Pictures, Report};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbImage, RgbaImage};
use maud::{Markup, html};

/// Quality of the photos on the page (JPEG scale); they are for looking, not for measuring.
const JPEG_QUALITY: u8 = 88;

/// The panel with the slider; nothing where there are no pictures.
pub fn viewer(report: &Report, pictures: &Pictures) -> Markup {
    let photo = |visit: usize| pictures.photos.get(visit).and_then(Option::as_ref).and_then(jpeg);
    let Some(baseline) = photo(0) else { return html! {} };
    let layer = |images: &[Option<RgbaImage>], visit: usize| {
        images.get(visit).and_then(Option::as_ref).and_then(png)
    };
    let visits = follow_ups(report);
    let overlays = |visit: usize| {
        html! {
            @if let Some(data) = layer(&pictures.wrinkles, visit) {
                img class="overlay wrinkles" src=(data) alt="";
            }
            @if let Some(data) = layer(&pictures.pores, visit) {
                img class="overlay pores" src=(data) alt="";
            }
            @if let Some(data) = layer(&pictures.scars, visit) {
                img class="overlay scars" src=(data) alt="";
            }
        }
    };
    let has = |images: &[Option<RgbaImage>]| images.iter().any(Option::is_some);
    html! {
        section {
            h2 { "Pictures" }
            figure class="viewer" {
                div class="stage" {
                    div class="side" {
                        img class="picture" src=(baseline) alt={ "Baseline: " (label(report, 0)) };
                        (overlays(0))
                        span class="tag" { (label(report, 0)) }
                    }
                    @for visit in &visits {
                        @if let Some(data) = photo(*visit) {
                            div class="side follow-up" data-visit=(visit) {
                                img class="picture" src=(data)
                                    alt={ (label(report, *visit)) ", laid onto the baseline" };
                                (overlays(*visit))
                                span class="tag" { (label(report, *visit)) }
                            }
                        } @else {
                            p class="missing" data-visit=(visit) {
                                (label(report, *visit))
                                " could not be laid onto the baseline; see Alignment."
                            }
                        }
                    }
                    @if let Some(data) = pictures.regions.as_ref().and_then(png) {
                        img class="overlay regions" src=(data) alt="";
                    }
                    @if !visits.is_empty() {
                        div class="handle" role="slider" tabindex="0"
                            aria-valuemin="0" aria-valuemax="100" aria-valuenow="50"
                            aria-label="Share of the picture that shows the baseline" {
                            span class="grip" {}
                        }
                    }
                }
                div class="layers" {
                    @if has(&pictures.wrinkles) {
                        label { input type="checkbox" value="wrinkles"; span { "Wrinkles" } }
                    }
                    @if has(&pictures.pores) {
                        label { input type="checkbox" value="pores"; span { "Pores" } }
                    }
                    @if has(&pictures.scars) {
                        label { input type="checkbox" value="scars"; span { "Scars" } }
                    }
                    @if pictures.regions.is_some() {
                        label { input type="checkbox" value="regions"; span { "Regions" } }
                    }
                }
                figcaption {
                    @if visits.is_empty() {
                        "The measured part of the photo. "
                    } @else {
                        "The measured part of the photos, each follow-up laid onto the baseline. \
                         Drag the line, or focus it and press the arrow keys. Compare light and \
                         focus first: where they differ, skin looks different though it has not \
                         changed. Wrinkles are red, those that only the follow-up shows yellow, \
                         those that only the baseline shows white. "
                    }
                    @if report.regions.source == RegionSource::Face {
                        "Left and right are the person’s own, so left is on the right of the \
                         picture."
                    }
                }
            }
        }
    }
}

fn jpeg(image: &RgbImage) -> Option<String> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    let (w, h) = image.dimensions();
    encoder.write_image(image, w, h, ExtendedColorType::Rgb8).ok()?;
    Some(format!("data:image/jpeg;base64,{}", BASE64.encode(bytes)))
}

fn png(image: &RgbaImage) -> Option<String> {
    let mut bytes = Vec::new();
    let (w, h) = image.dimensions();
    PngEncoder::new(&mut bytes).write_image(image, w, h, ExtendedColorType::Rgba8).ok()?;
    Some(format!("data:image/png;base64,{}", BASE64.encode(bytes)))
}
