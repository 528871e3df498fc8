import msgspec
import pytest

from sealog.dialects.dialect import Settings


def test_days_come_first_unless_set_otherwise():
    assert Settings().day_first is True


def test_an_unknown_setting_is_refused():
    with pytest.raises(msgspec.ValidationError, match="month_first"):
        msgspec.convert({"month_first": True}, Settings)
