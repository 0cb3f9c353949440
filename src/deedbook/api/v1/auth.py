"""Signing in and out."""

from fastapi import APIRouter

from deedbook import identity
from deedbook.api.deps import PUBLIC, SIGNED_IN, CallerDep, DatabaseDep, ResourcesDep, access
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.auth import CredentialsAnswer, Done, NonceAnswer, Refresh, SignIn
from deedbook.api.v1.schemas.markets import MeAnswer
from deedbook.identity import Scope
from deedbook.identity.errors import Unauthenticated

router = APIRouter(tags=["identity"], route_class=StrictRoute)


@router.post("/auth/nonce", openapi_extra=access(PUBLIC, bucket="auth"))
async def nonce(resources: ResourcesDep) -> NonceAnswer:
    """A nonce for a sign-in message. It can be used once, within five minutes."""
    async with resources.db.transaction() as tx:
        value, expires_at = await identity.new_nonce(tx)
    policy = resources.sign_in_policy
    return NonceAnswer(
        nonce=value,
        expires_at=expires_at,
        domain=policy.domain,
        uri=f"{resources.settings.public_url.split('://')[0]}://{policy.domain}",
        chain_id=policy.chain_id,
    )


@router.post("/auth/siwe", openapi_extra=access(PUBLIC, bucket="auth"))
async def siwe(body: SignIn, resources: ResourcesDep) -> CredentialsAnswer:
    """Sign in with an Ethereum wallet (EIP-4361)."""
    async with resources.db.transaction() as tx:
        credentials = await identity.sign_in(tx, resources.sign_in_policy, body.message, body.signature)
    return CredentialsAnswer.of(credentials)


@router.post("/auth/refresh", openapi_extra=access(PUBLIC, bucket="auth"))
async def refresh(body: Refresh, resources: ResourcesDep) -> CredentialsAnswer:
    """Exchange the refresh token for new credentials. Using one twice ends the session."""
    async with resources.db.transaction() as tx:
        credentials = await identity.refresh(tx, resources.sign_in_policy, body.refresh_token)
    if credentials is None:
        raise Unauthenticated("this refresh token was used before; the session has been ended, sign in again")
    return CredentialsAnswer.of(credentials)


@router.post("/auth/logout", openapi_extra=access(SIGNED_IN, bucket="auth"))
async def logout(caller: CallerDep, db: DatabaseDep) -> Done:
    """End this session."""
    async with db.transaction() as tx:
        await identity.sign_out(tx, caller)
    return Done()


@router.get("/me", openapi_extra=access(SIGNED_IN, bucket="reads", scope=Scope.READ))
async def me(caller: CallerDep) -> MeAnswer:
    """Who you are here."""
    return MeAnswer.of(caller)
