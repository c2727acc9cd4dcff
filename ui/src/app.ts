import { Api, Refused, Unreachable } from "./api.ts";
import type { Session, Task } from "./contract.ts";
import { Outbox, browserShelf } from "./outbox.ts";
import type { Settled } from "./sender.ts";
import { Sender } from "./sender.ts";

/** A screen that is left again: it takes its listeners and timers with it. */
export interface Screen {
  leave(): void;
}

/** What all screens share: who is logged in, the server, and what is not sent yet. */
export class App {
  readonly api = new Api();
  readonly outbox = new Outbox(browserShelf());
  session: Session | null = null;
  sender: Sender | null = null;
  tasks: Task[] = [];
  /** Screens and the header hear here of each act that was settled, and of changes of the sender's state. */
  readonly settled = new Set<(settled: Settled) => void>();
  readonly sending = new Set<() => void>();
  onLogin: () => void = () => {};

  get user(): string {
    return this.session?.user.name ?? "";
  }

  /** Which study an act belongs to. */
  get study(): string {
    return this.session?.study.id ?? this.session?.study.title ?? "";
  }

  /** A session is there: send what an earlier visit left behind. */
  enter(session: Session): void {
    const same = this.sender !== null && this.session?.user.name === session.user.name;
    const before = this.study;
    this.session = session;
    if (!same || this.study !== before) {
      this.sender?.stop();
      const sender = new Sender(this.api, this.outbox, this.user, this.study);
      sender.onState = () => this.sending.forEach((hear) => hear());
      sender.onSettled = (settled) => this.settled.forEach((hear) => hear(settled));
      this.sender = sender;
    }
    this.sender?.kick();
  }

  /** Ask again until the server is there; a session that ended leads to the login. Null then. */
  async patiently<T>(ask: () => Promise<T>, until: AbortSignal, waiting: (yes: boolean) => void): Promise<T | null> {
    for (let wait = 500; !until.aborted; wait = Math.min(wait * 2, 5_000)) {
      try {
        const answer = await ask();
        waiting(false);
        return answer;
      } catch (error) {
        if (error instanceof Refused && error.status === 401) {
          this.onLogin();
          return null;
        }
        if (!(error instanceof Unreachable) && !(error instanceof Refused && error.status >= 500)) throw error;
        waiting(true);
        await new Promise((done) => setTimeout(done, wait));
      }
    }
    return null;
  }
}
