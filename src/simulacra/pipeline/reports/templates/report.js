"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = document.getElementById("theme");
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const label = () => { theme.textContent = isDark() ? "Light" : "Dark"; theme.setAttribute("aria-label", `Show in ${isDark() ? "light" : "dark"} colours`); };
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; label(); });
  dark.addEventListener("change", label);
  label();

  const marks = ".chart [role='graphics-symbol'][aria-label]:not([aria-roledescription='axis'], [aria-roledescription='legend'], [aria-roledescription='title'])";
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  document.addEventListener("pointermove", (event) => {
    const mark = event.target.closest && event.target.closest(marks);
    tip.classList.toggle("on", Boolean(mark));
    if (!mark) return;
    tip.textContent = mark.getAttribute("aria-label");
    const box = tip.getBoundingClientRect();
    const left = Math.min(event.clientX + 14, innerWidth - box.width - 8);
    const below = event.clientY + 16 + box.height < innerHeight;
    tip.style.left = `${Math.max(left, 8)}px`;
    tip.style.top = `${below ? event.clientY + 16 : event.clientY - box.height - 12}px`;
  });
  document.addEventListener("scroll", () => tip.classList.remove("on"), { passive: true });

  addEventListener("beforeprint", () => {
    for (const more of document.querySelectorAll(".attack details")) more.open = true;
  });

  for (const controls of document.querySelectorAll("[data-controls]")) {
    const list = document.getElementById(controls.dataset.controls);
    const cards = [...list.children];
    const found = controls.querySelector("output");
    const words = controls.querySelector("input");
    words.addEventListener("input", () => {
      const wanted = words.value.trim().toLowerCase();
      let shown = 0;
      for (const card of cards) {
        card.hidden = !card.dataset.name.toLowerCase().includes(wanted);
        shown += card.hidden ? 0 : 1;
      }
      found.textContent = wanted ? `${shown} of ${cards.length}` : "";
    });
    const order = controls.querySelector("select");
    order.addEventListener("change", () => {
      const sorted = order.value === "worst" ? [...cards].sort((a, b) => b.dataset.rank - a.dataset.rank) : cards;
      list.append(...sorted);
    });
  }
})();
