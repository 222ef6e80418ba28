import { byHand } from './by-hand.ts'
import type { Contender } from './contender.ts'
import { denoKv, valkeyrie08 } from './deno-kv.ts'
import { drizzleOrm } from './drizzle.ts'
import { keyv } from './keyv.ts'
import { lmdb } from './lmdb.ts'
import { keyValue, repository } from './valkeyrie.ts'

/** Those that are measured, in the order of the tables, and those that are not there, and why. */
export interface Contenders {
  readonly present: readonly Contender[]
  readonly absent: readonly { readonly name: string; readonly absent: string }[]
}

const alternatives = { 'valkeyrie 0.8': valkeyrie08, '@deno/kv': denoKv, keyv, lmdb }

export async function loadContenders(): Promise<Contenders> {
  const present: Contender[] = [byHand, keyValue, repository, drizzleOrm]
  const absent: Contenders['absent'][number][] = []
  for (const [name, load] of Object.entries(alternatives)) {
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
