import type { Answer } from "./acts.ts";
import type { Choice, Field, FieldValue, Task } from "./contract.ts";

export const HIGHEST_GRADE = 2;

/** The answer cannot be given like this; the sentence says what to do. */
export interface Conflict {
  conflict: string;
  /** The choice that is waiting for a field, where naming one field completes it. */
  waiting?: Choice;
}

/** What a person has ticked about the scan before choosing. */
export class Draft {
  readonly values = new Map<string, FieldValue>();

  constructor(private readonly task: Task) {}

  value(field: Field): FieldValue {
    return this.values.get(field.id) ?? (field.kind === "flag" ? false : 0);
  }

  /** Tick or untick a flag; raise a grade by one, and after the highest start again. */
  toggle(field: Field): void {
    const value = this.value(field);
    const next = typeof value === "boolean" ? !value : (value + 1) % (HIGHEST_GRADE + 1);
    this.set(field, next);
  }

  set(field: Field, value: FieldValue): void {
    if (value) this.values.set(field.id, value);
    else this.values.delete(field.id);
  }

  clear(): void {
    this.values.clear();
  }

  /** The whole answer for a choice, or why it contradicts what was ticked. */
  answer(choice: Choice): Answer | Conflict {
    const strange = this.task.fields.filter((field) => this.values.has(field.id) && !choice.fields.includes(field.id));
    if (strange.length > 0) {
      const names = strange.map((field) => `“${field.title}”`).join(", ");
      return { conflict: `${names} does not go with “${choice.title}”. Untick it, or choose another answer.` };
    }
    const wanted = choice.highest_grade ?? null;
    if (wanted !== null && wanted > 0) {
      const grades = this.task.fields.filter((field) => field.kind === "grade" && choice.fields.includes(field.id));
      const highest = Math.max(0, ...grades.map((field) => Number(this.value(field))));
      if (highest !== wanted) {
        const word = grades[0]?.levels?.[wanted] ?? String(wanted);
        const names = grades.map((field) => field.title.toLowerCase()).join(", ");
        const conflict = `“${choice.title}” means that the worst of ${names} is “${word}”. Which is it?`;
        return highest > wanted ? { conflict } : { conflict, waiting: choice };
      }
    }
    return { outcome: "answer", choice: choice.id, fields: Object.fromEntries(this.values) };
  }

  /** Give the one grade that a choice was waiting for; anything else is only ticked. */
  complete(choice: Choice, field: Field): Answer | Conflict {
    const grade = field.kind === "grade" && choice.fields.includes(field.id);
    if (grade && choice.highest_grade) this.set(field, choice.highest_grade);
    else this.toggle(field);
    return this.answer(choice);
  }
}
