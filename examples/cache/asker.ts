// Asks for one forecast many times at once, and prints how many fetches that took; or dies in the midst of the fetch.
import { cacheOf, fetchForecast, openForecasts } from './forecasts.ts'

const [path, city, questions, dies] = process.argv.slice(2)
await using forecasts = await openForecasts(path!)
// Others wait so long for one that has died.
const cache = cacheOf(forecasts, dies === 'dies' ? 1_000 : undefined)

let fetches = 0
const ask = () =>
  cache.getOrFetch([city!, 'today'], async (signal) => {
    fetches += 1
    if (dies === 'dies') process.kill(process.pid, 'SIGKILL')
    return fetchForecast(city!, signal)
  })
await Promise.all(Array.from({ length: Number(questions) }, ask))
console.log(fetches)
