// Server-sent events as a device reads them from a stream of text: the lines of the WHATWG standard, in whatever pieces they come.
// Of its fields only `event` and `data` mean something here; `id`, `retry` and unknown ones are passed over. What an event says is
// live.ts; who opens the stream and watches its silence is the host.

/**
 * Makes the reader of one stream. `hear` is called with the name and the data of each event («message» if it has no name), and with two
 * empty texts for a comment, which is a sign of life. The reader is fed with pieces of text, and answers false when an event that is
 * not over has more than `maxLength` characters: then the stream is to be given up.
 */
export function createEventReader(
  maxLength: number,
  hear: (name: string, data: string) => void,
): (piece: string) => boolean {
  let line = ''
  let name = ''
  let data: string[] = []
  let length = 0
  let endsWithCr = false

  const take = (ended: string): void => {
    if (ended === '') {
      const said = data
      const called = name || 'message'
      name = ''
      data = []
      length = 0
      if (said.length > 0) hear(called, said.join('\n'))
    } else if (ended.startsWith(':')) hear('', '')
    else {
      const [, field, value = ''] = /^([^:]*):? ?(.*)/s.exec(ended) ?? []
      if (field === 'event') name = value
      if (field === 'data') {
        data.push(value)
        length += value.length
      }
    }
  }

  return (piece) => {
    // Only the piece is searched for ends of lines: a frame may come in a hundred of them. CR and LF may come in two.
    const lines = (endsWithCr ? piece.replace(/^\n/, '') : piece).split(/\r\n?|\n/)
    if (piece !== '') endsWithCr = piece.endsWith('\r')
    lines[0] = line + lines[0]
    line = lines.pop() ?? ''
    lines.forEach(take)
    return length + line.length <= maxLength
  }
}
