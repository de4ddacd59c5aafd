// `holdfast/node`: a client's world in Node, and the listener of an authority.
export { type NodeOptions, node, type Place } from './host.ts'
export { type Answerer, type BytesAnswer, type Listener, type ListenerOptions, serve } from './listener.ts'
export type { NetworkOptions } from './network.ts'
