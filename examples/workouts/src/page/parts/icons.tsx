// The icons, drawn by hand on a grid of 20. They say nothing to assistive technology: the words stand beside them, or the button
// that holds them has a name.
import type { ReactElement, ReactNode } from 'react'
import type { Shape } from '../words.ts'

function Icon({
  children,
  className = '',
}: {
  readonly children: ReactNode
  readonly className?: string
}): ReactElement {
  return (
    <svg className={`icon ${className}`} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      {children}
    </svg>
  )
}

/** The shape of a state. */
export function StateIcon({ shape }: { readonly shape: Shape }): ReactElement {
  return <Icon className={shape === 'arc' ? 'turning' : ''}>{shapes[shape]}</Icon>
}

const shapes: { readonly [S in Shape]: ReactNode } = {
  circle: <circle cx="10" cy="10" r="7" />,
  'circle-up': (
    <>
      <circle cx="10" cy="10" r="7.5" />
      <path d="M10 13.6V6.8M7 9.6l3-3 3 3" />
    </>
  ),
  arc: <path d="M17 10a7 7 0 1 1-3.2-5.9" />,
  tick: (
    <>
      <circle cx="10" cy="10" r="7.5" />
      <path d="m6.6 10.3 2.4 2.4 4.5-5" />
    </>
  ),
  triangle: (
    <>
      <path d="M10 3 18 16.8H2Z" />
      <path d="M10 8.2v4M10 14.3v.2" />
    </>
  ),
  crossing: <path d="M3 5.5h3.2l7.6 9H17m-2.6-2.6L17 14.5l-2.6 2.6M3 14.5h3.2l7.6-9H17m-2.6-2.6L17 5.5l-2.6 2.6" />,
  octagon: (
    <>
      <path d="M6.9 2.5h6.2l4.4 4.4v6.2l-4.4 4.4H6.9l-4.4-4.4V6.9Z" />
      <path d="m7.4 7.4 5.2 5.2m0-5.2-5.2 5.2" />
    </>
  ),
  'cloud-off': <path d="M5.6 8A4 4 0 0 0 6 16h7.6M8 5.3A4.8 4.8 0 0 1 14.4 9a3.5 3.5 0 0 1 2.1 6.1M3 3l14 14" />,
}

export const BackIcon = (): ReactElement => (
  <Icon>
    <path d="M12.5 4 6.5 10l6 6" />
  </Icon>
)

export const PlusIcon = (): ReactElement => (
  <Icon>
    <path d="M10 4v12M4 10h12" />
  </Icon>
)

export const MinusIcon = (): ReactElement => (
  <Icon>
    <path d="M4 10h12" />
  </Icon>
)

export const CloseIcon = (): ReactElement => (
  <Icon>
    <path d="m5 5 10 10M15 5 5 15" />
  </Icon>
)

export const EditIcon = (): ReactElement => (
  <Icon>
    <path d="m4 16 .8-3.4L13 4.4a1.6 1.6 0 0 1 2.3 0l.3.3a1.6 1.6 0 0 1 0 2.3L7.4 15.2Z" />
  </Icon>
)

export const FileIcon = (): ReactElement => (
  <Icon>
    <path d="M10 3v9M6.5 8.7 10 12.2l3.5-3.5M4 13v3h12v-3" />
  </Icon>
)

/** The mark of the app: a barbell. */
export const Barbell = (): ReactElement => (
  <svg className="barbell" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
    <rect x="5" y="9" width="10" height="2" />
    <rect x="3.6" y="5.5" width="2.6" height="9" rx="1" />
    <rect x="13.8" y="5.5" width="2.6" height="9" rx="1" />
    <rect x="1.2" y="7.3" width="1.6" height="5.4" rx=".8" />
    <rect x="17.2" y="7.3" width="1.6" height="5.4" rx=".8" />
  </svg>
)
