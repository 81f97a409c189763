"""Pictures in smaller sizes: made once, of pictures of any age, and shown anew as soon as they are replaced."""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import world
from given_archive import Archive
from given_uploads import opened_picture
from given_views import a
from papers import PDF
from pictures import picture
from PIL import Image
from stories import refused, wrong_fields

from sav_chassis.errors import Unavailable
from sav_chassis.files import Files
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.photo import PhotoView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.files import StoredFile
from sav_edge import picture_sizes
from sav_edge.picture_sizes import LONGEST, Pictures, Size, tag
from sav_edge.upload_errors import Unreadable
from sav_edge.upload_screening import ManyFiles, UploadScreening

LARGE = picture(size=(2560, 1920))


def transparent(size: tuple[int, int] = (2000, 1000)) -> bytes:
    canvas = Image.new("RGBA", size, (255, 0, 0, 0))
    canvas.paste((0, 0, 255, 255), (size[0] // 2, 0, *size))
    made = BytesIO()
    canvas.save(made, "PNG")
    return made.getvalue()


class Counting(UploadScreening):
    """Counts what it makes, and how many at once."""

    def __init__(self) -> None:
        super().__init__(2)
        self.made, self.most, self._now = 0, 0, 0

    async def recognised(self, content: bytes, how: str = "") -> tuple[bytes, str]:
        self.made += 1
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            return await super().recognised(content, how)
        finally:
            self._now -= 1


class Shelf:
    """A file store of its own, and the sizes of what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files, self.screening = Files(folder.as_uri()), Counting()
        self.pictures = Pictures(self.files, self.screening)

    async def put(self, content: bytes, media_type: str = "image/jpeg") -> StoredFile:
        return await self.files.put(content, media_type, "a.jpg")

    def derived(self) -> list[Path]:
        return [path for path in (self.folder / "derived").rglob("*") if path.is_file()]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.mark.parametrize(
    ("content", "media_type", "sizes"),
    [
        (LARGE, "image/jpeg", {"small": (320, 240), "medium": (1024, 768), "large": (2560, 1920)}),
        (picture(size=(300, 900)), "image/jpeg", {"small": (107, 320), "medium": (300, 900)}),
        (picture(size=(2560, 2)), "image/jpeg", {"small": (320, 1), "medium": (1024, 1)}),
        (transparent(), "image/png", {"small": (320, 160), "medium": (1024, 512), "large": (2000, 1000)}),
    ],
    ids=["wide", "high", "a line", "transparent"],
)
async def test_a_picture_is_made_smaller_and_keeps_its_shape_and_kind(
    shelf: Shelf, content: bytes, media_type: str, sizes: dict[Size, tuple[int, int]]
) -> None:
    stored = await shelf.put(content, media_type)
    for size, expected in sizes.items():
        made, kind = await shelf.pictures.sized(stored, size)
        assert (opened_picture(made).size, kind) == (expected, media_type)
        assert Image.MIME[opened_picture(made).format or ""] == media_type
    small, _ = await shelf.pictures.sized(stored, "small")
    assert len(small) < len(content)
    left, right = (
        opened_picture(small).convert("RGBA").getpixel((x, 0)) for x in (1, opened_picture(small).width - 2)
    )
    assert isinstance(right, tuple)
    assert right[2] > 200
    assert isinstance(left, tuple)
    assert (left[3] == 0) if media_type == "image/png" else (left[0] > 200)


@pytest.mark.parametrize("content", [picture(size=(64, 48)), picture(size=(1, 1)), picture("PNG", (320, 5))])
async def test_a_picture_is_never_enlarged_nor_made_worse(shelf: Shelf, content: bytes) -> None:
    stored = await shelf.put(content, f"image/{(opened_picture(content).format or '').lower()}")
    for size in LONGEST:
        assert await shelf.pictures.sized(stored, size) == (content, stored.media_type)


async def test_a_size_is_made_once_however_many_ask_at_once(shelf: Shelf) -> None:
    stored = await shelf.put(LARGE)
    answers = await asyncio.gather(*(shelf.pictures.sized(stored, "small") for _ in range(10)))
    assert len(set(answers)) == 1
    assert (shelf.screening.made, len(shelf.derived())) == (1, 1)
    # Another process finds it too.
    again = Shelf(shelf.folder)
    assert await again.pictures.sized(stored, "small") == answers[0]
    assert again.screening.made == 0


async def test_uploads_keep_a_place_while_a_page_of_pictures_is_made(shelf: Shelf) -> None:
    pictures = [await shelf.put(picture(size=(500 + n, 400))) for n in range(5)]
    await asyncio.gather(*(shelf.pictures.sized(stored, "small") for stored in pictures))
    assert (shelf.screening.made, shelf.screening.most) == (5, 1)


async def test_processes_that_make_the_same_size_at_once_keep_the_same(shelf: Shelf) -> None:
    stored, other = await shelf.put(LARGE), Shelf(shelf.folder)
    one, two = await asyncio.gather(*(each.pictures.sized(stored, "small") for each in (shelf, other)))
    assert one == two
    assert len(shelf.derived()) == 1


@pytest.mark.parametrize("damage", [b"", b"x", None], ids=["emptied", "cut off", "lost"])
async def test_what_is_damaged_or_lost_is_made_again(shelf: Shelf, damage: bytes | None) -> None:
    stored = await shelf.put(LARGE)
    whole = await shelf.pictures.sized(stored, "small")
    [path] = shelf.derived()
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    assert await shelf.pictures.sized(stored, "small") == whole
    assert shelf.screening.made == 2
    assert await shelf.files.derived(stored, path.parts[-3]) == whole[0]


async def test_sizes_that_are_made_in_another_way_are_made_anew_under_other_tags(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await shelf.put(LARGE)
    await shelf.pictures.sized(stored, "small")
    before = tag(stored, "small")
    monkeypatch.setattr(picture_sizes, "FORM", picture_sizes.FORM + 1)
    await shelf.pictures.sized(stored, "small")
    assert shelf.screening.made == 2
    assert tag(stored, "small") != before


async def test_a_picture_that_cannot_be_made_smaller_is_shown_as_it_is(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await shelf.put(LARGE)

    async def fails(content: bytes, how: str = "") -> tuple[bytes, str]:
        raise Unreadable

    with monkeypatch.context() as patch:
        patch.setattr(shelf.screening, "recognised", fails)
        assert await shelf.pictures.sized(stored, "small") == (LARGE, "image/jpeg")
    # The next one is tried.
    assert opened_picture((await shelf.pictures.sized(stored, "small"))[0]).size == (320, 240)


async def test_a_machine_that_can_start_nothing_just_now_says_so(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(content: bytes, how: str = "") -> tuple[bytes, str]:
        raise ManyFiles

    monkeypatch.setattr(shelf.screening, "recognised", fails)
    with pytest.raises(Unavailable):
        await shelf.pictures.sized(await shelf.put(LARGE), "small")
    assert shelf.derived() == []


async def of_article(archive: Archive, content: bytes = LARGE) -> ArticleView:
    article = a(ArticleView, image=await archive.files.put(content, "image/jpeg", "chaudière.jpg"))
    await archive.tell(article)
    return article


async def test_everybody_gets_the_size_that_they_ask_for(archive: Archive) -> None:
    article = await of_article(archive)
    path = f"/articles/{article.id}/image"
    sizes = {
        "?size=small": (320, 240),
        "?size=medium": (1024, 768),
        "?size=large": (2560, 1920),
        "": (2560, 1920),
    }
    for who in (world.lea, world.karim, world.marie, world.alex):
        tags = set()
        for query, size in sizes.items():
            answer = await archive.get(who, path + query)
            assert (answer.status_code, opened_picture(answer.content).size) == (200, size)
            assert answer.headers["content-type"] == "image/jpeg"
            assert answer.headers["content-length"] == str(len(answer.content))
            assert answer.headers["content-disposition"].startswith("inline")
            tags.add(answer.headers["etag"])
        assert len(tags) == 3
    refused(await archive.http.get(f"/api{path}?size=small"), 401, "not_signed_in")


async def test_the_head_of_a_size_is_that_of_its_picture(archive: Archive) -> None:
    article = await of_article(archive)
    path = f"/api/articles/{article.id}/image?size=small"
    token = (await archive.get(world.lea, "/me")).request.headers["authorization"]
    head = await archive.http.head(path, headers={"Authorization": token})
    whole = await archive.http.get(path, headers={"Authorization": token})
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "cache-control"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize("query", ["size=tiny", "size=", "size=Small", "size=%00"])
async def test_a_size_that_there_is_not_is_named(archive: Archive, query: str) -> None:
    article = await of_article(archive)
    answer = await archive.get(world.lea, f"/articles/{article.id}/image?{query}", Accept_Language="fr")
    assert wrong_fields(answer) == {"size"}
    assert answer.json()["errors"][0]["message"] == "l’une de ces valeurs\u00a0: small, medium, large"


async def test_only_pictures_are_asked_for_by_size(archive: Archive) -> None:
    article = await of_article(archive)
    answer = await archive.get(world.lea, f"/articles/{article.id}/image?size=small&width=9&v=x")
    assert wrong_fields(answer) == {"width", "v"}
    proof = a(ProductView, proof=await archive.files.put(PDF, "application/pdf", "a.pdf"))
    await archive.tell(proof)
    assert wrong_fields(await archive.get(world.lea, f"/products/{proof.id}/proof?size=small")) == {"size"}


async def test_who_holds_a_size_already_is_told_so_before_it_is_made(archive: Archive) -> None:
    article = await of_article(archive, picture(size=(777, 333)))
    assert article.image
    path = f"/articles/{article.id}/image?size=small"
    for _ in range(2):
        answer = await archive.get(world.lea, path, If_None_Match=tag(article.image, "small"))
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["cache-control"] == "private, max-age=300"
    assert await archive.files.derived(article.image, f"small.{picture_sizes.FORM}") is None
    # Whoever holds another size holds none of this one.
    for size in ("medium", "large"):
        other = await archive.get(world.lea, path, If_None_Match=tag(article.image, size))
        assert other.status_code == 200


async def kept_for(archive: Archive, path: str, **query: Any) -> str:
    answer = await archive.get(world.lea, f"{path}?{httpx.QueryParams(query)}")
    assert answer.status_code == 200
    kept: str = answer.headers["cache-control"]
    return kept


async def test_an_address_that_names_its_content_is_asked_for_once(archive: Archive) -> None:
    """A replaced picture has another address in its record, and is soon seen at the one that names none."""
    before = await of_article(archive)
    assert before.image
    path = f"/articles/{before.id}/image"
    for size in ("small", "medium", "large"):
        assert await kept_for(archive, path, size=size) == "private, max-age=300"
        forever = await kept_for(archive, path, size=size, v=before.image.sha256)
        assert forever == "private, max-age=31536000, immutable"
    replaced = await archive.files.put(picture(size=(900, 100)), "image/jpeg", "b.jpg")
    await archive.tell(before.model_copy(update={"version": 2, "image": replaced}))
    # What is there now, which nobody keeps under the name of what was.
    old = await archive.get(world.lea, f"{path}?size=large&v={before.image.sha256}")
    assert (old.headers["cache-control"], opened_picture(old.content).size) == (
        "private, no-cache",
        (900, 100),
    )
    assert "immutable" in await kept_for(archive, path, size="small", v=replaced.sha256)


async def test_a_photo_of_a_home_has_sizes_and_is_asked_for_each_time(archive: Archive) -> None:
    """Somebody else may sit at the same browser, or see it no more."""
    claim = a(ReclamationView)
    shot = a(PhotoView, reclamation_id=claim.id, file=await archive.files.put(LARGE, "image/jpeg", "a.jpg"))
    await archive.tell(claim, shot)
    path = f"/reclamations/{claim.id}/photos/{shot.id}"
    answer = await archive.get(world.lea, f"{path}?size=small")
    assert opened_picture(answer.content).size == (320, 240)
    assert answer.headers["cache-control"] == "private, no-cache"
    assert wrong_fields(await archive.get(world.lea, f"{path}?v={shot.file.sha256}")) == {"v"}
    refused(await archive.get(world.paul, f"{path}?size=small"), 404, "not_found")
    refused(await archive.get(world.paul, f"{path}?size=small", If_None_Match="*"), 404, "not_found")


async def test_an_article_without_a_picture_has_none_in_any_size(archive: Archive) -> None:
    article = a(ArticleView)
    await archive.tell(article)
    for path in (f"/articles/{article.id}/image", f"/articles/{uuid4()}/image"):
        refused(await archive.get(world.lea, f"{path}?size=small"), 404, "not_found")
