import { useState } from "react";
import { Button, Dialog } from "../../ui/index.ts";
import { PARTS, resetSizes, resize, STEP, useSizes, type Part } from "./layout.ts";

/** The parts' sizes without drawing anything: a press more, a press less, and all as it was. */
export function LayoutMenu() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button small tone="quiet" onClick={() => setOpen(true)}>
        Layout
      </Button>
      <Dialog open={open} title="Layout of the trade screen" onClose={() => setOpen(false)}>
        <Sizes />
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={resetSizes}>As it was at first</Button>
          <Button tone="primary" onClick={() => setOpen(false)}>
            Done
          </Button>
        </div>
      </Dialog>
    </>
  );
}

function Sizes() {
  const sizes = useSizes();
  return (
    <ul className="flex flex-col gap-2">
      {(Object.keys(PARTS) as Part[]).map((part) => {
        const { name, least, most } = PARTS[part];
        const size = sizes[part];
        return (
          <li key={part} className="flex items-center justify-between gap-3">
            <span>{name}</span>
            <span className="flex items-center gap-2">
              <Button small aria-label={`${name}: less`} disabled={size <= least} onClick={() => resize(part, size - STEP)}>
                −
              </Button>
              <output className="figures w-14 text-center" aria-label={name}>
                {size}
              </output>
              <Button small aria-label={`${name}: more`} disabled={size >= most} onClick={() => resize(part, size + STEP)}>
                +
              </Button>
            </span>
          </li>
        );
      })}
    </ul>
  );
}
