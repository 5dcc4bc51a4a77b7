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
    let Some(baseline) = photo(pictures, 0) else { return html! {} };
    let visits = follow_ups(report);
    html! {
        section {
            h2 { "Pictures" }
            figure class="viewer" {
                div class="stage" {
                    div class="side" {
                        img class="picture" src=(baseline) alt={ "Baseline: " (label(report, 0)) };
                        (overlays(pictures, 0))
                        span class="tag" { (label(report, 0)) }
                    }
                    @for visit in &visits { (follow_up(report, pictures, *visit)) }
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
                (layers(pictures))
                (caption(report, !visits.is_empty()))
            }
        }
    }
}

/// A visit's photo as a data URL.
fn photo(pictures: &Pictures, visit: usize) -> Option<String> {
    pictures.photos.get(visit).and_then(Option::as_ref).and_then(jpeg)
}

/// A follow-up on the right of the slider.
fn follow_up(report: &Report, pictures: &Pictures, visit: usize) -> Markup {
    let name = label(report, visit);
    html! {
        @if let Some(data) = photo(pictures, visit) {
            div class="side follow-up" data-visit=(visit) {
                img class="picture" src=(data) alt={ (name) ", registered to the baseline" };
                (overlays(pictures, visit))
                span class="tag" { (name) }
            }
        } @else {
            p class="missing" data-visit=(visit) {
                (name) " could not be registered to the baseline; see Alignment."
            }
        }
    }
}

/// The overlays that can be switched on: CSS class, name, pictures by visit.
fn kinds(pictures: &Pictures) -> [(&'static str, &'static str, &[Option<RgbaImage>]); 3] {
    [
        ("wrinkles", "Wrinkles", &pictures.wrinkles),
        ("pores", "Pores", &pictures.pores),
        ("scars", "Scars", &pictures.scars),
    ]
}

/// What was found in a visit's photo.
fn overlays(pictures: &Pictures, visit: usize) -> Markup {
    html! {
        @for (class, _, images) in kinds(pictures) {
            @if let Some(data) = images.get(visit).and_then(Option::as_ref).and_then(png) {
                img class={ "overlay " (class) } src=(data) alt="";
            }
        }
    }
}

/// The switches of the overlays.
fn layers(pictures: &Pictures) -> Markup {
    html! {
        div class="layers" {
            @for (class, name, images) in kinds(pictures) {
                @if images.iter().any(Option::is_some) {
                    label { input type="checkbox" value=(class); span { (name) } }
                }
            }
            @if pictures.regions.is_some() {
                label { input type="checkbox" value="regions"; span { "Regions" } }
            }
        }
    }
}

fn caption(report: &Report, compared: bool) -> Markup {
    html! {
        figcaption {
            @if compared {
                "The measured part of the photos, each follow-up registered to the baseline. \
                 Drag the line, or focus it and press the arrow keys. Compare light and \
                 focus first: where they differ, skin looks different though it has not \
                 changed. Wrinkles are red, those that only the follow-up shows yellow, \
                 those that only the baseline shows white. "
            } @else {
                "The measured part of the photo. "
            }
            @if report.regions.source == RegionSource::Face {
                "Left and right are the person’s own, so left is on the right of the picture."
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
