"""Who is behind what a caller shows: the access token of a session, an API key, or the token of an issuer whom we
trust."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from deedbook.identity import key_store, keys, oidc, service, store, subject_store, subjects
from deedbook.identity.access import AccessClaims
from deedbook.identity.errors import Unauthenticated
from deedbook.identity.ports import Issuers
from deedbook.identity.service import KeyRing
from deedbook.identity.terms import Caller, Means, VouchedFor
from deedbook.infra.database import Database


@dataclass(frozen=True)
class Recognition:
    """One per process that lets callers in. `issuer` is our own name in the tokens that we give; `issuers` are others
    whom we trust."""

    db: Database
    ring: KeyRing
    issuer: str
    issuers: Issuers | None = None

    async def recognise(self, token: str) -> Caller:
        """The caller who shows this.

        Raises:
            Unauthenticated: it does not hold, or is over.
        """
        (caller,) = await self.callers([await self.read(token)])
        if caller is None:
            raise Unauthenticated("the session is over; sign in again")
        return caller

    async def read(self, token: str) -> AccessClaims:
        """What it says, verified.

        Raises:
            Unauthenticated: it does not hold.
        IssuerUnavailable: its issuer does not tell its keys.
        """
        if keys.looks_like_a_key(token):
            return await keys.read_key(self.db, token)
        if self.issuers is not None and (issuer := oidc.issuer_of(token)) in self.issuers.audiences:
            assert issuer is not None
            return await self._read_foreign(self.issuers, issuer, token)
        return await service.read_token(self.ring, token, self.issuer)

    async def callers(self, claims: Sequence[AccessClaims]) -> list[Caller | None]:
        """Who they are now, in their order; `None` where it is over. One question for each means."""
        found: dict[AccessClaims, Caller | None] = {}
        for means in Means:
            shown = [one for one in claims if one.means is means]
            if shown:
                found.update(zip(shown, await self._ask(means, shown), strict=True))
        return [found[one] for one in claims]

    async def again(self, known: Sequence[Caller]) -> list[Caller | None]:
        """The same callers as they are now, in their order; `None` where what one has shown is over."""
        now = time.time()
        found = await self.callers([_shown_by(caller) for caller in known])
        return [
            caller if caller is None or caller.vouched is None or caller.vouched.expires_at > now else None
            for caller in found
        ]

    async def _read_foreign(self, issuers: Issuers, issuer: str, token: str) -> AccessClaims:
        header = oidc.read_header(token)
        for key in await issuers.keys(issuer, header.key_id):
            if oidc.fits(key, header):
                audience = issuers.audiences[issuer]
                vouched = oidc.check(token, key, header, issuer=issuer, audience=audience)
                return await subjects.claims_of(self.db, vouched)
        raise Unauthenticated("the token does not hold")

    async def _ask(self, means: Means, shown: Sequence[AccessClaims]) -> list[Caller | None]:
        named = [(one.user_id, one.session_id) for one in shown]
        match means:
            case Means.SESSION:
                return await store.callers_of_sessions(self.db, named)
            case Means.KEY:
                return await key_store.callers(self.db, named)
            case Means.SUBJECT:
                vouched = [(one.session_id, VouchedFor(one.issued_at, one.expires_at)) for one in shown]
                return await subject_store.callers(self.db, vouched)


def _shown_by(caller: Caller) -> AccessClaims:
    """What they have shown, without reading it once more."""
    vouched = caller.vouched or VouchedFor(0.0, 0.0)
    means = Means.SUBJECT if caller.vouched else Means.KEY if caller.key else Means.SESSION
    return AccessClaims(caller.user_id, caller.session_id, vouched.expires_at, means, vouched.issued_at)
