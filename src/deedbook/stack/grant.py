"""Granting a role: here, and at the permission service where the role's permissions are kept."""

from deedbook import identity
from deedbook.identity import Action, Role
from deedbook.infra.settings import Settings, SettingsError
from deedbook.integrations.entity_permissions.client import EntityPermissionsClient
from deedbook.kernel.ids import EntityId, UserId, parse_uuid
from deedbook.wiring import open_resources

# What each role may do at the permission service, and whether everywhere or on the issuer's entity only.
PERMISSIONS: dict[Role, tuple[str, ...]] = {
    Role.ISSUER: (Action.REGISTER.value,),
    Role.COMPLIANCE: (Action.APPROVE.value, Action.REJECT.value, Action.PAUSE.value),
    Role.ADMIN: tuple(action.value for action in Action if action is not Action.REGISTER),
}


async def grant(
    settings: Settings, address_text: str, role_text: str, entity: str, entity_id_text: str
) -> str:
    """Give the role. Harmless when repeated; answers with a sentence for a person.

    Raises:
        SettingsError: an argument is wrong; says which.
        PermissionsUnavailable: nothing was given there, and the same command may be run again.
    """
    address = identity.parse_address(address_text)
    if address is None:
        raise SettingsError(f"{address_text[:60]!r} is no Ethereum address (check its checksum)")
    try:
        role = Role(role_text.lower())
    except ValueError:
        raise SettingsError(f"the roles are {', '.join(entry.value for entry in Role)}") from None
    async with open_resources(settings, "grant") as resources:
        entity_id = None
        if role is Role.ISSUER:
            entity_id = await _issuer_entity(resources.permissions, entity, entity_id_text)
        async with resources.db.transaction() as tx:
            user_id = await identity.grant(tx, address, role, "deedbook grant", entity_id, entity)
        await _at_permission_service(resources.permissions, user_id, role, entity_id)
    where = f" for entity {entity_id}" if entity_id else ""
    return f"{identity.checksum_address(address)} is now {role.value}{where} (user {user_id})"


async def _issuer_entity(permissions: EntityPermissionsClient, name: str, entity_id_text: str) -> EntityId:
    if entity_id_text:
        found = parse_uuid(entity_id_text)
        if found is None:
            raise SettingsError("--entity-id is no UUID")
        return EntityId(found)
    if not name.strip():
        raise SettingsError('an issuer acts for an entity: add --entity "Its Name", or --entity-id')
    return await permissions.ensure_entity(name.strip(), "issuer")


async def _at_permission_service(
    permissions: EntityPermissionsClient, user_id: UserId, role: Role, entity_id: EntityId | None
) -> None:
    allowed = PERMISSIONS.get(role)
    if allowed:
        await permissions.ensure_role(user_id, f"deedbook-{role.value}", allowed, entity_id)
