import type { Task } from "./contract.ts";

/** What a key does. */
export type Command =
  | { do: "choose"; id: string }
  | { do: "field"; id: string }
  | { do: PageCommand };

export type PageCommand =
  | "later"
  | "cannot_tell"
  | "look"
  | "undo"
  | "overlay"
  | "viewer"
  | "sign"
  | "next"
  | "previous"
  | "up"
  | "down"
  | "enlarge"
  | "help"
  | "leave";

/** Keys of the page in the order of preference: the first that the task's own keys leave free is taken. */
const PAGE_KEYS: Record<PageCommand, string[]> = {
  later: ["l", "."],
  cannot_tell: ["t", "0"],
  look: ["x", "-"],
  undo: ["z", "Backspace"],
  overlay: ["o", "#"],
  viewer: ["v", "+"],
  sign: ["s", ";"],
  next: ["ArrowRight"],
  previous: ["ArrowLeft"],
  up: ["ArrowUp"],
  down: ["ArrowDown"],
  enlarge: ["f", "/"],
  help: ["?"],
  leave: ["Escape"],
};

/** Key → what it does, for one task. */
export class Keymap {
  private readonly byKey = new Map<string, Command>();

  constructor(task: Task) {
    for (const choice of task.choices) this.claim(choice.key, { do: "choose", id: choice.id });
    for (const field of task.fields) this.claim(field.key, { do: "field", id: field.id });
    for (const [command, keys] of Object.entries(PAGE_KEYS)) {
      const free = keys.find((key) => !this.byKey.has(key));
      if (free !== undefined) this.byKey.set(free, { do: command as PageCommand });
    }
    if (!this.byKey.has("Backspace")) this.byKey.set("Backspace", { do: "undo" });
  }

  command(key: string): Command | undefined {
    return this.byKey.get(key);
  }

  /** The key of a page command, as it is printed on a key. */
  keyOf(command: PageCommand): string {
    for (const [key, found] of this.byKey) if (found.do === command) return printed(key);
    return "";
  }

  private claim(key: string, command: Command): void {
    const name = key.toLowerCase();
    if (!this.byKey.has(name)) this.byKey.set(name, command);
  }
}

interface Press {
  key: string;
  code: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/**
 * The name under which a press is looked up; null for shortcuts of the browser.
 *
 * Digits go by their place on the keyboard, because a French keyboard gives them with Shift only.
 */
export function pressed(press: Press): string | null {
  if (press.ctrlKey || press.altKey || press.metaKey) return null;
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(press.code)?.[1];
  if (digit !== undefined) return digit;
  return press.key.length === 1 ? press.key.toLowerCase() : press.key;
}

/** How a key is written in the page. */
export function printed(key: string): string {
  const signs: Record<string, string> = {
    ArrowRight: "→",
    ArrowLeft: "←",
    ArrowUp: "↑",
    ArrowDown: "↓",
    Escape: "Esc",
    Backspace: "⌫",
  };
  return signs[key] ?? key.toUpperCase();
}
