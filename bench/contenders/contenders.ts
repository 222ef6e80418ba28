import { byHand } from './by-hand.ts'
import type { Absentee, Contender } from './contender.ts'
import { denoKv } from './deno-kv.ts'
import { drizzleOrm } from './drizzle.ts'
import { keyv } from './keyv.ts'
import { lmdb } from './lmdb.ts'
import { keyValue, repository } from './valkeyrie.ts'
import { valkeyrie08 } from './valkeyrie-0.8.ts'

/** Those that are measured, and those that are not there, in the order of the tables. */
export interface Contenders {
  readonly present: readonly Contender[]
  readonly absent: readonly Absentee[]
}

const alternatives = [
  { name: 'valkeyrie 0.8', load: valkeyrie08 },
  { name: '@deno/kv', load: denoKv },
  { name: 'keyv', load: keyv },
  { name: 'lmdb', load: lmdb },
]

export async function loadContenders(): Promise<Contenders> {
  const present: Contender[] = [byHand, keyValue, repository, drizzleOrm]
  const absent: Absentee[] = []
  for (const { name, load } of alternatives) {
    try {
      present.push(await load())
    } catch (error) {
      absent.push({ name, absent: reasonOf(error) })
    }
  }
  return { present, absent }
}

/** The first line, without what is in it of this machine. */
const reasonOf = (error: unknown) =>
  String(error instanceof Error ? error.message : error)
    .split('\n')[0]!
    .replace(/ imported from .*/, '')
    .replace(/(?:[A-Z]:)?[/\\]\S*[/\\]/g, '')
