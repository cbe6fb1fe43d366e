import logging

import pytest

from hf_fashion.data.fetching import photos
from hf_fashion.data.fetching.photos import fetch_photos, photo_name
from hf_fashion.fetching import urls
from tests.data.corpora import jpeg
from tests.photo_server import PhotoServer


@pytest.fixture
def server(monkeypatch):
    """A server of photos that may be reached."""
    monkeypatch.setattr(urls, "require_public", lambda address: None)
    with PhotoServer() as server:
        yield server


def test_photos_are_fetched_once_and_what_failed_again(server, tmp_path, caplog):
    urls = [server.add(f"/{number}.jpg?v=1", jpeg(number)) for number in range(3)]
    lost = server.add("/lost.jpg", b"", 503)
    with caplog.at_level(logging.WARNING):
        fetched = fetch_photos([*urls, lost], tmp_path)
    assert [fetched.paths[url].read_bytes() for url in urls] == [jpeg(number) for number in range(3)]
    assert list(fetched.failures) == [lost] and "503" in fetched.failures[lost]
    assert "3 photos fetched (0.0 MB), 0 were there, 1 failed" in caplog.text
    server.add("/lost.jpg", jpeg(3))
    again = fetch_photos([*urls, lost], tmp_path)
    assert not again.failures and set(again.paths) == {*urls, lost} and again.num_bytes == len(jpeg(3))
    assert server.asked["/lost.jpg"] == 2 and server.asked["/0.jpg?v=1"] == 1
    assert "1 photos fetched (0.0 MB), 3 were there, 0 failed" in caplog.text


def test_what_is_no_whole_photo_leaves_no_file(server, tmp_path, monkeypatch):
    monkeypatch.setattr(photos, "LARGEST_PHOTO", 2000)
    page = server.add("/page.jpg", b"<html>not found</html>")
    cut = server.add("/cut.jpg", jpeg(0)[:200], Content_Length=str(len(jpeg(0))))
    torn = server.add("/torn.jpg", jpeg(0)[:200])
    large = server.add("/large.jpg", jpeg(0, (200, 200)))
    failures = fetch_photos([page, cut, torn, large], tmp_path).failures
    assert "it is no photo that can be read: the file is no photo that can be opened" in failures[page]
    assert "it was cut off," in failures[cut]
    assert "it is no photo that can be read" in failures[torn]
    assert failures[large] == "it has more than 0.002 MB"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_private_addresses_and_other_protocols_are_failures(tmp_path):
    urls = ["http://127.0.0.1:9/1.jpg", "http://[::1/2.jpg", "ftp://shop.example/3.jpg", "http://localhost/ü 4.jpg"]
    failures = fetch_photos(urls, tmp_path).failures
    assert list(failures) == urls
    assert "private network" in failures[urls[0]] and "private network" in failures[urls[3]]
    assert failures[urls[2]] == "a URL of a photo begins with http:// or https:// and a name, got ftp://"


def test_a_call_is_bounded_in_number_time_and_bytes(server, tmp_path, monkeypatch):
    urls = [server.add(f"/{number}.jpg", jpeg(number)) for number in range(2)]
    monkeypatch.setattr(photos, "SECONDS", -1)
    assert set(fetch_photos(urls, tmp_path).failures.values()) == {"no whole answer in -1 s"}
    monkeypatch.setattr(photos, "SECONDS", 60)
    monkeypatch.setattr(photos, "MOST_BYTES", 1)
    monkeypatch.setattr(photos, "PHOTOS_AT_ONCE", 1)
    page = server.add("/page.jpg", b"<html>not found</html>")  # what is no photo counts too
    assert "the limit of one call" in fetch_photos([page, *urls], tmp_path).failures[urls[1]]
    monkeypatch.setattr(photos, "MOST_BYTES", 0)
    assert all("the limit of one call" in reason for reason in fetch_photos(urls, tmp_path).failures.values())
    monkeypatch.setattr(photos, "MOST_PHOTOS", 1)
    with pytest.raises(ValueError, match="2 photos are named by URLs, and at most 1 are fetched at once: divide"):
        fetch_photos(urls, tmp_path)


def test_a_folder_that_cannot_be_written_is_an_error(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        fetch_photos([server.add("/1.jpg", jpeg(1))], tmp_path / "file" / "folder")


def test_names_are_the_urls_own_with_an_ending_of_a_photo():
    names = {
        photo_name(f"https://a.example/{end}") for end in ("1.jpg?width=9", "1.PNG", "1", "1.php?x=a.gif", "2.jpg")
    }
    assert len(names) == 5 and sorted(name[-4:] for name in names) == [".jpg", ".jpg", ".jpg", ".jpg", ".png"]
    assert all(name[:2] == name[3:5] for name in names)
