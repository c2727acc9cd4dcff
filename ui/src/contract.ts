/** What the server says, as written in docs/review_api.md. Nothing here is invented by the page. */

export interface Session {
  user: { name: string; role: Role; faces: boolean; simulated: boolean };
  csrf: string;
  study: { id?: string; title: string; scans: number };
  version: string;
  settings: { blind: boolean; sheet_size: number; ahead: number; lease_s: number; names: boolean };
}

export type Role = "reviewer" | "adjudicator" | "admin";

export interface Field {
  id: string;
  title: string;
  key: string;
  kind: "flag" | "grade";
  levels?: string[];
}

export interface Choice {
  id: string;
  title: string;
  key: string;
  good: boolean;
  fields: string[];
  /** The choice fits only where the highest grade is this. */
  highest_grade?: number | null;
}

export interface List {
  id: string;
  title: string;
  screen: "sheet" | "one";
  default_choice?: string | null;
  required: boolean;
  blocked: string | null;
  open: number;
  mine: number;
  done: number;
  total: number;
}

export interface Task {
  task: string;
  title: string;
  question: string;
  choices: Choice[];
  fields: Field[];
  lists: List[];
}

export interface Picture {
  name: string;
  title: string;
  kind: "brain" | "surface" | "original";
  over: string | null;
  url: string;
}

export type FieldValue = boolean | number;
export type Outcome = "answer" | "later" | "cannot_tell" | "look";

export interface Machine {
  action: string;
  label: string;
  reason: string;
  probabilities: Record<string, number>;
  model: string | null;
  agrees: boolean | null;
}

export interface Reading {
  outcome: Outcome;
  choice: string | null;
  fields: Record<string, FieldValue>;
}

export interface Item {
  item: string;
  task: string;
  list: string;
  scan_id: number;
  name: string | null;
  until: string;
  pictures: Picture[];
  volume: { url: string; bytes: number } | null;
  no_volume: string | null;
  masks: { name: string; title: string; url: string }[];
  facts: { name: string; value: string }[];
  machine: Machine | null;
  readings: Reading[] | null;
}

export interface Sheet {
  id: string;
  until: string;
  default_choice: string;
  items: Item[];
}

export interface Event {
  position: number;
  kind: "decision" | "undo";
  at: string;
  task: string;
  list: string;
  item: string | null;
  sheet: string | null;
  outcome: Outcome | null;
  choice: string | null;
  undone_by: number | null;
  undo_of?: number | null;
}

export interface Shown {
  pictures: string[];
  viewer: boolean;
  overlay: boolean;
}

export interface ListProgress {
  id: string;
  total: number;
  done: number;
  open: number;
  leased: number;
  seconds_per_scan: number | null;
  measured: number;
  hours_left: number | null;
}

export interface TaskProgress {
  task: string;
  lists: ListProgress[];
  second: number;
  adjudication: number;
  undecided: number;
  hours_left: number | null;
}

export interface Progress {
  tasks: TaskProgress[];
  me: { today: number; seconds_per_scan: number | null };
}
