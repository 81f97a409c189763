"""How the firm's papers look; its logo also stands on the edge's small pages."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FilePath

# What typst reads, with its media type. An SVG is printed with its own shapes; its texts only in our fonts.
PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".svg": "image/svg+xml"}


def _picture(path: FilePath) -> FilePath:
    if path.suffix.lower() not in PICTURES:
        raise ValueError(f"a logo is a file in one of {', '.join(PICTURES)}")
    return path


class Look(BaseModel):
    """The colour of titles and rules, and the file of the logo, which is printed instead of the name at the top."""

    model_config = ConfigDict(frozen=True)

    accent: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] = "#14506b"
    logo: Annotated[FilePath, AfterValidator(_picture)] | None = None

    @property
    def logo_name(self) -> str | None:
        """The name under which templates find the logo."""
        return f"logo{self.logo.suffix.lower()}" if self.logo else None

    @property
    def media_type(self) -> str:
        """Of the logo; `KeyError` where there is none."""
        return PICTURES[self.logo.suffix.lower() if self.logo else ""]

    @property
    def pictures(self) -> dict[str, bytes]:
        """The files that templates need for it."""
        return {self.logo_name: self.logo.read_bytes()} if self.logo and self.logo_name else {}
