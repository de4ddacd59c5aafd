// Reads a live stream: text in pieces, cut anywhere, becomes server-sent events (text/event-stream of the HTML standard), of which it
// knows what the wire uses: names, data and comments. Ids and times to try again are for a browser's EventSource, which asks by itself;
// here the sync loop does. Bytes, and the mark at their beginning, are the decoder's. What an event means is live.ts.

/** What is heard of a stream. */
export interface EventListener {
  /** One event; without a name of its own it is a `message`. */
  event(name: string, data: string): void
  /** A comment: the other side is there. */
  heartbeat(): void
  /** An event grew longer than is read; the stream is to be ended. */
  tooLong(): void
}

/** Gives what takes the pieces. An event of more than `maxLength` characters is not waited for. */
export function createEventReader(
  maxLength: number,
  { event, heartbeat, tooLong }: EventListener,
): (piece: string) => void {
  /** The line whose end has not come yet. */
  let begun = ''
  let name = ''
  let data: string[] = []
  /** How long the data of the event is so far. */
  let length = 0
  /** The last piece ended in a carriage return: a line feed that comes next belongs to it. */
  let isReturned = false

  const take = (line: string): void => {
    if (line === '') {
      if (data.length > 0) event(name || 'message', data.join('\n'))
      name = ''
      data = []
      length = 0
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return heartbeat()
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') name = value
    if (field === 'data') {
      data.push(value)
      length += value.length
    }
  }

  return (piece) => {
    if (piece === '') return
    const lines = (isReturned && piece.startsWith('\n') ? piece.slice(1) : piece).split(/\r\n?|\n/)
    isReturned = piece.endsWith('\r')
    const unfinished = lines.pop() as string
    for (const line of lines) {
      take(begun + line)
      begun = ''
    }
    begun += unfinished
    if (begun.length + length > maxLength) tooLong()
  }
}
