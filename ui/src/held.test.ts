import { expect, test } from "vitest";

import type { Item } from "./contract.ts";
import { Held } from "./held.ts";

const item = (id: string): Item => ({ item: id }) as Item;
const items = (...ids: string[]): Item[] => ids.map(item);
const ids = (held: Held): string[] => held.items.map((one) => one.item);

function holding(...names: string[]): Held {
  const held = new Held();
  held.merge(items(...names), held.ask());
  return held;
}

test("a decided scan does not come back by an answer that left before the decision arrived", () => {
  const held = holding("a", "b");
  const asked = held.ask();
  held.acted("a");
  held.settled("a");
  held.merge(items("a", "b", "c"), asked);
  expect(ids(held)).toEqual(["b", "c"]);
});

test("a scan whose decision is still unsent is not shown again", () => {
  const held = holding("a", "b");
  held.acted("a");
  held.merge(items("a", "b", "c"), held.ask());
  expect(ids(held)).toEqual(["b", "c"]);
  expect(held.unknown).toBe(1);
});

test("a scan set aside for later comes again, behind the others", () => {
  const held = holding("a", "b");
  held.acted("a");
  held.settled("a");
  held.merge(items("b", "a"), held.ask());
  expect(ids(held)).toEqual(["b", "a"]);
});

test("the scan on the screen stays there though the server no longer names it", () => {
  const held = holding("a", "b", "c");
  held.merge(items("c", "d"), held.ask());
  expect(ids(held)).toEqual(["a", "c", "d"]);
  held.lose(["a", "c"]);
  expect(ids(held)).toEqual(["a", "d"]);
});

test("a scan whose decision is taken back comes to the front once", () => {
  const held = holding("a", "b");
  held.acted("a");
  held.front(item("a"));
  expect(ids(held)).toEqual(["a", "b"]);
  held.settled("a");
  held.merge(items("a", "b"), held.ask());
  expect(ids(held)).toEqual(["a", "b"]);
});

test("decided, taken back and decided again before anything was sent, it is gone until all is settled", () => {
  const held = holding("a", "b");
  held.acted("a");
  held.front(item("a"));
  held.acted("a");
  held.settled("a");
  held.merge(items("a", "b"), held.ask());
  expect(ids(held)).toEqual(["b"]);
});
