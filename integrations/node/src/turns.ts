// Whose turn it is to move the time that workers share.

/** Who has asked for something, and is told when it is theirs. */
interface Request {
  who: object;
  moves: boolean;
  granted: () => void;
}

/**
 * Lets many take codes of the time that it is, or one move it.
 *
 * Who took a code keeps time where it is until it asks again, ends, or `patience` is over. Who waits keeps nothing, so
 * nobody waits for another in a circle; requests are served in order, so nobody waits for ever.
 * @internal
 */
export class Turns {
  readonly #still = new Map<object, NodeJS.Timeout>();
  readonly #queue: Request[] = [];
  readonly #patience: number;
  #moving: object | undefined;

  constructor(patience: number) {
    this.#patience = patience;
  }

  /** Asks for time to stand still, or to move it; gives back what was had before. */
  ask(who: object, moves: boolean): Promise<void> {
    this.#drop(who);
    return new Promise((granted) => {
      this.#queue.push({ who, moves, granted });
      this.#next();
    });
  }

  /** Keeps time still from now on, after it was moved, or for as long again. */
  keep(who: object): void {
    if (this.#moving !== who && !this.#still.has(who)) return;
    if (this.#moving === who) this.#moving = undefined;
    this.#hold(who);
    this.#next();
  }

  /** Gives back what was had, and asks for nothing any more. */
  free(who: object): void {
    this.#drop(who);
    const left = this.#queue.filter((request) => request.who !== who);
    this.#queue.splice(0, this.#queue.length, ...left);
    this.#next();
  }

  #drop(who: object): void {
    clearTimeout(this.#still.get(who));
    this.#still.delete(who);
    if (this.#moving === who) this.#moving = undefined;
  }

  #hold(who: object): void {
    clearTimeout(this.#still.get(who));
    this.#still.set(who, setTimeout(() => this.free(who), this.#patience));
  }

  #next(): void {
    while (this.#moving === undefined) {
      const [first] = this.#queue;
      if (first === undefined || (first.moves && this.#still.size > 0)) return;
      this.#queue.shift();
      if (first.moves) this.#moving = first.who;
      else this.#hold(first.who);
      first.granted();
    }
  }
}
