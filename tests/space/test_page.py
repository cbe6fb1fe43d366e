"""The page in a real browser: by mouse, by keyboard only, and at a phone's width."""

import re

import pytest
from fashion_space.queries import Form

from tests.space.space_folder import HOSTILE
from tests.tiny_attribute import ATTRIBUTE_NAMES
from tests.tiny_e2 import TAG_ENTITIES


DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(params=[DESKTOP], ids=["desktop"])
def page(request, browser, url):
    """A fresh visit; nothing from outside may be needed."""
    context = browser.new_context(viewport=request.param)
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    outside = re.compile(rf"^(?!{re.escape(url)}|data:|blob:)")
    opened.route(outside, lambda route: route.abort())
    opened.errors = []
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.goto(url)
    opened.locator("#search").wait_for()
    yield opened
    assert opened.errors == []
    context.close()


on_a_phone = pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])


def products(page) -> list[str]:
    """Ids of the products that are shown, once there are some."""
    page.locator(".products li").first.wait_for()
    return page.locator(".products button").evaluate_all("all => all.map(one => one.dataset.product)")


def upload(page, path) -> None:
    page.locator("#photo input[type=file]").set_input_files(path)
    page.locator("#photo img").wait_for()


def is_as_wide_as_the_window(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_page_states_models_and_products(page, shop):
    assert page.locator("h1").inner_text() == "Fashion search"
    assert page.locator(".statement").inner_text() == shop.statement
    assert "24 products" in shop.statement and "E2" in shop.statement and "IPAD" in shop.statement


def test_a_photo_finds_itself_and_shows_where_e2_looks(page, catalogue, shop):
    upload(page, catalogue / "p07.png")
    page.locator("#search").click()
    found = products(page)
    assert found == [one["id"] for one in shop.search(Form((catalogue / "p07.png").read_bytes())).results]
    assert found[0] == "p07.png" and "score 1.000" in page.locator(".products button").first.inner_text()
    page.locator(".products button").first.click()
    page.locator("dialog[open]").wait_for()
    assert page.locator("dialog figcaption").all_inner_texts() == TAG_ENTITIES
    assert page.locator("dialog figure img").evaluate_all("all => all.every(one => one.naturalWidth == 64)")
    page.locator("[data-close]").click()
    page.locator("dialog").wait_for(state="detached")
    page.locator(".products button").first.click()  # the same product again
    page.locator("dialog[open]").wait_for()


def test_fr_is_switched_on_for_an_attribute(page, catalogue):
    upload(page, catalogue / "p07.png")
    assert not page.locator("#rerank").is_visible()
    page.get_by_label("Compare").click()
    page.get_by_role("option", name=ATTRIBUTE_NAMES[0], exact=True).click()
    page.locator("#search").click()
    before = products(page)
    page.get_by_label("Re-rank with FR").check()
    page.locator(".compared").wait_for()
    assert page.locator(".compared h3").all_inner_texts() == ["Before FR", "After FR"]
    assert products(page)[: len(before)] == before
    assert page.locator(".compared .up, .compared .down").count() > 0
    page.locator(".products button").last.click()
    page.locator("dialog[open]").wait_for()
    assert page.locator("dialog figcaption").all_inner_texts()[:2] == ["round 1", "round 2"]
    assert f"Where IPAD looks for the {ATTRIBUTE_NAMES[0]}" in page.locator("dialog").inner_text()


def test_filters_choose_products(page):
    page.locator("#words textarea").fill("a dress")
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("price from").fill("20")
    page.get_by_label("price to").fill("23")
    page.get_by_label("price to").press("Tab")  # the field has taken its number
    page.locator("#search").click()
    assert sorted(products(page)) == [f"p{number}.png" for number in range(10, 14)]
    page.get_by_label("price from").fill("24")
    page.locator("#search").click()
    page.get_by_text("the least value, 24, is larger than the largest, 23").wait_for()
    assert page.locator(".products").count() == 0


def test_an_example_fills_the_form_and_searches(page):
    page.get_by_role("button", name="green shirt, without buttons").click()
    assert len(products(page)) == 12
    assert page.locator("#words textarea").input_value() == "green shirt"
    assert page.locator("#avoid textarea").input_value() == "buttons"


def test_an_example_clears_filters_and_weight(page):
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("price from").fill("33")
    page.get_by_label("price from").press("Tab")
    page.get_by_role("button", name="More options").click()
    page.get_by_label("number input for Weight of the photo").fill("0")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Like this one").first.click()
    assert len(products(page)) == 12
    assert page.get_by_label("price from").input_value() == "10"
    assert page.get_by_label("number input for Weight of the photo").input_value() == "1"


def test_errors_are_told_in_the_page(page, tmp_path):
    page.locator("#search").click()
    page.get_by_role("alert").get_by_text("Upload a photo or write some words").wait_for()
    page.locator("#words textarea").fill("red = 0")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("cancel").wait_for()
    assert "Traceback" not in page.content()


def test_texts_of_the_catalogue_are_shown_as_they_are(page):
    page.get_by_role("button", name="More options").click()
    page.locator("#words textarea").fill("red; <b onclick=1>")
    page.get_by_label("number input for Number of results").fill("24")
    page.keyboard.press("Tab")
    page.locator("#search").click()
    assert len(products(page)) == 24
    page.get_by_role("button", name=HOSTILE.split(">")[0]).click()
    page.locator("dialog[open]").wait_for()
    assert page.locator("dialog h2").inner_text() == HOSTILE
    assert page.title() == "Fashion search"


def test_keyboard_is_enough(page, catalogue):
    """Upload, search, look closer and come back, without a mouse."""
    focus = "document.activeElement"
    with page.expect_file_chooser() as chooser:
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate(f"!!{focus}.closest('#photo button')"):
                break
        page.keyboard.press("Enter")
    chooser.value.set_files(catalogue / "p07.png")
    page.locator("#photo img").wait_for()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(f"!!{focus}.closest('#words')"):
            break
    page.keyboard.type("a red dress")
    page.keyboard.press("Enter")
    assert len(products(page)) == 12
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(f"!!{focus}.dataset.product"):
            break
    product = page.evaluate(f"{focus}.dataset.product")
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    assert page.evaluate(f"{focus}.textContent") == "Close"
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    assert page.evaluate(f"{focus}.dataset.product") == product


@on_a_phone
def test_a_phone_shows_everything_within_its_width(page):
    assert is_as_wide_as_the_window(page)
    page.locator("[data-example]").last.click()
    page.locator(".compared").wait_for()
    assert is_as_wide_as_the_window(page)
    page.wait_for_function("document.querySelector('#results').getBoundingClientRect().top < window.innerHeight / 2")
    page.locator(".products button").first.click()
    page.locator("dialog[open]").wait_for()
    assert is_as_wide_as_the_window(page)
    box = page.locator("dialog").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"] and box["height"] <= PHONE["height"]


@on_a_phone
def test_a_phone_scrolls_to_an_error(page):
    page.locator("#search").click()
    page.get_by_role("alert").wait_for()
    page.wait_for_function("document.querySelector('#told').getBoundingClientRect().bottom < window.innerHeight")
