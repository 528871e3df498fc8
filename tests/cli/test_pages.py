from sealog.cli.pages import at, read_page


def test_a_page_reads_the_slow_way_too():
    """Text that only the slow reader takes."""
    page = b'{"events":[{"a":"\\ud800"},{"b":1}],"next_cursor":"7"}'

    assert read_page(page) == ([b'{"a":"\\ud800"}', b'{"b":1}'], "7")
    assert read_page(b'{"events":[],"next_cursor":null}') == ([], None)


def test_a_value_that_is_no_text_is_shown_as_json():
    event = {"a": {"b": [1, "x"], "c": None, "d": "text"}}

    assert at(event, "a.b") == '[1,"x"]'
    assert at(event, "a.c") == ""
    assert at(event, "a.d") == "text"
    assert at(event, "a.d.e") == ""
