// Reads the body of a request or an answer as text: whole, within a limit, and only if it is UTF-8. What is too long is refused as
// soon as that is known, by its declared length or by the count, and not read to its end.
import type { IncomingMessage } from 'node:http'

/** Why a body was not taken: it is longer than the limit, it is not UTF-8, or the connection was lost before its end. */
export type Unreadable = 'long' | 'garbled' | 'cut'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Resolves with the text; rejects with what `refuse` makes of the reason. */
export function readText(
  message: IncomingMessage,
  maxBytes: number,
  refuse: (why: Unreadable, cause?: unknown) => Error,
): Promise<string> {
  return new Promise((resolve, reject) => {
    if (Number(message.headers['content-length'] ?? 0) > maxBytes) return reject(refuse('long'))
    const chunks: Buffer[] = []
    let bytes = 0
    const take = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes <= maxBytes) return void chunks.push(chunk)
      chunks.length = 0
      message.off('data', take)
      message.pause()
      reject(refuse('long'))
    }
    message.on('data', take)
    const cut = (cause?: unknown): void => reject(refuse('cut', cause))
    message.on('end', () => {
      // A body that was read whole is closed too, and the error that nobody hears of would cost its stack for each request.
      message.off('close', cut)
      try {
        const [only] = chunks
        resolve(utf8.decode(chunks.length === 1 ? only : Buffer.concat(chunks, bytes)))
      } catch (error) {
        reject(refuse('garbled', error))
      }
    })
    message.on('error', cut)
    message.on('close', cut)
  })
}
