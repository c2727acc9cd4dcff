import { expect, test } from "vitest";

import type { Task } from "./contract.ts";
import { Draft } from "./draft.ts";
import { Keymap, pressed } from "./keymap.ts";
import { readRoute, readToken } from "./route.ts";
import { Stopwatch } from "./stopwatch.ts";
import { hours } from "./words.ts";

const defacing: Task = {
  task: "defacing",
  title: "Defacing",
  question: "?",
  choices: [
    { id: "correct", title: "Correct", key: "1", good: true, fields: [] },
    { id: "insufficient", title: "Face left", key: "2", good: false, fields: ["eyes", "ears"] },
  ],
  fields: [
    { id: "eyes", title: "Eyes left", key: "e", kind: "flag" },
    { id: "ears", title: "Ears left", key: "l", kind: "flag" },
  ],
  lists: [],
};
const [correct, insufficient] = defacing.choices;

const quality: Task = {
  ...defacing,
  choices: [
    { id: "good", title: "Good", key: "1", good: true, fields: [], highest_grade: 0 },
    { id: "bad", title: "Bad", key: "3", good: false, fields: ["motion", "noise"], highest_grade: 2 },
  ],
  fields: ["motion", "noise"].map((id) => ({ id, title: id, key: id.charAt(0), kind: "grade", levels: ["none", "some", "severe"] })),
};
const [good, bad] = quality.choices;
const [motion] = quality.fields;

function press(key: string, code = "", modifiers: Partial<Record<"ctrlKey" | "altKey" | "metaKey", boolean>> = {}): string | null {
  return pressed({ key, code, ctrlKey: false, altKey: false, metaKey: false, ...modifiers });
}

test("ticked flags go with the choice that knows them and stop the one that does not", () => {
  const draft = new Draft(defacing);
  draft.toggle(defacing.fields[1]!);
  expect(draft.answer(insufficient!)).toEqual({ outcome: "answer", choice: "insufficient", fields: { ears: true } });
  expect(draft.answer(correct!)).toHaveProperty("conflict");
  draft.toggle(defacing.fields[1]!);
  expect(draft.answer(correct!)).toEqual({ outcome: "answer", choice: "correct", fields: {} });
});

test("a choice that rests on a grade asks which, and one more key answers", () => {
  const draft = new Draft(quality);
  expect(draft.answer(bad!)).toHaveProperty("waiting", bad);
  expect(draft.complete(bad!, motion!)).toEqual({ outcome: "answer", choice: "bad", fields: { motion: 2 } });
  expect(draft.answer(good!)).toHaveProperty("conflict");
});

test("a flag does not complete a choice that rests on a grade", () => {
  const gadolinium = { id: "gadolinium", title: "Contrast agent", key: "g", kind: "flag" as const };
  const task = { ...quality, choices: [{ ...bad!, fields: [...bad!.fields, "gadolinium"] }], fields: [...quality.fields, gadolinium] };
  const draft = new Draft(task);
  expect(draft.complete(task.choices[0]!, gadolinium)).toHaveProperty("waiting");
  expect(draft.complete(task.choices[0]!, motion!)).toEqual({ outcome: "answer", choice: "bad", fields: { motion: 2, gadolinium: true } });
});

test("a grade rises by one a press and starts again", () => {
  const draft = new Draft(quality);
  const seen = [1, 2, 3].map(() => (draft.toggle(motion!), draft.value(motion!)));
  expect(seen).toEqual([1, 2, 0]);
});

test("a letter that a task claims is its own, and the page moves to its second choice", () => {
  const keymap = new Keymap(defacing);
  expect(keymap.command("l")).toEqual({ do: "field", id: "ears" });
  expect(keymap.command(".")).toEqual({ do: "later" });
  expect(keymap.keyOf("later")).toBe(".");
});

test("digits go by place, letters by sign, shortcuts to the browser", () => {
  expect(press("&", "Digit1")).toBe("1");
  expect(press("4", "Numpad4")).toBe("4");
  expect(press("Z", "KeyY")).toBe("z");
  expect(press("r", "KeyR", { ctrlKey: true })).toBeNull();
});

test("time in which the page is hidden does not count", () => {
  let now = 0;
  const watch = new Stopwatch(() => now);
  watch.start();
  now = 2000;
  watch.setVisible(false);
  now = 60_000;
  watch.setVisible(true);
  now = 61_250;
  expect(watch.seconds).toBe(3.25);
  watch.start();
  expect(watch.seconds).toBe(0);
});

test("addresses name screens; what is no screen is the overview", () => {
  expect(readRoute("#/defacing/verify/sheet")).toEqual({ screen: "sheet", task: "defacing", list: "verify" });
  expect(readRoute("#/%zz/x/one")).toEqual({ screen: "one", task: "%zz", list: "x" });
  expect(readRoute("#/defacing/verify/steal")).toEqual({ screen: "overview" });
  expect(readToken("#token=a%2Bb")).toBe("a+b");
  expect(readToken("#/summary")).toBeNull();
});

test("hours are written as people say them", () => {
  expect([0, 0.001, 0.5, 1.999, 2.5, null].map(hours)).toEqual(["0 min", "< 1 min", "30 min", "2 h 00 min", "2 h 30 min", "–"]);
});
