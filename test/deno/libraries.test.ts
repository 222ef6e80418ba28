import { createStorage } from 'unstorage'
import denoKv from 'unstorage/drivers/deno-kv'
import { openKv } from 'valkeyrie/deno'
import { expect, it, onTestFinished } from 'vitest'
import { sharedAddresses } from '../shared-addresses.ts'
import { stillClock } from '../still-clock.ts'

const path = sharedAddresses()

it('the driver of unstorage for Deno KV runs unchanged', async () => {
  const clock = stillClock()
  const kv = await openKv(path('unstorage.db'))
  onTestFinished(() => kv[Symbol.dispose]())
  // Its types are those of Deno.
  const storage = createStorage({ driver: denoKv({ base: 'app', openKv: async () => kv as never }) })
  await storage.setItem('pages:home', { title: 'Home' })
  await storage.setItem('pages:news', 'News', { ttl: 60 })
  await storage.setItemRaw('logo', new Uint8Array([1, 2]))
  expect(await storage.getItem('pages:home')).toEqual({ title: 'Home' })
  expect(await storage.getItemRaw('logo')).toEqual(new Uint8Array([1, 2]))
  expect((await storage.getKeys()).sort()).toEqual(['logo', 'pages:home', 'pages:news'])
  clock.advance(61_000)
  expect(await storage.getKeys('pages')).toEqual(['pages:home'])
  await storage.removeItem('logo')
  for (let i = 0; i < 250; i += 1) await storage.setItem(`many:${i}`, i)
  expect(await storage.getKeys('many')).toHaveLength(250)
  await storage.clear()
  expect(await storage.getKeys()).toEqual([])
  await storage.dispose()
})
