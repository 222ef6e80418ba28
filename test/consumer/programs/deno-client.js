// Run by Deno: what its own client of KV Connect finds at an address.
const kv = await Deno.openKv(Deno.args[0])
const told = []

const value = { at: new Date(0), bytes: new Uint8Array([1, 2]), map: new Map([[1n, 'one']]), text: 'ž' }
await kv.set(['a', 1], value)
const read = await kv.get(['a', 1])
told.push(Deno.inspect(read.value) === Deno.inspect(value) && read.versionstamp.length === 20)

await kv.set(['n'], new Deno.KvU64(5n))
await kv.atomic().sum(['n'], 3n).commit()
told.push(String((await kv.get(['n'])).value))
told.push(
  (
    await kv
      .atomic()
      .check({ key: ['n'], versionstamp: null })
      .set(['n'], 1)
      .commit()
  ).ok,
)

const { versionstamp } = await kv.set(['log', kv.commitVersionstamp()], 'stamped')
told.push((await kv.get(['log', versionstamp])).value)

const list = kv.list({ prefix: [] }, { batchSize: 1, reverse: true })
told.push((await Array.fromAsync(list, ({ key }) => key[0])).join())

const reader = kv.watch([['n'], ['w']]).getReader()
told.push((await reader.read()).value[1].value)
await kv.set(['w'], 'watched')
told.push((await reader.read()).value[1].value)
await reader.cancel()

told.push(await kv.set(['n'], 'x'.repeat(65_536)).catch(({ message }) => message))
kv.close()
console.log(JSON.stringify(told))
Deno.exit(0)
