"""The embedded KYC provider as a process. Apart from `run`, whose imports would double its start."""

from deedbook.infra.settings import Settings, SettingsError
from deedbook.kyc_provider import ProviderConfig, serve
from deedbook.stack.ports import Ports


def serve_kyc(settings: Settings) -> None:
    """The provider, behind the key that the workers have.

    Raises:
        SettingsError: there is no such key.
    """
    if settings.KYC_API_KEY is None:
        raise SettingsError("KYC_API_KEY: the embedded KYC provider needs the key that it is asked with")
    serve(ProviderConfig(settings.KYC_API_KEY.get_secret_value(), port=Ports().DEEDBOOK_KYC_PORT))
