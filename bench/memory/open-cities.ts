import { Valkeyrie } from 'valkeyrie'
import { citySchema } from '../values/cities.ts'

export const openCities = (path: string) => Valkeyrie.withSchema(['cities', '*'], citySchema).open(path)
