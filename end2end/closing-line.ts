import type { Reporter, Suite, TestCase } from '@playwright/test/reporter';

/** Ends every run with what failed, a line each, and one plain line, `N passed, N failed`, also when nothing failed. */
export default class ClosingLine implements Reporter {
  private all: TestCase[] = [];

  onBegin(_config: unknown, suite: Suite) {
    this.all = suite.allTests();
  }

  onEnd() {
    const count = (outcome: string) => this.all.filter((test) => test.outcome() === outcome).length;
    for (const [outcome, word] of [['flaky', 'passed only when tried again'], ['unexpected', 'failed']]) {
      for (const test of this.all.filter((test) => test.outcome() === outcome)) {
        // The beginning of what was said; all of it stands further up.
        const [said = ''] = test.results.flatMap(({ errors }) => errors.map(({ message = '' }) => message));
        console.log(`${word}: ${test.title}: ${plain(said).slice(0, 600)}`);
      }
    }
    const passed = count('expected') + count('flaky');
    const skipped = count('skipped');
    console.log(`${passed} passed, ${count('unexpected')} failed${skipped ? `, ${skipped} skipped` : ''}`);
  }

  printsToStdio() {
    return false; // the list above it does
  }
}

/** On one line and without colours. */
const plain = (text: string) => text.replace(/\u001b\[[\d;]*m/g, '').replace(/\s+/g, ' ').trim();
