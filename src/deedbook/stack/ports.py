"""The embedded servers' ports, each with the variable that changes it, which chain is among them, and its pace."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Ports(BaseSettings):
    """Loopback ports. The API's own port is `PORT`."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True, case_sensitive=True)

    DEEDBOOK_POSTGRES_PORT: int = Field(5442, ge=1, le=65535)
    DEEDBOOK_VALKEY_PORT: int = Field(6389, ge=1, le=65535)
    DEEDBOOK_ANVIL_PORT: int = Field(8545, ge=1, le=65535)
    DEEDBOOK_LOCAL_CHAIN: Literal["auto", "anvil", "py-evm"] = "auto"
    DEEDBOOK_LOCAL_BLOCK_S: float = Field(0.2, gt=0, le=60)
    DEEDBOOK_PERMISSIONS_PORT: int = Field(3001, ge=1, le=65535)
    DEEDBOOK_KYC_PORT: int = Field(3002, ge=1, le=65535)
