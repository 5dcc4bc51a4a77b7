//! Opens the page in a headless Chromium, where there is one: the script runs, the policy holds.

use crate::sample;
use skindelta::report::html;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The page as the browser has it after loading, and what it logged; `None` without a browser.
fn open(name: &str, page: &str) -> Option<(String, String)> {
    let pages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&pages).unwrap();
    let file = pages.join(name);
    fs::write(&file, page).unwrap();
    let profile = tempfile::tempdir().unwrap();
    let run = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update"])
        .args(["--disable-sync", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", file.display()))
        .output();
    let Ok(run) = run else {
        println!("no chromium on PATH: the page was not opened");
        return None;
    };
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Some((text(&run.stdout), text(&run.stderr)))
}

/// Errors of the script and breaches of the page's policy, which Chromium logs alike.
fn complaints(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("CONSOLE")).collect()
}

/// The visits whose summary is shown.
fn shown(dom: &str) -> Vec<&str> {
    let summaries = dom.split("<section class=\"summary\" data-visit=\"").skip(1);
    let tags = summaries.map(|s| s.split('>').next().unwrap());
    tags.filter(|tag| !tag.contains("hidden")).map(|tag| tag.split('"').next().unwrap()).collect()
}

#[test]
fn the_page_comes_alive_without_errors() {
    for visits in [1, 2, 4] {
        let page = html::render(&sample::report(visits), &sample::pictures(visits));
        let Some((dom, log)) = open(&format!("report-{visits}.html"), &page) else { return };
        assert!(complaints(&log).is_empty(), "{visits} visits: {:#?}", complaints(&log));
        assert!(dom.contains("data-ready=\"true\""), "{visits} visits: the script did not finish");
        let slider = dom.contains("style=\"--split: 50%;\"");
        assert_eq!(slider, visits > 1, "{visits} visits: slider");
    }
}

#[test]
fn slider_visits_and_overlays_answer() {
    // A script of the test's own, which the page's policy would refuse.
    let act = r#"<script>
        const handle = document.querySelector(".handle");
        const press = (key) => handle.dispatchEvent(new KeyboardEvent("keydown", { key }));
        press("Home"); press("ArrowRight"); press("PageUp");
        document.querySelector('input[value="1"]').click();
        document.querySelector('input[value="pores"]').click();
        document.querySelector("button.all").click();
    </script></body>"#;
    let page = html::render(&sample::report(4), &sample::pictures(4));
    let free = page.replace("Content-Security-Policy", "x").replace("</body>", act);
    let Some((dom, log)) = open("acted.html", &free) else { return };
    assert!(complaints(&log).is_empty(), "{:#?}", complaints(&log));
    assert!(dom.contains("aria-valuenow=\"12\""), "keys move the line");
    assert_eq!(shown(&dom), ["1"], "the chosen visit is shown, the others are not");
    assert!(dom.contains("class=\"stage live show-pores\""), "the overlay is shown");
    let regions = dom.matches("<details class=\"region\"").count();
    assert_eq!(dom.matches("open=\"\"").count(), regions, "all regions are open");

    let Some((_, log)) = open("refused.html", &page.replace("</body>", act)) else { return };
    assert_eq!(complaints(&log).len(), 1, "the policy refuses scripts that are not ours: {log}");
}
