import { type OpenOptions, Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { describeEngine } from '../engines.ts'

it('a schema in an address is checked as the option is', async () => {
  await expect(Valkeyrie.open('postgres://localhost/shop?schema=pg_shop')).rejects.toThrow(
    'PostgreSQL keeps this name of a schema for itself',
  )
  await expect(Valkeyrie.open('postgres://localhost/shop?schema=')).rejects.toThrow(
    'schema must be the name of a schema',
  )
})

it('a schema does not end what stands around the functions that contain its name', async () => {
  await expect(Valkeyrie.open('postgres://localhost/shop', { schema: 'a$kv$b' })).rejects.toThrow(
    new TypeError('schema must not contain $kv$: choose another name'),
  )
})

it.each(['12/34', '12?34', '12#34', 'x@12/34', '1/2?34', '1/2#34'])(
  'shows nothing of the password %s, which cuts the address in two',
  async (password) => {
    const address = `postgres://nobody:${password}@localhost/shop`
    await expect(Valkeyrie.open(address, { connectTimeout: 1 })).rejects.toMatchObject({
      message: expect.stringMatching(/^Cannot open postgres:\/\/…: (?!.*[0-9])/),
    })
  },
)

it('a folder of sockets may stand for the host, in its place or among the options', async () => {
  const open = (address: string) =>
    Valkeyrie.open(address, { connectTimeout: 1 }).catch((error: unknown) => String(error))
  const folder = '/no/such/folder:of:sockets'
  const inPlace = await open(`postgres://shop:secret@${encodeURIComponent(folder)}/shop`)
  expect(inPlace).toContain(`no server answers at ${encodeURIComponent(folder)}`)
  expect(await open(`postgres://shop:secret@/shop?host=${folder}`)).toBe(inPlace)
  // Whose host is meant is for the environment to say, of which we know nothing.
  expect(await open('postgres://shop:secret@/shop')).toContain('is not an address')
})

it('connections is the most that a process opens, at least three', async () => {
  const open = (options: object) => Valkeyrie.open('postgres://localhost/shop', options)
  await expect(open({ connections: 2 })).rejects.toThrow('connections must be a whole number of at least 3')
  await expect(open({ connections: 2.5 })).rejects.toThrow('connections must be a whole number of at least 3')
  await expect(open({ poolSize: 4 })).rejects.toThrow("There is no option 'poolSize'")
})

it('has no options of a file', async () => {
  const options: OpenOptions = { durability: 'full' }
  await expect(Valkeyrie.open('postgres://localhost/shop', options)).rejects.toThrow(
    new TypeError(
      "The option 'durability' of open is one of SQLite, but this is the address of a PostgreSQL server: leave it out",
    ),
  )
})

describeEngine('postgres', 'an address', (engine) => {
  it('says that there is no such user, or no such database', async () => {
    const refused = async (change: (url: URL) => void) => {
      const url = new URL(engine.newAddress())
      change(url)
      return Valkeyrie.open(url.href).catch((error) => error)
    }
    const ofUser = await refused((url) => Object.assign(url, { username: 'ghost', password: 'none' }))
    expect(ofUser).toMatchObject({ code: 'DATABASE_OPEN' })
    // Where users have passwords, the server does not say which of the two is wrong.
    expect(ofUser.message).toMatch(
      ofUser.cause.code === '28000'
        ? /no user of this name who may log in/
        : /refuses the user or the password/,
    )
    // Nobody may log in by the name of a group: the server has it, and yet says what it says of a role that is missing.
    const group = `group_${process.pid}_${Date.now()}`
    await using db = await Valkeyrie.open(engine.newAddress() as `postgres://${string}`, {
      destroyOnClose: true,
    })
    await db.drizzle.execute(`create role ${group} nologin password 'none'`)
    const ofGroup = await refused((url) => Object.assign(url, { username: group, password: 'none' }))
    await db.drizzle.execute(`drop role ${group}`)
    expect(ofGroup.message).toMatch(/no user of this name who may log in: create the role with LOGIN/)
    const ofDatabase = await refused((url) => Object.assign(url, { pathname: '/ghost' }))
    expect(ofDatabase).toMatchObject({ code: 'DATABASE_OPEN' })
    expect(ofDatabase.message).toMatch(/no such database: create it first/)
  })

  it('names its host and its port among its options, where pg takes them too', async () => {
    const { username, password, hostname, port, pathname, searchParams } = new URL(engine.newAddress())
    searchParams.set('host', hostname)
    searchParams.set('port', port)
    await using db = await Valkeyrie.open(`postgres://${username}:${password}@${pathname}?${searchParams}`)
    await db.set(['a'], 1)
    expect((await db.get(['a'])).value).toBe(1)
  })

  it('names the schema that keeps the database, as the option does', async () => {
    const address = engine.newAddress()
    await using db = await Valkeyrie.open(address)
    await db.set(['a'], 1)
    const url = new URL(address)
    const schema = url.searchParams.get('schema')!
    url.searchParams.delete('schema')
    await using same = await Valkeyrie.open(url.href, { schema })
    expect((await same.get(['a'])).value).toBe(1)
    // The option says more than the address.
    const other = new URL(engine.newAddress()).searchParams.get('schema')!
    await using another = await Valkeyrie.open(address, { schema: other })
    expect((await another.get(['a'])).value).toBeNull()
  })
})
