// The two names beyond those of every room that this binding uses: a timer, which every runtime of React has. Declared here so that
// neither DOM nor Node is in reach of the binding. Hands out types only: nothing here is emitted.

declare function setTimeout(run: () => void, delayMs: number): unknown
declare function clearTimeout(timer: unknown): void
