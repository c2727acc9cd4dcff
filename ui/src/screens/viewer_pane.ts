import type { Item } from "../contract.ts";
import { h } from "../dom.ts";
import { blocked } from "../words.ts";
import type { Viewer } from "../viewer/viewer.ts";

/** The viewer over the pictures. Its code is loaded when it is first opened, and one viewer serves all scans. */
export class ViewerPane {
  open = false;
  masksOn = true;
  private item: Item | null = null;
  private viewer: Promise<Viewer> | null = null;
  private readonly seenItems = new Set<string>();
  private readonly maskItems = new Set<string>();
  private readonly canvas = h("canvas", { "aria-label": "Scan in three planes", tabindex: 0 });
  private readonly text = h("p", { class: "viewer-text", role: "status" });
  private readonly pane = h("div", { class: "viewer" }, this.canvas, this.text);

  /** Show the scan over the stage; where that is impossible, say why and leave the pictures. */
  async show(item: Item, stage: HTMLElement): Promise<void> {
    this.item = item;
    this.open = true;
    stage.append(this.pane);
    const reason = item.volume === null ? blocked(item.no_volume ?? "no_input") : hasWebGl() ? null : "This browser has no WebGL 2, so the pictures are what there is to see.";
    this.canvas.hidden = reason !== null;
    if (reason !== null || item.volume === null) {
      this.text.textContent = reason;
      return;
    }
    this.text.textContent = `Loading the scan (${Math.max(1, Math.round(item.volume.bytes / 1e6))} MB)…`;
    try {
      this.viewer ??= import("../viewer/viewer.ts").then(({ Viewer }) => Viewer.on(this.canvas));
      const viewer = await this.viewer;
      await viewer.show(item.volume.url, item.masks.map(({ url }) => url), this.masksOn);
      if (this.item !== item || !this.open) return;
      this.text.textContent = "Drag to move the cross, right-drag for contrast, wheel for slices.";
      this.seenItems.add(item.item);
      this.noteMasks();
    } catch {
      if (this.item === item) this.text.textContent = "The viewer could not show this scan; the pictures are what there is to see.";
    }
  }

  close(): void {
    this.open = false;
    this.item = null;
    this.pane.remove();
  }

  async toggleMasks(): Promise<void> {
    this.masksOn = !this.masksOn;
    (await this.viewer)?.masks(this.masksOn);
    this.noteMasks();
  }

  seen(item: string): boolean {
    return this.seenItems.has(item);
  }

  masksSeen(item: string): boolean {
    return this.maskItems.has(item);
  }

  private noteMasks(): void {
    if (this.item !== null && this.masksOn && this.item.masks.length > 0 && this.seen(this.item.item)) this.maskItems.add(this.item.item);
  }
}

let webGl: boolean | null = null;

/** Asked once: each question opens a WebGL context, of which browsers give about sixteen. */
function hasWebGl(): boolean {
  webGl ??= document.createElement("canvas").getContext("webgl2") !== null;
  return webGl;
}
