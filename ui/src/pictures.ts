import type { Item, Picture } from "./contract.ts";

/** A picture on its way or there. The element itself is what goes on the screen, so that it is decoded once. */
export interface Loaded {
  picture: Picture;
  element: HTMLImageElement;
  state: "loading" | "ready" | "failed";
  done: Promise<void>;
}

const OWN = /^\/api\/[\w./?=&%~-]*$/;

/** Waits between attempts to load a picture that did not come: the server may be starting again. */
const RETRIES_MS = [1_000, 2_000, 4_000, 8_000];

/** Pictures of the scans that are held, fetched and decoded before they are needed. */
export class Pictures {
  /** Each picture that has come, or has failed for now. */
  onChange: (loaded: Loaded) => void = () => {};
  private readonly byUrl = new Map<string, Loaded>();

  /** Start loading what is missing of these scans, nearest first, and let go of all others. */
  hold(items: readonly Item[]): void {
    const wanted = new Set<string>();
    for (const item of items) {
      for (const picture of item.pictures) {
        wanted.add(picture.url);
        this.get(picture);
      }
    }
    for (const url of this.byUrl.keys()) if (!wanted.has(url)) this.byUrl.delete(url);
  }

  get(picture: Picture): Loaded {
    const known = this.byUrl.get(picture.url);
    if (known !== undefined) return known;
    const loaded = blank(picture);
    this.byUrl.set(picture.url, loaded);
    loaded.done = this.attempt(loaded, 0);
    return loaded;
  }

  /** Whether a scan can be shown at once: its main picture is decoded. */
  ready(item: Item): boolean {
    const main = bases(item)[0];
    return main === undefined || this.byUrl.get(main.url)?.state === "ready";
  }

  /** Let go of everything. */
  clear(): void {
    this.byUrl.clear();
    this.onChange = () => {};
  }

  private async attempt(loaded: Loaded, tried: number): Promise<void> {
    try {
      await fetched(loaded.element, loaded.picture.url);
      loaded.state = "ready";
    } catch {
      loaded.state = "failed";
      setTimeout(() => this.again(loaded, tried + 1), RETRIES_MS[Math.min(tried, RETRIES_MS.length - 1)]);
    }
    if (this.byUrl.get(loaded.picture.url) === loaded) this.onChange(loaded);
  }

  private again(loaded: Loaded, tried: number): void {
    if (this.byUrl.get(loaded.picture.url) === loaded) loaded.done = this.attempt(loaded, tried);
  }
}

function blank(picture: Picture): Loaded {
  const element = new Image();
  element.alt = picture.title;
  element.decoding = "sync";
  element.draggable = false;
  return { picture, element, state: "loading", done: Promise.resolve() };
}

async function fetched(element: HTMLImageElement, url: string): Promise<void> {
  if (!OWN.test(url)) throw new Error("not a picture of this server");
  element.removeAttribute("src");
  element.src = url;
  await element.decode();
}

/** Pictures that stand by themselves; the others lie over one of them. */
export function bases(item: Item): Picture[] {
  return item.pictures.filter((picture) => picture.over === null);
}

/** What lies over a picture. */
export function overlays(item: Item, base: Picture): Picture[] {
  return item.pictures.filter((picture) => picture.over === base.name);
}
