import { type Stats, statSync } from 'node:fs'
import { basename } from 'node:path'
import { storeOf } from '../api/database.ts'
import { type InspectedDatabase, inspectDatabase } from '../api/open.ts'
import { type EngineName, fileOf, type Located } from '../engines/engines.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { OwnTables } from './own-tables.ts'
import { Refusal } from './refusal.ts'
import { untoldFormat } from './untold-type.ts'

/** Rows are shown and written whatever limits they were stored under. */
const limits = { keyBytes: Number.MAX_SAFE_INTEGER, valueBytes: 64 * 1024 * 1024 }

/**
 * A database, opened by its catalogue. It is opened again when a program declares more, or when another file has replaced its
 * file.
 */
export class OpenedDatabase {
  readonly located: Located
  readonly readOnly: boolean
  /** Its path; on a server, its address without user and password, with its schema if that is named. */
  readonly shown: string
  /** The path of its file; null if it is on a server. */
  readonly #file: string | null
  #db: InspectedDatabase<EngineName> | undefined
  #opening: Promise<InspectedDatabase<EngineName>> | undefined
  #identity: Identity | undefined
  #declared = 0

  constructor(located: Located, readOnly: boolean) {
    const { engine, address } = located
    this.located = located
    this.readOnly = readOnly
    this.#file = fileOf(located)
    const schema = this.#file === null ? new URL(address).searchParams.get('schema') : null
    this.shown = `${engine.shown(address)}${schema === null ? '' : `?schema=${schema}`}`
  }

  /** The last part of its path or address. */
  get name(): string {
    return basename(this.shown)
  }

  /** The database with its current declarations. Throws a Refusal if its file is gone. */
  async database(): Promise<InspectedDatabase<EngineName>> {
    const identity = identityOf(this.#file)
    if (identity === undefined && this.#db !== undefined)
      throw new Refusal(410, 'FILE_GONE', `${this.shown} is gone: it was moved or removed`)
    if (this.#opening !== undefined) return this.#opening
    this.#opening = this.#current(identity)
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
    return sameFile(identityOf(this.#file), this.#identity)
  }

  async close(): Promise<void> {
    await this.#db?.close()
  }

  async #current(identity: Identity | undefined): Promise<InspectedDatabase<EngineName>> {
    const before = this.#db
    if (before !== undefined && sameFile(identity, this.#identity)) {
      if ((await new OwnTables(before).declared()) === this.#declared) return before
    }
    const { address } = this.located
    const options = { readOnly: this.readOnly, limits }
    const db = await inspectDatabase<EngineName>(address, options, untoldFormat)
    this.#declared = await new OwnTables(db).declared()
    this.#db = db
    this.#identity = identity
    await before?.close()
    return db
  }
}

type Identity = Pick<Stats, 'dev' | 'ino'>

/** What is on a server is never replaced. */
const onServer: Identity = { dev: 0, ino: 0 }

function identityOf(file: string | null): Identity | undefined {
  return file === null ? onServer : statSync(file, { throwIfNoEntry: false })
}

function sameFile(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev
}
