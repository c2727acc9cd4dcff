import type { Item } from "./contract.ts";

/**
 * The scans that a person holds of a list: the first is shown, the others are loaded ahead.
 *
 * The server names all that the person holds, but its answer may have left before an act arrived. So an answer is
 * believed about a scan only where it was asked for after that scan's last act was settled.
 */
export class Held {
  items: Item[] = [];
  private readonly unsettled = new Map<string, number>();
  private readonly settledAt = new Map<string, number>();
  private clock = 0;

  get current(): Item | undefined {
    return this.items[0];
  }

  /** The moment of a question to the server, for `merge`. */
  ask(): number {
    return ++this.clock;
  }

  /** How many acts the server may not know yet: it counts their scans among those held. */
  get unknown(): number {
    return this.unsettled.size;
  }

  /** The person has acted on a scan: it leaves the screen. */
  acted(item: string): void {
    this.unsettled.set(item, (this.unsettled.get(item) ?? 0) + 1);
    this.items = this.items.filter((held) => held.item !== item);
  }

  /** The server has answered about the act. */
  settled(item: string): void {
    const left = (this.unsettled.get(item) ?? 1) - 1;
    if (left > 0) this.unsettled.set(item, left);
    else this.unsettled.delete(item);
    this.settledAt.set(item, ++this.clock);
  }

  /** Take in the server's answer to the question of moment `asked`. The scan on the screen stays on the screen. */
  merge(answer: readonly Item[], asked: number): void {
    const fresh = answer.filter(({ item }) => !this.unsettled.has(item) && (this.settledAt.get(item) ?? 0) < asked);
    const byId = new Map(fresh.map((item) => [item.item, item]));
    const kept = this.items.filter((held) => byId.has(held.item) || held === this.current);
    const known = new Set(kept.map((held) => held.item));
    this.items = [...kept, ...fresh.filter(({ item }) => !known.has(item))];
  }

  /** Put a scan back on the screen, in front of the others: its decision is being taken back. */
  front(item: Item): void {
    this.items = [item, ...this.items.filter((held) => held.item !== item.item)];
  }

  /** Leases that ran out; the scan on the screen stays, its decision is still taken. */
  lose(lost: readonly string[]): void {
    this.items = this.items.filter((held, place) => place === 0 || !lost.includes(held.item));
  }
}
