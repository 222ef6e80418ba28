import { createHash, randomBytes } from 'node:crypto'
import {
  type InspectOptions,
  type LoadOptions,
  type OpenOptions,
  Valkeyrie as ofFiles,
  type ValkeyrieBuilder,
  type VerifyOptions,
} from 'valkeyrie'

// Stands for the package `valkeyrie` in a program of a page: each database that it opens is a schema of the server at `DATABASE`.

export * from 'valkeyrie'

const { DATABASE } = process.env
/** Each program has this module to itself. */
const ofProgram = randomBytes(8)

/** A schema for each path, and another one for each database in memory. */
function addressOf(path: unknown): string {
  const name =
    path === undefined ? randomBytes(8) : createHash('sha256').update(ofProgram).update(String(path)).digest()
  return `${DATABASE}?schema=snippet_${name.toString('hex', 0, 8)}`
}

function onServer<Builder extends object>(builder: Builder): Builder {
  const it = builder as unknown as ValkeyrieBuilder<[]>
  const instead: Partial<Record<PropertyKey, (...args: never[]) => unknown>> = {
    open: (path?: string, options?: OpenOptions) => it.open(addressOf(path), options),
    from: (items: Iterable<never>, options: LoadOptions<never>) =>
      it.from(items, { ...options, path: addressOf(options.path) } as never),
    fromAsync: (items: AsyncIterable<never>, options: LoadOptions<never>) =>
      it.fromAsync(items, { ...options, path: addressOf(options.path) } as never),
    inspect: (path: string, options?: InspectOptions) => ofFiles.inspect(addressOf(path), options),
    verify: (path: string, options?: VerifyOptions) => ofFiles.verify(addressOf(path), options),
    withSchema: (...args: never[]) => onServer(Reflect.apply(it.withSchema, it, args) as object),
    withSchemas: (...args: never[]) => onServer(Reflect.apply(it.withSchemas, it, args) as object),
  }
  // A proxy of a frozen object would have to return its own values.
  return new Proxy({} as Builder, { get: (_, name) => instead[name] ?? it[name as 'open'] })
}

export const Valkeyrie = onServer(ofFiles)
