"""Bodies about users as staff tell them apart."""

from uuid import UUID

from deedbook.api.v1.schemas.common import Answer
from deedbook.identity import checksum_address
from deedbook.identity.views import Person


class PersonAnswer(Answer):
    """A user and the account that is theirs."""

    user_id: UUID
    account: str

    @classmethod
    def of(cls, person: Person) -> "PersonAnswer":
        return cls(user_id=person.user_id, account=checksum_address(person.account))


class PeopleAnswer(Answer):
    """Those of the users asked about that there are."""

    data: list[PersonAnswer]
