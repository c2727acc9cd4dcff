import type { Answer } from "./acts.ts";
import type { Shelf } from "./outbox.ts";

const PREFIX = "brainsift.marks.";

/** Exceptions marked on a sheet that is not signed yet; kept over a reload, dropped when the sheet is signed. */
export class Marks {
  private readonly byItem: Map<string, Answer>;

  constructor(
    private readonly sheet: string,
    private readonly shelf: Shelf | null,
    items: readonly string[],
  ) {
    this.byItem = new Map(this.read().filter(([item]) => items.includes(item)));
  }

  get(item: string): Answer | undefined {
    return this.byItem.get(item);
  }

  get size(): number {
    return this.byItem.size;
  }

  all(): (Answer & { item: string })[] {
    return [...this.byItem].map(([item, answer]) => ({ item, ...answer }));
  }

  set(item: string, answer: Answer | null): void {
    if (answer === null) this.byItem.delete(item);
    else this.byItem.set(item, answer);
    try {
      this.shelf?.setItem(PREFIX + this.sheet, JSON.stringify([...this.byItem]));
    } catch {
      // Then the marks live as long as the page.
    }
  }

  drop(): void {
    this.byItem.clear();
    try {
      this.shelf?.removeItem(PREFIX + this.sheet);
    } catch {
      // Nothing was kept.
    }
  }

  private read(): [string, Answer][] {
    try {
      return JSON.parse(this.shelf?.getItem(PREFIX + this.sheet) ?? "[]") as [string, Answer][];
    } catch {
      return [];
    }
  }
}
