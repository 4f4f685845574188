"""Settings, from the environment only; secrets are never written to a file of the project."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What the pipeline reads from its environment.

    A variable that is not set has the default beside it; with none set the whole system lives under ``var/``.
    """

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True)

    home: Path = Field(default=Path("var"), validation_alias="DISCLOSURE_HOME")
    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    feeds_dir: Path | None = Field(default=None, validation_alias="DISCLOSURE_FEEDS_DIR")
    archive_dir: Path | None = Field(default=None, validation_alias="DISCLOSURE_ARCHIVE_DIR")
    archive_url: str | None = Field(default=None, validation_alias="DISCLOSURE_ARCHIVE_URL")
    register_drop: Path | None = Field(default=None, validation_alias="DISCLOSURE_REGISTER_DROP")
    signing_key: SecretStr | None = Field(default=None, validation_alias="DISCLOSURE_SIGNING_KEY")
    signing_key_file: Path | None = Field(default=None, validation_alias="DISCLOSURE_SIGNING_KEY_FILE")
    workbench_url: str | None = Field(default=None, validation_alias="DISCLOSURE_WORKBENCH_URL")
    engine: Literal["duckdb"] = Field(default="duckdb", validation_alias="ENGINE")

    @property
    def state(self) -> Path:
        """The absolute home of all state."""
        return self.home.expanduser().resolve()

    @property
    def feeds(self) -> Path:
        """Where releases are written, one folder per site."""
        return (self.feeds_dir or self.state / "feeds").resolve()

    @property
    def archive(self) -> Path:
        """The raw archive, where ``archive_url`` names no bucket for it."""
        return (self.archive_dir or self.state / "archive").resolve()

    @property
    def register_inbox(self) -> Path:
        """Where the registration authority drops register files."""
        return (self.register_drop or self.state / "register").resolve()

    @property
    def postgres_data(self) -> Path:
        """Data directory of the embedded server."""
        return self.state / "postgres"

    @property
    def workspace(self) -> Path:
        """Scratch files of a step; whatever is left there after a crash may be deleted."""
        return self.state / "work"

    @property
    def register_index(self) -> Path:
        """The newest register made ready for look-up; a copy that may be deleted."""
        return self.state / "register-index"

    @property
    def key_file(self) -> Path:
        """The signing key of a system whose environment does not hold the key itself."""
        return (self.signing_key_file or self.state / "keys" / "feed_signing.pem").resolve()
