// Light, dark, or as the machine has it; the choice is kept in this browser, and is no secret.
const KEPT = "alertd.theme";
const ORDER = ["auto", "light", "dark"];

export function theme() {
  const kept = localStorage.getItem(KEPT);
  return ORDER.includes(kept) ? kept : "auto";
}

export function nextTheme() {
  const next = ORDER[(ORDER.indexOf(theme()) + 1) % ORDER.length];
  localStorage.setItem(KEPT, next);
  wear();
  return next;
}

function wear() {
  const chosen = theme();
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

wear();
