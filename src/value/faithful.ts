export function assertFaithful(_value: unknown): { cycle: string | null } {
  return { cycle: null }
}
