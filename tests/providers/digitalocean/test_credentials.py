"""Where the API token comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dayfly.contract.errors import Unauthenticated
from dayfly.providers.digitalocean.config import Config
from dayfly.providers.digitalocean.credentials import find_token
from dayfly.sdk.redaction import redact
from dayfly.sdk.secrets import SecretResolver

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("token_env", "environ", "found"),
    [
        ("", {"DIGITALOCEAN_TOKEN": "token-a", "DIGITALOCEAN_ACCESS_TOKEN": "token-b"}, "token-a"),
        ("", {"DIGITALOCEAN_ACCESS_TOKEN": "token-b\n"}, "token-b"),
        ("", {"DIGITALOCEAN_TOKEN": "", "DIGITALOCEAN_ACCESS_TOKEN": "token-b"}, "token-b"),
        ("MINE", {"MINE": "token-c", "DIGITALOCEAN_TOKEN": "token-a"}, "token-c"),
    ],
)
async def test_from_the_environment(token_env: str, environ: dict[str, str], found: str) -> None:
    config = Config(token_env=token_env)
    assert await find_token(config, environ, SecretResolver()) == found
    assert found not in redact(f"it says {found}")


async def test_from_a_reference(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("token-of-a-file\n")
    config = Config(token="secret://do", secrets={"do": f"file:{tmp_path / 'token'}"})
    environ = {"DIGITALOCEAN_TOKEN": "token-a"}
    assert await find_token(config, environ, SecretResolver(config.secrets)) == "token-of-a-file"


@pytest.mark.parametrize(
    ("config", "environ", "said"),
    [
        (Config(), {}, "no DIGITALOCEAN_TOKEN and no DIGITALOCEAN_ACCESS_TOKEN"),
        (Config(token_env="MINE"), {"DIGITALOCEAN_TOKEN": "t"}, "no MINE"),
        (Config(token="file:/no/such/file"), {}, "token could not be resolved: /no/such/file"),
        (Config(), {"DIGITALOCEAN_TOKEN": "two canary words"}, "DIGITALOCEAN_TOKEN holds no token"),
        (Config(), {"DIGITALOCEAN_TOKEN": "canary\u00e9"}, "DIGITALOCEAN_TOKEN holds no token"),
    ],
)
async def test_there_is_none(config: Config, environ: dict[str, str], said: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await find_token(config, environ, SecretResolver())
    assert caught.value.field == "token"
    assert said in caught.value.message
    assert "canary" not in str(caught.value)
