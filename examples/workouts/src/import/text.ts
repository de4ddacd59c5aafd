// The bytes of a file → its text, with `\n` as the only line end. Exports are UTF-8, with or without a byte-order mark; what
// passed through a spreadsheet may be UTF-16. Bytes that are not UTF-8 become U+FFFD, so that only the lines which hold them
// are refused, and not the file. What the text means is not known here: csv.ts splits it.

/** A file's text. `isDamaged`: the file has bytes that are not UTF-8; lines with U+FFFD cannot be trusted. */
export interface FileText {
  readonly text: string
  readonly isDamaged: boolean
}

/** Decodes a whole file. */
export function decodeFile(bytes: Uint8Array): FileText {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe)
    return { text: lineEnds(new TextDecoder('utf-16le').decode(bytes)), isDamaged: false }
  if (first === 0xfe && second === 0xff)
    return { text: lineEnds(new TextDecoder('utf-16be').decode(bytes)), isDamaged: false }
  try {
    return { text: lineEnds(new TextDecoder('utf-8', { fatal: true }).decode(bytes)), isDamaged: false }
  } catch {
    return { text: lineEnds(new TextDecoder('utf-8').decode(bytes)), isDamaged: true }
  }
}

// Also inside quoted fields: a file that a tool converted to CRLF holds the same notes, and must give the same ids.
function lineEnds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
}
