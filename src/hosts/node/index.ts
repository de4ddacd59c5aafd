// `holdfast/node`: a client's world in Node, and the listener of an authority.
export type { Answerer, AnsweringLimits, BytesAnswer } from './answer.ts'
export { type NodeOptions, node, type Place } from './host.ts'
export { type Listener, type ListenerOptions, serve, toNode } from './listener.ts'
export type { NetworkOptions } from './network.ts'
