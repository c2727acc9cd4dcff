import type { Item, Picture, Shown } from "../contract.ts";
import { fill, h } from "../dom.ts";
import type { Pictures } from "../pictures.ts";
import { bases, overlays } from "../pictures.ts";

/** A large picture of this ratio of width to height or more has the others below it, any other beside it. */
const WIDE = 1.5;

/** The pictures of one scan: one large, the others beside it, outlines over them on demand. */
export class Stage {
  readonly element = h("section", { class: "stage", "aria-label": "Pictures of the scan" });
  /** Whether outlines lie over the pictures; stays as the person has set it from scan to scan. */
  overlay = false;
  private enlarged = false;
  private item: Item | null = null;
  private chosen = 0;
  private overlaySeen = false;
  private seen = new Set<string>();

  constructor(private readonly pictures: Pictures) {}

  get hasOverlay(): boolean {
    return this.item?.pictures.some((picture) => picture.over !== null) ?? false;
  }

  /** What was really on the screen since `show`. */
  get shown(): Pick<Shown, "pictures" | "overlay"> {
    return { pictures: [...this.seen], overlay: this.overlaySeen };
  }

  /**
   * Put a scan on the screen.
   *
   * Resolves when its main picture is painted: "seen", or "failed" where there is nothing to look at. Null where another
   * scan came in between.
   */
  async show(item: Item): Promise<"seen" | "failed" | null> {
    this.item = item;
    this.chosen = 0;
    this.enlarged = false;
    this.overlaySeen = false;
    this.seen = new Set();
    const main = bases(item)[0];
    const loaded = main === undefined ? undefined : this.pictures.get(main);
    if (loaded?.state === "loading") fill(this.element, h("p", { class: "waiting" }, "Loading the picture…"));
    if (loaded !== undefined && loaded.state !== "ready") await loaded.done;
    if (this.item !== item) return null;
    this.render();
    await painted();
    if (this.item !== item) return null;
    this.note();
    return main === undefined || loaded?.state === "ready" ? "seen" : "failed";
  }

  /** A picture has come, or has failed for now. */
  refresh(url: string): void {
    if (!this.item?.pictures.some((picture) => picture.url === url)) return;
    this.render();
    void painted().then(() => this.note());
  }

  clear(...children: (Node | string)[]): void {
    this.item = null;
    fill(this.element, h("div", { class: "waiting" }, ...children));
  }

  /** Make the picture so many places further on the large one. */
  turn(steps: number): void {
    if (this.item === null) return;
    const count = bases(this.item).length;
    if (count < 2) return;
    this.chosen = (this.chosen + steps + count) % count;
    this.render();
    this.note();
  }

  toggleOverlay(): void {
    this.overlay = !this.overlay;
    this.render();
    this.note();
  }

  /** Returns whether the large picture now has the stage for itself. */
  toggleEnlarged(to = !this.enlarged): boolean {
    this.enlarged = to;
    this.render();
    return this.enlarged;
  }

  private render(): void {
    const item = this.item;
    if (item === null) return;
    const all = bases(item);
    const main = all[this.chosen];
    if (main === undefined) {
      fill(this.element, h("p", { class: "waiting" }, "This scan has no picture; see the facts and the viewer."));
      return;
    }
    const { naturalWidth, naturalHeight } = this.pictures.get(main).element;
    this.element.dataset["shape"] = naturalWidth > WIDE * naturalHeight ? "wide" : "upright";
    const others = this.enlarged ? [] : all.filter((picture) => picture !== main);
    this.element.dataset["others"] = others.length > 3 ? "many" : String(Math.min(others.length, 1));
    fill(
      this.element,
      this.figure(item, main, "large", () => this.toggleEnlarged()),
      others.length > 0 && h("div", { class: "strip" }, ...others.map((picture) => this.figure(item, picture, "small", () => this.turn(all.indexOf(picture) - this.chosen)))),
    );
  }

  private figure(item: Item, picture: Picture, size: string, onClick: () => void): HTMLElement {
    const loaded = this.pictures.get(picture);
    const figure = h("figure", { class: size, "data-picture": picture.name }, h("div", { class: "frame" }, loaded.element), h("figcaption", {}, picture.title));
    const frame = figure.querySelector(".frame");
    for (const over of this.overlay ? overlays(item, picture) : []) {
      const layer = this.pictures.get(over);
      layer.element.classList.add("over");
      frame?.append(layer.element);
    }
    figure.dataset["state"] = loaded.state;
    if (loaded.state === "failed") frame?.replaceChildren(h("p", { class: "waiting" }, "The picture did not come; trying again."));
    figure.addEventListener("click", onClick);
    return figure;
  }

  /** Note what is on the screen now. */
  private note(): void {
    for (const image of this.element.querySelectorAll("img")) {
      if (!image.complete || image.naturalWidth === 0) continue;
      const name = this.item?.pictures.find((picture) => this.pictures.get(picture).element === image)?.name;
      if (name === undefined) continue;
      this.seen.add(name);
      if (image.classList.contains("over")) this.overlaySeen = true;
    }
  }
}

/** When the next frame is on the screen, or soon where the page is hidden and no frame comes. */
export function painted(): Promise<void> {
  return new Promise((done) => {
    const soon = setTimeout(done, 100);
    requestAnimationFrame(() => {
      clearTimeout(soon);
      setTimeout(done, 0);
    });
  });
}
