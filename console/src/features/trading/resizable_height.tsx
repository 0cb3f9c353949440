import { useState, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";

const KEY = "deedbook.chart-height";
const [LEAST, MOST, USUAL, STEP] = [240, 900, 500, 20];

/** A panel that is as high as its reader wants: by the pointer, or by the arrow keys. Remembered. */
export function ResizableHeight({ label, children }: { label: string; children: ReactNode }) {
  const [height, setHeight] = useState(remembered);
  const choose = (wanted: number): void => {
    const next = Math.min(MOST, Math.max(LEAST, Math.round(wanted)));
    setHeight(next);
    localStorage.setItem(KEY, String(next));
  };
  const drag = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) choose(height + event.movementY);
  };
  const press = (event: KeyboardEvent): void => {
    const step = { ArrowDown: STEP, ArrowUp: -STEP }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    choose(height + step);
  };
  return (
    <div className="flex min-w-0 flex-col">
      <div style={{ height }}>{children}</div>
      <div
        role="separator"
        aria-orientation="horizontal"
        aria-label={label}
        aria-valuenow={height}
        aria-valuemin={LEAST}
        aria-valuemax={MOST}
        tabIndex={0}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onKeyDown={press}
        className="mx-auto mt-1 h-1.5 w-16 cursor-row-resize touch-none rounded-full bg-line hover:bg-edge"
      />
    </div>
  );
}

function remembered(): number {
  const told = localStorage.getItem(KEY);
  return told && /^[0-9]{3}$/.test(told) ? JSON.parse(told) : USUAL;
}
