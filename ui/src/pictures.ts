import type { Item, Picture } from "./contract.ts";

/** A picture on its way or there. The element itself is what goes on the screen, so that it is decoded once. */
export interface Loaded {
  picture: Picture;
  element: HTMLImageElement;
  state: "loading" | "ready" | "failed";
  done: Promise<void>;
}

const OWN = /^\/api\/[\w./?=&%~-]*$/;

/** Pictures of the scans that are held, fetched and decoded before they are needed. */
export class Pictures {
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
    if (known !== undefined && known.state !== "failed") return known;
    const loaded = load(picture);
    this.byUrl.set(picture.url, loaded);
    return loaded;
  }
}

function load(picture: Picture): Loaded {
  const element = new Image();
  element.alt = picture.title;
  element.decoding = "sync";
  element.draggable = false;
  const loaded: Loaded = { picture, element, state: "loading", done: Promise.resolve() };
  loaded.done = fetched(element, picture.url).then(
    () => void (loaded.state = "ready"),
    () => void (loaded.state = "failed"),
  );
  return loaded;
}

async function fetched(element: HTMLImageElement, url: string): Promise<void> {
  if (!OWN.test(url)) throw new Error("not a picture of this server");
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
