"""Pictures fit for mail: light, right-sized, without traces, and nothing read that wasn't given."""

import hashlib
import io

import numpy as np
import pytest
from PIL import Image as Pillow

from mailer.editions.colour import AA, contrast
from mailer.editions.pictures import mail_safe
from mailer.errors import AuthorError

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 20">{}</svg>'


def saved(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def photograph(width, height):
    noise = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Pillow.fromarray(noise)


def test_a_drawing_is_drawn_at_twice_its_width(tmp_path):
    """An SVG becomes a palette PNG named after its bytes, the same each time."""
    path = saved(tmp_path, "a.svg", SVG.format('<rect width="40" height="20" fill="#C8102E"/>'))
    image = mail_safe(path, 300)
    assert (image.width, image.height, image.media_type) == (600, 300, "image/png")
    assert image.name == hashlib.sha256(image.content).hexdigest()[:20] + ".png"
    assert mail_safe(path, 300) == image


def test_a_photograph_is_light_and_upright_and_says_nothing_of_its_camera(tmp_path):
    """Orientation is applied, EXIF is gone, the width is twice what is shown, and 200 kB hold."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera of someone"
    photograph(1600, 1000).save(tmp_path / "a.jpg", exif=exif, quality=95)
    image = mail_safe(tmp_path / "a.jpg", 300)
    assert len(image.content) <= 200_000
    assert b"Camera" not in image.content
    with Pillow.open(io.BytesIO(image.content)) as opened:
        assert opened.height > opened.width
        assert not opened.getexif()
        assert "icc_profile" not in opened.info


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "JPEG"])
def test_small_pictures_are_not_blown_up(tmp_path, kind):
    """A picture with fewer pixels than asked keeps them."""
    path = tmp_path / f"a.{kind.lower()}"
    Pillow.new("RGB", (50, 30), "red").save(path, kind)
    assert (mail_safe(path, 300).width, mail_safe(path, 300).height) == (50, 30)


def test_transparency_stays(tmp_path):
    """A logo keeps its clear background, for dark mode's sake."""
    picture = Pillow.new("RGBA", (100, 100))
    picture.paste((200, 16, 46, 255), (25, 25, 75, 75))
    picture.save(tmp_path / "a.png")
    with Pillow.open(io.BytesIO(mail_safe(tmp_path / "a.png", 50).content)) as opened:
        assert opened.convert("RGBA").getpixel((0, 0))[3] == 0


REFUSED = [
    ('<image href="{file}" width="9" height="9"/>', "refers to another file"),
    ('<image xlink:href="file://{file}" width="9" height="9"/>', "refers to another file"),
    ('<image href="https://a.example/x.png" width="9" height="9"/>', "refers to another file"),
    ('<image href="data:image/svg+xml;base64,AAAA" width="9" height="9"/>', "refers to another file"),
    ('<image href="data:image/png;base64,AAAA" width="9" height="9"/>', "embeds a picture"),
    ("<filter><feImage href='{file}'/></filter>", "refers to another file"),
    ("<text>Hola</text>", "convert it to paths"),
    ("<foreignObject/>", "foreignObject"),
    ('<pattern patternUnits="userSpaceOnUse" width="19000" height="19000"/>', "monstrously"),
    ('<pattern width="1e9" height="1e9"/>', "monstrously"),
    ('<g transform="scale(9000)"><pattern width="1" height="1"/></g>', "monstrously"),
    ("<g>", "broken"),
]


@pytest.mark.parametrize(("inside", "words"), REFUSED)
def test_a_drawing_that_reaches_out_is_refused(tmp_path, inside, words):
    """A drawing can't make the renderer read a file or a URL, or depend on the machine's fonts."""
    Pillow.new("RGB", (9, 9), "red").save(tmp_path / "secret.png")
    path = saved(tmp_path, "a.svg", SVG.format(inside.format(file=tmp_path / "secret.png")))
    with pytest.raises(AuthorError, match=words):
        mail_safe(path, 300)


def test_entities_are_refused(tmp_path):
    """No entity is resolved, from inside or from a file."""
    entity = '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    with pytest.raises(AuthorError, match="entities"):
        mail_safe(saved(tmp_path, "a.svg", entity + SVG.format("<title>&x;</title>")), 300)


@pytest.mark.parametrize("size", ['width="1" height="100000"', 'viewBox="0 0 1 100000"', 'viewBox="0 0 0 0"', ""])
def test_a_drawing_out_of_all_proportion_is_refused(tmp_path, size):
    """The renderer would allot all memory for it."""
    with pytest.raises(AuthorError, match=r"crop it|no size"):
        mail_safe(saved(tmp_path, "a.svg", f'<svg xmlns="http://www.w3.org/2000/svg" {size}/>'), 600)


def test_files_that_are_no_pictures_are_refused_with_a_hint(tmp_path):
    """HEIC, text and broken files each get one sentence."""
    with pytest.raises(AuthorError, match="HEIC"):
        mail_safe(saved(tmp_path, "a.jpg", b"\0\0\0\x18ftypheic" + b"\0" * 40), 300)
    with pytest.raises(AuthorError, match="no picture"):
        mail_safe(saved(tmp_path, "b.jpg", "hola"), 300)
    out = io.BytesIO()
    photograph(200, 200).save(out, "PNG")
    with pytest.raises(AuthorError, match="broken or cut short"):
        mail_safe(saved(tmp_path, "c.png", out.getvalue()[:5000]), 300)
    with pytest.raises(AuthorError, match="can't be read"):
        mail_safe(tmp_path / "none.png", 300)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    """A few bytes that claim billions of pixels cost nothing."""
    Pillow.new("1", (30_000, 30_000)).save(tmp_path / "a.png")
    with pytest.raises(AuthorError, match="million pixels"):
        mail_safe(tmp_path / "a.png", 300)


def test_the_cache_gives_the_same_and_survives_damage(tmp_path):
    """A kept picture equals a made one; a damaged file is made anew."""
    path = saved(tmp_path, "a.svg", SVG.format('<rect width="40" height="20" fill="#0B2A5B"/>'))
    cache = tmp_path / "cache"
    made = [mail_safe(path, width, cache=cache) for width in (100, 200)]
    assert [mail_safe(path, width, cache=cache) for width in (100, 200)] == made
    for kept in cache.iterdir():
        kept.write_bytes(kept.read_bytes()[:20])
    assert [mail_safe(path, width, cache=cache) for width in (100, 200)] == made


def test_a_place_is_tinted_like_its_picture(tmp_path):
    """The ground under a picture is a light tint of what it mostly shows; what is seen through has none."""
    path = saved(tmp_path, "a.svg", SVG.format('<rect width="40" height="20" fill="#0000C8"/>'))
    colour = mail_safe(path, 300).colour
    assert colour[1:3] == colour[3:5] < "F0" < colour[5:7]
    assert contrast("#1B2430", colour) >= AA
    Pillow.new("RGBA", (100, 100)).save(tmp_path / "clear.png")
    assert not mail_safe(tmp_path / "clear.png", 50).colour
