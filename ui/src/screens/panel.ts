import type { Choice, Field, Item, Machine, Reading, Task } from "../contract.ts";
import { cap, fill, h } from "../dom.ts";
import type { Draft } from "../draft.ts";
import type { Keymap, PageCommand } from "../keymap.ts";
import { printed } from "../keymap.ts";
import { percent } from "../words.ts";

export interface PanelActions {
  choose(choice: Choice): void;
  field(field: Field): void;
  page(command: PageCommand): void;
}

/** The question, its answers, and what happened to the scan before. Made once for a task, so that the focus stays. */
export class Panel {
  readonly element: HTMLElement;
  private readonly choices = new Map<string, HTMLButtonElement>();
  private readonly fields = new Map<string, HTMLButtonElement>();
  private readonly others: HTMLButtonElement[] = [];
  private readonly known = h("div", { class: "known" });
  private readonly note = h("p", { class: "note", role: "alert", hidden: true });
  private readonly last = h("div", { class: "last" });
  private readonly switches = h("div", { class: "row" });

  constructor(
    private readonly task: Task,
    private readonly keymap: Keymap,
    private readonly actions: PanelActions,
  ) {
    for (const choice of task.choices) this.choices.set(choice.id, this.choiceButton(choice));
    for (const field of task.fields) this.fields.set(field.id, this.fieldButton(field));
    this.others.push(this.pageButton("later", "Later"), this.pageButton("cannot_tell", "Can't tell"));
    this.element = h(
      "aside",
      { class: "panel", "aria-label": "Answer" },
      h("h1", {}, task.question),
      h("div", { class: "choices", role: "group", "aria-label": "Answers" }, ...this.choices.values()),
      this.fields.size > 0 && h("div", { class: "fields", role: "group", "aria-label": "Tick first, then answer" }, h("p", { class: "hint" }, "Tick first, then answer"), ...this.fields.values()),
      h("div", { class: "row" }, ...this.others),
      this.note,
      this.last,
      this.switches,
      this.known,
    );
  }

  /** Whether answers can be given now. */
  set ready(yes: boolean) {
    for (const button of [...this.choices.values(), ...this.fields.values(), ...this.others]) button.setAttribute("aria-disabled", String(!yes));
  }

  /** Answers are for scans that can be seen; setting one aside is always possible. */
  set answerable(yes: boolean) {
    for (const button of this.choices.values()) button.disabled = !yes;
  }

  show(item: Item | null, draft: Draft, hasOverlay: boolean, overlay: boolean, viewer: boolean): void {
    for (const field of this.task.fields) this.showField(field, draft.value(field));
    fill(
      this.switches,
      hasOverlay && this.switchButton("overlay", "Outlines", overlay),
      item !== null && (item.volume !== null || item.no_volume !== null) && this.switchButton("viewer", "Viewer", viewer),
    );
    fill(this.known, ...(item === null ? [] : [machineLine(item.machine), readings(item.readings, this.task), facts(item)]));
  }

  complain(text: string | null): void {
    this.note.hidden = text === null;
    this.note.textContent = text ?? "";
  }

  /** What the person answered last, what the machine had said, and the way back. */
  showLast(...children: (Node | string | null)[]): void {
    fill(this.last, ...children);
  }

  private showField(field: Field, value: boolean | number): void {
    const button = this.fields.get(field.id);
    if (button === undefined) return;
    const on = value !== false && value !== 0;
    const level = typeof value === "number" ? (field.levels?.[value] ?? String(value)) : null;
    button.setAttribute("aria-pressed", String(on));
    fill(button, cap(printed(field.key)), h("span", {}, field.title), level !== null && h("b", { class: "level" }, level));
  }

  private choiceButton(choice: Choice): HTMLButtonElement {
    return h(
      "button",
      { type: "button", class: `choice ${choice.good ? "good" : "bad"}`, "data-choice": choice.id, "aria-keyshortcuts": choice.key, onClick: () => this.actions.choose(choice) },
      cap(printed(choice.key)),
      h("span", {}, choice.title),
    );
  }

  private fieldButton(field: Field): HTMLButtonElement {
    return h("button", { type: "button", class: "chip", "data-field": field.id, "aria-pressed": "false", "aria-keyshortcuts": field.key, onClick: () => this.actions.field(field) });
  }

  private pageButton(command: PageCommand, text: string): HTMLButtonElement {
    const key = this.keymap.keyOf(command);
    return h("button", { type: "button", "data-command": command, "aria-keyshortcuts": key, onClick: () => this.actions.page(command) }, cap(key), h("span", {}, text));
  }

  private switchButton(command: PageCommand, text: string, on: boolean): HTMLButtonElement {
    const button = this.pageButton(command, text);
    button.setAttribute("aria-pressed", String(on));
    return button;
  }
}

/** The machine's answer in one line; null while it is hidden. */
export function machineLine(machine: Machine | null): HTMLElement | null {
  if (machine === null) return null;
  const share = machine.probabilities[machine.label];
  const sure = share === undefined ? "" : ` (${percent(share)})`;
  const tone = machine.agrees === false ? "differs" : "";
  const agrees = machine.agrees === null ? "" : machine.agrees ? " · same as yours" : " · not the same as yours";
  return h("p", { class: `machine ${tone}`, title: machine.reason }, h("span", { class: "hint" }, "Machine: "), h("b", {}, machine.label), sure, agrees);
}

function readings(found: Reading[] | null, task: Task): HTMLElement | null {
  if (found === null) return null;
  const words = (reading: Reading): string => {
    if (reading.outcome !== "answer") return "Could not tell";
    const choice = task.choices.find(({ id }) => id === reading.choice)?.title ?? reading.choice ?? "";
    const ticked = task.fields.filter(({ id }) => reading.fields[id]).map(({ title }) => title);
    return [choice, ...ticked].join(" · ");
  };
  return h("section", { class: "readings" }, h("h2", {}, "Readings so far"), h("ul", {}, ...found.map((reading) => h("li", {}, words(reading)))));
}

function facts(item: Item): HTMLElement | null {
  const rows = [...(item.name === null ? [] : [{ name: "Scan", value: item.name }]), ...item.facts];
  return rows.length === 0 ? null : h("dl", { class: "facts" }, ...rows.map(({ name, value }) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}
