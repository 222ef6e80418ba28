/**
 * The statement that creates an index of `kv`, as `open` would write it, where drizzle-kit has written it with other quotes and spaces: the
 * text in the file is what tells whether an index is the declared one. Any other statement stays as it is.
 *
 * ```ts
 * ownIndex("CREATE INDEX `kv_a_b` ON `kv` (value ->> '$.b',`key`) WHERE collection = 'a';")
 * // `CREATE INDEX "kv_a_b" ON "kv" (value ->> '$.b', "key") WHERE collection = 'a'`
 * ```
 */
export function ownIndex(statement: string): string {
  if (!/^CREATE (UNIQUE )?INDEX `[^`]+` ON `kv` /.test(statement)) return statement
  return statement
    .replace(/;$/, '')
    .split(/('(?:[^']|'')*')/)
    .map((part, at) => (at % 2 === 1 ? part : part.replaceAll('`', '"').replaceAll(/,\s*/g, ', ')))
    .join('')
}
