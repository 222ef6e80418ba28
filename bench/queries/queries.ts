import type { City } from '../values/cities.ts'
import type { Place } from './indexed-cities.ts'

export interface Found {
  readonly value: City
}

/** The three questions; each gives the entries with their values. */
export interface Queries {
  one(place: Place): Found | null | Promise<Found | null>
  page(place: Place): readonly Found[] | Promise<readonly Found[]>
  nextPage(place: Place): readonly Found[] | Promise<readonly Found[]>
  close(): unknown
}

/** Opens a file of cities. */
export type OpenQueries = (path: string) => Queries | Promise<Queries>
