"use strict";
// Everything is readable without this script; it adds the slider, the choice of the visit, overlays.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];

  // One visit at a time, everywhere on the page.
  const choices = all('input[name="visit"]');
  const show = () => {
    const chosen = choices.find((choice) => choice.checked);
    if (!chosen) return;
    for (const part of all("[data-visit]")) part.hidden = part.dataset.visit !== chosen.value;
  };
  for (const choice of choices) choice.addEventListener("change", show);
  show();

  // The line between baseline and follow-up.
  const stage = document.querySelector(".stage");
  const handle = document.querySelector(".handle");
  if (stage) stage.classList.add("live");
  if (handle) {
    let split = 50;
    const move = (percent) => {
      split = Math.min(100, Math.max(0, percent));
      stage.style.setProperty("--split", split + "%");
      handle.setAttribute("aria-valuenow", Math.round(split));
    };
    const follow = (event) => {
      const box = stage.getBoundingClientRect();
      move((100 * (event.clientX - box.left)) / box.width);
    };
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      stage.setPointerCapture(event.pointerId);
      follow(event);
      handle.focus({ preventScroll: true });
      event.preventDefault();
    });
    stage.addEventListener("pointermove", (event) => {
      if (stage.hasPointerCapture(event.pointerId)) follow(event);
    });
    handle.addEventListener("keydown", (event) => {
      const to = {
        ArrowLeft: split - 2, ArrowDown: split - 2, ArrowRight: split + 2, ArrowUp: split + 2,
        PageDown: split - 10, PageUp: split + 10, Home: 0, End: 100,
      }[event.key];
      if (to === undefined) return;
      move(to);
      event.preventDefault();
    });
    move(50);
  }

  for (const box of all(".layers input")) {
    const apply = () => stage.classList.toggle("show-" + box.value, box.checked);
    box.addEventListener("change", apply);
    apply();
  }

  // Regions: open all, and open the one that a link leads to.
  const button = document.querySelector("button.all");
  const regions = all("details.region");
  if (button && regions.length > 1) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const open = regions.some((region) => !region.open);
      for (const region of regions) region.open = open;
      button.textContent = open ? "Close all" : "Open all";
    });
  }
  for (const link of all('a[href^="#region-"]')) {
    link.addEventListener("click", () => {
      const region = document.getElementById(link.getAttribute("href").slice(1));
      if (region) region.open = true;
    });
  }

  document.documentElement.dataset.ready = "true";
})();
