import type { Act } from "./acts.ts";
import { request } from "./acts.ts";
import { Refused, Unreachable } from "./api.ts";
import type { Machine } from "./contract.ts";
import type { Outbox } from "./outbox.ts";

/** What the server answers to an act; which part is there depends on the act. */
export interface Receipt {
  event?: { position: number };
  events?: { position: number; item: string | null }[];
  machine?: Machine | Record<string, Machine> | null;
  item?: unknown;
  repeated?: boolean;
}

export type Settled =
  | { act: Act; how: "stored"; receipt: Receipt }
  | { act: Act; how: "elsewhere"; reason: string }
  | { act: Act; how: "refused"; reason: string };

export type State = "idle" | "sending" | "waiting" | "login";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;
const LOCK = "brainsift-outbox";

interface Wire {
  post<T>(path: string, body: unknown): Promise<T>;
  session(): Promise<{ user: { name: string } }>;
}

/**
 * Sends the outbox in order, one act at a time, and again until the server has said yes or no.
 *
 * An undo may need the event of the decision before it, so an act that cannot be sent holds back those behind it. Only
 * one tab sends at a time where the browser has locks; where it has none, the keys of the acts make a double harmless.
 */
export class Sender {
  state: State = "idle";
  onState: () => void = () => {};
  onSettled: (settled: Settled) => void = () => {};
  private running = false;
  private stopped = false;
  private again = false;
  private wait = FIRST_WAIT_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly wire: Wire,
    private readonly outbox: Outbox,
    private readonly user: string,
    private readonly study: string,
  ) {}

  get unsent(): Act[] {
    return this.outbox.list(this.user, this.study);
  }

  /** Keep an act, then send it. Who listens knows of it when this returns: "all saved" is no longer true. */
  submit(act: Act): void {
    this.outbox.put(act);
    this.tell(this.state === "idle" ? "sending" : this.state);
    this.kick();
  }

  /** Try now: something new is there, the network is back, or the person is logged in again. */
  kick(): void {
    clearTimeout(this.timer);
    if (this.stopped) return;
    this.again = true;
    if (!this.running) void this.run();
  }

  /** Send no more: this person has left. What is unsent stays. */
  stop(): void {
    clearTimeout(this.timer);
    this.again = false;
    this.stopped = true;
    this.onState = this.onSettled = () => {};
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      while (this.again) {
        this.again = false;
        await alone(() => this.drain());
      }
    } finally {
      this.running = false;
    }
  }

  private async drain(): Promise<void> {
    for (let act = this.unsent[0]; act !== undefined && !this.stopped; act = this.unsent[0]) {
      this.tell("sending");
      const next = await this.attempt(act);
      if (next === "login") return this.tell("login");
      if (next !== "on") {
        this.tell("waiting");
        if (!this.stopped) this.timer = setTimeout(() => this.kick(), next);
        return;
      }
      this.wait = FIRST_WAIT_MS;
    }
    this.tell("idle");
  }

  /** Send one act: go on, log in first, or wait so many milliseconds. */
  private async attempt(act: Act): Promise<"on" | "login" | number> {
    const wanted = request(act, act.kind === "undo" && "key" in act.of ? this.outbox.eventsOf(act.of.key) : null);
    if (wanted === null) return this.refuse(act, "The decision that it takes back was not stored.");
    try {
      const receipt = await this.wire.post<Receipt>(wanted.path, wanted.body);
      const events = receipt.events ?? (receipt.event ? [receipt.event] : []);
      this.outbox.settle(
        act,
        events.map((event) => event.position),
      );
      this.onSettled({ act, how: "stored", receipt });
      return "on";
    } catch (error) {
      if (error instanceof Unreachable) return this.longer();
      if (error instanceof Refused) return this.answered(act, error);
      throw error;
    }
  }

  private async answered(act: Act, no: Refused): Promise<"on" | "login" | number> {
    if (no.status === 401) return "login";
    if (no.status >= 500 || no.status === 408) return this.longer();
    if (no.status === 429) return no.retryAfterSeconds === null ? this.longer() : no.retryAfterSeconds * 1000;
    if (no.kind === "csrf") {
      // A session that was opened anew has another CSRF word: ask for it, then send the same act again. But another tab
      // may have logged in somebody else, who must not get this person's decisions.
      const session = await this.wire.session().catch(() => null);
      return session !== null && session.user.name !== this.user ? "login" : this.longer();
    }
    if (no.kind === "already_decided" || no.kind === "already_undone") {
      this.outbox.settle(act, no.event === null ? [] : [no.event]);
      this.onSettled({ act, how: "elsewhere", reason: no.message });
      return "on";
    }
    return this.refuse(act, no.message);
  }

  private refuse(act: Act, reason: string): "on" {
    this.outbox.refuse(act, reason);
    this.onSettled({ act, how: "refused", reason });
    return "on";
  }

  private longer(): number {
    const wait = this.wait;
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    return wait;
  }

  private tell(state: State): void {
    this.state = state;
    this.onState();
  }
}

async function alone(work: () => Promise<void>): Promise<void> {
  const locks = globalThis.navigator?.locks;
  if (locks) await locks.request(LOCK, work);
  else await work();
}
