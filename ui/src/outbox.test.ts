import { beforeEach, expect, test } from "vitest";

import type { Act } from "./acts.ts";
import { newKey, newOrder, request } from "./acts.ts";
import { Refused, Unreachable } from "./api.ts";
import type { Shelf } from "./outbox.ts";
import { Outbox } from "./outbox.ts";
import type { Settled } from "./sender.ts";
import { Sender } from "./sender.ts";

class FakeShelf implements Shelf {
  readonly kept = new Map<string, string>();
  full = false;

  get length(): number {
    return this.kept.size;
  }
  key(place: number): string | null {
    return [...this.kept.keys()][place] ?? null;
  }
  getItem(name: string): string | null {
    return this.kept.get(name) ?? null;
  }
  setItem(name: string, value: string): void {
    if (this.full) throw new Error("QuotaExceededError");
    this.kept.set(name, value);
  }
  removeItem(name: string): void {
    this.kept.delete(name);
  }
}

/** A server in one object: stores acts by key, as docs/review_api.md says, and fails as told. */
class FakeServer {
  readonly stored: { path: string; body: { key: string } & Record<string, unknown> }[] = [];
  /** What happens to the next requests: lost before it is stored, stored but the answer lost, or refused. */
  plan: ("lost" | "answer lost" | Refused)[] = [];

  async post<T>(path: string, body: unknown): Promise<T> {
    const step = this.plan.shift();
    if (step === "lost") throw new Unreachable("lost");
    if (step instanceof Refused) throw step;
    const act = body as { key: string };
    let place = this.stored.findIndex((one) => one.body.key === act.key);
    const repeated = place !== -1;
    if (!repeated) place = this.stored.push({ path, body: { ...act } }) - 1;
    if (step === "answer lost") throw new Unreachable("lost");
    return { event: { position: 100 + place }, machine: null, repeated } as T;
  }
  loggedIn = "ab";
  async session(): Promise<{ user: { name: string } }> {
    return { user: { name: this.loggedIn } };
  }
}

let shelf: FakeShelf;
let server: FakeServer;
let settled: Settled[];

beforeEach(() => {
  shelf = new FakeShelf();
  server = new FakeServer();
  settled = [];
});

function decision(item: string, user = "ab", study = "one"): Act {
  const body = { key: newKey(), outcome: "answer" as const, choice: "correct", fields: {}, seconds: 1, shown: { pictures: [], viewer: false, overlay: false } };
  return { kind: "decision", order: newOrder(), user, study, words: item, item, body };
}

function undo(of: Act): Act {
  return { kind: "undo", order: newOrder(), user: "ab", study: "one", words: "undo", of: { key: of.body.key }, body: { key: newKey() } };
}

function sender(user = "ab", study = "one"): Sender {
  const made = new Sender(server, new Outbox(shelf), user, study);
  made.onSettled = (one) => settled.push(one);
  return made;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((done) => setTimeout(done, 5));
}

test("an act is on the shelf before anything is awaited", () => {
  server.plan = ["lost"];
  const act = decision("a");
  sender().submit(act);
  expect([...shelf.kept.values()].map((text) => JSON.parse(text))).toEqual([act]);
});

test("acts arrive once and in order, whether the request or its answer is lost", async () => {
  server.plan = ["lost", "answer lost", "lost"];
  const acts = ["a", "b", "c"].map((item) => decision(item));
  const first = sender();
  for (const act of acts) first.submit(act);
  await until(() => first.state === "waiting");
  while (first.unsent.length > 0) {
    first.kick();
    await new Promise((done) => setTimeout(done, 5));
  }
  expect(server.stored.map(({ body }) => body.key)).toEqual(acts.map(({ body }) => body.key));
  expect(settled.map(({ how }) => how)).toEqual(["stored", "stored", "stored"]);
});

test("what was unsent at a reload is sent by the next load of the page", async () => {
  server.plan = ["lost", "lost", "lost"];
  const before = sender();
  before.submit(decision("a"));
  before.submit(decision("b"));
  await until(() => before.state === "waiting");
  before.stop();
  server.plan = [];
  const after = sender();
  after.kick();
  await until(() => after.state === "idle");
  expect(server.stored.map(({ path }) => path)).toEqual(["/api/items/a/decision", "/api/items/b/decision"]);
  expect(after.unsent).toEqual([]);
});

test("an undo of an unsent decision is sent after it and names its event", async () => {
  server.plan = ["lost", "lost"];
  const one = sender();
  const act = decision("a");
  one.submit(act);
  one.submit(undo(act));
  await until(() => server.plan.length === 0);
  expect(server.stored).toEqual([]);
  one.kick();
  await until(() => one.state === "idle");
  expect(server.stored[1]?.path).toBe("/api/undo");
  expect(server.stored[1]?.body["event"]).toBe(100);
});

test("an undo finds its event after a reload and from another tab", async () => {
  const act = decision("a");
  const tab = sender();
  tab.submit(act);
  await until(() => tab.state === "idle");
  const other = sender();
  other.submit(undo(act));
  await until(() => server.stored.length === 2 && other.state === "idle");
  expect(server.stored[1]?.body["event"]).toBe(100);
});

test("a refused act is kept with its reason, and those behind it go on", async () => {
  server.plan = [new Refused(422, "invalid", "fields: unknown.", "Choose again.")];
  const one = sender();
  const bad = decision("a");
  one.submit(bad);
  one.submit(decision("b"));
  await until(() => one.state === "idle");
  const outbox = new Outbox(shelf);
  expect(outbox.refused("ab", "one")).toEqual([{ act: bad, reason: "fields: unknown. Choose again." }]);
  expect(server.stored.map(({ path }) => path)).toEqual(["/api/items/b/decision"]);
  for (const refused of outbox.refused("ab", "one")) outbox.forget(refused);
  expect(outbox.refused("ab", "one")).toEqual([]);
});

test("nobody is told that all is saved once an act was submitted", async () => {
  const one = sender();
  const told: [string, number][] = [];
  one.onState = () => told.push([one.state, one.unsent.length]);
  one.submit(decision("a"));
  expect(told[0]).toEqual(["sending", 1]);
  one.submit(decision("b"));
  expect(told.at(-1)).toEqual(["sending", 2]);
  await until(() => one.state === "idle");
  expect(told.at(-1)).toEqual(["idle", 0]);
  expect(told.every(([state, unsent]) => (state === "idle") === (unsent === 0))).toBe(true);
});

test("a session that ended stops the sending and loses nothing", async () => {
  server.plan = [new Refused(401, "not_logged_in", "", "")];
  const one = sender();
  one.submit(decision("a"));
  await until(() => one.state === "login");
  expect(one.unsent).toHaveLength(1);
  one.kick();
  await until(() => one.state === "idle");
  expect(server.stored).toHaveLength(1);
});

test("another person logging in by another tab of the browser does not get this one's decisions", async () => {
  server.plan = [new Refused(403, "csrf", "", "")];
  server.loggedIn = "cd";
  const one = sender();
  one.submit(decision("a"));
  await until(() => one.state === "login");
  expect(server.stored).toEqual([]);
  expect(one.unsent).toHaveLength(1);
});

test("a sender that was stopped sends nothing more, not even in the middle of its list", async () => {
  const one = sender();
  one.submit(decision("a"));
  one.submit(decision("b"));
  one.stop();
  await new Promise((done) => setTimeout(done, 30));
  expect(server.stored.length).toBeLessThan(2);
  expect(one.unsent.length + server.stored.length).toBe(2);
});

test("a decision that another tab has made counts as settled", async () => {
  server.plan = [new Refused(409, "already_decided", "", "", null, 7)];
  const one = sender();
  one.submit(decision("a"));
  await until(() => one.state === "idle");
  expect(settled.map(({ how }) => how)).toEqual(["elsewhere"]);
  expect(one.unsent).toEqual([]);
});

test("acts of another person or study wait for them", async () => {
  server.plan = ["lost"];
  const one = sender();
  one.submit(decision("a"));
  await until(() => one.state === "waiting");
  one.stop();
  for (const other of [sender("cd"), sender("ab", "two")]) {
    other.submit(decision("b", other.unsent.length === 0 ? "cd" : "ab"));
    await until(() => other.state === "idle");
  }
  expect(server.stored.some(({ path }) => path.includes("/a/"))).toBe(false);
  expect(new Outbox(shelf).others("cd", "one")).toBe(1);
});

test("without storage acts stay in memory, are sent, and the page can say so", async () => {
  shelf.full = true;
  const outbox = new Outbox(shelf);
  const one = new Sender(server, outbox, "ab", "one");
  one.submit(decision("a"));
  expect(outbox.durable).toBe(false);
  expect(one.unsent).toHaveLength(1);
  await until(() => one.state === "idle");
  expect(server.stored).toHaveLength(1);
});

test("keys fit the contract and do not repeat", () => {
  const keys = Array.from({ length: 1000 }, newKey);
  expect(keys.every((key) => /^[A-Za-z0-9_-]{16,64}$/.test(key))).toBe(true);
  expect(new Set(keys).size).toBe(1000);
});

test("orders rise although the clock stands still or goes back", () => {
  const orders = [newOrder(), newOrder(5), newOrder(5), newOrder()];
  expect([...orders].sort()).toEqual(orders);
  expect(new Set(orders).size).toBe(4);
});

test("names in addresses are escaped", () => {
  const act = decision("../../api/logout?x=#");
  expect(request(act)?.path).toBe("/api/items/..%2F..%2Fapi%2Flogout%3Fx%3D%23/decision");
});
