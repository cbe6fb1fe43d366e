def test_try(shop, url, browser):
    print(shop.statement, shop.filters, shop.title, url)
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    log=[]
    page.on("console", lambda m: log.append(m.text)); page.on("requestfailed", lambda r: log.append(r.url))
    page.goto(url)
    page.get_by_role("button", name="Search", exact=True).wait_for()
    page.screenshot(path="/tmp/w/s1.png")
    page.locator("[data-example]").first.click()
    page.locator(".products li").first.wait_for()
    page.screenshot(path="/tmp/w/s2.png", full_page=True)
    page.locator(".products button").first.click()
    page.locator("dialog").wait_for()
    page.screenshot(path="/tmp/w/s3.png")
    print(log)
    page.set_viewport_size({"width":390,"height":844})
    page.keyboard.press("Escape")
    page.locator("[data-example]").last.click(); page.locator(".compared").wait_for(); page.wait_for_timeout(300); page.screenshot(path="/tmp/w/s4.png"); page.set_viewport_size({"width":1280,"height":900}); page.screenshot(path="/tmp/w/s5.png")
    assert 0
