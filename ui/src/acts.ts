import type { FieldValue, Outcome, Shown } from "./contract.ts";

/** What a person answered about one scan. */
export interface Answer {
  outcome: Outcome;
  choice: string | null;
  fields: Record<string, FieldValue>;
}

export interface DecisionBody extends Answer {
  key: string;
  seconds: number;
  shown: Shown;
}

export interface SignBody {
  key: string;
  seconds: number;
  exceptions: (Answer & { item: string })[];
  shown: Shown;
}

/**
 * One act of a person, kept until the server has it.
 *
 * `order` sorts acts by time, over all tabs; `user` and `study` say where it belongs. An undo names the event that it
 * takes back, or, while that act is itself unsent, its key.
 */
export type Act = Decision | Signature | Undo;

interface Kept {
  order: string;
  user: string;
  study: string;
  /** In words, for the list of what is unsent. */
  words: string;
}

export interface Decision extends Kept {
  kind: "decision";
  item: string;
  body: DecisionBody;
}

export interface Signature extends Kept {
  kind: "sign";
  sheet: string;
  body: SignBody;
}

export interface Undo extends Kept {
  kind: "undo";
  of: { key: string } | { event: number };
  /** The scan that is back on the screen meanwhile, if one is. */
  item?: string;
  body: { key: string };
}

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";
const KEY_LENGTH = 24;

/** A key for one act: 24 characters, 124 bits. Not `randomUUID`, which plain HTTP in a hospital's network lacks. */
export function newKey(): string {
  const letters: string[] = [];
  while (letters.length < KEY_LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(KEY_LENGTH))) {
      // 252 is the largest multiple of 36 in a byte: each letter is equally likely.
      if (byte < 252 && letters.length < KEY_LENGTH) letters.push(ALPHABET[byte % 36] ?? "");
    }
  }
  return letters.join("");
}

let lastOrder = 0;

/** A word that sorts after all that were given before, also by an earlier load of the page. */
export function newOrder(now = Date.now()): string {
  lastOrder = Math.max(now * 1000, lastOrder + 1);
  return String(lastOrder).padStart(18, "0");
}

/**
 * Where an act goes, and with what.
 *
 * `events` are those that the act was stored as which an undo names by its key; null is answered where there are none.
 */
export function request(act: Act, events: readonly number[] | null = null): { path: string; body: unknown } | null {
  switch (act.kind) {
    case "decision":
      return { path: `/api/items/${encodeURIComponent(act.item)}/decision`, body: act.body };
    case "sign":
      return { path: `/api/sheets/${encodeURIComponent(act.sheet)}/sign`, body: act.body };
    case "undo": {
      const event = "event" in act.of ? act.of.event : events?.[0];
      return event === undefined ? null : { path: "/api/undo", body: { key: act.body.key, event } };
    }
  }
}
