/** Throws a TypeError if this is not an address of a PostgreSQL server. */
export function postgresAddress(given: string | URL): string {
  const text = withHost(given instanceof URL ? given.href : given)
  // The error of URL would show the whole address.
  if (URL.canParse(text) && isDecodable(new URL(text))) {
    const schema = schemaOf(text)
    if (schema !== null) checkSchema(schema)
    return text
  }
  throw new TypeError(
    `${shownAddress(text)} is not an address: write postgres://user:password@host:5432/database, and each @ : / % in a password as %40 %3A %2F %25`,
  )
}

/**
 * `postgres://shop@/shop?host=/run/postgresql`, which `pg` takes and `URL` does not, with its host in its place. Any other text stays as
 * it is.
 */
function withHost(text: string): string {
  const filled = text.replace(/^([a-z]+:\/\/[^/?#@]*@)\//i, '$1localhost/')
  if (filled === text || !URL.canParse(filled)) return text
  const url = new URL(filled)
  const host = url.searchParams.get('host')
  if (host === null || host === '') return text
  url.searchParams.delete('host')
  url.hostname = encodeURIComponent(host)
  return url.href
}

/** The schema in an address, as in `?schema=shop`. */
export function schemaOf(address: string): string | null {
  return new URL(address).searchParams.get('schema')
}

/** An address for the server's own tools, which do not know the option `schema`. */
export function serverOf(address: string): string {
  if (schemaOf(address) === null) return address
  const url = new URL(address)
  url.searchParams.delete('schema')
  return url.href
}

/** The database that an address names with escapes, as in `/a%2Fb`; null if it has none. */
export function databaseOf(address: string): string | null {
  const { pathname } = new URL(address)
  return pathname.includes('%') ? decodeURIComponent(pathname.slice(1)) : null
}

/** The schema of a database if nobody names one. */
export const defaultSchema = 'valkeyrie'

/** An address with this schema. */
export function withSchema(address: string, schema: string): string {
  const url = new URL(address)
  url.searchParams.set('schema', schema)
  return url.href
}

/** The longest name that PostgreSQL does not truncate, in bytes, minus the prefix of our channel. */
const longestSchema = 50

/** Throws a TypeError if this is not a valid name of a schema. */
export function checkSchema(schema: string): void {
  if (typeof schema !== 'string' || schema.trim() === '' || Buffer.byteLength(schema) > longestSchema)
    throw new TypeError(
      `schema must be the name of a schema of the server, of at most ${longestSchema} bytes`,
    )
  if (schema.includes('\0') || /^pg_/i.test(schema) || schema === 'information_schema')
    throw new TypeError('PostgreSQL keeps this name of a schema for itself: choose another one')
  // The bodies of functions contain the name, between these signs.
  if (schema.includes('$kv$')) throw new TypeError('schema must not contain $kv$: choose another name')
}

function isDecodable({ username, password, pathname }: URL): boolean {
  try {
    return [username, password, pathname].every((part) => decodeURIComponent(part) !== undefined)
  } catch {
    return false
  }
}

/** An address for messages: without user, password and options. */
export function shownAddress(address: string): string {
  if (!URL.canParse(address) || isCut(address)) return `${address.slice(0, address.indexOf(':') + 1)}//…`
  const { protocol, host, pathname } = new URL(address)
  return `${protocol}//${host}${pathname}`
}

/** The host and the port of an address, for messages. */
export function shownHost(address: string): string {
  return isCut(address) ? '…' : new URL(address).host
}

/** Whether an address may be cut in two by a `/`, a `?` or a `#` in its password: then what seems to be its host is the user. */
function isCut(address: string): boolean {
  return /^[^:]*:\/\/[^/?#]*(?:\/[^?#]*@|[^?#]*\?[^=]*@|.*#.*@)/s.test(address)
}

export function isPostgresAddress(given: unknown): given is string {
  return typeof given === 'string' && /^postgres(ql)?:\/\//i.test(given)
}
