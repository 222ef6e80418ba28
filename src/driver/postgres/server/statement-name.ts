import { createHash } from 'node:crypto'

/**
 * The name under which a connection keeps a statement. Equal names mean equal statements: a pooler shares a connection's names, so
 * a less specific name could run the statement of another schema.
 */
export function statementName(kind: string, text: string): string {
  return `valkeyrie_${kind}_${createHash('sha1').update(text).digest('base64url').slice(0, 16)}`
}
