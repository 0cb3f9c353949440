/** Why compliance says no, by the numbers that contract and platform share, in words for the one concerned. */

const REASONS: Readonly<Record<number, string>> = {
  1: "The token is paused.",
  2: "Your account is frozen. Compliance can say why.",
  3: "The receiver's account is frozen.",
  4: "There is not enough of it.",
  10: "Your identity has not been verified for this token yet.",
  11: "Your verification has expired and must be renewed.",
  12: "You are not on the list of those who may hold this token. A compliance officer puts you on it.",
  13: "The token is for accredited investors, and your accreditation is missing.",
  14: "Your accreditation has expired and must be renewed.",
  30: "This account may not be served.",
  50: "Nobody may hold that much of this token.",
  51: "The token has as many holders as it may have.",
  60: "What you received lately is still locked up.",
  70: "The token is not offered where you live.",
};

export function reasonText(reason: number): string {
  return REASONS[reason] ?? "Compliance does not allow it.";
}

const CHECKS: Readonly<Record<string, string>> = {
  pause: "The token is not paused",
  freeze: "The account is not frozen",
  sanctions: "The account may be served",
  kyc: "Identity verified and valid",
  whitelist: "On the list of those who may hold it",
  balance: "Enough of it",
  accreditation: "Accreditation, where it is asked for",
  jurisdiction: "Offered where you live",
  lock_up: "Nothing of it locked up",
  ownership_cap: "Within what one may hold",
  holder_count: "Room for another holder",
};

/** `sender.freeze` → `The account is not frozen`. */
export function checkText(check: string): string {
  const name = check.split(".").pop() ?? check;
  return CHECKS[name] ?? name.replaceAll("_", " ");
}
