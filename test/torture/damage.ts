import { workOnDamagedFiles } from '../damage/fuzz.ts'
import type { Attack, Trials } from './attack.ts'

function* seedsOf({ random, another }: Trials): Generator<number> {
  while (another()) yield Math.floor(random() * 2 ** 31)
}

/** Copies of sound files, each damaged in another way, and a program that works on them in all ways that a database has. */
export const damage: Attack = {
  name: 'damage',
  promise: 'a damaged file hangs nothing, crashes nothing, and every failure is a KvError',
  async run(trials) {
    const { refused, failed, worked } = await workOnDamagedFiles(trials.folder, seedsOf(trials))
    return { files: refused + failed + worked }
  },
}
