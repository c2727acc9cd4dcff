/** Light, dark, or as the computer has it. */

const NAME = "brainsift.theme";
const ORDER = ["auto", "light", "dark"] as const;
export type Theme = (typeof ORDER)[number];

export function currentTheme(): Theme {
  const found = document.documentElement.dataset["theme"];
  return ORDER.find((theme) => theme === found) ?? "auto";
}

export function startTheme(): void {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(NAME);
  } catch {
    // A browser that keeps nothing: as the computer has it.
  }
  setTheme(ORDER.find((theme) => theme === kept) ?? "auto");
}

export function nextTheme(): Theme {
  const next = ORDER[(ORDER.indexOf(currentTheme()) + 1) % ORDER.length] ?? "auto";
  setTheme(next);
  return next;
}

function setTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  try {
    localStorage.setItem(NAME, theme);
  } catch {
    // Then it holds until the page is closed.
  }
}
