import { useEffect, useState } from "react";
import { drawn, FRAME, type Drawing } from "../domain/qr_path.ts";
import { Skeleton } from "./states.tsx";

/** A text for a camera to read: dark on light in either theme, since not every reader takes it the other way round. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const [drawing, setDrawing] = useState<Drawing | null>(null);
  useEffect(() => {
    let wanted = true;
    void import("qr").then(({ default: encode }) => {
      if (wanted) setDrawing(drawn(encode(text, "raw", { border: FRAME })));
    });
    return () => {
      wanted = false;
    };
  }, [text]);
  if (!drawing) return <Skeleton className="size-40" />;
  return (
    <svg role="img" aria-label={label} viewBox={`0 0 ${drawing.size} ${drawing.size}`} className="size-40 rounded-md" shapeRendering="crispEdges">
      <rect width={drawing.size} height={drawing.size} fill="#fff" />
      <path d={drawing.path} fill="#000" />
    </svg>
  );
}
