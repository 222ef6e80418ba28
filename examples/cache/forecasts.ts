import { setTimeout as delay } from 'node:timers/promises'
import type { OpenOptions } from 'valkeyrie'
import { z } from 'zod'
import { Cache, type CachedValues, openCachedValues } from './cache.ts'

/** `null` where the service has none: that is an answer too, and is cached. */
const forecast = z.object({ celsius: z.int() }).nullable()
type Forecast = z.infer<typeof forecast>

export function openForecasts(path: string, options?: OpenOptions): Promise<CachedValues<Forecast>> {
  return openCachedValues(forecast, path, options)
}

/** Forecasts by city and day. A service that takes longer than the lease, in milliseconds, is asked again. */
export function cacheOf(forecasts: CachedValues<Forecast>, lease = 600_000): Cache<Forecast> {
  return new Cache(forecasts, { ttl: 3_600_000, lease })
}

/** Asks a service that is slow. */
export async function fetchForecast(city: string, signal: AbortSignal): Promise<Forecast> {
  await delay(100, undefined, { signal })
  return city === 'Atlantis' ? null : { celsius: city.length }
}
