// The part of the fetch standard that the authority speaks: `authority.fetch` takes a Request and gives a Response.
// Only what the handler may use is declared, so that no clock, timer or outgoing `fetch` can slip into the room.
// Nothing here is emitted: an app sees its own platform's declarations in their place.

declare class URLSearchParams implements Iterable<[string, string]> {
  constructor(init?: string | Readonly<Record<string, string>>)
  get(name: string): string | null
  getAll(name: string): string[]
  has(name: string): boolean
  [Symbol.iterator](): IterableIterator<[string, string]>
}

declare class URL {
  constructor(url: string, base?: string | URL)
  readonly href: string
  readonly origin: string
  readonly host: string
  readonly protocol: string
  readonly pathname: string
  readonly search: string
  readonly searchParams: URLSearchParams
}

type HeadersInit = Headers | Readonly<Record<string, string>> | readonly (readonly [string, string])[]

declare class Headers implements Iterable<[string, string]> {
  constructor(init?: HeadersInit)
  get(name: string): string | null
  has(name: string): boolean
  set(name: string, value: string): void
  append(name: string, value: string): void
  delete(name: string): void
  [Symbol.iterator](): IterableIterator<[string, string]>
}

interface ReadableStreamDefaultReader<T> {
  read(): Promise<{ readonly done: false; readonly value: T } | { readonly done: true; readonly value?: T | undefined }>
  cancel(reason?: unknown): Promise<void>
  releaseLock(): void
}

interface ReadableStreamDefaultController<T> {
  readonly desiredSize: number | null
  enqueue(chunk: T): void
  close(): void
  error(reason?: unknown): void
}

interface UnderlyingDefaultSource<T> {
  start?(controller: ReadableStreamDefaultController<T>): void | Promise<void>
  pull?(controller: ReadableStreamDefaultController<T>): void | Promise<void>
  cancel?(reason?: unknown): void | Promise<void>
}

declare class ReadableStream<T = unknown> {
  constructor(source?: UnderlyingDefaultSource<T>, strategy?: { readonly highWaterMark?: number })
  readonly locked: boolean
  getReader(): ReadableStreamDefaultReader<T>
  cancel(reason?: unknown): Promise<void>
}

type BodyInit = string | Uint8Array<ArrayBuffer> | ArrayBuffer | ReadableStream<Uint8Array<ArrayBuffer>>

interface RequestInit {
  readonly method?: string
  readonly headers?: HeadersInit
  readonly body?: BodyInit | null
  readonly signal?: AbortSignal | null
}

declare class Request {
  constructor(input: string | URL, init?: RequestInit)
  readonly method: string
  readonly url: string
  readonly headers: Headers
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null
  readonly bodyUsed: boolean
  readonly signal: AbortSignal
  text(): Promise<string>
  json(): Promise<unknown>
  arrayBuffer(): Promise<ArrayBuffer>
}

interface ResponseInit {
  readonly status?: number
  readonly statusText?: string
  readonly headers?: HeadersInit
}

declare class Response {
  constructor(body?: BodyInit | null, init?: ResponseInit)
  static json(body: unknown, init?: ResponseInit): Response
  readonly status: number
  readonly ok: boolean
  readonly headers: Headers
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null
  text(): Promise<string>
  json(): Promise<unknown>
}
