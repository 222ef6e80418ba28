import { DatabaseClosedError } from '../contract/errors.ts'
import type { Driver } from '../driver/driver.ts'

/**
 * Closes a database and removes its files, once: another database may have their names afterwards. If removing them fails, it may
 * be tried again.
 */
export class Removal {
  readonly #driver: Driver
  readonly #close: () => Promise<void>
  #running: Promise<void> | null = null
  #isDone = false
  #wasTried = false

  constructor(driver: Driver, close: () => Promise<void>) {
    this.#driver = driver
    this.#close = close
  }

  /** Rejects with DatabaseClosedError if it was closed for another reason. */
  async ofOpen(isClosed: boolean): Promise<void> {
    const mayGoOn = this.#running !== null || (this.#wasTried && !this.#isDone)
    if (isClosed && !mayGoOn) throw new DatabaseClosedError()
    await this.run()
  }

  /** Does nothing if it is already done. */
  async run(): Promise<void> {
    if (this.#isDone) return
    this.#running ??= this.#remove().finally(() => {
      this.#running = null
    })
    await this.#running
  }

  async #remove(): Promise<void> {
    this.#driver.assertWritable('it stays')
    this.#wasTried = true
    await this.#close()
    await this.#driver.destroy()
    this.#isDone = true
  }
}
