// A request and its answer without any framework: what the handler decides about. `fetch` and the Node listener translate.

/** A request as it came in. */
export interface HttpRequest {
  readonly method: string
  /** The path of the URL, without query. */
  readonly path: string
  /** A header's value by its lower-case name. */
  header(name: string): string | undefined
  /** The whole body as text; rejects with a SyncError `too_large` once it is longer than `maxBytes`, `malformed` when it is not UTF-8. */
  text(maxBytes: number): Promise<string>
}

/** Where a stream's bytes go. */
export interface StreamSink {
  /** Hands over text; gives the number of bytes that still wait to leave. */
  write(text: string): number
  /** Ends the stream. */
  close(): void
}

/** The answer to a request. */
export type HttpAnswer =
  | { readonly status: number; readonly headers: { readonly [name: string]: string }; readonly body: string }
  /** A stream: `open` is called once with its sink; what it returns is called when the other side has gone. */
  | {
      readonly status: 200
      readonly headers: { readonly [name: string]: string }
      readonly open: (sink: StreamSink) => () => void
    }
