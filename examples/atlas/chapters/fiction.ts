import type { Atlas } from '../atlas.ts'

/** Countries that the walk adds: ISO 3166 leaves their codes to whoever wants to use them. */
const fictional = ['XX', 'ZZ']

/** Removes what the walk adds to the atlas, so that it can be taken again. */
export async function removeFiction(atlas: Atlas): Promise<void> {
  const { countries, cities } = atlas.repositories
  for (const code of fictional) {
    await countries.delete(code)
    for await (const { id } of cities.list({ prefix: [code] })) await cities.delete(id)
  }
  for await (const { key } of atlas.list({ prefix: ['visits'] })) await atlas.delete(key)
}

/** A country that is in no atlas. */
export const atlantis = {
  name: { common: 'Atlantis', official: 'Kingdom of Atlantis', native: {} },
  tld: [],
  cca2: 'ZZ',
  ccn3: '',
  cca3: 'ZZZ',
  cioc: '',
  independent: true,
  status: 'user-assigned' as const,
  unMember: false,
  unRegionalGroup: '',
  currencies: {},
  idd: { root: '', suffixes: [] },
  capital: ['Poseidonis'],
  altSpellings: [],
  region: 'Europe' as const,
  subregion: '',
  languages: {},
  translations: {},
  latlng: [31.2, -24.3] as [number, number],
  demonyms: {},
  landlocked: false,
  borders: [],
  area: 120_000,
  flag: '🔱',
}

/** Its capital. */
export const poseidonis = {
  cityId: 1,
  name: 'Poseidonis',
  altName: '',
  country: 'ZZ',
  featureCode: 'PPLC',
  adminCode: '',
  population: 360,
  loc: { type: 'Point' as const, coordinates: [-24.3, 31.2] as [number, number] },
}
