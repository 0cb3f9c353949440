/** Bytes of the API into a file of the reader's. */
export function saveFile(bytes: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(bytes);
  link.download = name;
  link.click();
  // The download has been begun by then; the address is of no use to anybody else.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
