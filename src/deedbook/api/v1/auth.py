"""Signing in and out."""

from fastapi import APIRouter

from deedbook import identity
from deedbook.api.deps import PUBLIC, SIGNED_IN, CallerDep, DatabaseDep, ResourcesDep, access
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.auth import BindingAnswer, CredentialsAnswer, Done, NonceAnswer, Refresh, SignIn
from deedbook.api.v1.schemas.markets import MeAnswer
from deedbook.identity import Scope, checksum_address
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
    """End this session; of whom an issuer vouches for, all tokens up to now."""
    sign_out = identity.sign_out if caller.vouched is None else identity.subjects.sign_out
    async with db.transaction() as tx:
        await sign_out(tx, caller)
    return Done()


@router.get("/me", openapi_extra=access(SIGNED_IN, bucket="reads", scope=Scope.READ))
async def me(caller: CallerDep) -> MeAnswer:
    """Who you are here."""
    return MeAnswer.of(caller)


@router.get("/me/wallets", openapi_extra=access(SIGNED_IN, bucket="reads", in_person=True))
async def wallet_to_bind(caller: CallerDep, db: DatabaseDep) -> BindingAnswer:
    """My account; or, for those whom an issuer vouches for, what its owner has to sign to make it mine."""
    if caller.account:
        return BindingAnswer(account=checksum_address(caller.account), statement=None)
    return BindingAnswer(account=None, statement=await identity.subjects.asked_of(db, caller))


@router.post("/me/wallets", openapi_extra=access(SIGNED_IN, bucket="auth"))
async def bind_wallet(body: SignIn, caller: CallerDep, resources: ResourcesDep) -> MeAnswer:
    """Show which account is mine, once and for good: a message as for signing in (EIP-4361), with the statement that
    `GET /me/wallets` gives. Where the account has a user already, I am that user from now on."""
    async with resources.db.transaction() as tx:
        bound = await identity.subjects.bind(
            tx, resources.sign_in_policy, caller, body.message, body.signature
        )
    return MeAnswer.of(bound)
