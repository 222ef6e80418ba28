import type { StandardSchemaV1 } from '@standard-schema/spec'
import { DatabaseClosedError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import { encodePrefix } from '../key/codec.ts'
import type { KeyRange } from '../key/range.ts'
import { prefixRange } from '../key/range.ts'
import type { Repository } from '../repository/types/repository.types.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { validate } from '../schema/validate.ts'
import type { StoreAtomicOperation } from '../store/atomic-operation.ts'
import type { Terms } from './options.ts'
import type { QueueDefinitions } from './rows.ts'
import type { QueueDatabase, QueueOperation, QueueUnit, QueueView } from './target.ts'

type AnyDefinitions = QueueDefinitions<string, StandardSchemaV1>

/** The repositories of a queue. */
export interface QueueRepositories {
  readonly jobs: Repository<AnyDefinitions[0]>
  readonly dead: Repository<AnyDefinitions[1]>
  readonly schedules: Repository<AnyDefinitions[2]>
  readonly lines: Repository<AnyDefinitions[3]>
  readonly keys: Repository<AnyDefinitions[4]>
}

/** The keys of a queue's rows, and their rules. */
export class QueueRows {
  readonly name: string
  readonly definitions: AnyDefinitions
  readonly terms: Terms
  readonly #schema: StandardSchemaV1

  constructor(name: string, schema: StandardSchemaV1, definitions: AnyDefinitions, terms: Terms) {
    this.name = name
    this.#schema = schema
    this.definitions = definitions
    this.terms = terms
  }

  jobKey(id: string): Key {
    return ['queues', this.name, 'jobs', id]
  }

  /** The id of the job or schedule under a key. */
  idOf(key: Key): string {
    return key[3] as string
  }

  deadKey(id: string): Key {
    return ['queues', this.name, 'dead', id]
  }

  scheduleKey(id: string): Key {
    return ['queues', this.name, 'schedules', id]
  }

  lineKey(group: string, id: string): Key {
    return ['queues', this.name, 'lines', group, id]
  }

  uniqueKey(unique: string): Key {
    return ['queues', this.name, 'keys', unique]
  }

  /** The keys of its jobs, or of its schedules. */
  rangeOf(what: 'jobs' | 'schedules'): KeyRange {
    return prefixRange(encodePrefix(['queues', this.name, what]))
  }

  /**
   * The output of the schema for a payload; a promise of it if the schema is asynchronous. Throws a ValidationError, or rejects
   * with one.
   */
  output(payload: unknown): unknown | Promise<unknown> {
    const [{ pattern, name, idKinds, indexes, references }] = this.definitions
    return validate(
      { pattern, name, idKinds, indexes, references, schema: this.#schema },
      ['queues', this.name, 'jobs'],
      payload,
    )
  }

  /**
   * The repositories in a database or a unit of work. Throws a TypeError if it was opened without them, and
   * DatabaseClosedError if it is closed.
   */
  in(target: QueueDatabase | QueueUnit | QueueView): QueueRepositories {
    const [jobs, dead, schedules, lines, keys] = this.definitions
    const { repository } = target as unknown as { repository(definition: AnyDefinition): never }
    const open = (definition: AnyDefinition) => repository.call(target, definition)
    try {
      return {
        jobs: open(jobs),
        dead: open(dead),
        schedules: open(schedules),
        lines: open(lines),
        keys: open(keys),
      }
    } catch (cause) {
      throw cause instanceof DatabaseClosedError ? cause : this.#undeclared(cause)
    }
  }

  /** Throws a TypeError for an operation of a database that was opened without them. */
  checkOperation(operation: QueueOperation): void {
    const { registry } = (operation as unknown as StoreAtomicOperation).store
    if (!this.definitions.every((definition) => registry.byName(definition.name) === definition))
      throw this.#undeclared()
  }

  #undeclared(cause?: unknown): TypeError {
    return new TypeError(
      `The database was opened without the queue '${this.name}': add its definitions, withSchemas([...${this.name}.definitions])`,
      { cause },
    )
  }
}
