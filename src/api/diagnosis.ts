import type { Finding, Repair, Verification, VerifyOptions } from '../driver/verification.ts'
import { locate } from '../engines/engines.ts'
import { verifyDatabase } from './open.ts'

/** What is wrong with a database, and what to do about it. */
export interface Diagnosis extends Verification {
  /** A sentence or two for each kind of finding. */
  readonly advice: { readonly [kind: string]: string }
}

const advice: Record<Finding['kind'], string> = {
  file: 'Rebuild the indexes with --repair. Where that does not help, restore a backup; "valkeyrie export --skip-unreadable" saves the rows that can be read.',
  catalog: 'Open the file once with your schemas, or restore a backup where it held a database.',
  index: 'Build it with --repair, or open the file with the schema that declares it.',
  row: 'File rows where they belong with --repair. One that cannot be read has to be written again, or deleted: restore it from a backup.',
  log: 'No row is harmed. Those who follow changes, and have not come so far, fail with a CorruptLogError or a LogTrimmedError: begin them again.',
}

/** Reads all of a file, and tells what is wrong and what to do. */
export async function diagnose(path: string, options: VerifyOptions = {}): Promise<Diagnosis> {
  const found = await verifyDatabase(path, options)
  const kinds = Object.keys(found.counts) as Finding['kind'][]
  return { ...found, advice: Object.fromEntries(kinds.map((kind) => [kind, advice[kind]])) }
}

/** Copies a file beside itself, and rebuilds what follows from its rows. */
export async function repair(path: string, busyTimeout = 5_000): Promise<Repair> {
  const { engine, address } = locate(path)
  return engine.repair(address, busyTimeout)
}
