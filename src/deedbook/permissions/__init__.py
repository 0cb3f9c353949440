"""The embedded permission service: roles, authorization, events and an approval desk behind one HTTP server.

It plays the outside world: it speaks the wire of the Entity Permissions Core, adds the approval queue which
that service lacks, and imports nothing else of this package.

**It has no authentication, on purpose, like the service it stands for: whoever reaches its port may grant
roles and decide approvals. Its network must be private.**
"""

from deedbook.permissions.app import create_app
from deedbook.permissions.config import DeliveryPolicy, PermissionsConfig
from deedbook.permissions.server import serve

__all__ = ["DeliveryPolicy", "PermissionsConfig", "create_app", "serve"]
