import { Buffer } from 'node:buffer'
import type { ColumnValue, ForeignFile } from '../driver/sqlite/file/foreign-file.ts'
import { parseJson } from '../value/parse-json.ts'
import { setOwn } from '../value/set-own.ts'
import { cellText, shownCell, utf8Text } from './cell-text.ts'
import { movedForeign } from './foreign-row.ts'
import type { Source } from './source-row.ts'

/** Whether this is a file of `@keyv/sqlite`. */
export function isKeyv({ tables }: ForeignFile): boolean {
  return ['key', 'value'].every((name) => tables.get('keyv')?.includes(name))
}

/** The values of a file of `@keyv/sqlite`, each under its namespace and its key. */
export async function* keyvSource(file: ForeignFile, table = 'keyv'): Source & AsyncGenerator {
  for await (const [key, value] of file.rows(table, ['key', 'value'])) {
    let kept: Kept = {}
    let failure: unknown = null
    try {
      kept = keptOf(value!)
    } catch (error) {
      failure = error
    }
    yield movedForeign({
      rawKey: shownCell(key!),
      key: () => keyOf(cellText(key!)),
      value() {
        if (failure !== null) throw failure
        return kept.value
      },
      expiresAt: kept.expires ?? null,
    })
  }
}

interface Kept {
  readonly value?: unknown
  readonly expires?: number | null
}

function keptOf(stored: ColumnValue): Kept {
  const text = stored instanceof Uint8Array ? utf8Text(stored) : cellText(stored)
  const kept = unescapedIn(parseJson(text))
  if (typeof kept !== 'object' || kept === null || Array.isArray(kept))
    throw new TypeError('it is not an object with a value, as the serializer of keyv writes it')
  const { expires } = kept as Kept
  if (expires !== undefined && expires !== null && !Number.isSafeInteger(expires))
    throw new TypeError('its expires is not a time in milliseconds')
  return kept
}

function unescapedIn(json: unknown): unknown {
  if (typeof json === 'string') return unescaped(json)
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map(unescapedIn)
  const made = {}
  for (const [name, value] of Object.entries(json)) setOwn(made, name, unescapedIn(value))
  return made
}

/** Keyv marks bytes by a colon and the name of their encoding, and doubles the colon of a text that begins with one. */
function unescaped(text: string): unknown {
  if (text.startsWith(':base64:')) return new Uint8Array(Buffer.from(text.slice(8), 'base64'))
  return text.startsWith(':') ? text.slice(1) : text
}

/** `users:alice` is `alice` in the namespace `users`. */
function keyOf(key: string): string[] {
  const at = key.indexOf(':')
  return at < 0 ? [key] : [key.slice(0, at), key.slice(at + 1)]
}
