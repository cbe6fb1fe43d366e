import io
import tarfile

import pytest

from hf_fashion.data.converters.tar_shards import files_of_tar


@pytest.fixture
def tar(tmp_path):
    """A tar of two files and a folder."""
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as file:
        for name, content in (("folder/1.txt", b"one" * 300), ("2.txt", b"two")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
        folder = tarfile.TarInfo("empty")
        folder.type = tarfile.DIRTYPE
        file.addfile(folder)
    return path


def test_files_are_listed_with_their_places(tar):
    parts = list(files_of_tar(tar))
    assert [(part.name, part.size) for part in parts] == [("folder/1.txt", 900), ("2.txt", 3)]
    assert [part.read() for part in parts] == [b"one" * 300, b"two"]


def test_names_of_any_length_are_read(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as file:
        file.addfile(tarfile.TarInfo("é" * 200 + ".txt"), io.BytesIO())
    assert [part.name for part in files_of_tar(tmp_path / "a.tar")] == ["é" * 200 + ".txt"]


@pytest.mark.parametrize("length", [0, 100, 512 + 400, 512 + 1024, 512 + 1024 + 200, 512 + 1024 + 512 + 512])
def test_a_tar_that_is_cut_off_is_an_error_wherever_it_ends(length, tar):
    tar.write_bytes(tar.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"a\.tar (is no tar, or damaged,|is cut off) behind "):
        list(files_of_tar(tar))


def test_a_damaged_header_in_the_middle_is_an_error(tar):
    content = bytearray(tar.read_bytes())
    content[512 + 1024 : 512 + 1024 + 100] = b"x" * 100
    tar.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.tar has a damaged header behind folder/1\.txt: copy it again"):
        list(files_of_tar(tar))


def test_a_link_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        link = tarfile.TarInfo("1.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(link)
    with pytest.raises(ValueError, match=r"1\.jpg is a link or no plain file"):
        list(files_of_tar(tmp_path / "a.tar"))


def test_a_compressed_tar_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w:gz") as file:
        file.addfile(tarfile.TarInfo("1.txt"), io.BytesIO())
    with pytest.raises(ValueError, match="Copy it again, uncompressed"):
        list(files_of_tar(tmp_path / "a.tar"))


@pytest.mark.parametrize("size", [-1536, -1])
def test_a_size_below_zero_is_an_error_and_no_circle(size, tar):
    with tarfile.open(tar) as opened:
        second = opened.getmembers()[1]
    header = bytearray(tar.read_bytes())
    entry = second.offset
    header[entry + 124 : entry + 136] = b"\xff" + (2**88 + size).to_bytes(11, "big")  # GNU's way to write a number
    total = sum(header[entry : entry + 512]) - sum(header[entry + 148 : entry + 156]) + 8 * 32
    header[entry + 148 : entry + 156] = f"{total:06o}\0 ".encode()
    tar.write_bytes(header)
    with pytest.raises(ValueError, match="is no tar, or damaged, behind"):
        list(files_of_tar(tar))
