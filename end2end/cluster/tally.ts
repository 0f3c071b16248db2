import { type TestInfo } from '@playwright/test';

/** What one test has compared, a line a subject. */
export type Line = { subject: string; api: number; page: number; differences: number };

/** The kind of annotation that carries it from a test to the report. */
export const annotation = 'compared';
export const seedAnnotation = 'seed';

/** Counts what is compared; the report at the end of the run is made of it. */
export class Tally {
  private readonly lines = new Map<string, Line>();

  private line(subject: string): Line {
    const line = this.lines.get(subject) ?? { subject, api: 0, page: 0, differences: 0 };
    this.lines.set(subject, line);
    return line;
  }

  /** Cells, or answers, that were equal. */
  equal(subject: string, where: 'api' | 'page', cells: number) {
    this.line(subject)[where] += cells;
  }

  differ(subject: string, differences: number) {
    this.line(subject).differences += differences;
  }

  /** Hands it over. */
  tell(info: TestInfo) {
    info.annotations.push({ type: annotation, description: JSON.stringify([...this.lines.values()]) });
  }
}

/** The seed of a test: a new one each time, or the one that `SEED` names. */
export function seed(info: TestInfo): number {
  const chosen = Number(process.env.SEED || Math.floor(Math.random() * 2 ** 32));
  info.annotations.push({ type: seedAnnotation, description: `${info.title.split(':')[0]}: SEED=${chosen}` });
  return chosen;
}
