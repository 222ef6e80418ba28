const colors: Readonly<Record<string, string>> = {
  'by hand': '#7f7f7f',
  valkeyrie: '#d62728',
  'valkeyrie repository': '#ff7f0e',
  'pg by hand': '#7f7f7f',
  'pg upserts': '#bcbd22',
  Drizzle: '#8c564b',
  'valkeyrie 0.8': '#1f77b4',
  '@deno/kv': '#2ca02c',
  keyv: '#9467bd',
  lmdb: '#17becf',
}

/** Each contender has the same color in all charts. */
export const colorOf = (contenders: readonly string[]) => ({
  field: 'contender',
  type: 'nominal',
  sort: contenders,
  scale: { domain: contenders, range: contenders.map((name) => colors[name] ?? 'black') },
})
