import type { Task } from "./contract.ts";
import { dialog } from "./dialog.ts";
import { h } from "./dom.ts";
import type { Keymap, PageCommand } from "./keymap.ts";
import { printed } from "./keymap.ts";

type Row = [string, string];

const COMMON: [PageCommand, string][] = [
  ["undo", "Take back the last decision"],
  ["overlay", "Outlines on and off"],
  ["viewer", "Viewer for the whole scan on and off"],
  ["enlarge", "One picture on the whole screen"],
  ["help", "This list"],
  ["leave", "Close; back to the overview"],
];

const ONE: [PageCommand, string][] = [
  ["later", "Later: back to the end of my list"],
  ["cannot_tell", "Cannot tell: an adjudicator decides"],
  ["next", "Next picture of this scan"],
  ["previous", "Previous picture of this scan"],
];

const SHEET: [PageCommand, string][] = [
  ["look", "Mark: somebody has to look closer"],
  ["next", "Next scan (all four arrows move)"],
  ["sign", "Sign the sheet"],
];

/** The keyboard map of a screen. */
export function showHelp(task: Task, keymap: Keymap, screen: "one" | "sheet", meaning: string): void {
  const page = (rows: [PageCommand, string][]): Row[] => rows.map(([command, text]) => [keymap.keyOf(command), text]);
  const choices: Row[] = task.choices.map((choice) => [printed(choice.key), choice.title]);
  const fields: Row[] = task.fields.map((field) => [printed(field.key), field.title + (field.kind === "grade" ? " (again: one grade up)" : "")]);
  dialog(
    "Keys",
    h("p", {}, meaning),
    h(
      "div",
      { class: "keys" },
      group(screen === "one" ? "Decide" : "Mark an exception", choices),
      fields.length > 0 && group("Tick first, then decide", fields),
      group("This screen", page(screen === "one" ? ONE : SHEET)),
      group("Everywhere", page(COMMON)),
    ),
  );
}

function group(title: string, rows: Row[]): HTMLElement {
  const list = rows.filter(([key]) => key !== "").map(([key, text]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)));
  return h("section", {}, h("h3", {}, title), h("dl", {}, ...list));
}
