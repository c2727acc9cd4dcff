import type { Act } from "./acts.ts";

const PREFIX = "brainsift.outbox.";
const REFUSED = "brainsift.refused.";
const STORED = "brainsift.stored.";

/** How many stored acts can still be taken back by their keys: more than a person undoes in a row. */
const STORED_KEPT = 100;

/** The part of `localStorage` that is used. */
export type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** An act that the server will not take, with its reason: kept until the person has read it. */
export interface RefusedAct {
  act: Act;
  reason: string;
}

/**
 * Acts that the server has not confirmed.
 *
 * `localStorage` and not IndexedDB: its write is over before the key press returns, so that a reload in the same
 * millisecond finds it; an IndexedDB write is still on its way then. One entry an act, so that two tabs never write over
 * each other's. Where the browser forbids storage, acts stay in memory and `durable` is false, for the page to say so.
 */
export class Outbox {
  durable = true;
  private readonly memory = new Map<string, string>();

  constructor(private readonly shelf: Shelf | null) {
    this.durable = shelf !== null;
  }

  /** Keep an act. When this returns, it is kept. */
  put(act: Act): void {
    this.write(PREFIX + act.order + "." + act.body.key, JSON.stringify(act));
  }

  /** The server has it. */
  drop(act: Act): void {
    this.erase(PREFIX + act.order + "." + act.body.key);
  }

  /** Unsent acts of a person in a study, in the order in which they were done. */
  list(user: string, study: string): Act[] {
    return this.all().filter((act) => act.user === user && act.study === study);
  }

  /** Unsent acts of other people or of other studies, which wait for them. */
  others(user: string, study: string): number {
    return this.all().length - this.list(user, study).length;
  }

  /**
   * The server has stored an act as these events.
   *
   * What an undo needs is written before the act is dropped: after a crash in between, the act is sent again and
   * answered with the same events.
   */
  settle(act: Act, events: readonly number[]): void {
    if (events.length > 0) this.write(STORED + act.order + "." + act.body.key, JSON.stringify(events));
    this.drop(act);
    for (const old of this.names(STORED).sort().slice(0, -STORED_KEPT)) this.erase(old);
  }

  /** Events that an act was stored as; null while it is not. */
  eventsOf(key: string): number[] | null {
    const name = [...this.memory.keys(), ...this.names(STORED)].find((name) => name.startsWith(STORED) && name.endsWith(`.${key}`));
    const text = name === undefined ? null : (this.memory.get(name) ?? this.shelf?.getItem(name));
    return text ? (JSON.parse(text) as number[]) : null;
  }

  /** The server will never take this act. */
  refuse(act: Act, reason: string): void {
    this.write(REFUSED + act.order, JSON.stringify({ act, reason } satisfies RefusedAct));
    this.drop(act);
  }

  /** Acts that were refused and not yet read about. */
  refused(user: string, study: string): RefusedAct[] {
    return this.read<RefusedAct>(REFUSED).filter(({ act }) => act.user === user && act.study === study);
  }

  /** The person has read about it. */
  forget(refused: RefusedAct): void {
    this.erase(REFUSED + refused.act.order);
  }

  private all(): Act[] {
    return this.read<Act>(PREFIX).sort((a, b) => (a.order < b.order ? -1 : 1));
  }

  private read<T>(prefix: string): T[] {
    const texts = [...this.memory].filter(([name]) => name.startsWith(prefix)).map(([, text]) => text);
    for (const name of this.names(prefix)) {
      const text = this.shelf?.getItem(name);
      if (text) texts.push(text);
    }
    return texts.map((text) => JSON.parse(text) as T);
  }

  private names(prefix: string): string[] {
    const names: string[] = [];
    for (let i = 0; i < (this.shelf?.length ?? 0); i++) {
      const name = this.shelf?.key(i);
      if (name?.startsWith(prefix)) names.push(name);
    }
    return names;
  }

  private write(name: string, text: string): void {
    try {
      if (this.shelf === null) throw new Error("no storage");
      this.shelf.setItem(name, text);
      this.memory.delete(name);
    } catch {
      this.durable = false;
      this.memory.set(name, text);
    }
  }

  private erase(name: string): void {
    this.memory.delete(name);
    try {
      this.shelf?.removeItem(name);
    } catch {
      this.durable = false;
    }
  }
}

/** The browser's storage, or null where it is forbidden. */
export function browserShelf(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
