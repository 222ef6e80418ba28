import { Valkeyrie } from 'valkeyrie'
import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => {
  vi.restoreAllMocks()
})

test('a Node.js that the engine does not support is told so, and its binary is not loaded', async () => {
  vi.spyOn(process, 'versions', 'get').mockReturnValue({ ...process.versions, node: '20.20.2' })
  const opening = Valkeyrie.open()
  await expect(opening).rejects.toMatchObject({ name: 'DatabaseOpenError', code: 'DATABASE_OPEN' })
  await expect(opening).rejects.toThrow(/needs Node\.js 22 or newer, and this is 20\.20\.2: upgrade/)
})
