import { useRef, type KeyboardEvent, type PointerEvent } from "react";
import { classes } from "../../ui/index.ts";
import { PARTS, resize, sizeOf, STEP, useSizes, type Part } from "./layout.ts";

interface Props {
  readonly part: Part;
  /** The part that it resizes lies behind it, so that it grows as the divider goes back. */
  readonly before?: boolean;
}

/** Between two parts: drawn by the pointer, or moved by the arrows, Home and End. The layout's buttons do the same. */
export function Divider({ part, before }: Props) {
  const size = useSizes()[part];
  const grip = useRef<{ at: number; size: number } | null>(null);
  const { name, least, most } = PARTS[part];
  const upright = part.endsWith("Width");
  const sign = before ? -1 : 1;
  const where = (event: PointerEvent): number => (upright ? event.clientX : event.clientY);
  const press = (event: KeyboardEvent): void => {
    const [more, less] = upright ? ["ArrowRight", "ArrowLeft"] : ["ArrowDown", "ArrowUp"];
    const wanted = { [more]: sizeOf(part) + sign * STEP, [less]: sizeOf(part) - sign * STEP, Home: least, End: most }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    resize(part, wanted);
  };
  return (
    <div
      role="separator"
      aria-orientation={upright ? "vertical" : "horizontal"}
      aria-label={name}
      aria-valuenow={size}
      aria-valuemin={least}
      aria-valuemax={most}
      tabIndex={0}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        grip.current = { at: where(event), size };
      }}
      onPointerMove={(event) => {
        if (grip.current) resize(part, grip.current.size + sign * (where(event) - grip.current.at));
      }}
      onPointerUp={() => (grip.current = null)}
      onPointerCancel={() => (grip.current = null)}
      onKeyDown={press}
      className={classes(
        "group flex touch-none items-center justify-center rounded",
        upright ? "w-3 cursor-col-resize self-stretch" : "h-3 w-full cursor-row-resize",
      )}
    >
      <span className={classes("rounded-full bg-line group-hover:bg-edge group-focus-visible:bg-accent", upright ? "h-16 w-1" : "h-1 w-16")} />
    </div>
  );
}
