import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const places = ['/', process.env.CLOCK ?? resolve(__dirname, '../../target/tools/faketime')];
const folders = places.map((place) => join(place, 'usr/lib')).filter(existsSync);
const files = folders.flatMap((folder) => readdirSync(folder).map((machine) => join(folder, machine, 'faketime/libfaketimeMT.so.1')));
/** What tells a program the time that it is told to, if that is here. */
export const faketime = files.find(existsSync);

/** A clock of a program's own, which can be put: all but it goes by this machine's. */
export class Clock {
  constructor(private readonly file: string) {
    this.put('+0');
  }

  /** As the program needs its environment. It looks at its clock anew each second. */
  get env(): NodeJS.ProcessEnv {
    // What nobody can put is not put.
    const only = { FAKETIME_DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' };
    return { LD_PRELOAD: faketime, FAKETIME_TIMESTAMP_FILE: this.file, FAKETIME_CACHE_DURATION: '1', ...only };
  }

  /** So far ahead of this machine's: `+1d`, `-30m`. */
  put(ahead: string) {
    writeFileSync(`${this.file}.new`, `${ahead}\n`);
    renameSync(`${this.file}.new`, this.file);
  }
}
