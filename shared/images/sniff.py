"""What a file is by its first bytes, and whether its end is there."""

_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_ANY_EDITOR = "any image editor can export it"
_PHONE = "on an iPhone choose Settings > Camera > Formats > Most Compatible, or share the photo as JPEG"

_UNSUPPORTED_MAGIC = {
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"8BPS": "Photoshop",
    b"%PDF": "PDF",
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000",
    b"v/1\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"<svg": "SVG",
}
_SUPPORTED_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"RIFF": "WEBP",
    b"BM": "BMP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
}


def unsupported_format(data: bytes) -> tuple[str, str] | None:
    """Name and advice for a known format that is not decoded, or None."""
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        if brand in _HEIF_BRANDS:
            return "HEIC", _PHONE
        if brand in _AVIF_BRANDS:
            return "AVIF", _ANY_EDITOR
        return "video", "take a still frame of it"
    for magic, name in _UNSUPPORTED_MAGIC.items():
        if data.startswith(magic):
            return name, _ANY_EDITOR
    return None


def known_format(data: bytes) -> str | None:
    """The decodable format that the first bytes announce, or None."""
    return next((name for magic, name in _SUPPORTED_MAGIC.items() if data.startswith(magic)), None)


def lacks_its_end(data: bytes) -> bool:
    """True when a file of a known format does not reach its own end mark or stated length."""
    match known_format(data):
        case "PNG":
            return b"IEND" not in data[-64:]
        case "JPEG":
            # Cameras append data after the end mark, so it need not be the very last thing.
            return b"\xff\xd9" not in data[-4096:]
        case "WEBP":
            return len(data) < 8 + int.from_bytes(data[4:8], "little")
        case "BMP":
            return len(data) < int.from_bytes(data[2:6], "little")
        case _:
            return False
