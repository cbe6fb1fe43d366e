import pytest

from hf_fashion.data.converters.shops.merchant_xml import read_merchant_xml


RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel><title>Shop</title><link>https://a</link>
<item><g:id>A1</g:id><title>of RSS</title><g:title>Wool &amp; silk</g:title>
  <g:additional_image_link>https://a/2.jpg</g:additional_image_link><description><![CDATA[<p>Warm</p>]]></description>
  <g:additional_image_link>https://a/3.jpg</g:additional_image_link><g:brand/>
  <g:shipping><g:country>DE</g:country><g:price>5 EUR</g:price></g:shipping></item>
<item><g:id>A2</g:id></item>
</channel></rss>"""


def save(folder, text, encoding="utf-8"):
    path = folder / "feed.xml"
    path.write_bytes(text.encode(encoding))
    return path


def test_rss(tmp_path):
    assert read_merchant_xml(save(tmp_path, RSS)) == [
        (
            3,
            {
                "title": ["Wool & silk"],
                "description": ["<p>Warm</p>"],
                "id": ["A1"],
                "additional_image_link": ["https://a/2.jpg", "https://a/3.jpg"],
                "shipping": ["DE:5 EUR"],
            },
        ),
        (7, {"id": ["A2"]}),
    ]


def test_what_stands_in_inner_elements_is_kept(tmp_path):
    item = "<g:id>1</g:id><g:title>Summer <b>linen</b> dress</g:title>"
    item += "<g:description><p>Of <i>hemp</i>.</p></g:description>"
    item += "<g:product_detail><g:attribute_name>Neck</g:attribute_name> <g:attribute_value> V </g:attribute_value>"
    item += "</g:product_detail><g:material>of <b>wool</b></g:material>"
    ((_, values),) = read_merchant_xml(
        save(tmp_path, RSS[: RSS.index("<item>")] + f"<item>{item}</item></channel></rss>")
    )
    assert values == {
        "id": ["1"],
        "title": ["Summer <b>linen</b> dress"],
        "description": ["<p>Of <i>hemp</i>.</p>"],
        "product_detail": ["Neck:V"],
        "material": ["of wool"],
    }
    item = "<g:id>1</g:id><title>T</title><m:title>a picture</m:title><m:credit>me</m:credit>"
    item += "<g:shipping><g:country>CA</g:country><g:service/><g:price>6 USD</g:price></g:shipping>"
    item += f"<g:product_detail><g:attribute_value>{'v' * 9000}</g:attribute_value></g:product_detail>"
    item += '<content><div xmlns="http://www.w3.org/1999/xhtml">A <b>red</b> shirt.</div></content>'
    head = RSS[: RSS.index("<item>")].replace("<rss ", '<rss xmlns:m="http://search.yahoo.com/mrss/" ')
    ((_, values),) = read_merchant_xml(save(tmp_path, head + f"<item>{item}</item></channel></rss>"))
    assert values == {
        "id": ["1"],
        "title": ["T"],
        "credit": ["me"],
        "shipping": ["CA::6 USD"],
        "product_detail": ["v" * 9000],
        "content": ["<div>A <b>red</b> shirt.</div>"],
    }


def test_atom_and_another_encoding(tmp_path):
    atom = '<?xml version="1.0" encoding="ISO-8859-1"?><feed xmlns="http://www.w3.org/2005/Atom" '
    atom += 'xmlns:x="http://base.google.com/ns/1.0"><entry><id>tag:1</id><x:id>é1</x:id>'
    atom += '<link href="https://a/1"/></entry></feed>'
    assert read_merchant_xml(save(tmp_path, atom, "latin-1")) == [(1, {"id": ["é1"], "link": ["https://a/1"]})]


def test_document_types_and_their_entities_are_refused(tmp_path):
    bomb = '<?xml version="1.0"?>\n<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]>\n'
    bomb += "<rss><item>&b;</item></rss>"
    with pytest.raises(ValueError, match=r"feed\.xml, line 2: it has a document type .*remove it"):
        read_merchant_xml(save(tmp_path, bomb))
    secret = '<!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss><item><id>1</id></item></rss>'
    with pytest.raises(ValueError, match="document type"):
        read_merchant_xml(save(tmp_path, secret))


def test_broken_files_are_named_by_their_line(tmp_path):
    with pytest.raises(ValueError, match=r"feed\.xml, line 7: not XML: .*Load the feed again"):
        read_merchant_xml(save(tmp_path, RSS[: RSS.index("A2")]))
    with pytest.raises(ValueError, match=r"feed\.xml, line 1: not XML: "):
        read_merchant_xml(save(tmp_path, "id\ttitle\nA1\tHat\n"))
    with pytest.raises(
        ValueError, match=r"feed\.xml: no item \(RSS\) or entry \(Atom\) in it \(did you mean 'item'\?\)"
    ):
        read_merchant_xml(save(tmp_path, "<products><items><id>1</id></items></products>"))
    with pytest.raises(ValueError, match="line 1: unknown encoding: klingon"):
        read_merchant_xml(save(tmp_path, RSS.replace("UTF-8", "klingon")))
    with pytest.raises(ValueError, match=r"not XML: .*the encoding that the first line names"):
        read_merchant_xml(save(tmp_path, RSS.replace("Wool", "caf\xe9"), "latin-1"))
    with pytest.raises(ValueError, match=r"not XML: .*write &#160; for &nbsp;"):
        read_merchant_xml(save(tmp_path, RSS.replace("Wool", "Wool&nbsp;")))
    with pytest.raises(ValueError, match=r"not XML: .*Write &amp; for &"):
        read_merchant_xml(save(tmp_path, RSS.replace("Wool", "Wool & Co")))
    with pytest.raises(ValueError, match=r"line 2: not XML: .*Remove what is before <\?xml"):
        read_merchant_xml(save(tmp_path, "\n" + RSS))
