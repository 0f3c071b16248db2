import type { Reporter, Suite, TestCase } from '@playwright/test/reporter';

/** Ends every run with one plain line, `N passed, N failed`, also when nothing failed. */
export default class ClosingLine implements Reporter {
  private all: TestCase[] = [];

  onBegin(_config: unknown, suite: Suite) {
    this.all = suite.allTests();
  }

  onEnd() {
    const count = (outcome: string) => this.all.filter((test) => test.outcome() === outcome).length;
    const passed = count('expected') + count('flaky');
    const skipped = count('skipped');
    console.log(`${passed} passed, ${count('unexpected')} failed${skipped ? `, ${skipped} skipped` : ''}`);
  }

  printsToStdio() {
    return false; // the list above it does
  }
}
