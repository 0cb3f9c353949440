/** The design system's one door: pages take what they show from here, and make nothing of their own look different. */

export { Badge, Status, type Tone } from "./badge.tsx";
export { Button, type ButtonTone } from "./button.tsx";
export { classes } from "./classes.ts";
export { ConnectionBadge, type ConnectionState } from "./connection_badge.tsx";
export { asCurl, asPython, CopyAs, CopyButton } from "./copy.tsx";
export { Confirm, Dialog } from "./dialog.tsx";
export { Check, Field, Select, TextArea } from "./field.tsx";
export { Change, Hex, Money, Nothing, Quantity, Time, useNow } from "./figures.tsx";
export { Facts, Notice, PageTitle, Panel, Stat, type NoticeTone } from "./panel.tsx";
export { QrCode } from "./qr_code.tsx";
export { EmptyState, ErrorState, Loaded, Skeleton, SkeletonRows, useCountdown } from "./states.tsx";
export { Stepper, type StepEntry, type StepState } from "./stepper.tsx";
export { Table, type Column } from "./table.tsx";
export { Tabs, type Tab } from "./tabs.tsx";
export { RequestId } from "./toaster.tsx";
