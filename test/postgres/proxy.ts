import { once } from 'node:events'
import { createServer, connect as dial, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** Stands between a client and a server, and does harm on request. */
export interface Proxy {
  /** The address to give to the client. */
  readonly url: string
  /** Cuts each connection when the server answers its commit, up to this many; the answer is lost. */
  dropAnswers(connections: number): void
  /** Cuts each client off when it next commits something that holds this text; the server gets that when `deliver` is called. */
  holdRequests(connections: number, text?: string): void
  /** Gives the server what was held. Resolves once the server has done it, and closed the connection. */
  deliver(): Promise<void>
  /** Delays each answer by this many milliseconds. */
  delay(milliseconds: number): void
  /**
   * Swallows all that is sent on the connections that there are, to and fro, and leaves them open; with `all`, also on those that are
   * being opened, now or later. With `next commit`, all that comes on a connection once it has sent a commit; with `half of the next
   * commit`, the last statement of that, too.
   */
  hush(which: 'those there are' | 'all' | 'next commit' | 'half of the next commit'): void
  /** Lets new connections through again. Those that were hushed stay so. */
  unhush(): void
  /** How many connections there are. */
  readonly open: number
  /** How often a client had to wait for an answer before it sent more. */
  readonly rounds: number
  /** How often the server was ready for more, having answered what it was asked. */
  readonly answered: number
  /** How often something was swallowed. */
  readonly swallowed: number
  /** Cuts all connections; new ones go to the server at this address. */
  retarget(address: string): void
  /** Takes no further connections, and cuts those that there are. */
  refuse(): void
  /** How many connections have been harmed. */
  readonly harmed: number
  /** Cuts all connections, and takes none any more. */
  end(): void
}

/** How this message begins: its letter and its length. */
const readyForQuery = 'Z\0\0\0\u0005'

/** Stands before the server at this address until it is ended. `isCommit`: whether a request is of those that are harmed. */
export async function openProxy(address: string, isCommit = isOfCommit): Promise<Proxy> {
  let target = new URL(address)
  let delayed = 0
  const sockets = new Set<Socket>()
  const held: { readonly server: Socket; readonly bytes: Buffer }[] = []
  let dropping = 0
  let holding = 0
  let heldText = ''
  let harmed = 0
  let isOpen = true
  let isHushed = false
  let open = 0
  let swallowed = 0
  let rounds = 0
  let answered = 0
  let hushing: 'no' | 'next commit' | 'half of the next commit' = 'no'
  /** Those that were hushed: everything of them is swallowed. */
  const hushed = new WeakSet<Socket>()
  /** Those on which the server has been ready. */
  const opened = new WeakSet<Socket>()
  const proxy = createServer((client) => {
    if (!isOpen) return void client.destroy()
    const server = dial(Number(target.port), target.hostname)
    sockets.add(client).add(server)
    open += 1
    if (isHushed) hushed.add(client)
    let isCut = false
    let hasCommitted = false
    let isAnswered = true
    let late = 0
    let lastLate: Promise<void> | undefined
    /** In order: what comes behind a delayed answer waits for it. */
    const answer = (bytes: Buffer) => {
      if (delayed === 0 && late === 0) return void client.write(bytes)
      late += 1
      const before = lastLate
      const wait = pause(delayed)
      lastLate = (async () => {
        await Promise.all([before, wait])
        late -= 1
        client.write(bytes)
      })()
    }
    client.on('data', (bytes) => {
      if (isAnswered) rounds += 1
      isAnswered = false
      if (hushed.has(client)) return void swallowed++
      hasCommitted ||= isCommit(bytes)
      if (hushing !== 'no' && isCommit(bytes)) {
        harmed += 1
        hushed.add(client)
        server.write(hushing === 'next commit' ? bytes : bytes.subarray(0, bytes.lastIndexOf('commit')))
        hushing = 'no'
        return
      }
      if (holding === 0 || !isCommit(bytes) || !bytes.includes(heldText)) return void server.write(bytes)
      holding -= 1
      harmed += 1
      isCut = true
      held.push({ server, bytes })
      client.destroy()
    })
    server.on('data', (bytes) => {
      isAnswered = true
      const ready = bytes.toString('latin1').split(readyForQuery).length - 1
      answered += ready
      if (ready > 0) opened.add(client)
      if (isCut) return
      if (hushed.has(client)) return void swallowed++
      if (dropping === 0 || !hasCommitted) {
        answer(bytes)
        return
      }
      dropping -= 1
      harmed += 1
      isCut = true
      client.destroy()
      server.end()
    })
    client.on('error', () => {})
    server.on('error', () => {})
    client.on('close', () => {
      open -= 1
      if (!isCut) server.destroy()
    })
    server.on('close', () => client.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  const refuse = () => {
    isOpen = false
    cut()
  }
  const own = new URL(address)
  own.port = String((proxy.address() as { port: number }).port)
  return {
    url: own.href,
    dropAnswers: (connections) => {
      dropping = connections
    },
    holdRequests: (connections, text = '') => {
      holding = connections
      heldText = text
    },
    async deliver() {
      await Promise.all(
        held.splice(0).map(async ({ server, bytes }) => {
          const closed = once(server, 'close')
          server.write(bytes)
          server.end()
          server.resume()
          await closed
        }),
      )
    },
    delay(milliseconds) {
      delayed = milliseconds
    },
    hush(which) {
      if (which === 'next commit' || which === 'half of the next commit') hushing = which
      else for (const socket of sockets) if (which === 'all' || opened.has(socket)) hushed.add(socket)
      isHushed = which === 'all'
    },
    unhush() {
      isHushed = false
    },
    get open() {
      return open
    },
    get rounds() {
      return rounds
    },
    get answered() {
      return answered
    },
    get swallowed() {
      return swallowed
    },
    retarget(address) {
      target = new URL(address)
      cut()
    },
    refuse,
    get harmed() {
      return harmed
    },
    end() {
      refuse()
      proxy.close()
    },
  }
}

/** Whether a request runs the statement that commits. */
function isOfCommit(bytes: Buffer): boolean {
  return bytes.includes('valkeyrie_commit')
}
