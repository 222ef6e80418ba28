/** Throws a TypeError for what is no address of a PostgreSQL server. */
export function postgresAddress(given: string | URL): string {
  const text = given instanceof URL ? given.href : given
  // The error of URL would show all of it.
  if (URL.canParse(text) && isDecodable(new URL(text))) return text
  throw new TypeError(
    `${shownAddress(text)} is no address: write postgres://user:password@host:5432/database, and each @ : / % in a password as %40 %3A %2F %25`,
  )
}

function isDecodable({ username, password, pathname }: URL): boolean {
  try {
    return [username, password, pathname].every((part) => decodeURIComponent(part) !== undefined)
  } catch {
    return false
  }
}

/** An address for messages: a user, a password and options have no place in one. */
export function shownAddress(address: string): string {
  if (!URL.canParse(address)) return `${address.slice(0, address.indexOf(':') + 1)}//…`
  const { protocol, host, pathname } = new URL(address)
  return `${protocol}//${host}${pathname}`
}

export function isPostgresAddress(given: unknown): given is string {
  return typeof given === 'string' && /^postgres(ql)?:\/\//i.test(given)
}
