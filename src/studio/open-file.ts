import { type Stats, statSync } from 'node:fs'
import { max } from 'drizzle-orm'
import { storeOf } from '../api/database.ts'
import { type InspectedDatabase, inspectDatabase } from '../api/open.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { Refusal } from './refusal.ts'
import { untoldFormat } from './untold-type.ts'

/** Rows are shown and written whatever limits they were stored under. */
const limits = { keyBytes: Number.MAX_SAFE_INTEGER, valueBytes: 64 * 1024 * 1024 }

/**
 * The file of a database, opened by its catalogue. It is opened again when a program declares more, or when another file has
 * replaced it.
 */
export class OpenFile {
  readonly path: string
  readonly readOnly: boolean
  #db: InspectedDatabase | undefined
  #opening: Promise<InspectedDatabase> | undefined
  #identity: Identity | undefined
  #declared = 0

  constructor(path: string, readOnly: boolean) {
    this.path = path
    this.readOnly = readOnly
  }

  /** The database with its current declarations. Throws a Refusal if the file is gone. */
  async database(): Promise<InspectedDatabase> {
    const identity = identityOf(this.path)
    if (identity === undefined && this.#db !== undefined)
      throw new Refusal(410, 'FILE_GONE', `${this.path} is gone: it was moved or removed`)
    if (this.#opening !== undefined) return this.#opening
    if (
      this.#db !== undefined &&
      sameFile(identity, this.#identity) &&
      declaredIn(this.#db) === this.#declared
    )
      return this.#db
    this.#opening = this.#open(identity)
    try {
      return await this.#opening
    } finally {
      this.#opening = undefined
    }
  }

  /** The definitions in the catalogue. */
  async definitions(): Promise<readonly AnyDefinition[]> {
    return storeOf(await this.database())!.registry.definitions
  }

  /** Whether the open file is still the one at the path. */
  isThere(): boolean {
    return sameFile(identityOf(this.path), this.#identity)
  }

  async close(): Promise<void> {
    await this.#db?.close()
  }

  async #open(identity: Identity | undefined): Promise<InspectedDatabase> {
    const before = this.#db
    const db = await inspectDatabase(this.path, { readOnly: this.readOnly, limits }, untoldFormat)
    this.#db = db
    this.#identity = identity
    this.#declared = declaredIn(db)
    await before?.close()
    return db
  }
}

type Identity = Pick<Stats, 'dev' | 'ino'>

function identityOf(path: string): Identity | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

function sameFile(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev
}

/** A number that grows with every new declaration. */
function declaredIn({ drizzle, tables: { kvCollections } }: InspectedDatabase): number {
  return (
    drizzle
      .select({ version: max(kvCollections.version) })
      .from(kvCollections)
      .get()?.version ?? 0
  )
}
