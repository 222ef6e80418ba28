/** Counts the turns of the event loop from its making on. */
export class EventLoopTurns implements Disposable {
  count = 0
  #isOver = false

  constructor() {
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.count += 1
    if (!this.#isOver) setImmediate(this.#turn)
  };

  [Symbol.dispose](): void {
    this.#isOver = true
  }
}
