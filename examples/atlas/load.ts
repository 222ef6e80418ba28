import type { Atlas } from './atlas.ts'
import { readCities, readCountries } from './packages.ts'
import { startProgress } from './progress.ts'

/** Fills the atlas from the two packages, unless an earlier run has done so. */
export async function loadAtlas(atlas: Atlas, place: string): Promise<void> {
  const { countries, cities, loaded } = atlas.repositories
  const counts = { countries: await countries.count(), cities: await cities.count() }
  const { value: expected } = await loaded.get()
  if (expected?.countries === counts.countries && expected.cities === counts.cities) {
    console.log(
      `Reusing ${place}: ${counts.countries} countries and ${counts.cities} cities are in it already.`,
    )
    return
  }
  if (counts.countries + counts.cities > 0) {
    console.log(`${place} is not complete: starting over.`)
    await atlas.clear()
  }
  console.log(`Loading ${place}; each value is held against its schema.`)
  const countryItems = readCountries().map((country) => [country.cca2, country] as const)
  await withProgress('countries', countryItems, (onProgress) =>
    countries.insertMany(countryItems, { onProgress }),
  )
  const cityItems = readCities().map((city) => [[city.country, city.cityId], city] as const)
  await withProgress('cities   ', cityItems, (onProgress) => cities.insertMany(cityItems, { onProgress }))
  await loaded.set({ countries: countryItems.length, cities: cityItems.length })
}

async function withProgress(
  title: string,
  items: readonly unknown[],
  load: (onProgress: (done: number) => void) => Promise<unknown>,
): Promise<void> {
  const progress = startProgress(title, items.length)
  try {
    await load((done) => progress.update(done))
  } finally {
    progress.stop()
  }
}
