import type { Finding, Repair, Verification, VerifyOptions } from '../driver/verification.ts'
import { locate } from '../engines/engines.ts'
import { verifyDatabase } from './open.ts'

/** What is wrong with a database, and what to do about it. */
export interface Diagnosis extends Verification {
  /** A sentence or two for each kind of finding. */
  readonly advice: { readonly [kind: string]: string }
}

/** Reads a whole database; says what is wrong and what to do about it. */
export async function diagnose(path: string, options: VerifyOptions = {}): Promise<Diagnosis> {
  const { engine } = locate(path)
  const found = await verifyDatabase(path, options)
  const kinds = Object.keys(found.counts) as Finding['kind'][]
  return { ...found, advice: Object.fromEntries(kinds.map((kind) => [kind, engine.advice[kind]])) }
}

/** Writes a copy beside the file, and rebuilds there what follows from its rows. */
export async function repair(path: string, busyTimeout = 5_000): Promise<Repair> {
  const { engine, address } = locate(path)
  return engine.repair(address, busyTimeout)
}
