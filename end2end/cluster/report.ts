import type { FullResult, Reporter, TestCase, TestResult } from '@playwright/test/reporter';
import { claim } from './timeline';
import { annotation, seedAnnotation, type Line } from './tally';

/** Ends the run with one table: what was compared, how much of it, what differed, with which seeds. */
export default class Report implements Reporter {
  private readonly lines = new Map<string, Line>();
  private readonly seeds: string[] = [];
  private readonly skipped: string[] = [];
  private readonly lies: string[] = [];
  private began = 0;

  onBegin() {
    this.began = Date.now();
  }

  onTestEnd(test: TestCase, result: TestResult) {
    if (result.errors.some(({ message = '' }) => message.includes(claim))) this.lies.push(test.title);
    for (const { type, description = '' } of result.annotations) {
      if (type === 'skip') this.skipped.push(`skipped: ${test.title}: ${description}`);
      if (type === seedAnnotation) this.seeds.push(description);
      if (type !== annotation) continue;
      for (const line of JSON.parse(description) as Line[]) {
        const sum = this.lines.get(line.subject) ?? { ...line, api: 0, page: 0, differences: 0 };
        this.lines.set(line.subject, {
          ...sum,
          api: sum.api + line.api,
          page: sum.page + line.page,
          differences: sum.differences + line.differences,
        });
      }
    }
  }

  async onEnd({ status }: FullResult) {
    const lines = [...this.lines.values()];
    const total = lines.reduce(
      (sum, { api, page, differences }) => ({ ...sum, api: sum.api + api, page: sum.page + page, differences: sum.differences + differences }),
      { subject: 'total', api: 0, page: 0, differences: 0 },
    );
    const print = (...words: (string | number)[]) =>
      console.log(words.map((word, i) => (i === 0 ? String(word).padEnd(26) : String(word).padStart(12))).join(' '));
    print('compared with kubectl', 'in the API', 'on the page', 'differences');
    [...lines, total].forEach(({ subject, api, page, differences }) => print(subject, api, page, differences));
    [...this.seeds, ...this.skipped].forEach((line) => console.log(line));
    console.log(`${Math.round((Date.now() - this.began) / 1000)} s`);
    // A machine may have its bad moments, but no second try makes this good.
    for (const title of new Set(this.lies)) console.log(`called live and was not: ${title}`);
    return { status: this.lies.length ? ('failed' as const) : status };
  }

  printsToStdio() {
    return false; // the list above it does
  }
}
