"""Who is behind what a caller shows: the access token of a session, or an API key."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from deedbook.identity import key_store, keys, service, store
from deedbook.identity.access import AccessClaims
from deedbook.identity.errors import Unauthenticated
from deedbook.identity.service import KeyRing
from deedbook.identity.terms import Caller, Means
from deedbook.infra.database import Database


@dataclass(frozen=True)
class Recognition:
    """One per process that lets callers in. `issuer` is our own name in the tokens that we give."""

    db: Database
    ring: KeyRing
    issuer: str

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
        """
        if keys.looks_like_a_key(token):
            return await keys.read_key(self.db, token)
        return await service.read_token(self.ring, token, self.issuer)

    async def callers(self, claims: Sequence[AccessClaims]) -> list[Caller | None]:
        """Who they are now, in their order; `None` where it is over. One question for each means."""
        found: dict[AccessClaims, Caller | None] = {}
        for means in Means:
            shown = [one for one in claims if one.means is means]
            if shown:
                found.update(zip(shown, await self._ask(means, shown), strict=True))
        return [found[one] for one in claims]

    async def living(self, callers: Iterable[Caller]) -> set[UUID]:
        """Of what these callers have shown, what is not over: named as `session_id`."""
        sessions: set[UUID] = set()
        api_keys: set[UUID] = set()
        for caller in callers:
            (api_keys if caller.key else sessions).add(caller.session_id)
        living = await store.living_sessions(self.db, sessions)
        return living | (await key_store.living(self.db, api_keys) if api_keys else set())

    async def _ask(self, means: Means, shown: Sequence[AccessClaims]) -> list[Caller | None]:
        named = [(one.user_id, one.session_id) for one in shown]
        match means:
            case Means.SESSION:
                return await store.callers_of_sessions(self.db, named)
            case Means.KEY:
                return await key_store.callers(self.db, named)
