import { createHash } from 'node:crypto'

/**
 * The name under which a connection keeps a statement. Equal names are equal statements: behind a pooler that gives a connection's names
 * to whoever comes, a name that said less could run the statement of another schema.
 */
export function statementName(kind: string, text: string): string {
  return `valkeyrie_${kind}_${createHash('sha1').update(text).digest('base64url').slice(0, 16)}`
}
