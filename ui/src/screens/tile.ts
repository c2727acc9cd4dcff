import type { Answer } from "../acts.ts";
import type { Item, Task } from "../contract.ts";
import { fill, h } from "../dom.ts";
import type { Pictures } from "../pictures.ts";
import { bases, overlays } from "../pictures.ts";

/** One scan of a contact sheet. */
export class Tile {
  readonly element: HTMLElement;
  /** The picture is there and was on the screen. */
  seen = false;
  /** There is no picture to judge by: the scan cannot be signed for as it is. */
  failed = false;
  overlaySeen = false;
  readonly button: HTMLButtonElement;
  private readonly frame = h("div", { class: "frame" });
  private readonly mark = h("span", { class: "mark-text" });
  private onScreen = false;

  constructor(
    readonly item: Item,
    readonly place: number,
    private readonly task: Task,
    private readonly pictures: Pictures,
    private readonly changed: () => void,
  ) {
    this.button = h("button", { type: "button", class: "tile-button", "data-item": item.item }, this.frame, h("span", { class: "tile-foot" }, h("span", { class: "number" }, String(place + 1)), this.mark));
    this.element = h("li", { class: "tile" }, this.button);
    this.render(false);
  }

  /** Put the mark on the tile. */
  show(answer: Answer | undefined, defaultTitle: string): void {
    const title = answer === undefined ? defaultTitle : words(answer, this.task);
    this.element.dataset["mark"] = answer === undefined ? "" : answer.outcome === "answer" ? "exception" : "look";
    this.mark.textContent = answer === undefined ? "" : title;
    this.button.setAttribute("aria-label", `Scan ${this.place + 1}: ${title}${this.failed ? ", no picture" : ""}`);
  }

  /** The tile came into or left the visible part of the page. */
  setOnScreen(yes: boolean): void {
    this.onScreen = yes;
    this.note();
  }

  render(overlay: boolean): void {
    const main = bases(this.item)[0];
    if (main === undefined) {
      this.failed = true;
      fill(this.frame, h("span", { class: "waiting" }, "No picture"));
      return;
    }
    const loaded = this.pictures.get(main);
    const layers = overlay ? overlays(this.item, main).map((picture) => this.pictures.get(picture).element) : [];
    for (const layer of layers) layer.classList.add("over");
    fill(this.frame, loaded.element, ...layers);
    if (layers.length > 0) this.overlaySeen = true;
    this.failed = loaded.state === "failed";
    if (this.failed) fill(this.frame, h("span", { class: "waiting" }, "The picture did not come; trying again"));
    this.note();
  }

  get mainPicture(): string | undefined {
    return bases(this.item)[0]?.name;
  }

  private note(): void {
    const main = bases(this.item)[0];
    const ready = main !== undefined && this.pictures.get(main).state === "ready";
    if (this.onScreen && ready) this.seen = true;
    this.element.dataset["seen"] = String(this.seen);
    this.changed();
  }
}

export function words(answer: Answer, task: Task): string {
  if (answer.outcome === "look") return "Look closer";
  if (answer.outcome === "cannot_tell") return "Can't tell";
  const ticked = task.fields.filter(({ id }) => answer.fields[id]).map(({ title }) => title.toLowerCase());
  return [task.choices.find(({ id }) => id === answer.choice)?.title ?? answer.choice ?? "", ...ticked].join(", ");
}
