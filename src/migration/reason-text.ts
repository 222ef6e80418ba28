interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Why a value is refused, on one line, for a reader who sees its key beside it. */
export function reasonText(error: unknown): string {
  const issues = (error as { readonly issues?: readonly Issue[] } | null)?.issues
  if (Array.isArray(issues)) return issues.map(issueText).join('; ')
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ')
}

function issueText({ message, path = [] }: Issue): string {
  const names = path.map((part) => String(typeof part === 'object' ? part.key : part))
  return names.length === 0 ? message : `${names.join('.')}: ${message}`
}
