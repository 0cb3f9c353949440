"""Who a person is at the command line: where the platform is, and which key signs. Keys are never printed."""

import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deedbook.client import Signer

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
URL = re.compile(r"https?://[^\s/?#]+")


class ProfileError(Exception):
    """A profile that cannot be used; says what to do."""


@dataclass(frozen=True)
class Profile:
    """`role` is a demo wallet of the stack that runs here; `key_file` one's own key; `token` an API key. With none of
    them one sees what everybody sees."""

    url: str = ""
    role: str = ""
    key_file: str = ""
    rpc_url: str = ""
    key: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return f"Profile({self.url!r}, role={self.role!r}, key_file={self.key_file!r})"


def profiles_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where profiles are kept."""
    return Path(environ.get("DEEDBOOK_PROFILES") or "~/.config/deedbook/profiles.json").expanduser()


def stored(environ: Mapping[str, str] = os.environ) -> dict[str, Profile]:
    """The profiles by their names.

    Raises:
        ProfileError: the file cannot be read.
    """
    file = profiles_file(environ)
    if not file.exists():
        return {}
    try:
        return {name: Profile(**told) for name, told in json.loads(file.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ProfileError(f"{file} cannot be read ({error}): mend it, or take it away") from None


def keep(name: str, profile: Profile, environ: Mapping[str, str] = os.environ) -> None:
    """Keep a profile; its owner alone can read it. Keys stay in their own files.

    Raises:
        ProfileError: the name or the address is none.
    """
    if not NAME.fullmatch(name):
        raise ProfileError("a profile's name has small letters, digits and hyphens")
    if profile.url and not URL.fullmatch(profile.url):
        raise ProfileError("--url takes the platform's address alone, such as https://deedbook.example")
    file = profiles_file(environ)
    told = {known: _told(entry) for known, entry in {**stored(environ), name: profile}.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    write_secret(file.with_suffix(".new"), json.dumps(told, indent=1) + "\n")
    file.with_suffix(".new").replace(file)


def _told(profile: Profile) -> dict[str, str]:
    return {name: value for name, value in asdict(profile).items() if value and name not in ("key", "token")}


def write_secret(file: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)


def chosen(name: str = "", role: str = "", url: str = "", environ: Mapping[str, str] = os.environ) -> Profile:
    """The profile that is meant: by its name, as a demo wallet, or by the environment.

    Raises:
        ProfileError: there is none of this name.
    """
    name = name or ("" if role else environ.get("DEEDBOOK_PROFILE", ""))
    profile = _by_name(name, environ) if name else Profile()
    named = replace(profile, url=url or profile.url or environ.get("DEEDBOOK_URL", "").rstrip("/"))
    if role:
        return replace(named, role=role, key_file="")
    if named.role or named.key_file:
        return named
    return replace(named, key=environ.get("DEEDBOOK_KEY", ""), token=environ.get("DEEDBOOK_API_KEY", ""))


def _by_name(name: str, environ: Mapping[str, str]) -> Profile:
    known = stored(environ)
    if name not in known:
        listed = ", ".join(sorted(known)) or "there is none yet"
        raise ProfileError(f"no profile {name!r} ({listed}): make one with `deedbook profile add {name} …`")
    return known[name]


def signer_of(profile: Profile) -> "Signer | None":
    """Whoever signs for this profile.

    Raises:
        ProfileError: the key cannot be used.
    """
    from deedbook.client import LocalSigner

    text = read_key(Path(profile.key_file)) if profile.key_file else profile.key
    if not text:
        return None
    try:
        return LocalSigner.from_key(text)
    except ValueError as error:
        raise ProfileError(f"{profile.key_file or 'DEEDBOOK_KEY'} has no key: {error}") from None


def read_key(path: Path) -> str:
    """What stands in a key's file.

    Raises:
        ProfileError: it is not there, or others can read it.
    """
    file = path.expanduser()
    try:
        mode = file.stat().st_mode
        text = file.read_text().strip()
    except OSError as error:
        raise ProfileError(f"{file} cannot be read: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ProfileError(f"others can read {file}: run `chmod 600 {file}`")
    return text
