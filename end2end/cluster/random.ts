/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Random {
  constructor(private state: number) {}

  /** From 0 up to and without 1. */
  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** From `low` up to and with `high`. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  chance(of: number): boolean {
    return this.fraction() < of;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.whole(0, from.length - 1)];
  }

  /** What `make` makes, or nothing: the field is left out then. */
  maybe<T>(chance: number, make: () => T): T | undefined {
    return this.chance(chance) ? make() : undefined;
  }

  some<T>(low: number, high: number, make: (at: number) => T): T[] {
    return Array.from({ length: this.whole(low, high) }, (_, at) => make(at));
  }

  /** Some of these, in their order. */
  subset<T>(from: readonly T[], chance = 0.5): T[] {
    return from.filter(() => this.chance(chance));
  }
}
