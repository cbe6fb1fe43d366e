from hf_fashion.audit.near_titles import near_titles


def test_titles_of_the_same_words_form_groups():
    titles = ["Red dress", "red  DRESS", "Dresses", "Dress, red!", None, "!", "Blue coat", "?", "Blue coat"]
    groups = near_titles(titles, range(9))
    assert [group.rows for group in groups] == [(0, 1, 3), (6, 8)]
    assert groups[0].titles == ("Red dress", "Dress, red!") and groups[1].titles == ("Blue coat",)


def test_views_of_one_product_share_their_title():
    assert near_titles(["Red dress", "red dress"], ["p", "p"]) == []
    assert near_titles(["Red dress", "red dress", "Red dress"], ["p", "p", "q"])[0].rows == (0, 1, 2)
