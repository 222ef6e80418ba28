import { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import pg from 'pg'

const terminate = Buffer.from('X\0\0\0\u0004')
const discardAll = message('Q', 'DISCARD ALL')
/** The end of every answer: outside a transaction, and in any case without the last byte, which says that. */
const readyOutside = Buffer.from('Z\0\0\0\u0005I')
const ready = readyOutside.subarray(0, -1)
const discarded = Buffer.concat([message('C', 'DISCARD ALL'), readyOutside])
const letIn = Buffer.from('R\0\0\0\u0008\0\0\0\0')

const mostIdle = 16

function message(type: string, text: string): Buffer {
  const bytes = Buffer.from(`${type}\0\0\0\0${text}\0`)
  bytes.writeInt32BE(bytes.length - 1, 1)
  return bytes
}

function endsReady(said: Buffer): boolean {
  return said.subarray(-readyOutside.length, -1).equals(ready)
}

/** A connection to the server, whoever uses it. */
class Line {
  readonly socket = new Socket().setNoDelay(true)
  readonly settings: string
  /** What the server says when it lets a client in. */
  greeting: Buffer | null = null
  user: WarmStream | null

  constructor(settings: string, port: number, host: string, user: WarmStream) {
    this.settings = settings
    this.user = user
    this.socket.on('data', (bytes) => this.user?.hear(bytes))
    for (const event of ['end', 'timeout', 'error'] as const)
      this.socket.on(event, (...args) => this.user?.emit(event, ...args))
    this.socket.on('close', () => {
      idle.delete(this)
      this.user?.emit('close')
    })
    this.socket.connect(port, host)
  }

  /** Its number and its key are the last that the greeting says. */
  get processId(): number {
    return this.greeting!.readInt32BE(this.greeting!.length - readyOutside.length - 8)
  }
}

const idle = new Set<Line>()

/** The processes of the server whose connections wait for a client. */
export function idleProcesses(): number[] {
  return [...idle].map(({ processId }) => processId)
}

/**
 * From now on, a client of this process that ends leaves its connection, after `DISCARD ALL`, to the next one that connects with the same settings:
 * a process of the server that is new reads its catalogues first. One that is cut, or ends inside a transaction, leaves none. Returns what ends this.
 */
export function keepConnections(): () => void {
  const { connect } = pg.Client.prototype
  pg.Client.prototype.connect = function (this: pg.Client, ...args: unknown[]) {
    Object.assign((this as unknown as { connection: object }).connection, { stream: new WarmStream() })
    return Reflect.apply(connect, this, args)
  } as typeof connect
  return () => {
    pg.Client.prototype.connect = connect
    for (const { socket } of idle) socket.destroy()
  }
}

/** What a client of `pg` takes for its socket. */
class WarmStream extends EventEmitter {
  #address: readonly [port: number, host: string] = [0, '']
  #line: Line | null = null
  #isDestroyed = false
  /** What the server has said until it lets the client in; null from then on. */
  #greeting: Buffer[] | null = []
  /** What it has said since the client ends. */
  #farewell: Buffer[] | null = null

  get destroyed(): boolean {
    return this.#line?.socket.destroyed ?? this.#isDestroyed
  }

  get writable(): boolean {
    return this.#line?.socket.writable ?? !this.#isDestroyed
  }

  get bytesRead(): number {
    return this.#line?.socket.bytesRead ?? 0
  }

  connect(port: number, host: string): void {
    this.#address = [port, host]
    process.nextTick(() => this.emit('connect'))
  }

  write(bytes: Buffer): boolean {
    const line = this.#line
    if (line === null) this.#begin(bytes)
    else if (bytes.equals(terminate) && idle.size < mostIdle) {
      this.#farewell = []
      line.socket.write(discardAll)
    } else return line.socket.write(bytes)
    return true
  }

  #begin(startup: Buffer): void {
    const [port, host] = this.#address
    const settings = `${host}:${port} ${startup.toString('latin1')}`
    const warm = [...idle].findLast((line) => line.settings === settings)
    if (warm === undefined) {
      this.#line = new Line(settings, port, host, this)
      this.#line.socket.write(startup)
      return
    }
    idle.delete(warm)
    warm.user = this
    warm.socket.ref()
    this.#line = warm
    this.#greeting = null
    process.nextTick(() => this.emit('data', warm.greeting))
  }

  hear(bytes: Buffer): void {
    if (this.#farewell !== null) {
      this.#farewell.push(bytes)
      this.#leave(Buffer.concat(this.#farewell))
      return
    }
    if (this.#greeting !== null) {
      this.#greeting.push(bytes)
      const said = Buffer.concat(this.#greeting)
      if (endsReady(said)) {
        this.#line!.greeting = said.subarray(said.indexOf(letIn))
        this.#greeting = null
      }
    }
    this.emit('data', bytes)
  }

  #leave(said: Buffer): void {
    const line = this.#line!
    if (said.subarray(-discarded.length).equals(discarded)) {
      const before = said.subarray(0, -discarded.length)
      if (before.length > 0) this.emit('data', before)
      line.user = null
      line.socket.setTimeout(0).unref()
      idle.add(line)
      this.#line = null
      this.#isDestroyed = true
      process.nextTick(() => this.emit('close'))
    } else if (endsReady(said) && said.at(-1) !== readyOutside.at(-1)) {
      // The client ends inside a transaction, which ends with the connection.
      this.#farewell = null
      line.socket.end(terminate)
    }
  }

  end(): void {
    this.#line?.socket.end()
  }

  destroy(error?: Error): void {
    if (this.#line !== null) {
      this.#line.socket.destroy(error)
      return
    }
    this.#isDestroyed = true
    process.nextTick(() => {
      if (error !== undefined) this.emit('error', error)
      this.emit('close')
    })
  }

  setTimeout(after: number): void {
    this.#line?.socket.setTimeout(after)
  }
  cork(): void {
    this.#line?.socket.cork()
  }
  uncork(): void {
    this.#line?.socket.uncork()
  }
  ref(): void {
    this.#line?.socket.ref()
  }
  unref(): void {
    this.#line?.socket.unref()
  }
  setKeepAlive(): void {}
  setNoDelay(): void {}
}
